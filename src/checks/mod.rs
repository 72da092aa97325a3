//! Checks: how a watched thing is asked, one file per scheme.
//!
//! A check measures and says nothing of levels, texts or time tables: levels and
//! texts are `judge.rs`'s business, when to run is the kernel's. Every check ends
//! its I/O when its future is dropped: that is how a run is cancelled.

mod blocking;
mod child;
mod disk;
mod exec;
mod file;
mod load;
mod memory;
mod perfdata;
mod systemd;
mod words;

use std::future::Future;
use std::pin::Pin;

use crate::frame::{Level, Values};

/// A measurement on its way.
pub type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Measured, Fault>> + Send + 'a>>;

/// One way to ask a watched thing, already aimed at its target.
pub trait Check: Send + Sync {
    /// Asks once. Dropping the future closes every socket and kills every child at once.
    fn measure(&self) -> Measuring<'_>;
}

/// What one asking measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The values, under the names of the scheme's table.
    pub values: Values,
    /// The check's own verdict, where it has one (`exec:`).
    pub level: Option<Level>,
    /// Bytes that came in.
    pub bytes: u64,
}

/// Why nothing could be measured, in words for an operator: "connection refused".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

/// A target that no check can be aimed at; found when the config is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTarget(pub String);
