//! The board itself.

/// All items at one moment.
#[derive(Debug, Default)]
pub struct Board;
