//! The shared clock: how this console's clock reads on the reference clock.
//!
//! Each console asks the reference (`TIME` of the Redis server) again and again, and
//! the servo makes one [`Mapping`] of the answers. It sets no clock, it only maps, so
//! the local clock stays monotonic and deadlines stay local. It asks nothing itself
//! and reads no time: samples come in, a mapping comes out. Nothing in here allocates.
//!
//! What it cannot know is how a round trip divides into the way there and the way
//! back: half of the shortest round trip is therefore always part of the bound.

mod delays;
mod estimate;

use crate::kernel::{Moment, Span};

use super::mapping::{Mapping, nanos};
use delays::{Delays, Trust};
use estimate::{Estimate, seconds, span};

/// A jump of the reference beyond this begins a new clock, 128 ms: the step threshold
/// of NTP. Less is corrected without one.
const JUMP: f64 = 0.128;
/// A round trip longer than this is no sample: a store operation ends after 0.3 s.
const ROUND_TRIP_AT_MOST: Span = Span::from_secs(5);
/// So many good samples make a lock: enough to tell the usual delay from a lucky one.
const LOCKED_FROM: u32 = 8;
/// A clock that is not known within a quarter of a second is of no use: newly decided
/// items are announced 400 ms ahead, and half of that goes on the way.
const USEFUL: Span = Span::from_millis(250);

/// So many samples come fast after a start or a jump.
const FAST_SAMPLES: u32 = 32;
/// How far they are apart: all of them within 0.7 s on a short path.
const FAST: Span = Span::from_millis(20);
/// The usual pace, 4 Hz.
const USUAL: Span = Span::from_millis(250);
/// The pace of a clock that is quiet, which saves a follower at rest three of four
/// round trips. It holds the budget: by then the rate is known, and what it may have
/// moved, 50 ppm, is 50 µs from one sample to the next; the scatter that fewer
/// samples average worse is watched by [`QUIET_WITHIN`].
const SLOW: Span = Span::from_secs(1);
/// So many good samples without anything unusual, half a minute, make the clock quiet,
const QUIET_FROM: u32 = 120;
/// if it is known as well as this: half of what consoles of one LAN may be apart. Where
/// the scatter of a long path does not allow that at one sample a second, the pace
/// goes back to the usual one until it does.
const QUIET_WITHIN: f64 = 2.5e-3;

/// One question to the reference clock and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The local moment just before the question went out.
    pub sent: Moment,
    /// What the reference clock read.
    pub reference: Moment,
    /// The local moment just after the answer came.
    pub received: Moment,
}

/// What the servo made of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It moved the mapping.
    Taken,
    /// It took much longer than usual, and says little.
    TooSlow,
    /// Not used: it cannot be (received before sent, a reading outside of time), or it is
    /// far off and the next sample has to say whether the reference jumped.
    Doubted,
    /// The reference jumped and a second sample confirmed it: a new clock began.
    Relocked,
}

/// Follows one reference clock by samples.
#[derive(Clone, Debug)]
pub struct Servo {
    delays: Delays,
    estimate: Option<Estimate>,
    suspect: Option<Suspect>,
    heard: u32,
    good: u32,
    quiet: u32,
    jitter: f64,
    generation: u64,
    /// What to go by until the first sample: what the last reference was found to be.
    before: Mapping,
}

/// A sample that is so far off that the reference must have jumped, if it is true.
#[derive(Clone, Copy, Debug)]
struct Suspect {
    offset: i128,
    held_up: f64,
}

impl Default for Servo {
    fn default() -> Self {
        Self::new()
    }
}

