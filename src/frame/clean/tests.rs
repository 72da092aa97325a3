//! Known attacks as a table, and what holds for every text there is.

use std::num::NonZeroU16;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// Hexadecimal bytes, spaces ignored.
fn hex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Attacks as bytes, and what is left of them.
const ATTACKS: [(&str, &str, &str); 45] = [
    ("window title", "1B 5D 32 3B 54 07", ""),
    ("report of the title", "1B 5B 32 31 74", ""),
    ("clipboard write", "1B 5D 35 32 3B 63 3B 5A 58 5A 70 62 41 3D 3D 07", ""),
    ("clipboard read", "1B 5D 35 32 3B 63 3B 3F 07", ""),
    ("hyperlink", "1B 5D 38 3B 3B 68 74 74 70 3A 2F 2F 78 1B 5C", ""),
    ("font query", "1B 5D 35 30 3B 3F 07", ""),
    ("palette query", "1B 5D 34 3B 31 3B 3F 07", ""),
    ("foreground query", "1B 5D 31 30 3B 3F 07", ""),
    ("background query", "1B 5D 31 31 3B 3F 1B 5C", ""),
    ("notification", "1B 5D 39 3B 68 69 07", ""),
    ("notification of rxvt", "1B 5D 37 37 37 3B 6E 6F 74 69 66 79 3B 61 3B 62 07", ""),
    ("file transfer", "1B 5D 31 33 33 37 3B 46 69 6C 65 3D 3A 41 41 07", ""),
    ("DECRQSS", "1B 50 24 71 6D 1B 5C", ""),
    ("XTGETTCAP", "1B 50 2B 71 34 34 1B 5C", ""),
    ("tmux passthrough", "1B 50 74 6D 75 78 3B 1B 1B 5D 32 3B 54 07 1B 5C", ""),
    ("sixel", "1B 50 71 23 30 3B 32 1B 5C", ""),
    ("kitty graphics", "1B 5F 47 66 3D 31 30 30 3B 41 41 1B 5C", ""),
    ("start of string", "1B 58 61 62 1B 5C", ""),
    ("privacy message", "1B 5E 61 62 1B 5C", ""),
    ("cursor report", "1B 5B 36 6E", ""),
    ("device attributes", "1B 5B 63", ""),
    ("DECID", "1B 5A", ""),
    ("version query", "1B 5B 3E 71", ""),
    ("size report", "1B 5B 31 38 74", ""),
    ("answerback", "05", "\u{FFFD}"),
    ("printer", "1B 5B 35 69", ""),
    ("reset", "1B 63", ""),
    ("erase", "1B 5B 32 4A", ""),
    ("alternate screen", "1B 5B 3F 31 30 34 39 68", ""),
    ("mouse", "1B 5B 3F 31 30 30 33 68", ""),
    ("bracketed paste", "1B 5B 3F 32 30 30 34 68", ""),
    ("character set", "1B 28 30", ""),
    ("shift out and in", "0E 78 0F", "\u{FFFD}x\u{FFFD}"),
    ("overwrite by return", "62 61 64 0D 6F 6B", "bad ok"),
    ("overwrite by backspace", "62 08 6F", "b\u{FFFD}o"),
    ("C1 as UTF-8", "C2 9B 36 6E", ""),
    ("C1 title", "C2 9D 32 3B 54 C2 9C", ""),
    ("C1 as a raw byte", "9B 36 6E", "\u{FFFD}6n"),
    ("doubled escape", "1B 1B 5B 33 31 6D", ""),
    ("delete", "61 7F 62", "a\u{FFFD}b"),
    ("bidirectional override", "61 E2 80 AE 62", "ab"),
    ("tag characters", "61 F3 A0 81 A1 62", "ab"),
    ("byte order mark", "EF BB BF 61", "a"),
    ("terminator alone", "C2 9C 1B 5C", "\u{FFFD}"),
    ("next line", "61 C2 85 62", "a b"),
];

