//! What every store promises, as one suite that each implementation passes.

use super::{Loaded, Store};
use crate::kernel::board::{ItemId, Level};
use crate::kernel::{BoardSnapshot, Current, ItemSnapshot, Moment, Snapshot, Span};
use proptest::prelude::*;

/// Opens the same storage again, as a restarted program does.
pub(super) type Reopen = Box<dyn Fn() -> Box<dyn Store>>;

/// Runs the suite; `fresh` gives an empty storage each time.
pub(super) fn holds(fresh: &dyn Fn() -> Reopen) {
    empty_at_first(&fresh());
    the_newest_is_kept(&fresh());
    parts_are_kept_apart(&fresh());
    extremes_come_back(&fresh());
    anything_comes_back(fresh);
}

fn empty_at_first(open: &Reopen) {
    assert_eq!(open().load(), Loaded::default());
    assert_eq!(open().load(), Loaded::default());
}

fn the_newest_is_kept(open: &Reopen) {
    let mut store = open();
    for seq in 1..=20 {
        store.keep_current(&current(seq)).unwrap();
        store.keep_board(&board(seq)).unwrap();
        let expected = Snapshot { current: current(seq), board: board(seq) };
        let loaded = found(expected);
        assert_eq!(store.load(), loaded);
        assert_eq!(open().load(), loaded, "also after a restart");
    }
}

fn parts_are_kept_apart(open: &Reopen) {
    open().keep_board(&board(4)).unwrap();
    let alone = Snapshot { current: Current::default(), board: board(4) };
    assert_eq!(open().load().snapshot, Some(alone));
    open().keep_current(&current(9)).unwrap();
    let both = Snapshot { current: current(9), board: board(4) };
    assert_eq!(open().load().snapshot, Some(both));
    // A board without items is a state like any other.
    open().keep_board(&BoardSnapshot::default()).unwrap();
    let emptied = Snapshot { current: current(9), board: BoardSnapshot::default() };
    assert_eq!(open().load().snapshot, Some(emptied));
}

fn extremes_come_back(open: &Reopen) {
    let far = Moment::from_unix_nanos(u64::MAX);
    let current = Current { seq: u64::MAX, item: None, show_at: far, dwell: Span::MAX, fence: u64::MAX };
    let texts = ["", "\0\u{1b}[31m\r\n\t\"\\", "温度 é 🏭", &"x".repeat(70_000), ",\"body\":{}}\n"];
    let items = texts.iter().zip(Level::ALL).enumerate();
    let items = items.map(|(n, (text, level))| ItemSnapshot {
        id: ItemId::new(&format!("i.{n}_-")).unwrap(),
        text: (*text).into(),
        level,
        since: far,
        updated: Some(far),
        revision: u64::MAX,
        pushed: true,
        ttl: Some(Span::MAX),
        acknowledged: Some(far),
    });
    let board = BoardSnapshot { version: u64::MAX, items: items.collect() };
    open().keep_current(&current).unwrap();
    open().keep_board(&board).unwrap();
    assert_eq!(open().load(), found(Snapshot { current, board }));
}

fn anything_comes_back(fresh: &dyn Fn() -> Reopen) {
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(snapshot in snapshots())| {
        // Each in a storage of its own: a store may refuse what is older than what it has.
        let open = fresh();
        open().keep_current(&snapshot.current).unwrap();
        open().keep_board(&snapshot.board).unwrap();
        prop_assert_eq!(open().load(), found(snapshot));
    });
}

fn found(snapshot: Snapshot) -> Loaded {
    Loaded { snapshot: Some(snapshot), ..Loaded::default() }
}

/// A current item that is told from others by its number.
pub(super) fn current(seq: u64) -> Current {
    Current {
        seq,
        item: ItemId::new(&format!("item-{seq}")).ok(),
        show_at: Moment::from_unix_millis(seq),
        dwell: Span::from_secs(3),
        fence: seq / 2,
    }
}

/// A board that is told from others by its version, with as many items.
pub(super) fn board(version: u64) -> BoardSnapshot {
    let item = |n: u64| ItemSnapshot {
        id: ItemId::new(&format!("item-{n}")).unwrap(),
        text: format!("news {n} of {version}").into(),
        level: Level::ALL[usize::try_from(n % 5).unwrap()],
        since: Moment::from_unix_millis(n),
        updated: n.is_multiple_of(2).then(|| Moment::from_unix_millis(version)),
        revision: n,
        pushed: n.is_multiple_of(3),
        ttl: n.is_multiple_of(3).then(|| Span::from_secs(n)),
        acknowledged: n.is_multiple_of(5).then(|| Moment::from_unix_millis(n)),
    };
    BoardSnapshot { version, items: (0..version).map(item).collect() }
}

fn ids() -> impl Strategy<Value = ItemId> {
    "[a-z0-9._-]{1,64}".prop_map(|text| ItemId::new(&text).unwrap())
}

fn snapshots() -> impl Strategy<Value = Snapshot> {
    let numbers = || any::<u64>();
    let moments = || numbers().prop_map(Moment::from_unix_nanos);
    let spans = || numbers().prop_map(Span::from_nanos);
    let current = (numbers(), proptest::option::of(ids()), moments(), spans(), numbers())
        .prop_map(|(seq, item, show_at, dwell, fence)| Current { seq, item, show_at, dwell, fence });
    let news = (any::<String>(), 0..5_usize, moments(), proptest::option::of(moments()));
    let origin = (numbers(), any::<bool>(), proptest::option::of(spans()));
    let known = proptest::option::of(moments());
    let item = (ids(), news, origin, known).prop_map(|(id, news, (revision, pushed, ttl), acknowledged)| {
        let (text, level, since, updated) = news;
        let (text, level) = (text.into(), Level::ALL[level]);
        ItemSnapshot { id, text, level, since, updated, revision, pushed, ttl, acknowledged }
    });
    let board = (numbers(), proptest::collection::vec(item, 0..8))
        .prop_map(|(version, items)| BoardSnapshot { version, items });
    (current, board).prop_map(|(current, board)| Snapshot { current, board })
}
