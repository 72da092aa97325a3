//! Pushes: how long they are believed, and how many items nobody has named.

use super::*;
use Level::{Info, Unknown};
use board::{PushRefused, UNNAMED_MAX};

#[test]
fn a_push_that_shortens_its_ttl_is_believed_no_longer() {
    let mut plant = Plant::with(vec![fixed("a", Info)]);
    for first in [None, Some(600), Some(3), Some(1)] {
        plant.push("press", Info, first.map(Span::from_secs));
        plant.push("press", Info, Some(Span::from_secs(3)));
        plant.pass(Span::from_millis(2_999));
        assert_eq!(plant.item("press").level(), Info, "{first:?}");
        plant.pass(Span::from_millis(1));
        assert_eq!(plant.item("press").level(), Unknown, "{first:?}");
    }
    plant.push("press", Info, None);
    plant.pass(Span::from_secs(10_000));
    assert_eq!(plant.item("press").level(), Info, "without a ttl it is believed for ever");
}

#[test]
fn items_that_nobody_named_are_bounded_and_can_go() {
    let mut plant = Plant::with(vec![pushed("named", None), planned("db", Span::from_secs(1))]);
    for number in 0..UNNAMED_MAX + 5 {
        let (item, text) = (id(&format!("made-up-{number}")), "x".into());
        let push = Push { item, level: Info, text, ttl: None, values: Arc::default() };
        plant.kernel.handle(plant.now, Input::Push(push));
    }
    plant.give(Input::Wake);
    let board = plant.kernel.board();
    assert_eq!((board.items().len(), plant.kernel.stats().pushes_refused), (UNNAMED_MAX + 2, 5));
    for (name, admitted) in [
        ("one-more", Err(PushRefused::Full)),
        ("named", Ok(false)),
        ("made-up-7", Ok(false)),
        ("db", Err(PushRefused::NotPushed)),
    ] {
        assert_eq!(board.admits(&id(name)), admitted, "{name}");
    }
    for (name, removable) in [("named", Some(false)), ("db", Some(false)), ("made-up-7", Some(true)), ("x", None)] {
        assert_eq!(board.is_removable(&id(name)), removable, "{name}");
    }
    plant.give(Input::Remove(id("made-up-7")));
    assert_eq!(plant.kernel.board().admits(&id("one-more")), Ok(true));
}
