//! A theme: colours by role, and for each level its colours and symbol.
//!
//! Plain data for the renderers; reading it from YAML is `theme_file.rs`'s business.

use crate::kernel::board::Level;

/// A colour in 24 bits; renderers take the nearest that the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Colours by role. `None` leaves the terminal's own colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Its name, as `theme:` gives it.
    pub name: String,
    /// Behind everything.
    pub background: Option<Rgb>,
    /// Plain text.
    pub text: Option<Rgb>,
    /// What may be overlooked.
    pub muted: Option<Rgb>,
    /// Lines.
    pub border: Option<Rgb>,
    /// Whether the shown item's level fills the whole picture.
    pub full_bleed: bool,
    /// The look of each level, in the order of [`Level::ALL`].
    pub levels: [LevelLook; 5],
}

/// How a level looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelLook {
    /// Colour of its text and symbol.
    pub fg: Option<Rgb>,
    /// Colour behind it.
    pub bg: Option<Rgb>,
    /// Its symbol where the terminal shows Unicode; one column wide.
    pub symbol: char,
}

impl Theme {
    /// The look of a level.
    #[must_use]
    pub const fn level(&self, level: Level) -> &LevelLook {
        &self.levels[level.index()]
    }
}

impl Default for Theme {
    /// No colours at all, and the symbols of every built-in theme.
    fn default() -> Self {
        let look = |symbol| LevelLook { fg: None, bg: None, symbol };
        let levels = [look('✖'), look('?'), look('▲'), look('●'), look('✔')];
        Self { name: "mono".into(), background: None, text: None, muted: None, border: None, full_bleed: false, levels }
    }
}
