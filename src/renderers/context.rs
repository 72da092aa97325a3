//! What a renderer knows of the place it draws in.
//!
//! Plain data; reading it from the environment is `detect.rs`'s business.

use crate::config::theme::Theme;

/// What a renderer knows of the place it draws in.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// The language of the words around the items.
    pub locale: Locale,
    /// The terminal's size.
    pub size: Size,
    /// How many colours it has.
    pub colours: ColourDepth,
    /// Which characters it can show.
    pub charset: Charset,
    /// Whether a person sits at a terminal at the other end.
    pub interactive: bool,
    /// The colours by role.
    pub theme: Theme,
}

/// A terminal's size in character cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Cells in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// The language of the words around the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// Which characters a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Bytes 20 to 7E alone.
    Ascii,
    /// UTF-8.
    Unicode,
}

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColourDepth {
    /// None: bold and reverse at most.
    Mono,
    /// The eight of 1978.
    Eight,
    /// Eight, each also bright.
    Sixteen,
    /// The 6x6x6 cube.
    Indexed,
    /// 24 bits.
    True,
}
