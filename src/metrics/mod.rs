//! Metrics: what an operator's Prometheus can ask of a running board.
//!
//! One table ([`TABLE`]) says what every metric is called, counts and means; the
//! handles, the scrape and `docs/metrics.md` all come from it. [`Meters`] is the
//! only door: the app tells it what happened, the API asks it for the text.
//! Deliberately nothing global and no clock: two `Meters` in one process share
//! nothing, and every length and moment is an argument.

mod exposition;
mod items;
mod meters;
mod process;
mod table;
#[cfg(test)]
mod tests;

pub use items::{ITEMS_MAX, OTHER, SUMMARY};
pub use meters::{Dropped, Meters};
pub use table::{Kind, Metric, TABLE, Unit, markdown};
