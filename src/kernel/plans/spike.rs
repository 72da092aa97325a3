//! The feed's breaker: a source that pushes far more than usual is sampled.
//!
//! Updates are counted in windows. Three windows in a row with more than
//! `ratio` times the usual number, and above `floor`, are a spike: from then on
//! one update in `sample` is taken. What is usual is learnt from calm windows
//! alone, so that a flood does not make itself the norm, and three calm windows in
//! a row heal. Everything that arrives is counted, taken or not, so that the
//! sampling does not hide the flood from its own judge.
//!
//! The rules are an argument of each call, so that a reload holds at once, and so is the time.

use crate::kernel::{Moment, Span};

/// So many windows in a row make a spike, and so many end it: one may be a
/// reconnecting source that catches up.
const IN_A_ROW: u32 = 3;
/// How much of the usual number a calm window replaces: after five of them half is forgotten.
const LEARN: f64 = 0.125;
/// More silent windows than this leave nothing of what was usual that could matter.
const SILENT_AT_MOST: u64 = 256;

/// What a spike is, and what is done about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpikeRules {
    /// How long updates are counted together.
    pub window: Span,
    /// More than so many times the usual number is a spike.
    pub ratio: f64,
    /// So many updates in a window are never one.
    pub floor: u64,
    /// Of so many updates one is taken while the feed is degraded; 0 counts as 1.
    pub sample: u64,
}

/// The count of one source's updates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spike {
    /// Where the window began; `None` before the first update.
    began: Option<Moment>,
    count: u64,
    /// The updates of a calm window; `None` before the first has passed.
    usual: Option<f64>,
    /// Windows in a row that speak against the present state.
    against: u32,
    degraded: bool,
}

impl Spike {
    /// Whether the feed is sampled.
    #[must_use]
    pub const fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// The updates of a calm window; `None` before the first has passed.
    #[must_use]
    pub const fn usual(&self) -> Option<f64> {
        self.usual
    }

    /// Counts an update. Whether it is to be taken.
    pub fn arrived(&mut self, now: Moment, rules: &SpikeRules) -> bool {
        self.wake(now, rules);
        if self.began.is_none() {
            self.began = Some(now);
        }
        self.count += 1;
        !self.degraded || self.count % rules.sample.max(1) == 1 % rules.sample.max(1)
    }

    /// Closes the windows that have passed at `now`, so that a feed heals in silence too.
    pub fn wake(&mut self, now: Moment, rules: &SpikeRules) {
        let Some(began) = self.began else { return };
        let window = rules.window.as_nanos().max(1);
        let passed = now.since(began).as_nanos() / window;
        if passed == 0 {
            return;
        }
        let count = std::mem::take(&mut self.count);
        self.close(count, rules);
        for _ in 1..passed.min(SILENT_AT_MOST) {
            self.close(0, rules);
        }
        self.began = Some(began + rules.window * passed);
    }

    /// When to call [`Spike::wake`] at the latest; `None` while nothing can change without an update.
    #[must_use]
    pub fn next_wake(&self, rules: &SpikeRules) -> Option<Moment> {
        self.began.filter(|_| self.degraded).map(|began| began + rules.window)
    }

    #[expect(clippy::cast_precision_loss, reason = "a window's count needs no more than 53 bits")]
    fn close(&mut self, count: u64, rules: &SpikeRules) {
        let usual = self.usual.unwrap_or(count as f64);
        let calm = count <= rules.floor || count as f64 <= rules.ratio * usual;
        if calm {
            self.usual = Some(usual + LEARN * (count as f64 - usual));
        }
        self.against = if calm == self.degraded { self.against + 1 } else { 0 };
        if self.against == IN_A_ROW {
            self.degraded = !self.degraded;
            self.against = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: SpikeRules = SpikeRules { window: Span::from_secs(1), ratio: 5.0, floor: 100, sample: 10 };

    /// A source on the grid of its windows.
    struct Feed {
        spike: Spike,
        second: u64,
    }

    impl Feed {
        fn new() -> Self {
            Self { spike: Spike::default(), second: 0 }
        }

        /// A second with so many updates; how many were taken.
        fn second(&mut self, updates: u64) -> u64 {
            let start = Moment::from_unix_millis(1_760_000_000_000 + 1_000 * self.second);
            let taken = (0..updates)
                .filter(|n| self.spike.arrived(start + Span::from_nanos(n * 1_000_000_000 / updates), &RULES));
            let taken = taken.count() as u64;
            self.second += 1;
            self.spike.wake(start + Span::from_secs(1), &RULES);
            taken
        }

        /// After each of some seconds: whether the feed is degraded.
        fn seconds(&mut self, updates: &[u64]) -> Vec<bool> {
            updates
                .iter()
                .map(|updates| {
                    self.second(*updates);
                    self.spike.is_degraded()
                })
                .collect()
        }
    }

    #[test]
    fn three_windows_in_a_row_degrade_and_three_calm_ones_heal() {
        let mut feed = Feed::new();
        assert_eq!(feed.seconds(&[40, 40, 40, 40]), [false; 4]);
        // Two are no spike, and one calm one between begins the count anew.
        assert_eq!(feed.seconds(&[900, 900, 40, 900, 900]), [false; 5]);
        assert_eq!(feed.seconds(&[900, 900]), [true; 2]);
        assert_eq!(feed.second(900), 90);
        assert_eq!(feed.seconds(&[40, 40, 900, 40, 40, 40]), [true, true, true, true, true, false]);
        assert_eq!(feed.second(40), 40);
    }

    #[test]
    fn a_flood_does_not_make_itself_the_norm() {
        let mut feed = Feed::new();
        feed.seconds(&[40; 20]);
        assert!(feed.seconds(&[900; 100])[2..].iter().all(|degraded| *degraded));
        assert!((feed.spike.usual().unwrap() - 40.0).abs() < 1.0);
    }

    #[test]
    fn slow_growth_is_learnt_and_the_floor_is_never_a_spike() {
        let mut feed = Feed::new();
        let growth: Vec<u64> = (0..60).map(|n| 40 + 20 * n).collect();
        assert!(feed.seconds(&growth).iter().all(|degraded| !degraded));
        let mut quiet = Feed::new();
        assert_eq!(quiet.seconds(&[1, 1, 1, 100, 100, 100, 100]), [false; 7]);
    }

    #[test]
    fn silence_heals_without_an_update() {
        let mut feed = Feed::new();
        feed.seconds(&[40, 900, 900, 900]);
        let mut waited = 0;
        while let Some(next) = feed.spike.next_wake(&RULES) {
            feed.spike.wake(next, &RULES);
            waited += 1;
        }
        assert_eq!((waited, feed.spike.is_degraded()), (3, false));
    }

    #[test]
    fn a_year_of_silence_is_closed_at_once() {
        let mut feed = Feed::new();
        feed.seconds(&[40, 40]);
        feed.second += 365 * 86_400;
        assert_eq!(feed.second(40), 40);
        assert!(feed.spike.usual().unwrap() < 10.0);
    }

    #[test]
    fn new_rules_hold_at_once() {
        let mut feed = Feed::new();
        feed.seconds(&[40, 900, 900, 900]);
        let now = Moment::from_unix_millis(1_760_000_000_000 + 4_000);
        for (sample, expected) in [(0, 60), (1, 60), (2, 30), (60, 1)] {
            let mut spike = feed.spike;
            let rules = SpikeRules { sample, ..RULES };
            assert_eq!((0..60).filter(|_| spike.arrived(now, &rules)).count(), expected, "1 of {sample}");
        }
    }
}
