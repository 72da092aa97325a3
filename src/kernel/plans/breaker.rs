//! The breaker: what fails again and again is left alone for a while.
//!
//! Closed, a plan runs as it is due. `open_after` failures in a row open the
//! breaker; after a wait that doubles with each try one run may probe, and one
//! good probe closes it. The rules are an argument of each call, so that a
//! reload holds at once, even for a wait that has begun. Deliberately without a
//! clock and without chance: the seed of the jitter is an argument too.

use crate::kernel::{Moment, Span};

/// When a breaker opens and how long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// So many failures in a row open it; 0: it never opens.
    pub open_after: u32,
    /// The wait before the first probe; it doubles with each that fails.
    pub retry_after: Span,
    /// The bound of the doubling.
    pub retry_at_most: Span,
}

/// What a breaker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Runs are started as they are due.
    Closed,
    /// None is started before this moment.
    Open(Moment),
    /// A probe is in flight, and nothing else is started.
    HalfOpen,
}

/// The breaker of one plan, or of all that share a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row while closed.
    failures: u32,
    open: Option<Open>,
}

/// What an open breaker remembers. The wait is worked out from it and the rules of the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    since: Moment,
    /// Probes that failed.
    probes: u32,
    seed: u64,
    probing: bool,
}

impl Open {
    /// When the next probe may start. Up to a quarter of the wait is left off by
    /// the seed: sooner rather than later, so that the bound stays one, and
    /// breakers that opened together do not knock together.
    fn until(self, rules: &BreakerRules) -> Moment {
        let doubled = rules.retry_after * 1_u64.checked_shl(self.probes).unwrap_or(u64::MAX);
        let wait = doubled.min(rules.retry_at_most.max(rules.retry_after));
        let share = u128::from((wait / 4).as_nanos()) * u128::from(self.seed);
        let early = Span::from_nanos(u64::try_from(share >> 64).unwrap_or(0));
        self.since + wait.saturating_sub(early)
    }
}

impl Breaker {
    /// What the breaker is.
    #[must_use]
    pub fn state(&self, rules: &BreakerRules) -> BreakerState {
        match self.open {
            None => BreakerState::Closed,
            Some(Open { probing: true, .. }) => BreakerState::HalfOpen,
            Some(open) => BreakerState::Open(open.until(rules)),
        }
    }

    /// Whether a run may start at `now`. Where it may and the breaker is open,
    /// this run is the probe, and no other may start until its end is told.
    pub fn permits(&mut self, now: Moment, rules: &BreakerRules) -> bool {
        match &mut self.open {
            None => true,
            Some(open) => {
                let permits = !open.probing && open.until(rules) <= now;
                open.probing |= permits;
                permits
            }
        }
    }

    /// A run went well. Whether the breaker closed by it.
    ///
    /// A success that comes while the breaker waits is of a run that began before
    /// it opened, and is no probe.
    pub fn succeeded(&mut self) -> bool {
        self.failures = 0;
        let closes = self.open.is_some_and(|open| open.probing);
        self.open = self.open.filter(|_| !closes);
        closes
    }

    /// A run failed at `now`. Whether the breaker opened by it; a failed probe
    /// only lengthens the wait. `seed` is any number, for the jitter.
    pub fn failed(&mut self, now: Moment, rules: &BreakerRules, seed: u64) -> bool {
        match &mut self.open {
            Some(open) if open.probing => {
                *open = Open { since: now, probes: open.probes.saturating_add(1), seed, probing: false };
                false
            }
            // A run that began before the others opened the breaker has nothing to add.
            Some(_) => false,
            None => {
                self.failures = self.failures.saturating_add(1);
                let opens = rules.open_after > 0 && self.failures >= rules.open_after;
                if opens {
                    self.failures = 0;
                    self.open = Some(Open { since: now, probes: 0, seed, probing: false });
                }
                opens
            }
        }
    }

    /// A run was cancelled: it proves nothing. The next that is due may probe in its stead.
    pub const fn abandoned(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: BreakerRules =
        BreakerRules { open_after: 3, retry_after: Span::from_secs(1), retry_at_most: Span::from_secs(60) };

    fn at(millis: u64) -> Moment {
        Moment::from_unix_millis(1_760_000_000_000 + millis)
    }

    fn opened(millis: u64) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..RULES.open_after {
            breaker.failed(at(millis), &RULES, 0);
        }
        breaker
    }

