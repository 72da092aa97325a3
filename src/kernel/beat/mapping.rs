//! How one clock reads on another: an offset at a base moment, and a rate.
//!
//! A plain value that is copied to whoever has to translate moments. It does
//! not know how it was found out or how good it is; the servo does.

use crate::kernel::{Moment, Span};

/// The greatest rate a mapping carries, 1,000 ppm. A crystal is off by 100 ppm at
/// most and a kernel slews its wall clock by 500 ppm at most; more is no clock.
pub(super) const RATE_AT_MOST: f64 = 1e-3;

/// How the local clock reads on the reference clock.
///
/// Results saturate at both ends of what a [`Moment`] holds. Between them the
/// two directions are each other's inverse within one nanosecond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mapping {
    /// The local moment at which `offset` was right.
    base: Moment,
    /// Reference minus local at `base`, in nanoseconds.
    offset: i128,
    /// How much faster the reference runs: seconds gained per local second.
    rate: f64,
}

impl Mapping {
    /// A mapping that adds `offset_ns` nanoseconds for ever; of 0: both clocks are the same.
    #[must_use]
    pub const fn fixed(offset_ns: i64) -> Self {
        Self { base: Moment::EPOCH, offset: offset_ns as i128, rate: 0.0 }
    }

    /// A mapping that is `offset` nanoseconds ahead at `base` and gains `rate` from there.
    pub(super) const fn new(base: Moment, offset: i128, rate: f64) -> Self {
        // A rate that is no number clamps to one that is none; it must not spread.
        let rate = if rate.is_nan() { 0.0 } else { rate.clamp(-RATE_AT_MOST, RATE_AT_MOST) };
        Self { base, offset, rate }
    }

    /// What the reference clock reads when the local one reads `local`.
    #[must_use]
    pub fn to_reference(&self, local: Moment) -> Moment {
        moment(nanos(local) + self.offset_at(local))
    }

    /// What the local clock reads when the reference reads `reference`.
    #[must_use]
    pub fn to_local(&self, reference: Moment) -> Moment {
        // Only what the rate makes of the distance is rounded, never the distance
        // itself: that keeps a nanosecond a nanosecond over any length.
        let far = nanos(reference) - self.offset - nanos(self.base);
        moment(nanos(self.base) + far - scaled(far, self.rate / (1.0 + self.rate)))
    }

    /// Reference minus local at `local`, in nanoseconds.
    #[must_use]
    pub fn offset_nanos(&self, local: Moment) -> i64 {
        let offset = self.offset_at(local);
        i64::try_from(offset).unwrap_or(if offset < 0 { i64::MIN } else { i64::MAX })
    }

    /// How much faster the reference runs than the local clock, in parts per million.
    #[must_use]
    pub fn rate_ppm(&self) -> f64 {
        self.rate * 1e6
    }

    pub(super) fn offset_at(&self, local: Moment) -> i128 {
        self.offset + scaled(nanos(local) - nanos(self.base), self.rate)
    }
}

impl Default for Mapping {
    /// Both clocks are the same, as they are for a console alone.
    fn default() -> Self {
        Self::fixed(0)
    }
}

/// A moment as a number that can be subtracted from any other.
pub(super) const fn nanos(moment: Moment) -> i128 {
    moment.unix_nanos() as i128
}

fn moment(nanos: i128) -> Moment {
    Moment::EPOCH + Span::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the product is at most a thousandth of the distance: exact to a nanosecond over 285 years"
)]
fn scaled(nanos: i128, rate: f64) -> i128 {
    (nanos as f64 * rate).round() as i128
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);
    const DAY: u64 = 86_400_000_000_000;

    #[test]
    fn the_inverse_is_exact_within_a_nanosecond_over_a_day() {
        for ppm in [-1_000.0, -100.0, -0.3, 0.0, 1e-4, 7.77, 100.0, 1_000.0] {
            for offset in [-7_200_000_000_000, -1, 0, 3, 1_234_567_891, 7_200_000_000_000] {
                let mapping = Mapping::new(NOW, offset, ppm * 1e-6);
                for step in 0..1_000 {
                    let local = NOW + Span::from_nanos(step * (DAY / 999) + step);
                    let back = mapping.to_local(mapping.to_reference(local));
                    assert!(nanos(back).abs_diff(nanos(local)) <= 1, "{ppm} ppm, {offset} ns, step {step}");
                }
            }
        }
    }

    #[test]
    fn a_rate_counts_from_the_base_in_both_directions() {
        let mapping = Mapping::new(NOW, 500, 100e-6);
        for (local, offset) in [(NOW, 500), (NOW + Span::from_secs(1), 100_500), (NOW - Span::from_secs(1), -99_500)] {
            assert_eq!(mapping.offset_nanos(local), offset);
            assert_eq!(nanos(mapping.to_reference(local)), nanos(local) + i128::from(offset));
        }
    }

    #[test]
    fn a_fixed_one_adds_its_offset_for_ever() {
        let mapping = Mapping::fixed(-5);
        assert_eq!(mapping.to_reference(NOW), NOW - Span::from_nanos(5));
        assert_eq!(mapping.to_local(NOW), NOW + Span::from_nanos(5));
        assert_eq!(Mapping::default().to_reference(NOW), NOW);
    }

    #[test]
    fn the_ends_of_time_saturate() {
        let last = Moment::from_unix_nanos(u64::MAX);
        for mapping in
            [Mapping::fixed(i64::MAX), Mapping::fixed(i64::MIN), Mapping::new(last, i128::from(u64::MAX), 9.0)]
        {
            for moment in [Moment::EPOCH, NOW, last] {
                let _ = (mapping.to_reference(moment), mapping.to_local(moment), mapping.offset_nanos(moment));
            }
        }
        assert_eq!(Mapping::fixed(-1).to_reference(Moment::EPOCH), Moment::EPOCH);
        assert_eq!(Mapping::fixed(1).to_reference(last), last);
        assert_eq!(Mapping::new(NOW, 0, f64::NAN).to_reference(NOW), NOW);
    }
}
