//! The andon board for the terminal: checks → kernel → frame → renderers, with
//! coordination at the side. `ARCHITECTURE.md` draws the whole.
//!
//! | layer | rooms | may import |
//! |---|---|---|
//! | 4 | [`app`], `cli` | everything below |
//! | 3 | `checks`, `coordination`, `metrics`, [`renderers`], `api` | 2 and 1 |
//! | 2 | [`config`], [`frame`] | 1 |
//! | 1 | [`kernel`], [`buffer`] | `std` alone |

#[cfg(feature = "api")]
pub mod api;
pub mod app;
pub mod buffer;
#[cfg(feature = "checks")]
pub mod checks;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
#[cfg(feature = "store")]
pub mod coordination;
pub mod frame;
pub mod kernel;
#[cfg(feature = "api")]
pub mod metrics;
pub mod renderers;

pub use app::embed::{Builder, FixedItem, Marquee};
