//! Settling: a level changes when it is meant, not at every twitch.
//!
//! A result that differs from the shown level begins a streak: of worse ones or
//! of better ones. The level changes, to that of the newest result, when the
//! streak has as many results as `confirm` asks for and has lasted for the delay
//! of its side. One result that agrees with the shown level, or lies on the other
//! side of it, ends the streak. The first result of all is shown at once:
//! waiting would only prolong not knowing.
//!
//! The state is a plain value and each verb gives the next one. The rules are an
//! argument, so that a reload holds at once, and so is the time.

use crate::kernel::board::Level;
use crate::kernel::{Moment, Span};

/// What a level needs to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettleRules {
    /// Results in a row that make it worse; 0 counts as 1.
    pub bad: u32,
    /// Results in a row that make it better; 0 counts as 1.
    pub good: u32,
    /// How long worse results have to last.
    pub on_delay: Span,
    /// How long better results have to last.
    pub off_delay: Span,
}

impl Default for SettleRules {
    /// Every result counts at once: who wants patience says how much.
    fn default() -> Self {
        Self { bad: 1, good: 1, on_delay: Span::ZERO, off_delay: Span::ZERO }
    }
}

/// The shown level of one item, and what speaks against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settle {
    shown: Option<Level>,
    streak: Option<Streak>,
}

/// Results in a row on one side of the shown level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Streak {
    worse: bool,
    count: u32,
    began: Moment,
    newest: Level,
}

impl Streak {
    /// When it changes the level, unless something comes in between; `None`: not before more results.
    fn ripe(self, rules: &SettleRules) -> Option<Moment> {
        let (needed, delay) = if self.worse { (rules.bad, rules.on_delay) } else { (rules.good, rules.off_delay) };
        (self.count >= needed).then(|| self.began + delay)
    }
}

impl Settle {
    /// The level to show; `None` before the first result.
    #[must_use]
    pub const fn shown(&self) -> Option<Level> {
        self.shown
    }

    /// When [`Settle::woken`] will change the level, if no result comes before.
    #[must_use]
    pub fn next_wake(&self, rules: &SettleRules) -> Option<Moment> {
        self.streak?.ripe(rules)
    }

    /// After a result of this `level`.
    #[must_use]
    pub fn result(self, rules: &SettleRules, level: Level, now: Moment) -> Self {
        let Some(shown) = self.shown else { return Self { shown: Some(level), streak: None } };
        if level == shown {
            return Self { streak: None, ..self };
        }
        // The worst level sorts first.
        let worse = level < shown;
        let streak = match self.streak.filter(|streak| streak.worse == worse) {
            Some(streak) => Streak { count: streak.count.saturating_add(1), newest: level, ..streak },
            None => Streak { worse, count: 1, began: now, newest: level },
        };
        Self { streak: Some(streak), ..self }.woken(rules, now)
    }

    /// After time has passed without a result.
    #[must_use]
    pub fn woken(self, rules: &SettleRules, now: Moment) -> Self {
        match self.streak {
            Some(streak) if streak.ripe(rules).is_some_and(|ripe| ripe <= now) => {
                Self { shown: Some(streak.newest), streak: None }
            }
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Critical, Healthy, Unknown, Warning};

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_millis(1_760_000_000_000 + 1_000 * seconds)
    }

    /// Shows each of some results, one a second.
    fn shown(rules: SettleRules, results: &[Level]) -> Vec<Level> {
        let mut settle = Settle::default();
        let results = results.iter().zip(0..);
        let shown = results.map(|(level, second)| {
            settle = settle.result(&rules, *level, at(second));
            settle.shown().unwrap()
        });
        shown.collect()
    }

    #[test]
    fn confirm_counts_results_in_a_row_on_one_side() {
        let two = SettleRules { bad: 2, good: 1, ..SettleRules::default() };
        let three = SettleRules { bad: 3, good: 2, ..SettleRules::default() };
        let (h, w, c, u) = (Healthy, Warning, Critical, Unknown);
        for (rules, results, expected) in [
            (SettleRules::default(), vec![h, w, c, h], vec![h, w, c, h]),
            (two, vec![c], vec![c]),
            (two, vec![h, c, h, c, h], vec![h, h, h, h, h]),
            (two, vec![h, c, c, h], vec![h, h, c, h]),
            // Different levels on the same side confirm each other; the newest is shown.
            (two, vec![h, w, c, c], vec![h, h, c, c]),
            (two, vec![h, u, w], vec![h, h, w]),
            (three, vec![h, w, w, w, c, c, c], vec![h, h, h, w, w, w, c]),
            (three, vec![c, h, c, h, h], vec![c, c, c, c, h]),
            // Worse, then better than what is shown: each side begins anew.
            (three, vec![w, c, c, h, c, c, c], vec![w, w, w, w, w, w, c]),
            (SettleRules { bad: 0, good: 0, ..two }, vec![h, c, h], vec![h, c, h]),
        ] {
            assert_eq!(shown(rules, &results), expected, "{results:?}");
        }
    }

    #[test]
    fn delays_hold_a_change_back_until_it_has_lasted() {
        let rules =
            SettleRules { on_delay: Span::from_secs(10), off_delay: Span::from_secs(30), ..SettleRules::default() };
        let settle = Settle::default().result(&rules, Healthy, at(0));
        assert_eq!(settle.next_wake(&rules), None);

        let bad = settle.result(&rules, Warning, at(5));
        assert_eq!((bad.shown(), bad.next_wake(&rules)), (Some(Healthy), Some(at(15))));
        assert_eq!(bad.woken(&rules, at(14)), bad);
        assert_eq!(bad.woken(&rules, at(15)).shown(), Some(Warning));
        // A later result neither restarts nor shortens the wait; its level is the one that comes.
        let worse = bad.result(&rules, Critical, at(12));
        assert_eq!(worse.next_wake(&rules), Some(at(15)));
        assert_eq!(worse.result(&rules, Critical, at(16)).shown(), Some(Critical));
        // One good result ends it.
        let good = bad.result(&rules, Healthy, at(14));
        assert_eq!((good.next_wake(&rules), good.woken(&rules, at(99)).shown()), (None, Some(Healthy)));

        let alarm = bad.woken(&rules, at(15));
        let better = alarm.result(&rules, Healthy, at(20));
        assert_eq!((better.shown(), better.next_wake(&rules)), (Some(Warning), Some(at(50))));
        assert_eq!(better.woken(&rules, at(50)).shown(), Some(Healthy));
    }

    #[test]
    fn both_the_count_and_the_delay_are_needed() {
        let rules = SettleRules { bad: 2, on_delay: Span::from_secs(10), ..SettleRules::default() };
        let one = Settle::default().result(&rules, Healthy, at(0)).result(&rules, Critical, at(1));
        assert_eq!((one.next_wake(&rules), one.woken(&rules, at(60)).shown()), (None, Some(Healthy)));
        assert_eq!(one.result(&rules, Critical, at(2)).next_wake(&rules), Some(at(11)));
        assert_eq!(one.result(&rules, Critical, at(60)).shown(), Some(Critical));
    }

    #[test]
    fn new_rules_hold_for_a_streak_that_has_begun() {
        let slow = SettleRules { on_delay: Span::from_secs(600), ..SettleRules::default() };
        let settle = Settle::default().result(&slow, Healthy, at(0)).result(&slow, Critical, at(1));
        let quick = SettleRules { on_delay: Span::from_secs(5), ..slow };
        assert_eq!(settle.next_wake(&quick), Some(at(6)));
        assert_eq!(settle.woken(&quick, at(6)).shown(), Some(Critical));
    }
}
