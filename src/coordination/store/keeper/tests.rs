//! The keeper with stores that are slow, broken or hung on command.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use super::super::contract::{board, current};
use super::super::{Loaded, MemoryStore, StoreError};
use super::*;

/// Longer than any test takes: what waits for it waits for ever.
const NEVER: Duration = Duration::from_hours(1);
/// A test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const FAST: Pace = Pace { gap: Duration::ZERO, board_gaps: 0, retry: NEVER };

/// A store that tells each write before it does it, and then waits for leave.
struct Gated {
    kept: MemoryStore,
    told: Sender<String>,
    leave: Option<Receiver<()>>,
    broken: Arc<AtomicBool>,
}

impl Gated {
    fn new(leave: Option<Receiver<()>>) -> (Self, MemoryStore, Receiver<String>, Arc<AtomicBool>) {
        let (told, heard) = mpsc::channel();
        let (kept, broken) = (MemoryStore::new(), Arc::new(AtomicBool::new(false)));
        (Self { kept: kept.clone(), told, leave, broken: Arc::clone(&broken) }, kept, heard, broken)
    }

    fn enter(&self, what: String) -> Result<(), StoreError> {
        let _ = self.told.send(what);
        if let Some(leave) = &self.leave {
            let _ = leave.recv();
        }
        let broken = self.broken.load(Ordering::SeqCst);
        if broken { Err(StoreError::because("write", "x".as_ref(), "no space left on the disk")) } else { Ok(()) }
    }
}

impl Store for Gated {
    fn load(&mut self) -> Loaded {
        self.kept.load()
    }

    fn keep_current(&mut self, current: &Current) -> Result<(), StoreError> {
        self.enter(format!("current {}", current.seq))?;
        self.kept.keep_current(current)
    }

    fn keep_board(&mut self, board: &BoardSnapshot) -> Result<(), StoreError> {
        self.enter(format!("board {}", board.version))?;
        self.kept.keep_board(board)
    }
}

/// What it tells of its writes is left out.
fn start(store: Gated, pace: Pace) -> (Keeper, Receiver<Option<String>>) {
    let (report, reports) = mpsc::channel();
    let hear = move |told| {
        if let Told::Trouble(trouble) = told {
            drop(report.send(trouble));
        }
    };
    (Keeper::start(Box::new(store), pace, None, hear).unwrap(), reports)
}

fn seq_and_version(mut kept: MemoryStore) -> (u64, u64) {
    kept.load().snapshot.map_or((0, 0), |snapshot| (snapshot.current.seq, snapshot.board.version))
}

#[test]
fn only_the_newest_is_written_and_nobody_waits() {
    let (let_go, leave) = mpsc::channel();
    let (store, kept, heard, _) = Gated::new(Some(leave));
    let (keeper, reports) = start(store, FAST);
    keeper.keep_current(current(1));
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "current 1");
    // The store hangs in the first write, and all of this returns.
    (2..=1_000).for_each(|seq| keeper.keep_current(current(seq)));
    (1..=10).for_each(|version| keeper.keep_board(board(version)));
    drop(let_go);
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "current 1000");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "board 10");
    assert_eq!(keeper.close(), Ok(()));
    assert_eq!(seq_and_version(kept), (1_000, 10));
    assert!(heard.recv().is_err() && reports.recv().is_err(), "nothing else was written or reported");
}

#[test]
fn trouble_and_recovery_are_told_once_each() {
    let (store, kept, heard, broken) = Gated::new(None);
    let (keeper, reports) = start(store, FAST);
    broken.store(true, Ordering::SeqCst);
    let told = Some("can't write x: no space left on the disk".to_owned());
    keeper.keep_current(current(1));
    assert_eq!(reports.recv_timeout(PATIENCE).unwrap(), told);
    for seq in 2..5 {
        while heard.try_recv().is_ok() {}
        keeper.keep_current(current(seq));
        heard.recv_timeout(PATIENCE).unwrap();
    }
    keeper.keep_board(board(1));
    broken.store(false, Ordering::SeqCst);
    keeper.keep_current(current(5));
    assert_eq!(reports.recv_timeout(PATIENCE).unwrap(), None);
    assert_eq!(keeper.close(), Ok(()));
    assert_eq!(seq_and_version(kept), (5, 1), "what failed was not forgotten");
    assert!(reports.recv().is_err());
}

