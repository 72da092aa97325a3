//! What is written and when: nothing for nothing, one update per change, no faster than an eye needs.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

#[test]
fn a_picture_is_one_write_within_one_synchronized_update() {
    let frame = frame(bad_day(), 0);
    let mut tui = tui(&context(80, 24));
    tui.draw(&frame).unwrap();
    tui.draw(&later(&frame, 1_000)).unwrap();
    let writes = &tui.out.0;
    assert_eq!(writes.len(), 2);
    for write in writes {
        assert!(write.starts_with(b"\x1b[?2026h") && write.ends_with(b"\x1b[?2026l"));
    }
    assert!(writes[1].len() < writes[0].len() / 4, "a second is {} of {} bytes", writes[1].len(), writes[0].len());
}

#[test]
fn nothing_is_written_where_nothing_moved() {
    let frame = frame(line_3(), 2);
    let mut tui = tui(&context(80, 24));
    tui.draw(&frame).unwrap();
    press(&mut tui, &frame, &["space"]);
    tui.draw(&frame).unwrap();
    let before = tui.out.0.len();
    for millis in [0, 10, 400, 999] {
        tui.draw(&later(&frame, millis)).unwrap();
    }
    // The same board composed anew says nothing new either.
    let anew = Frame { rows: Arc::new(frame.rows.to_vec()), ..later(&frame, 500) };
    tui.draw(&anew).unwrap();
    assert_eq!(tui.out.0.len(), before);
    tui.draw(&later(&frame, 1_000)).unwrap();
    assert_eq!(tui.out.0.len(), before + 1);
}

#[test]
fn a_damaged_frame_is_dropped_and_counted() {
    let dropped = Arc::new(AtomicU64::new(0));
    let mut tui = Tui::detached(Writes::default(), &context(80, 24), vec![], Arc::clone(&dropped));
    let good = frame(line_3(), 2);
    tui.draw(&good).unwrap();
    let before = picture(&tui);
    tui.draw(&Frame { crc: !good.crc, ..frame(line_3(), 1) }).unwrap();
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    assert_eq!(tui.dropped(), 1);
    assert_eq!(picture(&tui), before);
    assert_eq!(tui.out.0.len(), 1);
}

#[test]
fn a_still_board_wakes_once_a_second() {
    let frame = later(&frame(line_3(), 1), 300);
    let mut tui = tui(&context(80, 24));
    assert_eq!(tui.next_change(&frame), Some(frame.at), "there is no picture yet");
    tui.draw(&frame).unwrap();
    press(&mut tui, &frame, &["space"]);
    assert_eq!(tui.next_change(&frame), Some(frame.at), "a key was pressed");
    tui.draw(&frame).unwrap();
    assert_eq!(tui.next_change(&frame), Some(NOON + Span::from_secs(1)));
}

#[test]
fn what_calls_blinks_twice_a_second_and_nothing_else_does() {
    let frame = later(&frame(bad_day(), 1), 300);
    let mut tui = tui(&context(80, 20));
    tui.draw(&frame).unwrap();
    press(&mut tui, &frame, &["space", "tab"]);
    tui.draw(&frame).unwrap();
    assert_eq!(tui.next_change(&frame), Some(NOON + Span::from_millis(500)));
    let lit = picture(&tui);
    tui.draw(&later(&frame, 200)).unwrap();
    let dark = picture(&tui);
    let changed: Vec<_> = lit.lines().zip(dark.lines()).filter(|(lit, dark)| lit != dark).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].0.replace('✖', " "), changed[0].1);
}

#[test]
fn moving_things_cost_at_most_thirteen_pictures_a_second() {
    let long = row("belt", Level::Warning, &"a text that is much too long for its room ".repeat(4));
    for scroll in [1, 12, 1_000] {
        let mut now = Frame { scroll, ..frame(vec![long.clone(), row("db", Level::Healthy, "ok")], 0) };
        let mut tui = tui(&context(80, 24));
        let mut pictures = 0;
        while now.at < NOON + Span::from_secs(2) {
            tui.draw(&now).unwrap();
            pictures += 1;
            let next = tui.next_change(&now).unwrap();
            assert!(next > now.at);
            now = now.at(next, next);
        }
        assert!(pictures <= 2 * 13, "{pictures} pictures in two seconds at {scroll}/s");
    }
}

#[test]
fn each_due_moment_changes_the_picture() {
    let mut now = frame(vec![row("belt", Level::Warning, &"too long for its room ".repeat(5))], 0);
    let mut tui = tui(&context(80, 24));
    tui.draw(&now).unwrap();
    for _ in 0..40 {
        let next = tui.next_change(&now).unwrap();
        now = now.at(next, next);
        let before = tui.out.0.len();
        tui.draw(&now).unwrap();
        assert_eq!(tui.out.0.len(), before + 1, "nothing moved at {next:?}");
    }
}

#[test]
fn a_changed_board_does_not_jerk_the_ticker() {
    let mut rows = bad_day();
    let first = frame(rows.clone(), 1);
    let mut tui = tui(&context(60, 24));
    tui.draw(&first).unwrap();
    let before = later(&first, 4_000);
    tui.draw(&before).unwrap();
    let line = |tui: &Tui<Writes>| picture(tui).lines().nth(21).unwrap().chars().take(30).collect::<String>();
    let seen = line(&tui);
    rows[0] = row("api", Level::Warning, "v2.4.1 became slow");
    let after = frame(rows, 1);
    tui.draw(&after.at(before.at, before.wall)).unwrap();
    assert_eq!(line(&tui), seen);
}

#[test]
fn a_terminal_emulator_shows_what_was_drawn() {
    for (columns, rows) in [(80, 24), (40, 10), (33, 7), (20, 3)] {
        let mut parser = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        let mut tui = tui(&context(columns, rows));
        let frames = [frame(bad_day(), 3), frame(bad_day(), 5), frame(line_3(), 2)];
        for frame in frames.iter().flat_map(|frame| [frame.clone(), later(frame, 700), later(frame, 2_300)]) {
            tui.draw(&frame).unwrap();
            for write in tui.out.0.drain(..) {
                parser.process(&write);
            }
            for (y, line) in picture(&tui).lines().enumerate() {
                let y = u16::try_from(y).unwrap();
                let shown = parser.screen().contents_between(y, 0, y, columns);
                assert_eq!(shown.trim_end(), line, "line {y} of {columns}x{rows}");
            }
        }
    }
}
