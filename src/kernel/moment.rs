//! Time as the kernel knows it: a [`Moment`] is a point, a [`Span`] a length.
//!
//! Deliberately not a clock: nothing here can ask what time it is. Both types
//! count whole nanoseconds and saturate instead of wrapping, because a board
//! that panics or jumps back over a subtraction would lie about its age.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::time::Duration;

/// A length of time in whole nanoseconds; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span, about 584 years.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of `n` nanoseconds.
    #[must_use]
    pub const fn from_nanos(n: u64) -> Self {
        Self(n)
    }

    /// A span of `n` microseconds.
    #[must_use]
    pub const fn from_micros(n: u64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    /// A span of `n` milliseconds.
    #[must_use]
    pub const fn from_millis(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// A span of `n` seconds.
    #[must_use]
    pub const fn from_secs(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000_000))
    }

    /// The length in nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in whole milliseconds, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The length in whole seconds, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// The length in seconds, with its fraction.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a fraction of a second needs no more than 53 bits")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Whether this is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// This span without `other`, or zero where `other` is longer.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_nanos(span.0)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<u64> for Span {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Div<u64> for Span {
    type Output = Self;
    fn div(self, parts: u64) -> Self {
        Self(self.0 / parts.max(1))
    }
}

/// A point in time: nanoseconds since the Unix epoch on the shared clock.
///
/// The shared clock runs on the monotonic clock of the machine and is anchored
/// to the epoch once, so moments of one run never go back when somebody sets
/// the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The Unix epoch; also "before everything".
    pub const EPOCH: Self = Self(0);

    /// The moment `n` nanoseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_nanos(n: u64) -> Self {
        Self(n)
    }

    /// The moment `n` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(n: u64) -> Self {
        Self(n.saturating_mul(1_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_nanos(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// How long after `earlier` this is; zero where it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Moment {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Moment {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Moment {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Span {
    /// The compact form of the config: `250ms`, `3s`, `2m 14s`, `1h 30m`, `4d 2h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ms, s) = (self.as_millis(), self.as_secs());
        match s {
            0 if ms == 0 && self.0 >= 1_000 => write!(f, "{}us", self.0 / 1_000),
            0 if ms == 0 && self.0 > 0 => write!(f, "{}ns", self.0),
            0 if ms > 0 => write!(f, "{ms}ms"),
            0..60 => write!(f, "{s}s"),
            60..3_600 => write!(f, "{}m {}s", s / 60, s % 60),
            3_600..86_400 => write!(f, "{}h {}m", s / 3_600, s / 60 % 60),
            _ => write!(f, "{}d {}h", s / 86_400, s / 3_600 % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Moment::EPOCH - Span::from_secs(1), Moment::EPOCH);
        assert_eq!(Moment::EPOCH.since(Moment::from_unix_millis(5)), Span::ZERO);
        assert_eq!(Span::MAX + Span::from_secs(1), Span::MAX);
        assert_eq!(Span::from_secs(u64::MAX), Span::MAX);
        assert_eq!(Span::from_secs(3) / 0, Span::from_secs(3));
    }

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        for (span, told) in [
            (Span::ZERO, "0s"),
            (Span::from_nanos(7), "7ns"),
            (Span::from_micros(12), "12us"),
            (Span::from_millis(250), "250ms"),
            (Span::from_secs(59), "59s"),
            (Span::from_secs(134), "2m 14s"),
            (Span::from_secs(5_400), "1h 30m"),
            (Span::from_secs(4 * 86_400 + 7_300), "4d 2h"),
        ] {
            assert_eq!(span.to_string(), told);
        }
    }
}