impl Servo {
    /// A servo that knows nothing yet: it maps every moment to itself, within no bound.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            delays: Delays::new(),
            estimate: None,
            suspect: None,
            heard: 0,
            good: 0,
            quiet: 0,
            jitter: 0.0,
            generation: 0,
            before: Mapping::fixed(0),
        }
    }

    /// Begins anew: the reference is another server. The last mapping stays until its
    /// first sample, within no bound.
    pub fn restart(&mut self) {
        *self = Self { generation: self.generation + 1, before: self.mapping(), ..Self::new() };
    }

    /// Takes a sample in.
    pub fn hear(&mut self, sample: Sample) -> Heard {
        if !is_possible(sample) {
            return Heard::Doubted;
        }
        let delay = sample.received.since(sample.sent);
        let at = sample.sent + delay / 2;
        let offset = nanos(sample.reference) - nanos(at);
        self.heard = self.heard.saturating_add(1);
        let trust = self.delays.hear(delay);
        let Some(estimate) = &mut self.estimate else {
            self.begin(at, offset, delay, 0.0);
            return Heard::Taken;
        };
        if trust.too_slow {
            return Heard::TooSlow;
        }
        let mut ahead = estimate.clone();
        ahead.advance(at);
        let error = ahead.error(offset);
        let suspect = Suspect { offset, held_up: trust.held_up };
        if let Some(earlier) = self.suspect.take()
            && earlier.is_confirmed_by(suspect, error)
        {
            let rate = ahead.rate();
            self.relock(at, offset, delay, rate);
            return Heard::Relocked;
        }
        // Beyond what the threshold, the delay of this sample and three standard deviations
        // of what is known explain together, only a jump is left.
        if error.abs() > JUMP + trust.held_up + 1.5 * ahead.offset_within() {
            self.suspect = Some(suspect);
            self.quiet = 0;
            return Heard::Doubted;
        }
        *estimate = ahead;
        self.take(error, trust);
        Heard::Taken
    }

    fn is_quiet(&self) -> bool {
        let is_close = |estimate: &Estimate| estimate.offset_within() <= QUIET_WITHIN;
        self.quiet >= QUIET_FROM && self.is_locked() && self.estimate.as_ref().is_some_and(is_close)
    }

    fn take(&mut self, error: f64, trust: Trust) {
        let Some(estimate) = &mut self.estimate else { return };
        let surprised = estimate.correct(error, trust.noise);
        self.good = self.good.saturating_add(1);
        self.quiet = if surprised { 0 } else { self.quiet.saturating_add(1) };
        // The mean over about sixteen samples, and over all of them before there are so many.
        self.jitter += (error.abs() - self.jitter) / f64::from(self.good.min(16));
    }

    fn begin(&mut self, at: Moment, offset: i128, delay: Span, rate: f64) {
        let within = (delay / 2).as_secs_f64();
        self.estimate = Some(Estimate::new(at, offset, within, rate));
        self.good = 1;
        self.quiet = 1;
    }

    /// The rate is kept: the crystals are the same, only somebody set the clock.
    fn relock(&mut self, at: Moment, offset: i128, delay: Span, rate: f64) {
        self.restart();
        self.heard = 1;
        self.delays.hear(delay);
        self.begin(at, offset, delay, rate);
    }

    /// Whether the clock is good enough to show items by.
    ///
    /// True from the eighth good sample on, where the bound at the last one is below a
    /// quarter of a second. It stays true while no samples come: see [`bound`](Self::bound).
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.good >= LOCKED_FROM && self.estimate.as_ref().is_some_and(|estimate| self.bound(estimate.at()) < USEFUL)
    }

    /// How the local clock reads on the reference as of the last sample.
    #[must_use]
    pub fn mapping(&self) -> Mapping {
        self.estimate.as_ref().map_or(self.before, Estimate::mapping)
    }

    /// How far the mapping may be off at the local moment `now`; the longest span while nothing is known.
    ///
    /// Half of the shortest round trip, twice the standard deviation of the offset, and for
    /// the time since the last sample 50 ppm, or twice the standard deviation of the
    /// rate while that is more. A reference that is slewed (by 500 ppm at most) takes all
    /// consoles along alike; the half millisecond of a second of it is not in here.
    #[must_use]
    pub fn bound(&self, now: Moment) -> Span {
        self.estimate.as_ref().map_or(Span::MAX, |estimate| {
            let since = nanos(now).abs_diff(nanos(estimate.at()));
            let since = Span::from_nanos(u64::try_from(since).unwrap_or(u64::MAX)).as_secs_f64();
            self.delays.half_shortest() + span(estimate.offset_within() + estimate.rate_within() * since)
        })
    }

    /// How far the samples lie from what was expected, on average.
    #[must_use]
    pub fn jitter(&self) -> Span {
        span(self.jitter)
    }

    /// How much faster the reference runs than the local clock, in parts per million.
    #[must_use]
    pub fn drift_ppm(&self) -> f64 {
        self.mapping().rate_ppm()
    }

    /// Which clock this is: grows with each jump of the reference and each restart, and never falls.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// When the next sample is to be taken, where the last one was at `last`.
    ///
    /// Who gets no answer at all keeps to the pace of its own retries: the servo counts answers alone.
    #[must_use]
    pub fn next_sample(&self, last: Moment) -> Moment {
        last + match self {
            Self { suspect: Some(_), .. } => FAST,
            Self { heard, .. } if *heard < FAST_SAMPLES => FAST,
            _ if self.is_quiet() => SLOW,
            _ => USUAL,
        }
    }
}

impl Suspect {
    /// Whether `later`, which is `error` off the old clock, tells of the same jump:
    /// it agrees with this one, and lies nearer to it than to the old clock.
    fn is_confirmed_by(self, later: Self, error: f64) -> bool {
        let apart = seconds(later.offset - self.offset).abs();
        apart <= JUMP / 2.0 + self.held_up + later.held_up && apart < error.abs()
    }
}

/// Whether a sample can be: time went on between its ends, and the reading is within time.
fn is_possible(sample: Sample) -> bool {
    let within = |moment: Moment| moment > Moment::EPOCH && i64::try_from(moment.unix_nanos()).is_ok();
    sample.received >= sample.sent
        && sample.received.since(sample.sent) <= ROUND_TRIP_AT_MOST
        && within(sample.reference)
        && i64::try_from(sample.received.unix_nanos()).is_ok()
}

#[cfg(test)]
mod tests;
