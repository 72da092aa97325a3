//! Until when this console may show that it leads.
//!
//! The task that renews a lease and the thread that shows the board are two: after a pause of the whole
//! process either may wake first, and neither may claim a lead that has run out meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::kernel::Moment;

/// No deadline.
const NEVER: u64 = u64::MAX;

/// The deadline.
#[derive(Debug)]
pub(in crate::app) struct Deadline {
    /// Nanoseconds of this console's own clock.
    until: AtomicU64,
    missed: AtomicBool,
}

impl Default for Deadline {
    fn default() -> Self {
        Self { until: AtomicU64::new(NEVER), missed: AtomicBool::new(false) }
    }
}

impl Deadline {
    /// Whether a lead that was told may still be shown; where not, whoever told it hears of that.
    pub(in crate::app) fn holds(&self, now: Moment) -> bool {
        let holds = now.unix_nanos() < self.until.load(Ordering::Acquire);
        if !holds {
            self.missed.store(true, Ordering::Release);
        }
        holds
    }

    /// `None`: it leads for as long as nobody says otherwise.
    pub(super) fn set(&self, until: Option<Moment>) {
        self.until.store(until.map_or(NEVER, Moment::unix_nanos), Ordering::Release);
    }

    /// Whether the board found it missed since this was asked last: what it shows is then not what it was told.
    pub(super) fn was_missed(&self) -> bool {
        self.missed.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_that_ran_out_is_not_shown_and_told_once() {
        let deadline = Deadline::default();
        let at = Moment::from_unix_millis;
        assert!(deadline.holds(at(9)) && !deadline.was_missed());
        deadline.set(Some(at(10)));
        assert!(deadline.holds(at(9)) && !deadline.was_missed());
        assert!(!deadline.holds(at(10)));
        assert!(deadline.was_missed() && !deadline.was_missed());
        deadline.set(None);
        assert!(deadline.holds(at(11)));
    }
}
