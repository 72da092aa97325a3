//! From the kernel's state to a frame.

/// Composes frames, keeping the rows that did not change.
#[derive(Debug, Default)]
pub struct Composer;