#[test]
fn each_write_is_told_by_its_result() {
    let (store, _kept, _heard, broken) = Gated::new(None);
    let (report, reports) = mpsc::channel();
    let keeper = Keeper::start(Box::new(store), FAST, None, move |told| drop(report.send(told))).unwrap();
    let hear = || reports.recv_timeout(PATIENCE).unwrap();
    keeper.keep_current(current(1));
    assert_eq!(hear(), Told::Wrote(true));
    keeper.keep_board(board(1));
    assert_eq!(hear(), Told::Wrote(true));
    broken.store(true, Ordering::SeqCst);
    for seq in 2..4 {
        keeper.keep_current(current(seq));
        assert_eq!(hear(), Told::Wrote(false), "each that fails, and not the trouble alone");
        if seq == 2 {
            assert!(matches!(hear(), Told::Trouble(Some(_))));
        }
    }
    broken.store(false, Ordering::SeqCst);
    keeper.keep_current(current(4));
    assert_eq!(hear(), Told::Wrote(true));
    assert_eq!(hear(), Told::Trouble(None));
}

#[test]
fn a_failed_write_is_tried_again_without_further_news() {
    let (store, kept, heard, broken) = Gated::new(None);
    broken.store(true, Ordering::SeqCst);
    let (keeper, reports) = start(store, Pace { retry: Duration::from_millis(1), ..FAST });
    keeper.keep_board(board(3));
    assert!(reports.recv_timeout(PATIENCE).unwrap().is_some());
    assert_eq!(heard.iter().take(3).collect::<Vec<_>>(), ["board 3"; 3]);
    broken.store(false, Ordering::SeqCst);
    assert_eq!(reports.recv_timeout(PATIENCE).unwrap(), None);
    assert_eq!(seq_and_version(kept), (0, 3));
    drop(keeper);
}

#[test]
fn writes_are_spaced_and_the_close_writes_what_waits() {
    let (store, kept, heard, _) = Gated::new(None);
    let (keeper, _reports) = start(store, Pace { gap: NEVER, board_gaps: 1, retry: NEVER });
    keeper.keep_current(current(1));
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "current 1");
    keeper.keep_current(current(2));
    keeper.keep_current(current(3));
    keeper.keep_board(board(3));
    assert_eq!(keeper.close(), Ok(()));
    assert_eq!(heard.iter().collect::<Vec<_>>(), ["current 3", "board 3"]);
    assert_eq!(seq_and_version(kept), (3, 3));
}

#[test]
fn the_board_is_written_less_often_but_comes() {
    let (store, _kept, heard, _) = Gated::new(None);
    let (keeper, _reports) = start(store, Pace { gap: Duration::from_millis(1), board_gaps: 3, retry: NEVER });
    for version in 1..=3 {
        keeper.keep_board(board(version));
        assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), format!("board {version}"));
    }
    // A board that has to wait does not hold up the current item.
    let slow = Pace { gap: Duration::from_millis(1), board_gaps: u32::MAX, retry: NEVER };
    let (store, kept, heard, _) = Gated::new(None);
    let (keeper, _reports) = start(store, slow);
    keeper.keep_board(board(1));
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "board 1");
    keeper.keep_board(board(2));
    keeper.keep_current(current(1));
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "current 1");
    assert_eq!(keeper.close(), Ok(()));
    assert_eq!(seq_and_version(kept), (1, 2));
}

#[test]
fn the_close_tells_what_is_not_kept() {
    let (store, _kept, _heard, broken) = Gated::new(None);
    broken.store(true, Ordering::SeqCst);
    let (keeper, _reports) = start(store, FAST);
    keeper.keep_current(current(1));
    assert_eq!(keeper.close(), Err("can't write x: no space left on the disk".to_owned()));

    let (keeper, _reports) = start(Gated::new(None).0, FAST);
    assert_eq!(keeper.close(), Ok(()), "nothing given, nothing lost");
}

