//! The kernel: what is true, and what to do about it.
//!
//! A state machine with three verbs: [`Kernel::handle`] takes what happened,
//! [`Kernel::poll`] gives what is to be done, [`Kernel::next_wake`] names the
//! moment when it wants to be woken. Deliberately without a clock, I/O, threads,
//! randomness, serialisation or any dependency but `std`: a day of plant runs in
//! a test in milliseconds.

pub mod beat;
pub mod board;
mod input;
mod moment;
mod output;
mod snapshot;
mod stats;
pub mod width;

pub use input::{BoardSpec, Concern, Ended, Input, Outcome, Push, Report};
pub use moment::{Moment, Span};
pub use output::{Output, RunId, Start};
pub use snapshot::{BoardSnapshot, Current, ItemSnapshot, Snapshot};
pub use stats::Stats;
