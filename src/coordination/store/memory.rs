//! `state: memory`: kept as long as the process, for boards that need no resume.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Loaded, Store, StoreError};
use crate::kernel::{BoardSnapshot, Current, Snapshot};

/// A store without a disk. Clones share what is kept, so that a test can
/// start a second board where the first one ended.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    kept: Arc<Mutex<Option<Snapshot>>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Option<Snapshot>> {
        // Each write is one assignment, so a panic elsewhere can't leave half of one.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Loaded {
        Loaded { snapshot: self.kept().clone(), troubles: Vec::new(), unread: false }
    }

    fn keep_current(&mut self, current: &Current) -> Result<(), StoreError> {
        self.kept().get_or_insert_default().current = current.clone();
        Ok(())
    }

    fn keep_board(&mut self, board: &BoardSnapshot) -> Result<(), StoreError> {
        self.kept().get_or_insert_default().board = board.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_stores_promises() {
        super::super::contract::holds(&|| {
            let store = MemoryStore::new();
            Box::new(move || Box::new(store.clone()))
        });
    }
}