#[test]
fn every_attack_is_neutralised() {
    for (name, bytes, left) in ATTACKS {
        let raw = [b"Line 3 ".as_slice(), &hex(bytes), " läuft".as_bytes()].concat();
        let safe = Safe::bytes(&raw);
        assert_eq!(&*safe, format!("Line 3 {left} läuft"), "{name}");
        assert!(safe.is_tainted(), "{name}");
        assert_eq!(oracle(&safe), "", "{name}");
    }
}

#[test]
fn an_attack_at_the_end_or_in_two_parts_yields_nothing_either() {
    assert_eq!(&*Safe::line("ok \u{1B}"), "ok ");
    assert_eq!(&*Safe::line("ok \u{1B}["), "ok ");
    for (name, bytes, _) in ATTACKS {
        let raw = hex(bytes);
        for at in 0..=raw.len() {
            let both = format!("{}{}", Safe::bytes(&raw[..at]), Safe::bytes(&raw[at..]));
            assert_eq!(oracle(&both), "", "{name} split at {at}");
        }
    }
}

#[test]
fn characters_become_what_their_class_says() {
    for (raw, cleaned, tainted) in [
        ("PostgreSQL OK", "PostgreSQL OK", false),
        ("Größe ①②③ → ✔ 日本語 한국어", "Größe ①②③ → ✔ 日本語 한국어", false),
        ("a\tb\nc\r\nd", "a b c d", false),
        ("a\rb\u{2028}c\u{2029}d", "a b c d", true),
        ("a\u{0}b\u{B}\u{C}\u{80}", "a\u{FFFD}b\u{FFFD}\u{FFFD}\u{FFFD}", true),
        ("a\u{61C}b\u{200B}c\u{200F}d\u{202E}e\u{2066}f\u{AD}g\u{34F}h\u{180E}i\u{FFF9}", "abcdefghi", true),
        ("a\u{E0041}b\u{E0101}c\u{2065}d", "abcd", true),
        (
            "\u{E000}\u{FDD0}\u{FFFE}\u{FFFC}\u{F0000}\u{10FFFF}",
            "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}",
            true,
        ),
        ("a\u{115F}b\u{1160}c\u{3164}d\u{FFA0}", "a b c d ", true),
    ] {
        let safe = Safe::line(raw);
        assert_eq!((&*safe, safe.is_tainted()), (cleaned, tainted), "{}", raw.escape_unicode());
    }
}

#[test]
fn marks_and_joiners_stay_where_they_mean_something() {
    for (raw, cleaned) in [
        ("e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}!", "e\u{301}\u{301}\u{301}\u{301}!"),
        ("\u{301}a", "\u{25CC}\u{301}a"),
        ("می\u{200C}خواهم", "می\u{200C}خواهم"),
        ("क्\u{200D}ष", "क्\u{200D}ष"),
        ("র\u{200D}্য", "র\u{200D}্য"),
        ("ad\u{200D}min", "admin"),
        ("ad\u{200C}min", "admin"),
        ("می\u{200C}", "می"),
        ("\u{200D}می", "می"),
        ("می\u{200C} می", "می می"),
        ("👩\u{200D}👩\u{200D}👧", "👩\u{200D}👩\u{200D}👧"),
        ("👩🏽\u{200D}🚀", "👩🏽\u{200D}🚀"),
        ("❤\u{FE0F}\u{200D}🔥", "❤\u{FE0F}\u{200D}🔥"),
        ("❤\u{FE0F}\u{FE0F}", "❤\u{FE0F}"),
        ("👩\u{200C}👩", "👩👩"),
        ("👩\u{200D}a", "👩a"),
        ("a\u{FE0F}", "a"),
    ] {
        let safe = Safe::line(raw);
        assert_eq!(&*safe, cleaned, "{}", raw.escape_unicode());
        assert_eq!(safe.is_tainted(), raw != cleaned, "{}", raw.escape_unicode());
    }
}

#[test]
fn several_lines_stay_lines() {
    assert_eq!(&*Safe::lines("a\r\nb\n\tc\u{1B}[2J\r"), "a\nb\n c ");
    assert_eq!(&*Safe::lines("a\u{1B}]0;never ended\nb"), "a\nb");
    assert_eq!(&*Safe::lines("a\n\u{301}b"), "a\n\u{25CC}\u{301}b");
}

