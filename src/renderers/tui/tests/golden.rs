//! Whole pictures against the text files in `golden/`.
//!
//! With `MARQUEE_BLESS` set, the files are written instead; read the difference before a commit.

use std::path::Path;

use super::*;

pub(super) fn check(name: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/renderers/tui/tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("MARQUEE_BLESS").is_some() {
        std::fs::write(&path, drawn).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(wanted, drawn, "the picture {name} is another one than in {}:\n{drawn}", path.display());
}

#[test]
fn every_size_keeps_level_word_and_text() {
    for (columns, rows) in [(80, 24), (40, 10), (200, 50), (20, 3), (10, 1), (1, 1)] {
        check(&format!("{columns}x{rows}"), &drawn(&context(columns, rows), &frame(line_3(), 2), &[]));
    }
}

#[test]
fn a_bad_day() {
    let frame = frame(bad_day(), 3);
    check("bad-day", &drawn(&context(80, 24), &frame, &[]));
    // In the dark half of the second only the symbols of what calls are gone.
    check("bad-day-dark", &drawn(&context(80, 24), &later(&frame, 600), &[]));
    check("bad-day-board", &drawn(&context(80, 24), &frame, &["tab", "down", "down", "down"]));
    let stale = super::frame(bad_day(), 4);
    check("stale", &drawn(&context(60, 14), &stale, &[]));
}

#[test]
fn ascii_alone() {
    let ascii = Context { charset: Charset::Ascii, colours: ColourDepth::Mono, ..context(80, 24) };
    let frame = frame(line_3(), 2);
    let plain = drawn(&ascii, &frame, &[]);
    assert!(plain.is_ascii(), "{plain}");
    check("ascii", &plain);
    let help = drawn(&ascii, &frame, &["?"]);
    assert!(help.is_ascii(), "{help}");
    let detail = drawn(&ascii, &measured(), &["enter"]);
    assert!(detail.is_ascii(), "{detail}");
    check("ascii-detail", &detail);
}

#[test]
fn chinese() {
    let chinese = Context { locale: Locale::Zh, ..context(80, 24) };
    let frame = frame(bad_day(), 3);
    check("zh", &drawn(&chinese, &frame, &[]));
    check("zh-help", &drawn(&chinese, &frame, &["?"]));
    let summary = Turn {
        kind: TurnKind::Summary(12),
        item: None,
        text: Safe::line("12 healthy"),
        level: Level::Healthy,
        since: None,
        ..frame.turn.clone()
    };
    check("zh-summary", &drawn(&chinese, &sealed(Frame { turn: summary, ..frame }), &[]));
}

#[test]
fn turns_without_an_item() {
    let items = frame(line_3(), 1);
    let summary = Turn {
        kind: TurnKind::Summary(12),
        item: None,
        text: Safe::line("12 healthy"),
        level: Level::Healthy,
        since: None,
        ..items.turn.clone()
    };
    check("summary", &drawn(&context(80, 24), &sealed(Frame { turn: summary.clone(), ..items.clone() }), &[]));
    let turn = Turn {
        kind: TurnKind::Fallback,
        text: Safe::line("System initializing…"),
        level: Level::Info,
        position: 0,
        of: 0,
        ..summary
    };
    let fallback =
        sealed(Frame { turn, rows: Arc::default(), counts: [0; 5], role: Role::Alone, consoles: 1, ..items });
    check("fallback", &drawn(&context(80, 24), &fallback, &[]));
}

#[test]
fn what_the_viewer_opens() {
    let frame = frame(bad_day(), 0);
    check("help", &drawn(&context(80, 24), &frame, &["?"]));
    check("help-small", &drawn(&context(30, 6), &frame, &["?", "down"]));
    check("find", &drawn(&context(80, 24), &frame, &["/", "r", "e"]));
    check("find-small", &drawn(&context(20, 3), &frame, &["/", "r", "e"]));
    check("find-nothing", &drawn(&context(60, 10), &frame, &["/", "x", "y", "z"]));
    check("detail", &drawn(&context(80, 24), &measured(), &["enter"]));
    check("detail-small", &drawn(&context(40, 10), &measured(), &["enter", "down"]));
}

/// A board whose only item has values and a history.
fn measured() -> Frame {
    let values = Values::new()
        .with("latency", Value::span(Span::from_millis(12)))
        .with("version", Value::text("7.0.15"))
        .with("used_memory", Value::bytes(1_234_567))
        .with("role", Value::text("master"));
    let level = |n: u64| if n % 17 == 3 { Level::Warning } else { Level::Healthy };
    let history = (0..60).map(|n| Past { level: level(n), took: Span::from_micros(500 + n * 7_919 % 1_400) });
    let rows = vec![Row {
        values: Arc::new(values),
        history: history.collect(),
        ..row("cache", Level::Warning, "Redis TTL > 30s")
    }];
    frame(rows, 0)
}

#[test]
fn a_stopped_page_says_so_at_every_size() {
    let frame = frame(line_3(), 2);
    for (name, columns, rows) in
        [("paused", 80, 24), ("paused-40x2", 40, 2), ("paused-40x1", 40, 1), ("paused-16x1", 16, 1)]
    {
        let mut tui = tui(&context(columns, rows));
        tui.draw(&frame).unwrap();
        press(&mut tui, &frame, &["space"]);
        tui.draw(&later(&frame, 12_000)).unwrap();
        check(name, &picture(&tui));
    }
}

#[test]
fn what_is_not_well_with_the_program_is_told_below_the_header() {
    let notice = Some(Safe::line("marquee.yaml:12:9: unknown key `chekc`, did you mean `check`?"));
    let frame = Frame { notice, role: Role::Local(Fence(7)), ..frame(line_3(), 2) };
    check("notice", &drawn(&context(80, 24), &frame, &[]));
    check("notice-small", &drawn(&context(30, 4), &frame, &[]));
    check("notice-2", &drawn(&context(30, 2), &frame, &[]));
    // What is too long for its line goes by, so that the whole of it can be read.
    let mut tui = tui(&context(30, 4));
    tui.draw(&frame).unwrap();
    tui.draw(&later(&frame, 2_000)).unwrap();
    check("notice-moved", &picture(&tui));
}

#[test]
fn more_rows_than_room() {
    let mut rows: Vec<_> =
        (0..30).map(|n| row(&format!("machine-{n}"), Level::Healthy, "Running, 42 parts/min")).collect();
    rows[17] = row("machine-17", Level::Warning, "Tool worn, 41 parts/min");
    let frame = frame(rows, 2);
    check("many", &drawn(&context(80, 24), &frame, &[]));
    check("many-end", &drawn(&context(80, 24), &frame, &["tab", "end"]));
}
