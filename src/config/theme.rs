//! A theme: colours by role, and for each level its colours and symbol.
//!
//! Plain data for the renderers; reading it from YAML is `theme_file.rs`'s business.

use std::fmt;
use std::str::FromStr;

use crate::kernel::board::Level;

/// A colour in 24 bits; renderers take the nearest that the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// The least contrast that a text needs on the board: level AAA of WCAG 2, because it is read from afar.
pub const CONTRAST_MIN: f64 = 7.0;

impl Rgb {
    /// The relative luminance of WCAG 2: from 0 for black to 1 for white.
    #[must_use]
    pub fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let share = f64::from(part) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// The contrast ratio of WCAG 2 with `other`: from 1 for the same colour to 21 for black and white.
    #[must_use]
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The given text is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchColour;

impl fmt::Display for NoSuchColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a colour is written \"#rrggbb\"")
    }
}

impl std::error::Error for NoSuchColour {}

impl FromStr for Rgb {
    type Err = NoSuchColour;

    fn from_str(text: &str) -> Result<Self, NoSuchColour> {
        let digits = text.strip_prefix('#').filter(|rest| rest.len() == 6).ok_or(NoSuchColour)?;
        // Asked for by itself, because a number may start with a sign and a colour may not.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoSuchColour);
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).map_err(|_| NoSuchColour)?.to_be_bytes();
        Ok(Self(red, green, blue))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_round_trip_and_nothing_else_is_one() {
        for text in ["#000000", "#ffb224", "#0a0B0c"] {
            assert_eq!(text.parse::<Rgb>().unwrap().to_string(), text.to_lowercase());
        }
        for text in ["", "#", "ffb224", "#fff", "#ffb2244", "#+fb224", "#ggb224", "red", "#ab\u{e9}d"] {
            assert_eq!(text.parse::<Rgb>(), Err(NoSuchColour), "{text}");
        }
    }

    #[test]
    fn contrast_is_as_the_standard_defines_it() {
        let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
        assert!((black.contrast(white) - 21.0).abs() < 1e-9);
        assert!((white.contrast(white) - 1.0).abs() < 1e-9);
        // The well-known grey that just reaches 4.5:1 on white.
        assert!((Rgb(0x76, 0x76, 0x76).contrast(white) - 4.54).abs() < 0.01);
    }
}
