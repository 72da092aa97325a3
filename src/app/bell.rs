//! A bell between threads: whoever waits wakes when it is rung, or at a moment.
//!
//! It carries nothing; what there is to do lies elsewhere and is looked at on waking.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A bell that stays rung until its one listener has heard it.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    /// Rings. Never blocks for longer than another ring takes.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }

    /// Waits until it is rung, at most for `timeout`; `None`: without an end.
    pub fn wait(&self, timeout: Option<Duration>) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rung = match timeout {
            Some(timeout) => {
                let waited = self.changed.wait_timeout_while(rung, timeout, |rung| !*rung);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait_while(rung, |rung| !*rung).unwrap_or_else(PoisonError::into_inner),
        };
        *rung = false;
    }
}
