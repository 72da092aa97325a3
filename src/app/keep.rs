//! What outlives this console: which store it has, what that held, and who keeps it from now on.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tracing::warn;

use super::driver::Inbox;
use crate::config::{ClusterConfig, Config, StateConfig};
use crate::coordination::store::{self, FileStore, Held, Keeper, Lock, MemoryStore, Pace, Store};
use crate::frame::{Fence, Role, Safe};
use crate::kernel::{Concern, Input};
use crate::metrics::Meters;

/// Where the keeper stands as soon as there is a config that says what is kept: a config that is
/// bad at the start may be mended hours later.
pub(super) type Shelf = Arc<OnceLock<Kept>>;

/// Who keeps, and by what right.
pub(super) struct Kept {
    keeper: Option<Keeper>,
    /// Held as long as this console is the one that keeps.
    _lock: Option<Lock>,
}

impl Kept {
    /// Who keeps; `None`: nobody can.
    pub(super) const fn keeper(&self) -> Option<&Keeper> {
        self.keeper.as_ref()
    }

    /// Keeps what was given last, and ends.
    ///
    /// # Errors
    /// Why the last state is not kept.
    pub(super) fn close(self) -> Result<(), String> {
        self.keeper.map_or(Ok(()), Keeper::close)
    }
}

/// Opens the store that `config` names. Gives who keeps in it, and what the kernel has to hear before its first board.
pub(super) fn open(config: &Config, inbox: &Arc<Inbox>, meters: &Arc<Meters>) -> (Kept, Vec<Input>) {
    let mut inputs = Vec::new();
    let (mut store, lock) = open_store(config, &mut inputs);
    let loaded = store.load();
    for trouble in &loaded.troubles {
        warn!("{trouble}");
        inputs.push(Input::Notice(Concern::Store, Some(Safe::line(trouble).shared())));
    }
    let fence = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.current.fence);
    inputs.extend(loaded.snapshot.map(|snapshot| Input::Snapshot(Box::new(snapshot))));
    let role = match (&config.cluster, lock.is_some() || config.state == StateConfig::Memory) {
        (ClusterConfig::None, _) => Role::Alone,
        (ClusterConfig::Local, true) => Role::Leader(Fence(fence + 1)),
        (ClusterConfig::Local, false) | (ClusterConfig::Etcd(_), _) => Role::Local(Fence(fence)),
    };
    inputs.push(Input::Role(role));
    let (told, counted) = (Arc::clone(inbox), Arc::clone(meters));
    let report = move |trouble: Option<String>| {
        counted.store_written(trouble.is_none());
        let text = trouble.map(|trouble| Safe::line(&trouble).shared());
        // A flooded inbox has worse news than this.
        let _ = told.send(Input::Notice(Concern::Store, text));
    };
    let trouble = loaded.troubles.into_iter().next().filter(|_| loaded.unread);
    let keeper = Keeper::start(store, Pace::default(), trouble, report);
    let keeper = keeper.inspect_err(|why| warn!("nothing is kept: {why}")).ok();
    (Kept { keeper, _lock: lock }, inputs)
}

fn open_store(config: &Config, inputs: &mut Vec<Input>) -> (Box<dyn Store>, Option<Lock>) {
    let slug = store::slug(&config.title);
    let env = |name: &str| std::env::var_os(name);
    let folder: PathBuf = store::default_folder(&env).join(&slug);
    // A server's state needs no lock against a second writer; only who leads on this machine is asked of it.
    let lock = match (&config.state, &config.cluster) {
        (StateConfig::Memory, _) | (StateConfig::Redis { .. }, ClusterConfig::None) => None,
        _ => match store::lock(&folder) {
            Ok(lock) => Some(lock),
            Err(why) => {
                let text = match why {
                    Held::Elsewhere { .. } => format!("{why}; this console keeps its own in memory"),
                    Held::Trouble(_) => format!("nothing outlives this process: {why}"),
                };
                return (in_memory(&text, inputs), None);
            }
        },
    };
    match &config.state {
        StateConfig::Memory => (Box::new(MemoryStore::new()), None),
        StateConfig::File => (Box::new(FileStore::new(folder)), lock),
        StateConfig::Redis { url, .. } => match redis(url.reveal(), &slug) {
            Ok(store) => (store, lock),
            Err(why) => (in_memory(&format!("nothing outlives this process: {why}"), inputs), lock),
        },
    }
}

fn in_memory(why: &str, inputs: &mut Vec<Input>) -> Box<dyn Store> {
    inputs.push(Input::Notice(Concern::Other, Some(Safe::line(why).shared())));
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
