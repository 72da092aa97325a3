//! The memory that inputs and frames travel in, `std` only.
//!
//! Nothing here knows what it carries.

mod ring;
mod swap;

pub use ring::{Full, Ring};
pub use swap::Swap;
