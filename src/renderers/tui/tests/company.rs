//! The status line and the view of the consoles: in step, not in step, and on the way there.

use super::golden::check;
use super::*;

const LEADER: &str = "press-hall-east";

fn leads() -> Frame {
    Frame { clock_error: Some(Span::from_micros(180)), ..frame(line_3(), 2) }
}

fn follows() -> Frame {
    Frame { role: Role::Follower(Fence(7)), leader: Some(Safe::line(LEADER)), ..leads() }
}

fn unheard(secs: u64) -> Apart {
    Apart::Unheard(NOON - Span::from_secs(secs))
}

fn told(notice: &str, apart: Apart, frame: Frame) -> Frame {
    Frame { notice: Some(Safe::line(notice)), concern: Some(Concern::Sync), apart: Some(apart), ..frame }
}

fn stale() -> Frame {
    told("not in sync: no word from press-hall-east for 4s", unheard(4), follows())
}

fn local() -> Frame {
    let frame = Frame { role: Role::Local(Fence(7)), ..follows() };
    told("not in sync: no word from press-hall-east for 1m", unheard(75), frame)
}

fn suspended() -> Frame {
    let frame = Frame { role: Role::Local(Fence(7)), ..leads() };
    told("not in sync: etcd has not answered for 2s", Apart::Suspended(NOON - Span::from_secs(2)), frame)
}

fn peer(name: &str, role: &str, ago: u64, offset_micros: i64, bound_micros: u64) -> Peer {
    Peer {
        name: Safe::line(name),
        role: Safe::line(role),
        since: NOON - Span::from_secs(ago * 61),
        version: Safe::line("0.1.0"),
        offset_nanos: offset_micros * 1_000,
        bound: Span::from_micros(bound_micros),
        seen: NOON - Span::from_secs(ago),
        own: false,
    }
}

fn peers() -> Arc<Vec<Peer>> {
    Arc::new(vec![
        peer(LEADER, "leader", 1, 12, 90),
        Peer { own: true, ..peer("hall-1", "follower", 2, -3_480, 180) },
        peer("老压机大厅", "local", 75, 7_200_000_000, 12_000),
        peer("quay", "observer", 3, 0, 0),
    ])
}

/// The first two lines of the picture.
fn head(context: &Context, frame: &Frame) -> String {
    let picture = drawn(context, frame, &[]);
    picture.lines().take(2).map(|line| format!("{line}\n")).collect()
}

