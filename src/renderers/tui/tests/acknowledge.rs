//! Acknowledged alarms: the key, what comes of it, and how they look at every size.

use super::golden::check;
use super::*;

fn id(name: &str) -> ItemId {
    ItemId::new(name).unwrap()
}

/// The same rows, with these alarms acknowledged for a while, as the board shows them then.
fn known(rows: Vec<Row>, ids: &[&str]) -> Vec<Row> {
    let since = Some(NOON - Span::from_secs(75));
    let quiet = |row: Row| Row { acknowledged: since, calling: false, ..row };
    rows.into_iter().map(|row| if ids.contains(&row.id.as_str()) { quiet(row) } else { row }).collect()
}

#[test]
fn the_key_asks_for_it_and_pressed_again_for_the_contrary() {
    let before = frame(bad_day(), 3);
    let mut tui = tui(&context(80, 24));
    assert_eq!(press(&mut tui, &before, &["a"]), Some(Request::Acknowledge(id("press-7"))));
    assert_eq!(
        press(&mut tui, &before, &["tab", "down", "down", "down", "a"]),
        Some(Request::Acknowledge(id("cache")))
    );
    // What is done is told once the board shows it, and not before.
    tui.draw(&before).unwrap();
    assert!(!picture(&tui).contains("cknowledged"), "{}", picture(&tui));
    let after = frame(known(bad_day(), &["cache"]), 3);
    tui.draw(&after).unwrap();
    assert!(picture(&tui).contains("\n cache: acknowledged"), "{}", picture(&tui));
    assert_eq!(press(&mut tui, &after, &["a"]), Some(Request::Unacknowledge(id("cache"))));
    tui.draw(&before).unwrap();
    assert!(picture(&tui).contains("\n cache: not acknowledged"), "{}", picture(&tui));
    // It goes by itself.
    tui.draw(&later(&before, 4_000)).unwrap();
    assert!(!picture(&tui).contains("cknowledged") && picture(&tui).contains("space pause"), "{}", picture(&tui));
    // The board may have refused it.
    press(&mut tui, &before, &["a"]);
    tui.draw(&later(&before, 1_000)).unwrap();
    assert!(picture(&tui).contains("\n cache: not acknowledged"), "{}", picture(&tui));
}

#[test]
fn what_can_not_be_done_is_told_and_not_asked_for() {
    let leader = |name: Option<&str>| Frame {
        role: Role::Follower(Fence(7)),
        leader: name.map(Safe::line),
        ..frame(line_3(), 2)
    };
    let fixed = frame(vec![Row { every: None, ..row("db", Level::Info, "v2") }], 0);
    for (given, key, columns, told) in [
        (leader(Some("hall-2")), "a", 80, "this console follows hall-2: ask there"),
        (leader(Some("hall-2")), "r", 80, "this console follows hall-2: ask there"),
        (leader(Some("hall-2")), "a", 24, "ask hall-2"),
        (leader(None), "a", 80, "nobody leads yet: try again"),
        (fixed.clone(), "a", 80, "db: no alarm to acknowledge"),
        (fixed, "r", 80, "db: no check to run"),
    ] {
        for rows in [24, 10] {
            let mut tui = tui(&context(columns, rows));
            assert_eq!(press(&mut tui, &given, &[key]), None, "{told}");
            tui.draw(&given).unwrap();
            assert!(picture(&tui).contains(told), "{told} is not in\n{}", picture(&tui));
        }
    }
    // Where nothing is left but level, text and clock, the title gives way.
    let given = leader(Some("hall-2"));
    check("acknowledge-refused-20x3", &drawn(&context(20, 3), &given, &["a"]));
    check("acknowledge-refused-40x10", &drawn(&context(40, 10), &given, &["a"]));
    check("acknowledge-refused-80x24", &drawn(&context(80, 24), &given, &["a"]));
}

#[test]
fn it_is_told_at_every_size() {
    let board = frame(known(bad_day(), &["press-7", "boiler", "cache"]), 3);
    check("acknowledged", &drawn(&context(80, 24), &board, &[]));
    check("acknowledged-board", &drawn(&context(80, 24), &board, &["tab", "down", "down", "down", "down"]));
    check("acknowledged-detail", &drawn(&context(80, 24), &board, &["enter"]));
    check("acknowledged-40x10", &drawn(&context(40, 10), &board, &[]));
    check("acknowledged-detail-40x10", &drawn(&context(40, 10), &board, &["enter"]));
    check("acknowledged-20x3", &drawn(&context(20, 3), &board, &[]));
    check("acknowledged-80x1", &drawn(&context(80, 1), &board, &[]));
    let chinese = Context { locale: Locale::Zh, ..context(80, 24) };
    check("acknowledged-zh", &drawn(&chinese, &board, &[]));
    let line = frame(known(line_3(), &["cache"]), 2);
    let ascii = Context { charset: Charset::Ascii, colours: ColourDepth::Mono, ..context(80, 24) };
    let plain = drawn(&ascii, &line, &[]);
    assert!(plain.is_ascii(), "{plain}");
    check("acknowledged-ascii", &plain);
}

#[test]
fn it_moves_nothing_and_blinks_no_more() {
    let before = frame(bad_day(), 3);
    let after = frame(known(bad_day(), &["press-7"]), 3);
    for (columns, rows) in [(80, 24), (40, 10), (20, 3), (200, 50)] {
        let [before, after] = [&before, &after].map(|frame| drawn(&context(columns, rows), frame, &[]));
        // Word and text of the page, and every id, text and age of the list keep their columns.
        for (one, other) in before.lines().zip(after.lines()) {
            let place = |line: &str, word: &str| line.find(word).map(|at| line[..at].chars().count());
            for word in ["CRITICAL", "七号压机", "api ", "db ", "boiler ", "3s ago"] {
                assert_eq!(place(one, word), place(other, word), "{word} in\n{after}");
            }
        }
    }
    let headline = |frame: &Frame| drawn(&context(80, 24), frame, &[]).contains("✖ CRITICAL");
    assert_eq!([&before, &later(&before, 600), &after, &later(&after, 600)].map(headline), [true, false, true, true]);
}
