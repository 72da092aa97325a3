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
        (ClusterConfig::Local, false) => Role::Local(Fence(fence)),
    };
    inputs.push(Input::Role(role));
    let (told, counted) = (Arc::clone(inbox), Arc::clone(meters));
    let report = move |trouble: Option<String>| {
        counted.store_written(trouble.is_none());
        let text = trouble.map(|trouble| Safe::line(&trouble).shared());
        // A flooded inbox has worse news than this.
        let _ = told.send(Input::Notice(Concern::Store, text));
    };
    let keeper = Keeper::start(store, Pace::default(), report);
    let keeper = keeper.inspect_err(|why| warn!("nothing is kept: {why}")).ok();
    (Kept { keeper, _lock: lock }, inputs)
}

fn open_store(config: &Config, inputs: &mut Vec<Input>) -> (Box<dyn Store>, Option<Lock>) {
    if config.state == StateConfig::Memory {
        return (Box::new(MemoryStore::new()), None);
    }
    let env = |name: &str| std::env::var_os(name);
    let folder: PathBuf = store::default_folder(&env).join(store::slug(&config.title));
    match store::lock(&folder) {
        Ok(lock) => (Box::new(FileStore::new(folder)), Some(lock)),
        Err(why) => {
            let text = match why {
                Held::Elsewhere { .. } => format!("{why}; this console keeps its own in memory"),
                Held::Trouble(_) => format!("nothing outlives this process: {why}"),
            };
            inputs.push(Input::Notice(Concern::Other, Some(Safe::line(&text).shared())));
            (Box::new(MemoryStore::new()), None)
        }
    }
}
