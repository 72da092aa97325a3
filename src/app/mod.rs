//! The app: the only place that spawns, reads clocks and hears signals.
//!
//! The board thread (`driver`) and the drawing thread (`stage`) are ordinary
//! threads and need `std` alone; I/O lives on tokio (`run`).

mod bell;
mod clock;
mod driver;
pub mod embed;
mod stage;

pub use bell::Bell;
pub use clock::Clock;
pub use driver::{Effects, Inbox};
pub use stage::{Stage, Watch};
