//! What a renderer knows of the place it draws in.
//!
//! Plain data, and the words that force it from the command line; reading it
//! from the environment is `detect.rs`'s business.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::config::theme::Theme;
use crate::frame::{Level, columns};

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

/// The symbols of the levels where a terminal shows ASCII alone, in the order of [`Level::ALL`].
/// Each differs from the others in shape, so that the level is told without colour too.
pub const ASCII_SYMBOLS: [char; 5] = ['X', '?', '!', 'i', '+'];

/// What stands in ASCII for the characters that titles, texts and notices use most. Longer
/// than what it replaces in places: whoever lays out text measures after the replacing.
const ASCII_STAND_INS: &[(&str, &str)] = &[
    ("…", "..."),
    ("–—‐‑−", "-"),
    ("‘’‚", "'"),
    ("“”„", "\""),
    ("·•●", "*"),
    ("→", "->"),
    ("←", "<-"),
    ("×", "x"),
    ("µμ", "u"),
    ("≤", "<="),
    ("≥", ">="),
    ("\u{a0}\u{202f}\u{2009}", " "),
    ("äæ", "ae"),
    ("öø", "oe"),
    ("ü", "ue"),
    ("ß", "ss"),
    ("Ä", "Ae"),
    ("Ö", "Oe"),
    ("Ü", "Ue"),
    ("àáâã", "a"),
    ("å", "aa"),
    ("ç", "c"),
    ("èéêë", "e"),
    ("ìíîï", "i"),
    ("ñ", "n"),
    ("òóôõ", "o"),
    ("ùúû", "u"),
    ("ÀÁÂÃ", "A"),
    ("Ç", "C"),
    ("ÈÉÊË", "E"),
];

impl Context {
    /// The symbol of a level, from the theme or from ASCII.
    #[must_use]
    pub const fn symbol(&self, level: Level) -> char {
        match self.charset {
            Charset::Unicode => self.theme.level(level).symbol,
            Charset::Ascii => ASCII_SYMBOLS[level.index()],
        }
    }
}

impl Charset {
    /// `text` in characters that this charset has. In ASCII what has no stand-in becomes one
    /// `?` for each column it takes, so that a reader sees that something is missing.
    #[must_use]
    pub fn spell(self, text: &str) -> Cow<'_, str> {
        if self == Self::Unicode || text.is_ascii() {
            return Cow::Borrowed(text);
        }
        let mut spelled = String::with_capacity(text.len());
        for character in text.chars() {
            if character.is_ascii() {
                spelled.push(character);
            } else if let Some((_, ascii)) = ASCII_STAND_INS.iter().find(|(these, _)| these.contains(character)) {
                spelled.push_str(ascii);
            } else {
                let width = columns(character.encode_utf8(&mut [0; 4]));
                spelled.extend(std::iter::repeat_n('?', width));
            }
        }
        Cow::Owned(spelled)
    }
}

/// The given word names none of the choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchChoice {
    /// What may be written.
    pub choices: &'static str,
}

impl fmt::Display for NoSuchChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "write one of {}", self.choices)
    }
}

impl std::error::Error for NoSuchChoice {}

impl FromStr for Locale {
    type Err = NoSuchChoice;
    fn from_str(word: &str) -> Result<Self, NoSuchChoice> {
        match word {
            "en" => Ok(Self::En),
            "zh" => Ok(Self::Zh),
            _ => Err(NoSuchChoice { choices: "en, zh" }),
        }
    }
}

impl FromStr for Charset {
    type Err = NoSuchChoice;
    fn from_str(word: &str) -> Result<Self, NoSuchChoice> {
        match word {
            "ascii" => Ok(Self::Ascii),
            "unicode" => Ok(Self::Unicode),
            _ => Err(NoSuchChoice { choices: "ascii, unicode" }),
        }
    }
}

impl ColourDepth {
    /// Every depth with the word that forces it.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Mono, "never"),
        (Self::Eight, "8"),
        (Self::Sixteen, "16"),
        (Self::Indexed, "256"),
        (Self::True, "truecolor"),
    ];
}

impl FromStr for ColourDepth {
    type Err = NoSuchChoice;
    fn from_str(word: &str) -> Result<Self, NoSuchChoice> {
        let found = Self::ALL.into_iter().find(|(_, name)| *name == word);
        found.map(|(depth, _)| depth).ok_or(NoSuchChoice { choices: "never, 8, 16, 256, truecolor" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_its_word() {
        for (depth, word) in ColourDepth::ALL {
            assert_eq!(word.parse(), Ok(depth));
            assert!("x".parse::<ColourDepth>().unwrap_err().choices.contains(word));
        }
        assert_eq!("ascii".parse(), Ok(Charset::Ascii));
        assert_eq!("unicode".parse(), Ok(Charset::Unicode));
        assert_eq!("zh".parse(), Ok(Locale::Zh));
        assert_eq!("utf8".parse::<Charset>().unwrap_err().to_string(), "write one of ascii, unicode");
        assert!("de".parse::<Locale>().is_err());
    }

    #[test]
    fn ascii_spells_what_it_can_and_shows_what_it_cannot() {
        for (text, spelled) in [
            ("plain", "plain"),
            ("System initializing…", "System initializing..."),
            ("Störung → Presse 7", "Stoerung -> Presse 7"),
            ("21 °C", "21 ?C"),
        ] {
            assert_eq!(Charset::Ascii.spell(text), spelled);
            assert_eq!(Charset::Unicode.spell(text), text);
        }
        assert!(ASCII_STAND_INS.iter().all(|(these, ascii)| ascii.is_ascii() && these.chars().all(|c| !c.is_ascii())));
    }

    #[test]
    fn ascii_symbols_are_ascii_and_all_different() {
        for (place, symbol) in ASCII_SYMBOLS.iter().enumerate() {
            assert!(symbol.is_ascii_graphic() && !ASCII_SYMBOLS[..place].contains(symbol));
        }
    }
}
