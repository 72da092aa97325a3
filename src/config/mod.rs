//! The config: text in, a valid [`Config`] out, or every mistake of the file at once.
//!
//! Two forms: the tree of the text with its places, and the lowered form below,
//! which cannot be wrong. Deliberately no I/O beyond reading the files that the
//! text names, no clock and no watching: reloading is the app's business.

pub mod keymap;
pub mod theme;

#[cfg(feature = "config")]
mod expression;
#[cfg(feature = "config")]
mod model;
#[cfg(feature = "config")]
pub mod schemes;
#[cfg(feature = "config")]
mod template;
#[cfg(feature = "config")]
pub mod theme_file;
#[cfg(feature = "config")]
mod theme_text;

#[cfg(feature = "config")]
pub use expression::{Expression, ExpressionError};
#[cfg(feature = "config")]
pub use model::{CheckConfig, ClusterConfig, Config, ItemConfig, ItemKind, Levels, Secret, StateConfig};
#[cfg(feature = "config")]
pub use template::{Template, TemplateError};
