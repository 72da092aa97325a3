//! The loop of the servo: an offset and a rate, each corrected in proportion to
//! how far a sample is off.
//!
//! A proportional-integral loop whose two gains are not constants but follow from
//! how well offset and rate are known and how far the sample is to be trusted
//! (weighted least squares, worked out one sample at a time). At four samples
//! a second on a quiet loopback the proportional gain settles near the 0.3 that is usual
//! for such loops; on a long path it falls to a hundredth. With constant gains the jitter of that path shakes
//! the rate, and the clock runs away as soon as the samples stop.
//!
//! It judges no sample: whoever calls it has done that.

use crate::kernel::{Moment, Span};

use super::super::mapping::{Mapping, RATE_AT_MOST, nanos};

/// How far a crystal's rate may have moved from what was learned: 50 ppm. Its make
/// (up to 100 ppm) is in the learned rate; what is left is the temperature, which
/// moves a crystal by 10 to 30 ppm between a cold start and a hot cabinet, and ageing.
const WANDER: f64 = 50e-6;
/// The standard deviation of a rate of which nothing is known yet: what crystals are sold with.
const RATE_UNKNOWN: f64 = 100e-6;
/// How the square of the rate's uncertainty grows per second: 0.1 ppm in a second,
/// 2.4 ppm in ten minutes, as an unheated crystal in a room does.
const RATE_WANDER: f64 = 1e-14;
/// What is left of the memory of surprises from one sample to the next.
const SURPRISE_KEPT: f64 = 0.9;
/// From here on the samples contradict the estimate instead of scattering around it.
/// Scatter alone reaches 2.3 (one over the root of 1 - 0.9²) by its standard
/// deviation; four times that is no accident.
const SURPRISE_AT_MOST: f64 = 9.2;

/// What is known of the reference clock, and how well. Times in seconds, rates as ratios.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    at: Moment,
    offset: i128,
    rate: f64,
    offset_variance: f64,
    covariance: f64,
    rate_variance: f64,
    surprise: f64,
}

impl Estimate {
    /// Begins with one reading that is off by at most `within` seconds, and a rate from before.
    pub(super) fn new(at: Moment, offset: i128, within: f64, rate: f64) -> Self {
        Self {
            at,
            offset,
            rate,
            // Anything between the two ends is equally likely: the variance of that is a third.
            offset_variance: within * within / 3.0,
            covariance: 0.0,
            rate_variance: RATE_UNKNOWN * RATE_UNKNOWN,
            surprise: 0.0,
        }
    }

    pub(super) const fn at(&self) -> Moment {
        self.at
    }

    pub(super) const fn rate(&self) -> f64 {
        self.rate
    }

    pub(super) const fn mapping(&self) -> Mapping {
        Mapping::new(self.at, self.offset, self.rate)
    }

    /// Lets the time until `at` pass: the offset moves by the rate, and is known less well.
    pub(super) fn advance(&mut self, at: Moment) {
        let passed = seconds(nanos(at) - nanos(self.at));
        self.offset = self.mapping().offset_at(at);
        self.at = at;
        let wander = WANDER * passed;
        self.offset_variance += 2.0 * passed * self.covariance + passed * passed * self.rate_variance + wander * wander;
        self.covariance += passed * self.rate_variance;
        let most = self.rate_variance.max(RATE_UNKNOWN * RATE_UNKNOWN);
        self.rate_variance = (self.rate_variance + RATE_WANDER * passed.abs()).min(most);
    }

    /// By how much `offset` is more than what is expected, in seconds.
    pub(super) fn error(&self, offset: i128) -> f64 {
        seconds(offset - self.offset)
    }

    /// Corrects by an `error` of a sample whose standard deviation is `noise`;
    /// whether the samples have come to contradict what was believed.
    pub(super) fn correct(&mut self, error: f64, noise: f64) -> bool {
        let spread = self.offset_variance + noise * noise;
        self.surprise = self.surprise * SURPRISE_KEPT + (error / spread.sqrt()).clamp(-3.0, 3.0);
        let surprised = self.surprise.abs() > SURPRISE_AT_MOST;
        if surprised {
            // The reference was set or is being slewed. What was believed about the rate
            // would hold the clock back, so the loop becomes as quick as at the start.
            self.surprise = 0.0;
            self.offset_variance += error * error;
            self.covariance = 0.0;
            self.rate_variance = RATE_UNKNOWN * RATE_UNKNOWN;
        }
        let spread = self.offset_variance + noise * noise;
        let (proportional, integral) = (self.offset_variance / spread, self.covariance / spread);
        self.offset += whole_nanos(proportional * error);
        self.rate = (self.rate + integral * error).clamp(-RATE_AT_MOST, RATE_AT_MOST);
        self.rate_variance = (self.rate_variance - integral * self.covariance).max(0.0);
        self.covariance *= 1.0 - proportional;
        self.offset_variance *= 1.0 - proportional;
        surprised
    }