    /// Something that happens to a breaker, and what it answers.
    type Event = fn(&mut Breaker) -> bool;

    #[test]
    fn every_state_answers_every_event() {
        let closed = Breaker::default();
        let failing = Breaker { failures: 2, open: None };
        let open = opened(0);
        let mut probing = open;
        assert!(probing.permits(at(1_000), &RULES));
        let wait = |millis, probes| Breaker {
            failures: 0,
            open: Some(Open { since: at(millis), probes, seed: 0, probing: false }),
        };

        let good: Event = Breaker::succeeded;
        let bad: Event = |breaker| breaker.failed(at(2_000), &RULES, 0);
        let early: Event = |breaker| breaker.permits(at(999), &RULES);
        let due: Event = |breaker| breaker.permits(at(1_000), &RULES);
        let cancelled: Event = |breaker| {
            breaker.abandoned();
            false
        };
        let table: [(&str, Breaker, Event, bool, Breaker); 20] = [
            ("closed, good", closed, good, false, closed),
            ("closed, bad", closed, bad, false, Breaker { failures: 1, open: None }),
            ("closed, early", closed, early, true, closed),
            ("closed, due", closed, due, true, closed),
            ("closed, cancelled", closed, cancelled, false, closed),
            ("failing, good", failing, good, false, closed),
            ("failing, bad", failing, bad, true, wait(2_000, 0)),
            ("failing, early", failing, early, true, failing),
            ("failing, due", failing, due, true, failing),
            ("failing, cancelled", failing, cancelled, false, failing),
            ("open, good", open, good, false, open),
            ("open, bad", open, bad, false, open),
            ("open, early", open, early, false, open),
            ("open, due", open, due, true, probing),
            ("open, cancelled", open, cancelled, false, open),
            ("probing, good", probing, good, true, closed),
            ("probing, bad", probing, bad, false, wait(2_000, 1)),
            ("probing, early", probing, early, false, probing),
            ("probing, due", probing, due, false, probing),
            ("probing, cancelled", probing, cancelled, false, open),
        ];
        for (told, before, event, answer, after) in table {
            let mut breaker = before;
            assert_eq!((event(&mut breaker), breaker), (answer, after), "{told}");
        }
    }

    #[test]
    fn waits_double_up_to_the_bound() {
        let mut breaker = opened(0);
        let mut now = at(0);
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let until = now + Span::from_secs(seconds);
            assert_eq!(breaker.state(&RULES), BreakerState::Open(until));
            assert!(!breaker.permits(until - Span::from_nanos(1), &RULES));
            assert!(breaker.permits(until, &RULES));
            assert_eq!(breaker.state(&RULES), BreakerState::HalfOpen);
            now = until;
            assert!(!breaker.failed(now, &RULES, 0));
        }
        // Any number of probes later the bound holds.
        breaker.open = breaker.open.map(|open| Open { probes: u32::MAX, ..open });
        assert_eq!(breaker.state(&RULES), BreakerState::Open(now + Span::from_secs(60)));
    }

    #[test]
    fn jitter_leaves_off_a_quarter_at_most() {
        for (seed, millis) in [(0, 1_000), (u64::MAX / 2, 875), (u64::MAX, 750)] {
            let open = Open { since: at(0), probes: 0, seed, probing: false };
            let wait = open.until(&RULES).since(at(0));
            assert_eq!((wait.as_nanos() + 1) / 1_000_000, millis);
        }
    }

    #[test]
    fn new_rules_hold_for_a_wait_that_has_begun() {
        let mut breaker = opened(0);
        let slower = BreakerRules { retry_after: Span::from_secs(10), ..RULES };
        assert_eq!(breaker.state(&slower), BreakerState::Open(at(10_000)));
        assert!(!breaker.permits(at(9_999), &slower));
        assert!(breaker.permits(at(9_999), &RULES));
        let mut failing = Breaker { failures: 2, open: None };
        assert!(!failing.failed(at(0), &BreakerRules { open_after: 5, ..RULES }, 0));
        assert!(failing.failed(at(0), &BreakerRules { open_after: 2, ..RULES }, 0));
    }

    #[test]
    fn zero_never_opens() {
        let mut breaker = Breaker::default();
        assert!((0..1_000).all(|_| !breaker.failed(at(0), &BreakerRules { open_after: 0, ..RULES }, 0)));
    }
}