#[test]
fn too_long_a_text_ends_in_an_ellipsis() {
    for raw in ["x".repeat(5_000), "日".repeat(2_000), "x".repeat(1 << 20), "e\u{301}".repeat(3_000)] {
        let safe = Safe::line(&raw);
        let head = safe.strip_suffix('…').unwrap();
        assert!(raw.starts_with(head));
        assert!((Safe::MAX_TEXT - 6..=Safe::MAX_TEXT).contains(&safe.len()), "{}", safe.len());
        assert!(!safe.is_tainted());
    }
    assert_eq!(Safe::line(&"x".repeat(Safe::MAX_TEXT)).len(), Safe::MAX_TEXT);
    let lines = Safe::lines(&"x\n".repeat(100_000));
    assert_eq!(lines.lines().count(), Safe::MAX_LINES);
    assert!(lines.ends_with("x…"));
    assert_eq!(&*Safe::lines(&"x\n".repeat(Safe::MAX_LINES)), "x\n".repeat(Safe::MAX_LINES));
}

#[test]
fn what_is_cut_off_the_input_is_told_even_if_the_rest_is_short() {
    let raw = format!("ok{}never seen", "\u{1B}c".repeat(Safe::MAX_INPUT));
    assert_eq!(&*Safe::line(&raw), "ok…");
    assert_eq!(&*Safe::bytes(raw.as_bytes()), "ok…");
    let wide = "日".repeat(Safe::MAX_INPUT);
    assert_eq!(Safe::bytes(wide.as_bytes()), Safe::line(&wide));
}

#[test]
fn a_clean_line_is_shared_not_copied() {
    for clean in ["", "PostgreSQL OK", "Größe 日本語 ✔", "cafe\u{301}", "👩\u{200D}🚀", "می\u{200C}خواهم"]
    {
        let raw: Arc<str> = clean.into();
        assert!(Arc::ptr_eq(&Safe::of(&raw).shared(), &raw), "{clean}");
    }
    for dirty in ["a\n", "\u{1B}[m", "a\u{202E}", "\u{301}", "\u{80}"] {
        let raw: Arc<str> = dirty.into();
        assert_eq!(Safe::of(&raw), Safe::line(&raw), "{}", dirty.escape_unicode());
    }
    assert_eq!(Safe::default(), Safe::line(""));
}

#[test]
fn hostile_megabytes_are_done_at_once() {
    const MIB: usize = 1 << 20;
    for piece in [
        "\u{1B}",
        "\u{1B}]",
        "\u{1B}[",
        "\u{1B}]\n",
        "\u{9D}",
        "\u{9D}\n",
        "\u{301}",
        "\u{200D}",
        "👩\u{200D}",
        "\n",
        "\u{9B}0",
    ] {
        let raw = piece.repeat(MIB / piece.len());
        for safe in [Safe::line(&raw), Safe::lines(&raw), Safe::bytes(raw.as_bytes())] {
            assert!(safe.len() <= Safe::MAX_TEXT);
            assert!(safe.ends_with('…'));
        }
    }
    let unterminated = format!("ok\u{1B}]0;{}", "x".repeat(MIB));
    assert_eq!(&*Safe::line(&unterminated), "ok…");
}

/// A terminal that writes down whatever it is told beyond printing.
#[derive(Default)]
struct Complaints(Vec<String>);

impl vt100::Callbacks for Complaints {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("bell".into());
    }
    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("flash".into());
    }
    fn resize(&mut self, _: &mut vt100::Screen, _: (u16, u16)) {
        self.0.push("resize".into());
    }
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("icon".into());
    }
    fn set_window_title(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("title".into());
    }
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], _: &[u8]) {
        self.0.push("copy".into());
    }
    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("paste".into());
    }
    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        self.0.push(format!("character {}", c.escape_unicode()));
    }
    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.0.push(format!("control {byte:#x}"));
    }
    fn unhandled_escape(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, byte: u8) {
        self.0.push(format!("escape {byte:#x}"));
    }
    fn unhandled_csi(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, _: &[&[u16]], c: char) {
        self.0.push(format!("control sequence {c}"));
    }
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, _: &[&[u8]]) {
        self.0.push("system command".into());
    }
}

