//! The board's figures.
fn main() {}
