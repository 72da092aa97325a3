//! Flapping: an item that cannot decide gets a mark instead of making a storm.
//!
//! Looked at are the last 20 results, that is the 19 steps between them. A step
//! counts where the level changed, newer steps more than older ones: from 1.2 for
//! the newest evenly down to 0.8 for the oldest. What was not seen yet counts as
//! calm, so that a first change is no storm. Deliberately blind to which levels
//! they were and to when they came.

use crate::kernel::board::Level;

/// The steps between the last 20 results.
const STEPS: u32 = 19;
/// Weights in ninetieths: 0.8 and 1.2 are 72 and 108, and the steps between them are 2.
const OLDEST: u32 = 72;
const NEWEST: u32 = 108;
const PER_STEP: u32 = (NEWEST - OLDEST) / (STEPS - 1);
/// The weight of a history of nothing but changes.
const WHOLE: u32 = STEPS * (OLDEST + NEWEST) / 2;
/// When flapping starts and ends, in percent of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlappingRules {
    /// It starts above so many percent.
    pub starts_above: u32,
    /// It ends below so many percent; less than the start, so that the mark does not flap itself.
    pub ends_below: u32,
}

impl Default for FlappingRules {
    /// Six changes among twenty results are too many to follow, five may be bad luck.
    fn default() -> Self {
        Self { starts_above: 30, ends_below: 25 }
    }
}

/// The changes of one item's results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flapping {
    last: Option<Level>,
    /// Bit n: the level changed n steps ago.
    changes: u32,
    on: bool,
}

impl Flapping {
    /// Takes the level of a new result, as it was reported. Whether the item flaps now.
    pub fn result(&mut self, rules: &FlappingRules, level: Level) -> bool {
        let Some(last) = self.last.replace(level) else { return self.on };
        self.changes = (self.changes << 1 | u32::from(last != level)) & ((1 << STEPS) - 1);
        let percent = 100 * self.weight();
        self.on = percent > rules.starts_above * WHOLE || self.on && percent >= rules.ends_below * WHOLE;
        self.on
    }

    /// Whether the item flaps.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// The weighted share of changes in whole percent, rounded down.
    #[must_use]
    pub fn percent(&self) -> u32 {
        100 * self.weight() / WHOLE
    }

    fn weight(self) -> u32 {
        (0..STEPS).filter(|ago| self.changes >> ago & 1 == 1).map(|ago| NEWEST - PER_STEP * ago).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Critical, Healthy};

    /// What is seen of results written as words: `.` good, `x` bad.
    fn after(results: &str) -> (bool, u32) {
        let mut flapping = Flapping::default();
        for result in results.chars() {
            flapping.result(&FlappingRules::default(), if result == 'x' { Critical } else { Healthy });
        }
        (flapping.is_on(), flapping.percent())
    }

    #[test]
    fn known_histories() {
        for (results, expected) in [
            ("", (false, 0)),
            ("x", (false, 0)),
            ("....................", (false, 0)),
            // One outage and its end: the two newest steps, then the two oldest.
            ("..................x.", (false, 12)),
            (".x..................", (false, 8)),
            // Five changes in a row just now are 520 of 1710, four are 420.
            ("...............x.x.x", (true, 30)),
            ("................x.x.", (false, 24)),
            // Six changes are enough even when they are the oldest but one of what is seen.
            (".x.x.x.", (true, 36)),
            (".x.x.x.x.x.x.x.x.x.x", (true, 100)),
            // Twenty steps back a change is forgotten.
            (".x...................", (false, 4)),
        ] {
            assert_eq!(after(results), expected, "{results}");
        }
    }

    #[test]
    fn starts_above_thirty_and_ends_below_twenty_five() {
        let mut flapping = Flapping::default();
        let started =
            (0..100).find(|n| flapping.result(&FlappingRules::default(), if n % 2 == 0 { Healthy } else { Critical }));
        assert_eq!((started, flapping.percent()), (Some(5), 30));
        // Calm now: the same changes grow old, and the mark stays for as long as they weigh 25 %.
        let mut calm = 0;
        while flapping.result(&FlappingRules::default(), Critical) {
            calm += 1;
            assert!(flapping.percent() >= 25);
        }
        assert_eq!((calm, flapping.percent()), (9, 24));
        // Between the two bounds nothing starts it again.
        assert!(!flapping.result(&FlappingRules::default(), Critical));
    }

    #[test]
    fn weights_are_linear_from_four_fifths_to_six_fifths() {
        let weights: Vec<_> =
            (0..STEPS).map(|ago| Flapping { changes: 1 << ago, ..Flapping::default() }.weight()).collect();
        assert_eq!((weights[0], weights[9], weights[18]), (108, 90, 72));
        assert_eq!(weights.iter().sum::<u32>(), WHOLE);
    }
}