/// What a terminal does with a line beyond printing it, in words; empty: nothing.
fn oracle(line: &str) -> String {
    let cells = |count| NonZeroU16::new(count).unwrap();
    let mut terminal = vt100::Parser::new_with_callbacks(cells(3), cells(500), 0, Complaints::default());
    let blank = terminal.screen().input_mode_formatted();
    // The emulator takes U+FFFD for broken input of its own and prints nothing, and it has no character of three columns.
    let line = line.replace(|c| c == char::REPLACEMENT_CHARACTER || width::char_columns(c) > 2, "?");
    terminal.process(line.as_bytes());
    let mut complaints = terminal.callbacks().0.clone();
    let screen = terminal.screen();
    // The emulator knows selectors but not joiners, so pictures may be wider on it.
    let selectors = line.matches('\u{FE0F}').count();
    let widest = line.chars().map(width::char_columns).sum::<usize>() + selectors;
    let (row, column) = screen.cursor_position();
    if row != 0 || !(width::columns(&line)..=widest).contains(&usize::from(column)) {
        complaints.push(format!("cursor in row {row}, column {column}"));
    }
    if screen.input_mode_formatted() != blank || screen.alternate_screen() || screen.hide_cursor() {
        complaints.push("mode".into());
    }
    complaints.join(", ")
}

/// Texts made to break a cleaner: introducers, halves of them, marks, joiners, letters of many kinds.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(
            [
                "\u{1B}",
                "\u{1B}[",
                "\u{1B}]",
                "\u{1B}P",
                "\u{1B}_",
                "\u{1B}\\",
                "\u{1B}(",
                "\u{9B}",
                "\u{9C}",
                "\u{9D}",
                "\u{90}",
                "\u{7}",
                "\u{18}",
                "\u{1A}",
                "\u{5}",
                "\r",
                "\n",
                "\r\n",
                "\t",
                "\u{8}",
                "31m",
                "6n",
                "2;T",
                "52;c;",
                "?",
                "0",
                ";",
                "é",
                "日",
                "ن",
                "ی",
                "क",
                "्",
                "ক",
                "র",
                "ಕ",
                "\u{CC6}",
                "\u{CC2}",
                "\u{301}",
                "\u{327}",
                "\u{64B}",
                "\u{200C}",
                "\u{200D}",
                "\u{FE0E}",
                "\u{FE0F}",
                "\u{200B}",
                "\u{202E}",
                "\u{2028}",
                "\u{E0041}",
                "\u{115F}",
                "\u{1100}",
                "\u{1161}",
                "\u{11A8}",
                "가",
                "👩",
                "❤",
                "🏽",
                "🇩",
                "\u{FEFF}",
                "\u{E000}",
                "\u{16D63}",
                "\u{16D67}",
                "\u{344}",
                "\u{9C7}",
                "\u{9BE}",
            ]
            .as_slice()
        )
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
        "[ -~]{1,4}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Code points that no safe text holds, with or without lines.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{61C}' | '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206F}' | '\u{FEFF}' | '\u{AD}' | '\u{34F}' | '\u{180E}' | '\u{FFF9}'..='\u{FFFC}'
            | '\u{E0000}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}' | '\u{2028}' | '\u{2029}' | '\u{115F}' | '\u{1160}'
            | '\u{3164}' | '\u{FFA0}' | '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{F0000}'..)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_safe_line_holds_nothing_forbidden_and_only_prints(raw in hostile()) {
        let safe = Safe::line(&raw);
        prop_assert!(!safe.chars().any(|c| is_forbidden(c) || c == '\n'), "{:?}", safe);
        prop_assert!(safe.chars().count() <= raw.chars().count() + 1);
        prop_assert_eq!(oracle(&safe), "");
        prop_assert!(safe.is_tainted() || safe.chars().count() <= raw.chars().count());
    }

    #[test]
    fn safe_lines_hold_nothing_forbidden(raw in hostile()) {
        let safe = Safe::lines(&raw);
        prop_assert!(!safe.chars().any(is_forbidden), "{:?}", safe);
        // A leading mark gets its circle on each line.
        prop_assert!(safe.chars().count() <= raw.chars().count() + safe.split('\n').count());
    }

    #[test]
    fn what_is_safe_stays_as_it_is(raw in hostile()) {
        let line = Safe::line(&raw);
        let again = Safe::line(&line);
        prop_assert_eq!(&*again, &*line, "{}", raw.escape_unicode());
        prop_assert!(!again.is_tainted());
        let shared = line.shared();
        prop_assert!(Arc::ptr_eq(&Safe::of(&shared).shared(), &shared));
        let lines = Safe::lines(&raw);
        prop_assert_eq!(&*Safe::lines(&lines), &*lines, "{}", raw.escape_unicode());
    }

    #[test]
    fn what_is_cut_stays_as_it_is(raw in hostile(), times in 1..400_usize) {
        let raw = raw.repeat(times);
        let line = Safe::line(&raw);
        prop_assert!(line.len() <= Safe::MAX_TEXT);
        prop_assert_eq!(&*Safe::line(&line), &*line);
        let lines = Safe::lines(&raw);
        prop_assert!(lines.len() <= Safe::MAX_TEXT && lines.lines().count() <= Safe::MAX_LINES);
        prop_assert_eq!(&*Safe::lines(&lines), &*lines);
    }

    #[test]
    fn two_halves_make_no_introducer(raw in hostile(), at in any::<prop::sample::Index>()) {
        let bounds: Vec<usize> = raw.char_indices().map(|(at, _)| at).chain([raw.len()]).collect();
        let (left, right) = raw.split_at(bounds[at.index(bounds.len())]);
        let both = format!("{}{}", Safe::line(left), Safe::line(right));
        prop_assert!(!both.chars().any(sequences::is_introducer));
        prop_assert_eq!(oracle(&both), "");
    }

    #[test]
    fn any_bytes_become_a_safe_line(raw in prop::collection::vec(any::<u8>(), 0..80)) {
        let safe = Safe::bytes(&raw);
        prop_assert_eq!(&*safe, &*Safe::line(&String::from_utf8_lossy(&raw)));
        prop_assert_eq!(oracle(&safe), "");
    }

    #[test]
    fn no_normaliser_can_make_a_text_unsafe(raw in hostile(), made in hostile()) {
        let safe = Safe::normalised(&raw, |_| made.clone());
        prop_assert!(!safe.chars().any(|c| is_forbidden(c) || c == '\n'));
    }
}

