//! Any size, any text, any keys: no panic, no half of a wide character, level and text on screen.

use proptest::prelude::*;

use super::*;
use crate::config::keymap::BINDINGS;

/// No character is cut: what is two columns wide has its second one in the picture, and empty.
fn whole(buffer: &Buffer) -> Result<(), TestCaseError> {
    let area = buffer.area();
    for y in 0..area.height {
        for x in 0..area.width {
            let symbol = buffer[(x, y)].symbol();
            prop_assert!(!symbol.contains(char::is_control));
            for covered in 1..symbol.cell_width() {
                prop_assert!(x + covered < area.width, "{symbol:?} is cut at {x},{y}");
                prop_assert_eq!(buffer[(x + covered, y)].symbol(), " ", "{:?} is covered at {},{}", symbol, x, y);
            }
        }
    }
    Ok(())
}

/// Texts as they may come from outside: wide, combining, joined, long, empty, and uncleaned ones.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,12}",
        "[七号压机温度]{0,8}",
        Just("e\u{301}\u{301}".to_owned()),
        Just("👨‍👩‍👧‍👦".to_owned()),
        Just("\u{202e}\u{200b}\x1b[31m\t\r".to_owned()),
        Just("ｶﾞ①—☎️🇩🇪".to_owned()),
        "\\PC{0,6}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn level() -> impl Strategy<Value = Level> {
    (0_usize..5).prop_map(|place| Level::ALL[place])
}

fn board() -> impl Strategy<Value = Vec<Row>> {
    let item = (level(), text(), any::<bool>(), any::<bool>(), any::<bool>());
    proptest::collection::vec(item, 1..24).prop_map(|items| {
        let rows = items.into_iter().enumerate().map(|(place, (level, text, fresh, flapping, known))| Row {
            acknowledged: Some(NOON - Span::from_secs(place as u64 * 977)).filter(|_| known && level.is_alarm()),
            fresh,
            flapping,
            values: Arc::new(Values::new().with(text.as_str(), Value::text(text.as_str()))),
            history: Arc::from(vec![Past { level, took: Span::from_millis(place as u64) }; place * 5]),
            ..row(&format!("item-{place}"), level, &text)
        });
        rows.collect()
    })
}

fn key() -> impl Strategy<Value = &'static str> {
    let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).copied().chain(["x", "七"]).collect();
    proptest::sample::select(keys)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_ever_cut_in_half(
        columns in 1_u16..=120,
        rows in 1_u16..=60,
        board in board(),
        place in 0_usize..24,
        keys in proptest::collection::vec(key(), 0..12),
        millis in 0_u64..20_000,
        notice in proptest::option::of(text()),
        ascii: bool,
        zh: bool,
    ) {
        let place = place % board.len();
        let notice = notice.map(|notice| Safe::line(&notice));
        let frame = Frame { notice, ..frame(board, place) };
        let context = Context {
            charset: if ascii { Charset::Ascii } else { Charset::Unicode },
            locale: if zh { Locale::Zh } else { Locale::En },
            ..context(columns, rows)
        };
        let mut tui = tui(&context);
        tui.draw(&frame).unwrap();
        whole(&tui.seen)?;
        for key in keys {
            press(&mut tui, &frame, &[key]);
            tui.draw(&frame).unwrap();
            whole(&tui.seen)?;
        }
        prop_assert!(!ascii || picture(&tui).is_ascii());
        let later = later(&frame, millis);
        tui.draw(&later).unwrap();
        whole(&tui.seen)?;
        prop_assert!(tui.next_change(&later).is_some_and(|next| next > later.at));
    }

    #[test]
    fn every_size_tells_level_word_and_text(columns in 20_u16..=120, rows in 1_u16..=60, place in 0_usize..3, notice: bool) {
        let mut frame = frame(line_3(), place);
        frame.notice = notice.then(|| Safe::line("store: the disk is full"));
        let picture = drawn(&context(columns, rows), &frame, &[]);
        let [symbol, word, text] = [["●", "INFO", "v2.4.1"], ["✔", "HEALTHY", "Postgre"], ["▲", "WARNING", "Redis T"]][place];
        for told in [symbol, word] {
            prop_assert!(picture.contains(told) || (rows < 3 && columns < 24), "{} is missing:\n{}", told, picture);
        }
        prop_assert!(picture.contains(text) || (rows == 1 || columns < 32), "{} is missing:\n{}", text, picture);
        prop_assert_eq!(picture.contains("! store"), notice && rows > 1, "{}", picture);
        prop_assert!(picture.lines().count() == usize::from(rows));
    }
}