#[test]
fn a_hung_disk_does_not_hold_up_the_end() {
    let (let_go, leave) = mpsc::channel::<()>();
    let (store, _kept, heard, _) = Gated::new(Some(leave));
    let (keeper, _reports) = start(store, FAST);
    keeper.keep_current(current(1));
    heard.recv_timeout(PATIENCE).unwrap();
    assert!(keeper.close().is_err_and(|why| why.contains("did not answer")));
    drop(let_go);
}

/// A store that can't be read as long as it is broken.
struct Late(Gated);

impl Store for Late {
    fn load(&mut self) -> Loaded {
        if self.0.broken.load(Ordering::SeqCst) {
            return Loaded { snapshot: None, troubles: vec!["can't read x".into()], unread: true };
        }
        self.0.load()
    }

    fn keep_current(&mut self, current: &Current) -> Result<(), StoreError> {
        self.0.keep_current(current)
    }

    fn keep_board(&mut self, board: &BoardSnapshot) -> Result<(), StoreError> {
        self.0.keep_board(board)
    }
}

/// The keeper of a store that can't be read yet, and holds the board of this version; 0: nothing.
fn late(version: u64) -> (Keeper, MemoryStore, Arc<AtomicBool>, Receiver<Told>) {
    let (store, mut kept, heard, broken) = Gated::new(None);
    drop(heard);
    if version > 0 {
        kept.keep_board(&board(version)).unwrap();
    }
    broken.store(true, Ordering::SeqCst);
    let (report, reports) = mpsc::channel();
    let pace = Pace { retry: Duration::from_millis(1), ..FAST };
    let unread = Some("can't read x".to_owned());
    let keeper = Keeper::start(Box::new(Late(store)), pace, unread, move |told| drop(report.send(told))).unwrap();
    (keeper, kept, broken, reports)
}

fn found(reports: &Receiver<Told>) -> Snapshot {
    let found = |told| if let Told::Found(found) = told { Some(found) } else { None };
    std::iter::from_fn(|| reports.recv_timeout(PATIENCE).ok()).find_map(found).expect("what it held is told")
}

#[test]
fn what_was_kept_is_taken_in_before_it_is_written_over() {
    let (keeper, kept, broken, reports) = late(7);
    keeper.keep_current(current(1));
    keeper.keep_board(board(1));
    assert_eq!(reports.recv_timeout(PATIENCE).unwrap(), Told::Wrote(false), "the trouble is known");
    broken.store(false, Ordering::SeqCst);
    assert_eq!(found(&reports).board, board(7));
    assert_eq!(found(&reports).board, board(7), "whoever did not hear it hears it again");
    assert_eq!(seq_and_version(kept.clone()).1, 7, "the board there is as it was");
    keeper.keep_board(board(2));
    assert_eq!(found(&reports).board, board(7), "a board without it is not the one that is waited for");
    keeper.keep_merged(board(9));
    assert_eq!(keeper.close(), Ok(()));
    assert_eq!(seq_and_version(kept), (1, 9));
}

#[test]
fn a_store_that_comes_late_and_empty_is_written() {
    let (keeper, kept, broken, reports) = late(0);
    keeper.keep_board(board(1));
    assert_eq!(reports.recv_timeout(PATIENCE).unwrap(), Told::Wrote(false));
    broken.store(false, Ordering::SeqCst);
    while reports.recv_timeout(PATIENCE).unwrap() != Told::Trouble(None) {}
    assert_eq!(keeper.close(), Ok(()));
    assert_eq!(seq_and_version(kept), (0, 1));
}

#[test]
fn what_could_not_be_taken_in_is_left_there() {
    let (keeper, kept, broken, reports) = late(7);
    keeper.keep_board(board(1));
    assert_eq!(reports.recv_timeout(PATIENCE).unwrap(), Told::Wrote(false));
    broken.store(false, Ordering::SeqCst);
    found(&reports);
    assert!(keeper.close().is_err_and(|why| why.contains("answered too late")));
    assert_eq!(seq_and_version(kept).1, 7);
}
