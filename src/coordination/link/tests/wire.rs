//! Messages as text, and texts that are none.

use proptest::prelude::*;

use super::*;
use crate::kernel::digest;

/// All kinds.
fn every_message() -> Vec<Message> {
    let none = Mirror { interrupt: None, ..mirror_of(board()) };
    let handover = Said::Beat { number: 2, consoles: 0, handover: true, beat: Beat::default() };
    vec![
        beat(5, 1, NOW),
        Message { head: head(5, NOW), said: handover },
        board(),
        Message { head: head(5, NOW), said: Said::Board { mark: Mark::default(), mirror: none } },
        Message { head: head(5, NOW), said: Said::News(news()) },
        Message { head: head(5, NOW), said: Said::News(Vec::new()) },
    ]
}

fn mirror_of(message: Message) -> Mirror {
    let Said::Board { mirror, .. } = message.said else { panic!("it is a board") };
    mirror
}

const fn folded(digest: u64) -> u64 {
    (digest ^ (digest >> 32)) & 0xFFFF_FFFF
}

/// `text` with another body, and a checksum that fits.
fn resealed(text: &str, change: impl Fn(String) -> String) -> String {
    let (body, _) = text.rsplit_once(",\"x\":\"").unwrap();
    let body = change(body.to_owned());
    format!("{body},\"x\":\"{:08x}\"}}", folded(digest(body.bytes())))
}

#[test]
fn every_message_comes_back_as_it_was() {
    for message in every_message() {
        let text = message.write();
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(Message::read(&text), Ok(message), "{text}");
    }
}

#[test]
fn an_acknowledgement_travels_only_where_there_is_one() {
    let known = item("a", Origin::Fixed);
    let text = |item: Mirrored| Message { head: head(5, NOW), said: Said::News(vec![item]) }.write();
    // So that consoles from before acknowledgements read whatever has none.
    assert!(!text(known.clone()).contains("acknowledged"));
    let since = (NOW - ms(5_000)).unix_nanos() / 1_000;
    let told = text(Mirrored { acknowledged: Some(NOW - ms(5_000)), ..known });
    assert!(told.contains(&format!("\"acknowledged\":{since},")), "{told}");
}

