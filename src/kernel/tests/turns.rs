//! What is shown, and when: order, beat, interrupts, summary, fallback, replacement.

use super::*;
use Level::{Critical, Healthy, Info, Unknown, Warning};

fn abc() -> Vec<ItemSpec> {
    vec![fixed("a", Healthy), fixed("b", Warning), fixed("c", Info)]
}

#[test]
fn turns_change_on_the_grid_of_the_anchor() {
    let mut plant = Plant::with(abc());
    plant.pass(Span::from_millis(5_500));
    let frames = plant.frames();
    let expected = [(0, "System initializing…"), (0, "A"), (1_000, "B"), (2_000, "C"), (3_000, "A"), (4_000, "B")];
    assert_eq!(frames[..6].iter().map(|(at, text)| (*at, text.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!(plant.kernel.seq(), u64::try_from(frames.len()).unwrap());
}

#[test]
fn late_wake_ups_never_add_up() {
    let mut plant = Plant::with(abc());
    for k in 1..=1_000_u64 {
        plant.now = START + Span::from_millis(k * 1_000 + 7);
        plant.give(Input::Wake);
        let began = plant.kernel.marquee().turn().unwrap().began;
        assert_eq!(began, START + Span::from_secs(k), "turn {k}");
    }
}

#[test]
fn each_item_may_hold_longer_and_wide_texts_hold_one_pass() {
    let mut held = fixed("a", Healthy);
    held.hold = Some(Span::from_millis(2_500));
    let mut wide = fixed("b", Healthy);
    wide.text = "w".repeat(120).into();
    let mut huge = fixed("c", Healthy);
    huge.text = "h".repeat(4_000).into();
    let mut plant = Plant::with(vec![held, wide, huge]);
    plant.pass(Span::from_secs(50));
    let times: Vec<u64> = plant.frames().iter().map(|(at, _)| *at).collect();
    assert_eq!(times[1..5], [0, 2_500, 12_500, 42_500]);
}

#[test]
fn who_calls_is_shown_at_once_and_then_every_other_turn() {
    let mut items = abc();
    items.push(pushed("x", None));
    let mut plant = Plant::with(items);
    plant.pass(Span::from_millis(1_700));
    plant.frames();
    plant.push("x", Critical, None);
    plant.pass(Span::from_millis(6_000));
    let frames = plant.frames();
    assert_eq!(frames[0], (1_700, "X".into()));
    assert_eq!(frames[1].0, 2_700);
    let texts: Vec<&str> = frames.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["X", "C", "X", "A", "X", "B", "X"]);
}

#[test]
fn those_who_call_go_worst_first_then_oldest_first() {
    let mut plant = Plant::new();
    let items = vec![fixed("a", Healthy), pushed("u", None), pushed("v", None), pushed("w", None)];
    plant.board_spec(|spec| {
        spec.items = items;
        spec.interrupt = Some(Unknown);
    });
    plant.push("u", Unknown, None);
    plant.pass(Span::from_millis(10));
    plant.push("v", Critical, None);
    plant.pass(Span::from_millis(10));
    plant.push("w", Critical, None);
    plant.pass(Span::from_millis(1_000));
    plant.frames();
    plant.pass(Span::from_millis(6_000));
    assert_eq!(plant.texts(), "U A V A W A");
}

#[test]
fn an_interrupted_item_that_nobody_could_read_is_shown_again_but_only_once() {
    let mut items = abc();
    items.extend([pushed("x", None), pushed("y", None)]);
    let mut plant = Plant::with(items);
    plant.pass(Span::from_millis(1_200));
    plant.push("x", Critical, None);
    plant.pass(Span::from_millis(1_100));
    plant.frames();
    assert_eq!(&*plant.kernel.shown_text(), "B", "b had 200 ms only and comes again");
    plant.push("y", Critical, None);
    plant.pass(Span::from_millis(1_100));
    assert_eq!(plant.texts(), "Y C", "the second interrupt does not hold b in place");
}

#[test]
fn nothing_starves_while_everything_interrupts() {
    let mut plant = Plant::with(abc());
    for n in 0..30 {
        plant.push(&format!("x{n}"), Critical, None);
        plant.pass(Span::from_millis(1_300));
    }
    let texts = plant.texts();
    for text in ["A", "B", "C"] {
        assert!(texts.split(' ').filter(|shown| *shown == text).count() >= 5, "{text} in {texts}");
    }
}

#[test]
fn a_caller_that_recovers_ends_its_turn_in_peace() {
    let mut items = abc();
    items.push(pushed("x", None));
    let mut plant = Plant::with(items);
    plant.push("x", Critical, None);
    plant.pass(Span::from_millis(300));
    plant.frames();
    plant.push("x", Healthy, None);
    plant.pass(Span::from_millis(2_000));
    let frames = plant.frames();
    assert_eq!(frames[0], (300, "X".into()), "its new level is told");
    assert_eq!(frames[1].0, 1_000, "its turn keeps its end");
    assert!(frames[1..].iter().all(|(_, text)| text != "X"));
}

#[test]
fn many_healthy_items_share_one_turn() {
    let mut items: Vec<_> = (0..9).map(|n| fixed(&format!("h{n}"), Healthy)).collect();
    items.insert(2, fixed("bad", Warning));
    let mut plant = Plant::with(items.clone());
    plant.frames();
    plant.pass(Span::from_millis(3_500));
    assert_eq!(plant.texts(), "BAD 9 healthy BAD");
    items.pop();
    plant.board(items);
    plant.pass(Span::from_millis(11_000));
    assert!(plant.texts().contains("H0 H1 BAD H2"), "8 is not more than 8");
}

#[test]
fn without_items_the_fallback_is_shown_and_nothing_wakes() {
    let mut plant = Plant::with(Vec::new());
    assert_eq!(plant.texts(), "System initializing… nothing");
    assert_eq!(plant.kernel.next_wake(), None);
    plant.board(abc());
    assert_eq!(plant.texts(), "A");
}

#[test]
fn a_new_board_keeps_what_is_shown_and_its_place_in_the_beat() {
    let mut plant = Plant::with(abc());
    plant.pass(Span::from_millis(1_400));
    plant.frames();
    let mut items = abc();
    items.insert(0, fixed("z", Healthy));
    plant.board(items);
    assert_eq!(plant.texts(), "B", "the same turn; its place in the playlist moved");
    plant.pass(Span::from_millis(700));
    assert_eq!(plant.frames(), [(2_000, "C".into())]);
    plant.board(vec![fixed("a", Healthy), fixed("d", Healthy)]);
    assert_eq!(plant.frames(), [(2_100, "A".into())], "what was shown is gone: the next begins at once");
}

#[test]
fn an_unchanged_board_says_nothing_new() {
    let mut plant = Plant::with(abc());
    plant.frames();
    let seq = plant.kernel.seq();
    plant.board(abc());
    assert_eq!((plant.kernel.seq(), plant.frames().len()), (seq, 0));
}

#[test]
fn a_whole_pass_is_timed_and_each_turn_counted() {
    let mut plant = Plant::with(abc());
    plant.pass(Span::from_millis(6_500));
    let cycles = plant.outputs.iter().filter(|output| **output == Output::Cycled(Span::from_secs(3))).count();
    let turns = plant.outputs.iter().filter(|output| matches!(output, Output::Turned { .. })).count();
    assert_eq!((cycles, turns, plant.kernel.stats().turns), (2, 6, 6));
}

#[test]
fn a_board_that_slept_goes_on_where_time_is() {
    let mut plant = Plant::with(abc());
    plant.now += Span::from_secs(7 * 86_400) + Span::from_millis(1_500);
    plant.give(Input::Wake);
    let turn = *plant.kernel.marquee().turn().unwrap();
    assert!(plant.now.since(turn.began) < Span::from_secs(1));
    assert_eq!(turn.began.since(START).as_millis() % 1_000, 0, "still on the grid");
}

#[test]
fn a_long_gap_ends_where_walking_every_turn_would() {
    let mut items = abc();
    items.extend([fixed("x", Critical), fixed("y", Critical)]);
    items[1].hold = Some(Span::from_millis(2_300));
    items[3].hold = Some(Span::from_millis(700));
    let plant = Plant::with(items);
    let playlist = plant.kernel.marquee().playlist();
    let start = *plant.kernel.marquee().turn().unwrap();
    let mut walked = start;
    for _ in 0..5_000 {
        let middle = walked.began + Span::from_millis(300);
        let jumped = start.at(playlist, middle);
        assert_eq!((jumped.entry, jumped.began), (walked.entry, walked.began));
        walked = walked.next(playlist).unwrap();
    }
}

#[test]
fn the_most_urgent_notice_is_told_and_goes() {
    let mut plant = Plant::with(abc());
    plant.frames();
    plant.give(Input::Notice(Concern::Store, Some("disk full".into())));
    plant.give(Input::Notice(Concern::Config, Some("line 3".into())));
    assert_eq!(plant.kernel.notice().map(|text| &**text), Some("line 3"));
    plant.give(Input::Notice(Concern::Config, None));
    plant.give(Input::Notice(Concern::Store, None));
    assert_eq!(plant.kernel.notice(), None);
    assert_eq!(plant.frames().len(), 4);
}
