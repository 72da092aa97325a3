//! What keys, pastes, sizes and themes do.

use super::*;
use crate::config::theme::Rgb;

fn id(name: &str) -> ItemId {
    ItemId::new(name).unwrap()
}

#[test]
fn a_pause_holds_the_page_until_something_new_calls() {
    let first = frame(bad_day(), 2);
    let mut tui = tui(&context(80, 24));
    tui.draw(&first).unwrap();
    press(&mut tui, &first, &["space"]);
    let next = frame(bad_day(), 1);
    tui.draw(&next).unwrap();
    assert!(picture(&tui).contains("PAUSED") && picture(&tui).contains("cache · 2m 14s"));

    // press-7 called already when the page was stopped; db is new.
    let mut rows = bad_day();
    rows[1] = row("db", Level::Critical, "refused");
    let calling = frame(rows, 1);
    tui.draw(&calling).unwrap();
    assert!(!picture(&tui).contains("PAUSED") && picture(&tui).contains("db · 2m 14s"));
}

#[test]
fn a_stopped_page_shows_live_news_and_ends_with_its_item() {
    let first = frame(line_3(), 2);
    let mut tui = tui(&context(80, 24));
    tui.draw(&first).unwrap();
    press(&mut tui, &first, &["space"]);
    let mut rows = line_3();
    rows[2] = row("cache", Level::Info, "Redis 8");
    tui.draw(&frame(rows.clone(), 0)).unwrap();
    assert!(picture(&tui).contains("● INFO") && picture(&tui).contains("\n  Redis 8"));
    rows.remove(2);
    tui.draw(&frame(rows, 0)).unwrap();
    assert!(!picture(&tui).contains("PAUSED"));
}

#[test]
fn steps_go_through_all_items_and_stop_the_page() {
    let frame = frame(line_3(), 2);
    let mut tui = tui(&context(80, 24));
    for (key, shown) in [("right", "api"), ("right", "db"), ("left", "api"), ("h", "cache"), ("l", "api")] {
        press(&mut tui, &frame, &[key]);
        tui.draw(&frame).unwrap();
        assert!(picture(&tui).contains(&format!("{shown} · 2m 14s")), "{}", picture(&tui));
        assert!(picture(&tui).contains("PAUSED 0s"));
    }
    press(&mut tui, &frame, &["space"]);
    tui.draw(&frame).unwrap();
    assert!(picture(&tui).contains("cache · 2m 14s") && picture(&tui).contains("3 of 3"));
}

#[test]
fn a_wish_is_about_the_open_the_selected_or_the_shown_item() {
    let frame = frame(line_3(), 2);
    let mut tui = tui(&context(80, 24));
    assert_eq!(press(&mut tui, &frame, &["r"]), Some(Request::RunNow(id("cache"))));
    assert_eq!(press(&mut tui, &frame, &["down", "r"]), Some(Request::RunNow(id("api"))));
    assert_eq!(press(&mut tui, &frame, &["enter", "right", "r"]), Some(Request::RunNow(id("db"))));
    assert_eq!(press(&mut tui, &frame, &["esc", "esc", "r"]), Some(Request::RunNow(id("cache"))));
    assert_eq!(press(&mut tui, &frame, &["q"]), Some(Request::Quit));
    assert_eq!(press(&mut tui, &frame, &["ctrl-c"]), Some(Request::Quit));
    assert_eq!(press(&mut tui, &frame, &["x", "f1"]), None);
}

#[test]
fn while_finding_letters_are_text() {
    let frame = frame(bad_day(), 2);
    let mut tui = tui(&context(80, 24));
    tui.draw(&frame).unwrap();
    assert_eq!(press(&mut tui, &frame, &["/", "q", "r"]), None);
    assert_eq!(press(&mut tui, &frame, &["ctrl-c"]), Some(Request::Quit));
    press(&mut tui, &frame, &["backspace", "backspace", "P", "O", "S"]);
    tui.draw(&frame).unwrap();
    assert!(picture(&tui).contains("/ POS▏") && picture(&tui).contains("1 of 6"), "{}", picture(&tui));
    // Enter keeps the only match selected.
    assert_eq!(press(&mut tui, &frame, &["enter", "r"]), Some(Request::RunNow(id("db"))));
    // Escape forgets what was found and goes back.
    press(&mut tui, &frame, &["esc", "esc", "/"]);
    tui.event(Event::Pasted("boil\x1b".into()), &frame);
    assert_eq!(tui.state.filter(), "boil");
    press(&mut tui, &frame, &["down", "esc"]);
    assert_eq!(press(&mut tui, &frame, &["r"]), Some(Request::RunNow(id("cache"))));
}

