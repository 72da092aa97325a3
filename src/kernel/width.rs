//! How many terminal columns a text takes.

/// The columns that `text` takes on a terminal.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().count()
}
