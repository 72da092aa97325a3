//! The newest value, for any number of readers: a writer replaces it in one step.
//!
//! Deliberately plain for now, like the ring: a lock held for one pointer's copy.

use std::sync::{Arc, Mutex, PoisonError};

/// The newest value.
#[derive(Debug, Default)]
pub struct Swap<T>(Mutex<Arc<T>>);

impl<T> Swap<T> {
    /// Begins with `value`.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Mutex::new(Arc::new(value)))
    }

    /// The newest value.
    #[must_use]
    pub fn load(&self) -> Arc<T> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the value.
    pub fn store(&self, value: T) {
        let new = Arc::new(value);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_keep_what_they_took() {
        let swap = Swap::new(1);
        let old = swap.load();
        swap.store(2);
        assert_eq!((*old, *swap.load()), (1, 2));
    }
}
