//! cli

pub mod doctor;
pub mod themes;
