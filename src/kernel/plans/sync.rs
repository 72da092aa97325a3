//! Where the plans' atomics come from: the standard library, or Loom where it
//! explores every order in which threads can meet at them.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --no-default-features --lib --release plans::` explores.

#[cfg(all(test, loom))]
pub(super) use loom::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
};
#[cfg(not(all(test, loom)))]
pub(super) use std::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

/// Runs a test as it is, or under Loom in every order that its threads allow.
#[cfg(test)]
pub(super) fn explore(test: impl Fn() + Send + Sync + 'static) {
    #[cfg(loom)]
    loom::model(test);
    #[cfg(not(loom))]
    test();
}
