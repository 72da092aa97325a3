//! Outside text made safe.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text without anything that could move a cursor, recolour a screen or mislead a reader.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Safe {
    text: Arc<str>,
    tainted: bool,
}

impl Safe {
    /// One line of outside text, cleaned.
    #[must_use]
    pub fn line(raw: &str) -> Self {
        Self { text: raw.into(), tainted: false }
    }

    /// A text that was cleaned where it came in: shared, not copied, where it is indeed clean.
    #[must_use]
    pub fn of(text: &Arc<str>) -> Self {
        Self { text: Arc::clone(text), tainted: false }
    }

    /// The text itself, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// Whether something was removed or replaced.
    #[must_use]
    pub const fn is_tainted(&self) -> bool {
        self.tainted
    }
}

impl Deref for Safe {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}
