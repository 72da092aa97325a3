//! The app: the only place that spawns, reads clocks and hears signals.
//!
//! The board thread (`driver`) and the drawing thread (`stage`) are ordinary
//! threads and need `std` alone; I/O lives on tokio, under the parts that only
//! the program has.

#[cfg(feature = "cli")]
mod account;
#[cfg(feature = "cli")]
mod acknowledge;
#[cfg(feature = "cli")]
mod answers;
mod bell;
#[cfg(feature = "cli")]
mod board;
mod clock;
#[cfg(feature = "cli")]
mod cluster;
#[cfg(feature = "cli")]
mod desk;
mod driver;
#[cfg(feature = "cli")]
mod effects;
pub mod embed;
#[cfg(feature = "cli")]
mod feed;
#[cfg(feature = "cli")]
pub mod file_system;
#[cfg(feature = "cli")]
mod flow;
#[cfg(feature = "cli")]
mod keep;
#[cfg(feature = "cli")]
mod keyboard;
#[cfg(feature = "cli")]
pub mod log;
#[cfg(feature = "cli")]
mod panics;
#[cfg(feature = "cli")]
mod percentiles;
#[cfg(feature = "cli")]
mod place;
#[cfg(feature = "cli")]
mod reload;
#[cfg(feature = "cli")]
mod run;
#[cfg(feature = "cli")]
mod runs;
#[cfg(feature = "cli")]
mod seen;
#[cfg(feature = "cli")]
mod serve;
#[cfg(feature = "cli")]
mod settings;
#[cfg(feature = "cli")]
mod signals;
#[cfg(feature = "cli")]
mod socket;
mod stage;
#[cfg(feature = "cli")]
mod threads;
#[cfg(feature = "cli")]
mod watch;

pub use bell::Bell;
pub use clock::Clock;
pub use driver::{Effects, Inbox};
#[cfg(feature = "cli")]
pub use place::terminal_size;
#[cfg(feature = "cli")]
pub use run::{RunOptions, run};
#[cfg(feature = "cli")]
pub use settings::Settings;
#[cfg(feature = "cli")]
pub use socket::socket_path;
pub use stage::{Stage, Watch};
