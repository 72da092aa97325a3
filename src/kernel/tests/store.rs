//! What outlives the process: resuming the current item and the board's news.

use super::*;
use Level::{Critical, Healthy, Unknown, Warning};

fn items() -> Vec<ItemSpec> {
    vec![fixed("a", Healthy), planned("db", Span::from_secs(10)), fixed("c", Healthy)]
}

fn stopped_at(passed: Span) -> (Plant, Snapshot) {
    let mut plant = Plant::with(items());
    plant.pass(Span::from_millis(900));
    plant.reports("db", Warning, "slow");
    plant.push("extra", Warning, None);
    plant.pass(passed);
    let snapshot = Snapshot { current: plant.kernel.current(), board: plant.kernel.board().snapshot() };
    (plant, snapshot)
}

fn restarted(snapshot: Snapshot, after: Span, board_first: bool) -> Plant {
    let mut plant = Plant::new();
    plant.now = snapshot.current.show_at + after;
    plant.shown.clear();
    if board_first {
        plant.board(items());
        plant.give(Input::Snapshot(Box::new(snapshot)));
    } else {
        plant.give(Input::Snapshot(Box::new(snapshot)));
        plant.board(items());
    }
    plant
}

#[test]
fn a_restart_goes_on_from_the_stored_item_and_number() {
    for board_first in [false, true] {
        let (old, snapshot) = stopped_at(Span::from_millis(1_500));
        assert_eq!(snapshot.current.item, Some(id("c")));
        let mut plant = restarted(snapshot.clone(), Span::from_millis(400), board_first);
        assert_eq!(&*plant.kernel.shown_text(), "C");
        assert_eq!(plant.kernel.marquee().turn().unwrap().began, snapshot.current.show_at, "its turn still lasts");
        assert!(plant.kernel.seq() > old.kernel.seq());
        assert!(plant.kernel.board().version() > old.kernel.board().version());
        plant.frames();
        plant.pass(Span::from_millis(1_700));
        assert_eq!(plant.texts(), "EXTRA A");
    }
}

#[test]
fn after_a_long_stop_the_stored_item_gets_a_whole_turn() {
    let (_, snapshot) = stopped_at(Span::from_millis(1_500));
    let plant = restarted(snapshot, Span::from_secs(3_600), false);
    assert_eq!(&*plant.kernel.shown_text(), "C");
    assert_eq!(plant.kernel.marquee().turn().unwrap().began, plant.now);
}

#[test]
fn restored_news_is_believed_only_while_it_is_young() {
    let (_, snapshot) = stopped_at(Span::from_secs(1));
    let plant = restarted(snapshot.clone(), Span::from_secs(5), false);
    assert_eq!((plant.item("db").level(), &*plant.item("db").text), (Warning, "slow"));
    assert_eq!(plant.item("extra").level(), Warning);
    let plant = restarted(snapshot, Span::from_secs(60), false);
    assert_eq!((plant.item("db").level(), &*plant.item("db").text), (Unknown, "slow"));
}

#[test]
fn news_of_something_else_is_not_restored() {
    let (_, mut snapshot) = stopped_at(Span::from_secs(1));
    snapshot.board.items.iter_mut().for_each(|item| item.revision += 1);
    let plant = restarted(snapshot, Span::ZERO, false);
    assert_eq!(&*plant.item("db").text, "DB");
}

#[test]
fn a_stored_item_that_is_gone_costs_nothing() {
    let (_, mut snapshot) = stopped_at(Span::from_secs(1));
    snapshot.current.item = Some(id("gone"));
    let plant = restarted(snapshot, Span::ZERO, false);
    assert_eq!(&*plant.kernel.shown_text(), "A");
}

#[test]
fn news_from_the_future_is_news_of_now() {
    let (_, mut snapshot) = stopped_at(Span::from_secs(1));
    for item in &mut snapshot.board.items {
        item.updated = item.updated.map(|at| at + Span::from_secs(86_400));
        item.since += Span::from_secs(86_400);
    }
    let mut plant = restarted(snapshot, Span::ZERO, false);
    assert!(plant.item("db").updated.unwrap() <= plant.now);
    plant.pass(Span::from_secs(60));
    assert_eq!(plant.item("db").level(), Unknown);
}

#[test]
fn who_called_before_the_stop_does_not_interrupt_again() {
    let mut plant = Plant::with(vec![fixed("a", Healthy), fixed("b", Critical), fixed("c", Healthy)]);
    plant.pass(Span::from_millis(1_500));
    assert_eq!(&*plant.kernel.shown_text(), "A");
    let snapshot = Snapshot { current: plant.kernel.current(), board: plant.kernel.board().snapshot() };
    let mut again = Plant::new();
    again.now = plant.now + Span::from_secs(100);
    again.give(Input::Snapshot(Box::new(snapshot)));
    again.shown.clear();
    again.board(vec![fixed("a", Healthy), fixed("b", Critical), fixed("c", Healthy)]);
    again.pass(Span::from_millis(3_500));
    assert_eq!(again.texts(), "A B C B");
}

#[test]
fn a_store_that_answers_late_changes_nothing_that_is_newer() {
    let (_, stored) = stopped_at(Span::from_secs(1));
    let mut plant = Plant::with(items());
    plant.now = stored.current.show_at + Span::from_secs(4);
    plant.push("extra", Critical, None);
    plant.push("gone", Healthy, None);
    plant.give(Input::Remove(id("gone")));
    let shown = plant.kernel.current();
    let mut board = stored.board;
    let another = |name: &str| {
        let mut item = board.items.iter().find(|item| item.id == id("extra")).unwrap().clone();
        item.id = id(name);
        item
    };
    let more = [another("gone"), another("kept")];
    board.items.extend(more);
    plant.give(Input::Snapshot(Box::new(Snapshot { current: Current { seq: 900, ..Current::default() }, board })));
    assert_eq!(plant.item("extra").level(), Critical, "a push of this session is newer");
    assert_eq!((plant.item("kept").level(), &*plant.item("db").text), (Warning, "slow"), "the rest is taken in");
    assert!(plant.kernel.board().get(&id("gone")).is_none(), "what was taken away stays away");
    assert_eq!((plant.kernel.current().item, plant.kernel.current().show_at), (shown.item, shown.show_at), "no jump");
    assert!(plant.kernel.seq() >= 900);
}
