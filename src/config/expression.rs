//! Expressions of `levels:` in CEL.

use std::fmt;
use std::sync::Arc;

use crate::kernel::board::Values;

/// A compiled expression.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
}

/// Why a text is no expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Byte offset into the text as it was written.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl Expression {
    /// Compiles `text`.
    ///
    /// # Errors
    /// Where it does not parse.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.into() })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first names of all values it asks for, with their byte offsets: `body` of `body.queue.depth`.
    #[must_use]
    pub fn names(&self) -> Vec<(String, usize)> {
        Vec::new()
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// Where it can't be told: a value is missing or of another type.
    pub fn holds(&self, _values: &Values) -> Result<bool, String> {
        Err("expressions are not compiled yet".into())
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.text)
    }
}
