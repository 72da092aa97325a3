//! The round trips of the last samples, and what they say about one more.
//!
//! A sample's error is at most half of what its round trip took beyond the
//! shortest one: the rest of the way is the same for all. So the delays alone
//! tell how far a sample is to be trusted, before its reading is looked at.

use crate::kernel::Span;

/// How many are kept: 16 s at the usual pace. After so many the shortest round trip
/// of an old path is forgotten, and a path that grew longer for good is believed.
pub(super) const KEPT: usize = 64;
/// A sample that took this many times the usual delay beyond the shortest is too slow.
/// Evenly spread delays stay below twice; a stall of a link is a hundred times.
const SLOW_TIMES: u64 = 3;
/// Below a millisecond no sample is too slow: at that scale the machine's own
/// scheduler makes the delays, and the weight is enough.
const SLOW_FLOOR: Span = Span::from_millis(1);
/// What even a sample without any delay is off by: the wake-up of a thread between
/// the answer and the clock, and the microsecond that Redis counts in.
const NOISE_FLOOR: Span = Span::from_micros(20);

/// A ring of round trips, with the shortest and the usual one of them at hand.
#[derive(Clone, Debug)]
pub(super) struct Delays {
    ring: [Span; KEPT],
    heard: usize,
    shortest: Span,
    usual: Span,
}

/// What the delays say of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trust {
    /// By how much the sample's offset can be wrong because it was held up, in seconds.
    pub(super) held_up: f64,
    /// The standard deviation to weigh it with, in seconds.
    pub(super) noise: f64,
    /// Whether it is too slow to be weighed at all.
    pub(super) too_slow: bool,
}

impl Delays {
    pub(super) const fn new() -> Self {
        Self { ring: [Span::ZERO; KEPT], heard: 0, shortest: Span::MAX, usual: Span::ZERO }
    }

    /// Takes in one round trip, and tells how far its sample is to be trusted.
    pub(super) fn hear(&mut self, delay: Span) -> Trust {
        self.ring[self.heard % KEPT] = delay;
        self.heard += 1;
        let mut sorted = self.ring;
        let sorted = &mut sorted[..self.heard.min(KEPT)];
        sorted.sort_unstable();
        self.shortest = sorted[0];
        self.usual = sorted[sorted.len() / 2].saturating_sub(self.shortest);
        let beyond = delay.saturating_sub(self.shortest);
        // The shortest of the kept ones was held up too. A quarter of the usual delay stands for
        // that, so that one lucky sample does not outweigh all others; while there are few, all
        // of the round trip may be delay, and the shortest of n comes within an n-th of the least.
        let heard = self.heard.min(KEPT) as u64;
        let noise = NOISE_FLOOR + self.usual / 4 + beyond / 4 + delay / (2 * heard);
        Trust {
            held_up: (beyond / 2).as_secs_f64(),
            noise: noise.as_secs_f64(),
            too_slow: beyond > SLOW_FLOOR && beyond > self.usual * SLOW_TIMES,
        }
    }

    /// Half of the shortest round trip: how far the best samples can be off,
    /// were all of it on one of the two ways.
    pub(super) fn half_shortest(&self) -> Span {
        self.shortest / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_too_slow_and_jitter_is_not() {
        let mut delays = Delays::new();
        for n in 0..40 {
            assert!(!delays.hear(Span::from_millis(60 + n * 37 % 41)).too_slow || n < 8);
        }
        assert!(!delays.hear(Span::from_millis(110)).too_slow);
        assert!(delays.hear(Span::from_millis(300)).too_slow);
    }

    #[test]
    fn a_path_that_grew_longer_for_good_is_believed() {
        let mut delays = Delays::new();
        (0..KEPT).for_each(|_| _ = delays.hear(Span::from_millis(10)));
        let slow = (0..KEPT).filter(|_| delays.hear(Span::from_millis(200)).too_slow).count();
        assert_eq!(slow, KEPT / 2 - 1, "until they are the usual ones");
        assert_eq!(delays.half_shortest(), Span::from_millis(100), "and the old ones are forgotten");
    }

    #[test]
    fn a_sample_that_was_held_up_weighs_less() {
        let mut delays = Delays::new();
        (0..KEPT as u64).for_each(|n| _ = delays.hear(Span::from_micros(50 + n % 7)));
        let (quick, held) = (delays.hear(Span::from_micros(50)), delays.hear(Span::from_micros(850)));
        assert!(held.noise > 5.0 * quick.noise, "{held:?} {quick:?}");
        assert!(quick.held_up < 1e-9 && (held.held_up - 400e-6).abs() < 1e-9);
        assert!(!held.too_slow, "below the floor");
    }
}
