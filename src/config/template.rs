//! Texts with `{value}` placeholders.

use crate::kernel::board::Values;

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
}

/// Why a text is no template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl Template {
    /// Reads `text`; `{{` and `}}` stand for the braces themselves.
    ///
    /// # Errors
    /// Where a brace is not closed or a placeholder names no value.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Ok(Self { text: text.into() })
    }

    /// The paths of its placeholders, with their byte offsets.
    #[must_use]
    pub fn names(&self) -> Vec<(String, usize)> {
        Vec::new()
    }

    /// The text with every placeholder filled; `…` where there is no such value.
    #[must_use]
    pub fn fill(&self, _values: &Values) -> String {
        self.text.clone()
    }
}
