//! What outlives this console: which store it has, what that held, and who keeps it from now on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tracing::warn;

use super::driver::Inbox;
use crate::config::{Config, StateConfig};
use crate::coordination::store::{self, FileStore, Held, Keeper, Lock, MemoryStore, Pace, Store, Told};
use crate::frame::Safe;
use crate::kernel::{BoardSnapshot, Concern, Current, Input, Kernel, Moment, Snapshot};
use crate::metrics::Meters;

/// Where the keeper stands as soon as there is a config that says what is kept, and a right to keep
/// it: a config that is bad at the start may be mended hours later, and a follower may come to lead.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Option<Kept>>);

/// Who keeps, and by what right.
struct Kept {
    keeper: Option<Keeper>,
    /// Held as long as this console is the one that keeps.
    _lock: Option<Lock>,
}

impl Shelf {
    /// Gives the turn that is on.
    pub(super) fn keep_current(&self, current: Current) {
        if let Some(keeper) = self.kept().as_ref().and_then(|kept| kept.keeper.as_ref()) {
            keeper.keep_current(current);
        }
    }

    /// Gives the board.
    pub(super) fn keep_board(&self, board: BoardSnapshot) {
        if let Some(keeper) = self.kept().as_ref().and_then(|kept| kept.keeper.as_ref()) {
            keeper.keep_board(board);
        }
    }

    /// Whether anything is kept.
    pub(super) fn is_used(&self) -> bool {
        self.kept().is_some()
    }

    /// Keeps what was given last, and ends.
    ///
    /// # Errors
    /// Why the last state is not kept.
    pub(super) fn close(&self) -> Result<(), String> {
        let kept = self.kept().take();
        kept.and_then(|kept| kept.keeper).map_or(Ok(()), Keeper::close)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a store held.
#[derive(Default)]
pub(super) struct Opened {
    /// What the board goes on from.
    pub(super) snapshot: Option<Snapshot>,
    /// What is not well with it, for the screen.
    pub(super) notices: Vec<Input>,
}

/// Another console of this machine keeps there.
pub(super) struct Taken(pub(super) String);

/// Opens the store that `config` names and puts its keeper on `shelf`; `resumes`: the board goes on from what it
/// holds, also where that can be read later only.
///
/// # Errors
/// Where another console has it.
pub(super) fn open(
    config: &Config,
    shelf: &Arc<Shelf>,
    inbox: &Arc<Inbox>,
    meters: &Arc<Meters>,
    resumes: bool,
) -> Result<Opened, Taken> {
    let mut opened = Opened::default();
    let (mut store, lock) = open_store(config, &mut opened.notices)?;
    let loaded = store.load();
    for trouble in &loaded.troubles {
        warn!("{trouble}");
        opened.notices.push(Input::Notice(Concern::Store, Some(Safe::line(trouble).shared())));
    }
    opened.snapshot = loaded.snapshot;
    let (told, counted, merges) = (Arc::clone(inbox), Arc::clone(meters), Arc::downgrade(shelf));
    let report = move |news: Told| match news {
        Told::Wrote(well) => counted.store_written(well),
        Told::Trouble(trouble) => {
            let text = trouble.map(|trouble| Safe::line(&trouble).shared());
            // A flooded inbox has worse news than this.
            let _ = told.send(Input::Notice(Concern::Store, text));
        }
        Told::Found(found) => {
            let merges = Weak::clone(&merges);
            // Where the inbox is flooded it is told again.
            let _ = told.visit(move |kernel, now| take_in(kernel, now, found, &merges));
        }
    };
    let unread = loaded.troubles.into_iter().next().filter(|_| loaded.unread && resumes);
    let keeper = Keeper::start(store, Pace::default(), unread, report);
    let keeper = keeper.inspect_err(|why| warn!("nothing is kept: {why}")).ok();
    *shelf.kept() = Some(Kept { keeper, _lock: lock });
    Ok(opened)
}

/// Takes in what a store held that answers late, and gives it the board with that.
///
/// What has been heard since the start is newer, and so is the turn that is on: it stays. A board that is not there yet is waited for.
fn take_in(kernel: &mut Kernel, now: Moment, found: Snapshot, shelf: &Weak<Shelf>) {
    if !kernel.has_board() {
        return;
    }
    let current = Current { seq: found.current.seq, ..Current::default() };
    kernel.handle(now, Input::Snapshot(Box::new(Snapshot { current, board: found.board })));
    let shelf = shelf.upgrade();
    let shelf = shelf.as_ref().map(|shelf| shelf.kept());
    if let Some(keeper) = shelf.as_ref().and_then(|kept| kept.as_ref()?.keeper.as_ref()) {
        keeper.keep_merged(kernel.board().snapshot());
    }
}

/// Keeps in memory alone from now on, and says why.
pub(super) fn without(why: &str, shelf: &Shelf) -> Opened {
    let mut opened = Opened::default();
    let store = in_memory(&format!("{why}; this console keeps its own in memory"), &mut opened.notices);
    let keeper = Keeper::start(store, Pace::default(), None, |_| {}).ok();
    *shelf.kept() = Some(Kept { keeper, _lock: None });
    opened
}

fn open_store(config: &Config, notices: &mut Vec<Input>) -> Result<(Box<dyn Store>, Option<Lock>), Taken> {
    let slug = store::slug(&config.title);
    let env = |name: &str| std::env::var_os(name);
    let folder: PathBuf = store::default_folder(&env).join(&slug);
    match &config.state {
        StateConfig::Memory => Ok((Box::new(MemoryStore::new()), None)),
        StateConfig::File => match store::lock(&folder) {
            Ok(lock) => Ok((Box::new(FileStore::new(folder)), Some(lock))),
            Err(why @ Held::Elsewhere { .. }) => Err(Taken(why.to_string())),
            Err(Held::Trouble(why)) => Ok((in_memory(&format!("nothing outlives this process: {why}"), notices), None)),
        },
        StateConfig::Redis { url, .. } => Ok(match redis(url.reveal(), &slug) {
            Ok(store) => (store, None),
            Err(why) => (in_memory(&format!("nothing outlives this process: {why}"), notices), None),
        }),
    }
}

fn in_memory(why: &str, notices: &mut Vec<Input>) -> Box<dyn Store> {
    notices.push(Input::Notice(Concern::Other, Some(Safe::line(why).shared())));
    Box::new(MemoryStore::new())
}

#[cfg(feature = "redis")]
fn redis(url: &str, slug: &str) -> Result<Box<dyn Store>, String> {
    // Who leads is decided on this machine, without tokens that other machines know.
    store::RedisStore::new(url, slug).map(|store| Box::new(store.taking_over()) as Box<dyn Store>)
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str, _: &str) -> Result<Box<dyn Store>, String> {
    Err("this program was built without Redis".into())
}