#[test]
fn every_flipped_bit_is_refused() {
    for message in [beat(5, 1, NOW), Message { head: head(5, NOW), said: Said::News(news()[..1].to_vec()) }] {
        let text = message.write();
        for place in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[place / 8] ^= 1 << (place % 8);
            let Ok(damaged) = String::from_utf8(bytes) else { continue };
            assert!(matches!(Message::read(&damaged), Err(Unusable::Corrupt(_))), "bit {place}: {damaged}");
        }
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(Message::read(&text[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn texts_that_are_none_of_ours_are_told_with_their_reason() {
    let text = beat(5, 1, NOW).write();
    let large = format!("{{\"marquee\":\"board\"{}", " ".repeat(10 * 1024 * 1024));
    let long = resealed(&text, |body| body.replace("9f2c", &"9".repeat(BEAT_BYTES_MAX)));
    let newer = resealed(&text, |body| body.replace("\"v\":1", "\"v\":2").replace("\"d\":{", "\"d\":{\"new\":1,"));
    for (given, wanted) in [
        (String::new(), Unusable::Corrupt("it is none of ours")),
        ("hello".into(), Unusable::Corrupt("it is none of ours")),
        (large.clone(), Unusable::TooLong(large.len())),
        (long.clone(), Unusable::TooLong(long.len())),
        (newer, Unusable::Newer(2)),
        (resealed(&text, |body| body.replace("\"beat\"", "\"song\"")), Unusable::Corrupt("it is of an unknown kind")),
        (
            resealed(&text, |body| body.replace("\"e\":1", "\"e\":-1")),
            Unusable::Corrupt("a field is not what it should be"),
        ),
        (
            resealed(&text, |body| body.replace("\"e\":1", "\"e\":18446744073709551615")),
            Unusable::Corrupt("no elector gave its token"),
        ),
        (
            resealed(&text, |body| body.replace("line-3", &"x".repeat(129))),
            Unusable::Corrupt("a name in it is too long"),
        ),
        (
            resealed(&text, |body| body.replace("press.oil", "Press Oil")),
            Unusable::Corrupt("it has an item without a name of ours"),
        ),
        (
            resealed(&text, |body| body.replace("\"n\":1", "\"n\":1,\"more\":2")),
            Unusable::Corrupt("a field is not what it should be"),
        ),
    ] {
        assert_eq!(Message::read(&given), Err(wanted), "{}", given.get(..200).unwrap_or(&given));
    }
}

#[test]
fn texts_from_outside_are_cleaned_before_anybody_sees_them() {
    let text = board().write();
    let text = resealed(&text, |body| body.replace("Press 4", "Press\\u001b[31m 4").replace("Line 3", "Li\\u0007ne"));
    let mirror = mirror_of(Message::read(&text).unwrap());
    assert!(mirror.items[0].filtered);
    for shown in [&*mirror.title, &*mirror.items[0].text, &*mirror.items[0].label] {
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
}

#[test]
fn the_longest_horizon_fits_into_a_beat() {
    let long = "x".repeat(crate::kernel::board::ID_CHARACTERS_MAX);
    let turns = (0..256).map(|count| turn(Some(&long), NOW + ms(count * 100))).collect::<Vec<_>>();
    let beat = Beat { seq: u64::MAX, turns, mark: Mark { items: usize::MAX, digest: u64::MAX } };
    let said = Said::Beat { number: u64::MAX, consoles: u32::MAX, handover: true, beat: beat.clone() };
    let text = Message { head: head(5, NOW), said }.write();
    assert!(text.len() <= BEAT_BYTES_MAX, "{}", text.len());
    let Ok(Message { said: Said::Beat { beat: read, .. }, .. }) = Message::read(&text) else { panic!("{text}") };
    assert!(read.turns.len() >= 32, "{}", read.turns.len());
    assert_eq!(read.turns, beat.turns[..read.turns.len()]);
}

#[test]
fn moments_travel_to_a_microsecond_and_translate_together() {
    let at = NOW + Span::from_nanos(123_456_789);
    let Ok(message) = Message::read(&beat(5, 1, at).write()) else { panic!("it is whole") };
    assert!(at.since(message.head.at) < Span::from_micros(1));
    for message in every_message() {
        let there = message.clone().on_clock(|moment| moment + ms(7_000));
        assert_eq!(there.head.at, message.head.at + ms(7_000));
        assert_eq!(there.on_clock(|moment| moment - ms(7_000)), message);
    }
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        any::<u64>().prop_map(|it| it.to_string()),
        Just("1e999".to_owned()),
        "[ -~]{0,8}".prop_map(|it| serde_json::json!(it).to_string()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|them| format!("[{}]", them.join(","))),
            prop::collection::vec(("[a-z]{1,6}", inner), 0..4).prop_map(|them| {
                let them: Vec<String> = them.into_iter().map(|(name, it)| format!("\"{name}\":{it}")).collect();
                format!("{{{}}}", them.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_harms(text in ".{0,300}") {
        let _ = Message::read(&text);
        let _ = Message::read(&format!("{{\"marquee\":\"{text},\"x\":\"{text}"));
    }

    /// A field of a message with a good checksum, replaced by anything at all.
    #[test]
    fn no_field_harms(kind in 0..6_usize, place in any::<prop::sample::Index>(), json in any_json()) {
        let text = every_message()[kind].write();
        let fields: Vec<usize> = text.match_indices(':').map(|(at, _)| at + 1).collect();
        let start = *place.get(&fields);
        let length = text[start..].find([',', '}', ']']).unwrap_or(0);
        let body_end = text.rfind(",\"x\":\"").unwrap_or(0);
        prop_assume!(start + length <= body_end);
        let text = resealed(&text, |body| format!("{}{json}{}", &body[..start], &body[start + length..]));
        if let Ok(message) = Message::read(&text) {
            let _ = message.on_clock(|moment| moment + Span::MAX).write();
        }
    }

    /// The parser may be off by the last bit of a number, which no display shows.
    #[test]
    fn measured_numbers_keep_their_value_and_their_unit(number in -1e15..1e15_f64, unit in 0..4_usize) {
        let unit = [Unit::Plain, Unit::Seconds, Unit::Bytes, Unit::Percent][unit];
        let values = Values::new().with("n", Value::Number(number, unit));
        let news = vec![Mirrored { values: Arc::new(values), ..item("a", Origin::Fixed) }];
        let text = Message { head: head(5, NOW), said: Said::News(news) }.write();
        let Ok(Message { said: Said::News(news), .. }) = Message::read(&text) else { panic!("{text}") };
        let Some(Value::Number(read, read_unit)) = news[0].values.get("n") else { panic!("{text}") };
        prop_assert_eq!(*read_unit, unit);
        prop_assert!((read - number).abs() <= number.abs() * 1e-15, "{} became {}", number, read);
    }

    #[test]
    fn beats_with_any_moments_come_back(
        at in 0..4_000_000_000_000_000_u64,
        offs in prop::collection::vec(0..4_000_000_000_000_000_u64, 0..20),
        number in any::<u64>(),
    ) {
        let moment = |micros: u64| Moment::EPOCH + Span::from_micros(micros);
        let turns = offs.iter().map(|off| turn(Some("a"), moment(*off))).collect();
        let beat = Beat { seq: number, turns, mark: Mark::default() };
        let said = Said::Beat { number, consoles: 3, handover: false, beat };
        let message = Message { head: head(5, moment(at)), said };
        prop_assert_eq!(Message::read(&message.write()), Ok(message));
    }
}