#[test]
fn the_selection_stays_with_its_item() {
    let before = frame(bad_day(), 2);
    let mut tui = tui(&context(80, 24));
    tui.draw(&before).unwrap();
    press(&mut tui, &before, &["tab", "end"]);
    let mut rows = bad_day();
    rows.insert(0, row("added", Level::Healthy, "ok"));
    let after = frame(rows, 3);
    tui.draw(&after).unwrap();
    assert!(picture(&tui).contains("› ▲ belt"), "{}", picture(&tui));
    press(&mut tui, &after, &["home"]);
    tui.draw(&after).unwrap();
    assert!(picture(&tui).contains("› ✔ added"), "{}", picture(&tui));
}

#[test]
fn themes_go_round_and_are_replaced_live() {
    let named = |name: &str, red| Theme { name: name.into(), background: Some(Rgb(red, 0, 0)), ..Theme::default() };
    let context = Context { theme: named("b", 2), ..context(80, 24) };
    let frame = frame(line_3(), 2);
    let themes = vec![named("a", 1), named("b", 2), named("c", 3)];
    let mut tui = Tui::detached(Writes::default(), &context, themes, Arc::default());
    let ground = |tui: &mut Tui<Writes>| {
        tui.draw(&frame).unwrap();
        tui.seen[(0, 0)].bg
    };
    let red = |red| ratatui::style::Color::Rgb(red, 0, 0);
    assert_eq!(ground(&mut tui), red(2));
    for wanted in [3, 1, 2] {
        press(&mut tui, &frame, &["t"]);
        assert_eq!(ground(&mut tui), red(wanted));
    }
    tui.event(Event::Theme(Box::new(named("b", 9))), &frame);
    assert_eq!(ground(&mut tui), red(9));
    for wanted in [3, 1, 9] {
        press(&mut tui, &frame, &["t"]);
        assert_eq!(ground(&mut tui), red(wanted));
    }
}

#[test]
fn a_new_size_is_drawn_whole() {
    let frame = frame(line_3(), 2);
    let mut tui = tui(&context(80, 24));
    tui.draw(&frame).unwrap();
    for (columns, rows, lines) in [(40, 10, 10), (0, 0, 24), (1, 1, 1), (120, 3, 3)] {
        tui.event(Event::Resized(Size { columns, rows }), &frame);
        tui.draw(&frame).unwrap();
        assert_eq!(picture(&tui).lines().count(), lines);
        let written = tui.out.0.last().unwrap();
        assert!(written.starts_with(b"\x1b[?2026h\x1b[0m\x1b[2J"), "the old size may have left traces");
    }
}

#[test]
fn a_huge_screen_is_no_trouble_and_a_boasting_one_is_cut() {
    let frame = frame(bad_day(), 2);
    let mut tui = tui(&context(1_000, 500));
    for keys in [&[][..], &["?"], &["esc", "enter"], &["tab", "tab"]] {
        press(&mut tui, &frame, keys);
        tui.draw(&frame).unwrap();
        assert!(picture(&tui).contains("Redis TTL > 30s"));
    }
    tui.event(Event::Resized(Size { columns: u16::MAX, rows: u16::MAX }), &frame);
    tui.draw(&frame).unwrap();
    assert_eq!((tui.seen.area().width, tui.seen.area().height), (1_000, 500));
}

#[test]
fn it_is_for_people_at_a_terminal() {
    let tui = tui(&context(80, 24));
    assert_eq!(tui.name(), "tui");
    assert!(tui.supports(&context(80, 24)));
    assert!(!tui.supports(&Context { interactive: false, ..context(80, 24) }));
}

#[test]
fn a_renderer_that_took_no_terminal_gives_none_back() {
    let mut tui = Tui::new(Writes::default(), &context(80, 24), vec![], Arc::default());
    tui.close().unwrap();
    super::super::restore_now();
    assert!(tui.out.0.is_empty());
}
