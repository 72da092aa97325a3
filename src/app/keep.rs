//! What outlives this console: which store it has, what that held, and who keeps it from now on.

use std::path::PathBuf;
use std::sync::Arc;

use tracing::warn;

use super::clock::Clock;
use super::driver::Inbox;
use super::settings::Found;
use crate::config::{ClusterConfig, Config, StateConfig, defaults};
use crate::coordination::store::{self, FileStore, Held, Keeper, Lock, MemoryStore, Pace, Store};
use crate::frame::{Fence, Role, Safe};
use crate::kernel::{Concern, Input, Kernel};
use crate::metrics::Meters;

/// What the board begins with.
pub(super) struct First {
    title: String,
    fallback: String,
    inputs: Vec<Input>,
}

impl First {
    pub(super) fn kernel(&self, clock: Clock) -> Kernel {
        Kernel::new(clock.now(), Safe::line(&self.title).shared(), Safe::line(&self.fallback).shared())
    }

    pub(super) fn give(self, inbox: &Inbox) {
        for input in self.inputs {
            let _ = inbox.send(input);
        }
    }
}

/// The store of this console, and what it held.
pub(super) fn keep(
    found: &Found,
    inbox: &Arc<Inbox>,
    meters: &Arc<Meters>,
) -> (Option<Lock>, Option<Arc<Keeper>>, First) {
    let fallback = defaults::FALLBACK.to_owned();
    let Ok(config) = &found.config else {
        return (None, None, First { title: "marquee".into(), fallback, inputs: Vec::new() });
    };
    let mut first = First { title: config.title.clone(), fallback: config.fallback.clone(), inputs: Vec::new() };
    let (mut store, lock) = open_store(config, &mut first.inputs);
    let loaded = store.load();
    for trouble in &loaded.troubles {
        warn!("{trouble}");
        first.inputs.push(Input::Notice(Concern::Store, Some(Safe::line(trouble).shared())));
    }
    let fence = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.current.fence);
    first.inputs.extend(loaded.snapshot.map(|snapshot| Input::Snapshot(Box::new(snapshot))));
    let role = match (&config.cluster, lock.is_some() || config.state == StateConfig::Memory) {
        (ClusterConfig::None, _) => Role::Alone,
        (ClusterConfig::Local, true) => Role::Leader(Fence(fence + 1)),
        (ClusterConfig::Local, false) => Role::Local(Fence(fence)),
    };
    first.inputs.push(Input::Role(role));
    let (told, counted) = (Arc::clone(inbox), Arc::clone(meters));
    let report = move |trouble: Option<String>| {
        counted.store_written(trouble.is_none());
        let text = trouble.map(|trouble| Safe::line(&trouble).shared());
        let _ = told.send(Input::Notice(Concern::Store, text));
    };
    match Keeper::start(store, Pace::default(), report) {
        Ok(keeper) => (lock, Some(Arc::new(keeper)), first),
        Err(why) => {
            warn!("nothing is kept: {why}");
            (lock, None, first)
        }
    }
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
