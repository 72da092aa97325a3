//! A bounded queue from many writers to one reader that never blocks a writer.
//!
//! Deliberately plain: a lock around a queue. The lock-free ring has an issue of
//! its own and takes this name and these methods.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The ring has no room; what was to go in is given back.
#[derive(Debug, PartialEq, Eq)]
pub struct Full<T>(pub T);

/// A bounded queue.
#[derive(Debug)]
pub struct Ring<T> {
    queue: Mutex<VecDeque<T>>,
    capacity: usize,
}

impl<T> Ring<T> {
    /// A ring with room for `capacity` values, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { queue: Mutex::new(VecDeque::new()), capacity: capacity.max(1) }
    }

    /// Puts `value` in.
    ///
    /// # Errors
    /// Where the ring is full.
    pub fn push(&self, value: T) -> Result<(), Full<T>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= self.capacity {
            return Err(Full(value));
        }
        queue.push_back(value);
        Ok(())
    }

    /// Takes the oldest value out.
    pub fn pop(&self) -> Option<T> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// How many values wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_its_bound() {
        let ring = Ring::new(2);
        assert_eq!(ring.push(1), Ok(()));
        assert_eq!(ring.push(2), Ok(()));
        assert_eq!(ring.push(3), Err(Full(3)));
        assert_eq!(ring.pop(), Some(1));
        assert_eq!(ring.push(3), Ok(()));
        assert_eq!((ring.pop(), ring.pop(), ring.pop()), (Some(2), Some(3), None));
    }

    #[test]
    fn loses_and_doubles_nothing_between_threads() {
        let ring = std::sync::Arc::new(Ring::new(64));
        let writers: Vec<_> = (0..4_u32)
            .map(|writer| {
                let ring = std::sync::Arc::clone(&ring);
                std::thread::spawn(move || {
                    for n in 0..1_000 {
                        while ring.push(writer * 1_000 + n).is_err() {
                            std::thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let mut seen = Vec::new();
        while seen.len() < 4_000 {
            seen.extend(std::iter::from_fn(|| ring.pop()));
        }
        for writer in writers {
            writer.join().unwrap();
        }
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..4_000));
    }
}