type State = (&'static str, fn() -> Frame);

const STATES: [State; 5] =
    [("leader", leads), ("follower", follows), ("not-in-sync", stale), ("local", local), ("suspended", suspended)];

#[test]
fn every_state_at_every_size() {
    for (name, frame) in STATES {
        let whole = |columns, rows| drawn(&context(columns, rows), &frame(), &[]);
        check(&format!("state-{name}"), &whole(80, 24));
        let mut heads = String::new();
        for columns in [200, 80, 60, 50, 40, 30, 24, 20] {
            let ascii = Context { charset: Charset::Ascii, ..context(columns, 10) };
            let chinese = Context { locale: Locale::Zh, ..context(columns, 10) };
            for context in [context(columns, 10), ascii, chinese] {
                heads.extend([columns.to_string(), "\n".to_owned(), head(&context, &frame())]);
            }
        }
        check(&format!("state-{name}-heads"), &heads);
        check(&format!("state-{name}-20x3"), &whole(20, 3));
    }
}

#[test]
fn what_is_not_in_sync_is_told_by_word_symbol_and_a_patch_of_colour_whatever_there_is() {
    use ratatui::style::Modifier;
    for (name, frame) in &STATES[2..] {
        for colours in ColourDepth::ALL.map(|(depth, _)| depth) {
            for (charset, sign) in [(Charset::Unicode, "≠"), (Charset::Ascii, "!")] {
                for columns in 20..=200 {
                    let context = Context { colours, charset, ..context(columns, 10) };
                    let mut tui = tui(&context);
                    tui.draw(&frame()).unwrap();
                    let picture = picture(&tui);
                    let line = picture.lines().next().unwrap();
                    assert!(line.contains("14:03:22"), "{name} {columns}: {line}");
                    let word = if name == &"not-in-sync" { "SYNC" } else { "LOCAL" };
                    assert!(line.contains(sign) && line.contains(word), "{name} {columns}: {line}");
                    let at = (0..columns).find(|x| tui.seen[(*x, 0)].symbol() == sign).unwrap();
                    let cell = &tui.seen[(at, 0)];
                    assert!(cell.modifier.contains(Modifier::REVERSED | Modifier::BOLD), "{name} {columns}: {cell:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_said_gets_less_in_the_order_of_its_worth() {
    let wide = |frame: &Frame, columns| head(&context(columns, 10), frame).lines().next().unwrap().to_owned();
    for (frame, order) in [
        (follows(), &["follower", "press-hall-east", "3 consoles", "±0.2 ms"][..]),
        (leads(), &["leader", "3 consoles", "±0.2 ms"]),
        (stale(), &["SYNC", "NOT IN SYNC", "4s", "press-hall-east", "3 consoles"]),
    ] {
        for columns in 20..=200 {
            let line = wide(&frame, columns);
            let has: Vec<bool> = order.iter().map(|fact| line.contains(fact)).collect();
            assert!(has.is_sorted_by(|before, after| before >= after), "{columns}: {line}");
        }
        assert!(order.iter().all(|fact| wide(&frame, 90).contains(fact)), "{}", wide(&frame, 90));
    }
}

#[test]
fn the_clock_error_moves_nothing() {
    let at = |error| {
        let frame = Frame { clock_error: Some(Span::from_micros(error)), ..follows() };
        head(&context(90, 10), &frame).find("follower")
    };
    assert!(at(0).is_some());
    for error in [1, 999, 9_999, 10_001, 999_000, 1_000_001, 99_000_000] {
        assert_eq!(at(error), at(0), "{error}");
    }
}

#[test]
fn the_age_of_a_silence_ticks_and_its_notice_goes_on_where_it_was() {
    let frame = stale();
    let mut tui = tui(&context(40, 10));
    tui.draw(&frame).unwrap();
    let since = tui.notice.1;
    // The program tells the age in its own steps, each of which is a new text.
    let next = Frame { notice: Some(Safe::line("not in sync: another text")), seq: 8, ..later(&frame, 3_000) };
    tui.draw(&sealed(next)).unwrap();
    assert!(picture(&tui).contains("NOT IN SYNC 7s"), "{}", picture(&tui));
    assert_eq!(tui.notice.1, since);
}

#[test]
fn the_consoles_are_listed() {
    let frame = Frame { peers: peers(), ..follows() };
    let keys = ["tab", "tab"];
    for (columns, rows) in [(80, 24), (200, 50), (40, 10), (20, 3)] {
        check(&format!("consoles-{columns}x{rows}"), &drawn(&context(columns, rows), &frame, &keys));
    }
    let ascii = Context { charset: Charset::Ascii, colours: ColourDepth::Mono, ..context(80, 24) };
    let drawn_ascii = drawn(&ascii, &frame, &keys);
    assert!(drawn_ascii.is_ascii(), "{drawn_ascii}");
    check("consoles-ascii", &drawn_ascii);
    check("consoles-zh", &drawn(&Context { locale: Locale::Zh, ..context(80, 24) }, &frame, &keys));
    check("consoles-not-in-sync", &drawn(&context(80, 24), &Frame { peers: peers(), ..stale() }, &keys));
    check("consoles-asking", &drawn(&context(80, 24), &follows(), &keys));
    let alone = Arc::new(vec![Peer { own: true, ..peer("hall-1", "alone", 2, 0, 0) }]);
    let alone = Frame { role: Role::Alone, consoles: 1, leader: None, clock_error: None, peers: alone, ..follows() };
    check("consoles-alone", &drawn(&context(80, 24), &alone, &keys));
}

#[test]
fn more_consoles_than_room_are_scrolled() {
    let many = (0..30).map(|n| peer(&format!("hall-{n:02}"), if n == 0 { "leader" } else { "follower" }, 1, 0, 0));
    let frame = Frame { peers: Arc::new(many.collect()), ..follows() };
    let first = drawn(&context(60, 12), &frame, &["tab", "tab"]);
    assert!(first.contains("hall-00") && first.contains(" more"), "{first}");
    let moved = drawn(&context(60, 12), &frame, &["tab", "tab", "down", "down"]);
    assert!(!moved.contains("hall-01") && moved.contains("hall-02"), "{moved}");
    let last = drawn(&context(60, 12), &frame, &["tab", "tab", "end"]);
    assert!(last.contains("hall-29"), "{last}");
    let back = drawn(&context(60, 12), &frame, &["tab", "tab", "end", "tab", "tab", "tab"]);
    assert_eq!(back, first);
}

#[test]
fn the_list_is_asked_for_only_as_long_as_it_is_looked_at() {
    let frame = Frame { peers: peers(), ..follows() };
    let mut tui = tui(&context(80, 24));
    tui.draw(&frame).unwrap();
    for (key, asked) in [
        ("tab", None),
        ("tab", Some(Request::Consoles(true))),
        ("enter", None),
        ("?", None),
        ("esc", None),
        ("/", Some(Request::Consoles(false))),
        ("esc", Some(Request::Consoles(true))),
        ("esc", Some(Request::Consoles(false))),
        ("tab", None),
        ("tab", Some(Request::Consoles(true))),
        ("tab", Some(Request::Consoles(false))),
    ] {
        assert_eq!(press(&mut tui, &frame, &[key]), asked, "{key}");
    }
}
