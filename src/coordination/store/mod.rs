//! The store: where the current item and the board outlive the process.
//!
//! One trait, one suite of tests for every implementation (`contract.rs`), and
//! a [`Keeper`] that writes off the board's thread. Deliberately no
//! queue: a store keeps the newest state, older ones are of no use to anybody.

#[cfg(test)]
mod contract;
mod file;
mod folder;
mod keeper;
mod lock;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod wire;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use file::{FileStore, probe};
pub use folder::{default_folder, slug};
pub use keeper::{Keeper, Pace, Told};
pub use lock::{Held, Lock, lock};
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::{About, RedisStore};

pub use super::private::prepare;
use crate::kernel::{BoardSnapshot, Current, Snapshot};

/// Where the current item and the board outlive the process.
///
/// The two parts are kept apart, because the current item changes at every turn
/// and is small, while the board is large and changes when there is news.
pub trait Store: Send {
    /// What is kept, as far as it can be read. Never fails: what can't be used
    /// is told among [`Loaded::troubles`], and set aside where it stood.
    fn load(&mut self) -> Loaded;

    /// Keeps the turn that is on in place of the one before. Returns when it would outlive a power
    /// cut, or where the store is a server, when that says that it has it.
    ///
    /// # Errors
    /// Where it can't be kept; what was kept before is then still there.
    fn keep_current(&mut self, current: &Current) -> Result<(), StoreError>;

    /// Keeps the board in place of the one before. Returns as [`keep_current`](Self::keep_current) does.
    ///
    /// # Errors
    /// Where it can't be kept; what was kept before is then still there.
    fn keep_board(&mut self, board: &BoardSnapshot) -> Result<(), StoreError>;
}

/// What a store held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// What could be read; a part that could not, or was never kept, is its default. `None`: neither.
    pub snapshot: Option<Snapshot>,
    /// What could not be used and what became of it, a line each, for the screen and the log.
    pub troubles: Vec<String>,
    /// The store could not be asked at all, which passes: the first write that succeeds ends the trouble.
    pub unread: bool,
}

/// A store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// What was tried: "write", "create".
    pub operation: &'static str,
    /// With which file, folder or server.
    pub path: PathBuf,
    /// Why it failed, in words for an operator.
    pub reason: String,
}

impl StoreError {
    pub(super) fn new(operation: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::because(operation, path, plain(error))
    }

    pub(super) fn because(operation: &'static str, path: &Path, reason: impl Into<String>) -> Self {
        Self { operation, path: path.to_owned(), reason: reason.into() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't {} {}: {}", self.operation, self.path.display(), self.reason)
    }
}

impl std::error::Error for StoreError {}

/// An I/O error in an operator's words, without the system's error number.
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "not found".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::StorageFull => "no space left on the disk".into(),
        io::ErrorKind::QuotaExceeded => "this user's disk quota is used up".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".into(),
        _ => {
            let told = error.to_string();
            told.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}
