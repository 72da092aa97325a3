//! Levels: how bad the news of an item is, worst first.
//!
//! Deliberately without colours, symbols or translations: those belong to the
//! renderers and their themes.

use std::fmt;
use std::str::FromStr;

/// How bad the news is. The order is the order of the line: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Somebody has to act now.
    Critical,
    /// Nothing is known, or what is known is too old to be trusted.
    Unknown,
    /// Somebody should look soon.
    Warning,
    /// Worth telling, nothing to do.
    Info,
    /// As it should be.
    Healthy,
}

impl Level {
    /// Every level, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::Unknown, Self::Warning, Self::Info, Self::Healthy];

    /// Whether an item at this level is an alarm.
    #[must_use]
    pub const fn is_alarm(self) -> bool {
        matches!(self, Self::Critical | Self::Unknown | Self::Warning)
    }

    /// The place of this level in [`Level::ALL`], for tables by level.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word of the config, the metrics and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Healthy => "healthy",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The given word names no level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchLevel;

impl fmt::Display for NoSuchLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a level is one of critical, unknown, warning, info, healthy")
    }
}

impl std::error::Error for NoSuchLevel {}

impl FromStr for Level {
    type Err = NoSuchLevel;
    fn from_str(word: &str) -> Result<Self, NoSuchLevel> {
        Self::ALL.into_iter().find(|level| level.word() == word).ok_or(NoSuchLevel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worst_sorts_first_and_words_round_trip() {
        assert!(Level::ALL.is_sorted());
        for (place, level) in Level::ALL.into_iter().enumerate() {
            assert_eq!(level.index(), place);
            assert_eq!(level.word().parse(), Ok(level));
            assert_eq!(level.is_alarm(), place < 3);
        }
        assert_eq!("Critical".parse::<Level>(), Err(NoSuchLevel));
    }
}