    /// Twice the standard deviation of the offset, in seconds.
    pub(super) fn offset_within(&self) -> f64 {
        2.0 * self.offset_variance.sqrt()
    }

    /// How far the rate may be from the true one: never less than a crystal wanders.
    pub(super) fn rate_within(&self) -> f64 {
        (2.0 * self.rate_variance.sqrt()).max(WANDER)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an error of the 53rd bit is far below a nanosecond where it matters")]
pub(super) fn seconds(nanos: i128) -> f64 {
    nanos as f64 / 1e9
}

#[expect(clippy::cast_possible_truncation, reason = "a correction is far below 2^127 ns, and a cast saturates")]
fn whole_nanos(seconds: f64) -> i128 {
    (seconds * 1e9).round() as i128
}

/// A length in seconds as a span; what is no number counts as unknown, the longest.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates; below zero is zero")]
pub(super) fn span(seconds: f64) -> Span {
    if seconds.is_nan() { Span::MAX } else { Span::from_nanos((seconds * 1e9).ceil() as u64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);
    const STEP: Span = Span::from_millis(250);

    /// An estimate after `n` samples with this noise and no error.
    fn settled(n: u64, noise: f64) -> Estimate {
        let mut estimate = Estimate::new(NOW, 0, 0.1, 0.0);
        for n in 1..=n {
            estimate.advance(NOW + STEP * n);
            assert!(!estimate.correct(0.0, noise));
        }
        estimate
    }

    #[test]
    fn the_gain_follows_from_the_noise() {
        for (noise, least, most) in [(25e-6, 0.2, 0.5), (1e-3, 0.01, 0.05), (15e-3, 0.001, 0.02)] {
            let mut estimate = settled(4_000, noise);
            estimate.advance(estimate.at() + STEP);
            estimate.correct(noise, noise);
            let gain = -estimate.error(0) / noise;
            assert!((least..=most).contains(&gain), "{noise}: {gain}");
        }
    }

    #[test]
    fn samples_that_contradict_make_it_quick_again() {
        let (noise, step) = (10e-3, 60e-3);
        let mut estimate = settled(4_000, noise);
        let mut surprises = 0;
        for n in 0..40 {
            estimate.advance(estimate.at() + STEP);
            let error = estimate.error(60_000_000);
            surprises += usize::from(estimate.correct(error, noise));
            assert!(surprises == 1 || n < 8, "the first within eight samples, and no second");
        }
        assert!(estimate.error(60_000_000).abs() < step / 10.0, "{}", estimate.error(60_000_000));
    }

    #[test]
    fn a_rate_is_learned_and_never_known_better_than_crystals_hold_it() {
        let mut estimate = Estimate::new(NOW, 0, 0.001, 0.0);
        assert!(estimate.rate_within() > WANDER, "nothing is known of it yet");
        for n in 1..=400 {
            estimate.advance(NOW + STEP * n);
            // The reference gains 80 us in a second.
            let error = estimate.error(i128::from(n) * 20_000);
            estimate.correct(error, 25e-6);
        }
        assert!((estimate.rate() - 80e-6).abs() < 2e-6, "{}", estimate.rate());
        assert!((estimate.rate_within() - WANDER).abs() < 1e-12);
    }

    #[test]
    fn seconds_that_are_no_number_are_the_longest_span() {
        for (told, expected) in [(0.0, Span::ZERO), (-1.0, Span::ZERO), (1e-9, Span::from_nanos(1)), (1e300, Span::MAX)]
        {
            assert_eq!(span(told), expected);
        }
        assert_eq!((span(f64::NAN), span(f64::INFINITY)), (Span::MAX, Span::MAX));
    }
}
