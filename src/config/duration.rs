//! Durations as the config writes them: `250ms`, `3s`, `5m`, `1h30m`, `2d`.
//!
//! Deliberately whole numbers with units alone: a bare number leaves its unit to
//! be guessed, and a guess between seconds and milliseconds is wrong by a thousand.

use std::fmt;

use super::defaults::{DURATION_MAX, PERIOD_MIN, TIMEOUT_MIN};
use super::timing::{LEASE_PART_MIN, LEASE_TTL_MAX, LEASE_TTL_MIN};
use crate::kernel::Span;

/// The units, longest first, with their nanoseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

/// The accepted form, for messages.
pub const DURATION_FORM: &str = "`250ms`, `3s`, `5m` or `1h30m`";

/// The given text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadDuration {
    /// It is not written as durations are.
    Form,
    /// It is written well, but longer than any duration may be.
    TooLong,
}

impl fmt::Display for BadDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => write!(f, "a duration is written {DURATION_FORM}"),
            Self::TooLong => f.write_str("a duration is at most 365d"),
        }
    }
}

impl std::error::Error for BadDuration {}

/// Reads a duration: whole numbers, each with its unit, longest unit first.
///
/// # Errors
/// Where `text` is not of that form, or tells more than 365 days.
///
/// ```
/// use marquee::config::parse_duration;
/// assert_eq!(parse_duration("1m30s").map(|span| span.as_secs()), Ok(90));
/// assert!(parse_duration("90").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Span, BadDuration> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut units = UNITS.iter();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_lowercase).count();
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        let Some((_, nanos)) = units.find(|(name, _)| *name == unit) else { return Err(BadDuration::Form) };
        if number.is_empty() {
            return Err(BadDuration::Form);
        }
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*nanos));
        total = part.and_then(|part| total.checked_add(part)).ok_or(BadDuration::TooLong)?;
        rest = &rest[digits + letters..];
    }
    match Span::from_nanos(total) {
        _ if text.is_empty() => Err(BadDuration::Form),
        span if span > DURATION_MAX => Err(BadDuration::TooLong),
        span => Ok(span),
    }
}

/// A duration as the config writes it, to the millisecond: what [`parse_duration`] reads again.
#[must_use]
pub fn duration_text(span: Span) -> String {
    let mut rest = span.as_nanos();
    let mut text = String::new();
    for (unit, nanos) in UNITS {
        if rest >= nanos {
            text += &(rest / nanos).to_string();
            text += unit;
            rest %= nanos;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// The durations that a key accepts.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) min: Span,
    pub(super) max: Span,
    /// The range in the config's own form.
    pub(super) told: &'static str,
}

/// For periods and turns.
pub(super) const PERIOD: Bounds = Bounds { min: PERIOD_MIN, max: DURATION_MAX, told: "10ms to 365d" };
/// For time limits.
pub(super) const LIMIT: Bounds = Bounds { min: TIMEOUT_MIN, max: DURATION_MAX, told: "1ms to 365d" };
/// For a place within a period, which may be its beginning.
pub(super) const PHASE: Bounds = Bounds { min: Span::ZERO, max: DURATION_MAX, told: "0s to 365d" };
/// For the life of a lease.
pub(super) const LEASE: Bounds = Bounds { min: LEASE_TTL_MIN, max: LEASE_TTL_MAX, told: "1s to 1m" };
/// For what happens within a lease.
pub(super) const LEASE_PART: Bounds = Bounds { min: LEASE_PART_MIN, max: LEASE_TTL_MAX, told: "10ms to 1m" };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units_and_nothing_else_passes() {
        for (text, millis) in [
            ("250ms", 250),
            ("3s", 3_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s", 0),
            ("365d", 31_536_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Span::from_millis(millis)), "{text}");
            assert_eq!(duration_text(Span::from_millis(millis)), text);
        }
        for text in
            ["", "3", "s", "3 s", "3S", "-1s", "1.5s", "1e99", ".nan", ".inf", "30m1h", "3s3s", "3sec", "３s", "1h "]
        {
            assert_eq!(parse_duration(text), Err(BadDuration::Form), "{text}");
        }
        for text in ["366d", "999999999999999999999s", "18446744073709551615h", "365d1ms"] {
            assert_eq!(parse_duration(text), Err(BadDuration::TooLong), "{text}");
        }
    }

    #[test]
    fn told_ranges_are_the_ranges() {
        for bounds in [PERIOD, LIMIT, PHASE, LEASE, LEASE_PART] {
            let (min, max) = bounds.told.split_once(" to ").unwrap();
            assert_eq!(parse_duration(min), Ok(bounds.min));
            assert_eq!(parse_duration(max), Ok(bounds.max));
        }
    }
}