#[test]
fn the_oracle_stands_characters_of_any_width() {
    for letter in ["a", "\u{17D8}", "\u{FF21}", "\u{301}", "\u{FFFD}"] {
        assert_eq!(oracle(&Safe::line(letter)), "", "{}", letter.escape_unicode());
    }
}

#[cfg(feature = "config")]
mod composed {
    use unicode_normalization::{UnicodeNormalization, is_nfc};

    use super::*;

    fn composed(raw: &str) -> Safe {
        Safe::normalised(raw, |text| text.nfc().collect())
    }

    #[test]
    fn texts_that_look_the_same_are_the_same() {
        assert_eq!(composed("cafe\u{301}"), composed("café"));
        assert_eq!(composed("\u{212B}"), composed("Å"));
        assert_eq!(&*composed("\u{1100}\u{1161}\u{11A8}"), "각");
    }

    #[test]
    fn marks_are_counted_after_composition() {
        assert_eq!(&*composed("e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}"), "é\u{302}\u{303}\u{304}\u{305}");
        assert_eq!(&*composed("e\u{200D}\u{301}"), "é");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_composed_text_stays_as_it_is(raw in hostile(), times in prop_oneof![Just(1), 1..300_usize]) {
            let safe = composed(&raw.repeat(times));
            prop_assert!(is_nfc(&safe), "{}", safe.escape_unicode());
            prop_assert_eq!(&*composed(&safe), &*safe, "{}", raw.escape_unicode());
            prop_assert!(!composed(&safe).is_tainted());
            prop_assert!(!safe.chars().any(is_forbidden));
        }
    }
}
