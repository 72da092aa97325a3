//! app

#[cfg(feature = "cli")]
pub mod log;
