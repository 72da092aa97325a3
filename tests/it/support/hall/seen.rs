//! What is seen of a fault from outside, however it was made: by a proxy on a way, or in a real network.

use std::time::{Duration, Instant};

use super::{Hall, Line, percentile};
use crate::support::clock::now;

/// How a leader was replaced.
pub(crate) struct Replaced {
    /// Who leads now.
    pub(crate) by: usize,
    /// When it showed that.
    pub(crate) led: Instant,
    /// When the old one showed that it leads no more, which was before.
    pub(crate) silent: Instant,
}

impl Hall {
    /// Waits for a leader that was lost at `since` to be replaced, which has to be silent before.
    #[track_caller]
    pub(crate) fn replaced(&self, old: usize, since: Instant) -> Replaced {
        let (by, led) = self.successor(old, since);
        let silent = self.line(old, since, "the old leader to fall silent", |line| line.role != "leader");
        assert!(silent.at <= led, "two led at once\n{}", self.report());
        Replaced { by, led, silent: silent.at }
    }

    /// Waits for a follower that was lost at `since` to say that it is not in sync; how long that took.
    #[track_caller]
    pub(crate) fn stale(&self, place: usize, since: Instant) -> Duration {
        let stale = self.line(place, since, "the picture to be stale", |line| line.tells("not in sync"));
        assert_eq!(stale.role, "follower", "{}", self.report());
        stale.at - since
    }

    /// Waits for it to go on alone; how long after `since` that was.
    #[track_caller]
    pub(crate) fn alone(&self, place: usize, since: Instant) -> Duration {
        self.line(place, since, "the console to go on alone", |line| line.role == "local").at - since
    }

    /// Waits for a console that was alone to follow again, and all of them to show what they would have; how long
    /// after `healed` it did.
    #[track_caller]
    pub(crate) fn returned(&self, place: usize, since: Instant, healed: Instant) -> Duration {
        let well = |line: &Line| line.role == "follower" && line.notice.is_none();
        let back = self.line(place, healed, "the console to follow", well);
        let leader = self.settled();
        let settled = now() + self.interval;
        self.watch(&self.everybody(), settled, 6);
        assert_eq!(self.leaders(), [leader], "{}", self.report());
        self.assert_unbroken(&self.others(place), since);
        self.assert_unbroken_until(place, since, healed);
        self.assert_unbroken(&[place], settled);
        self.assert_one_voice(since);
        back.at - healed
    }

    /// How far apart the consoles showed their turns since then, at worst in 95 of 100; none was left out.
    #[track_caller]
    pub(crate) fn spread(&self, since: Instant) -> Duration {
        let (mut spreads, missed) = self.spreads(since);
        assert_eq!(missed, 0, "{}", self.report());
        percentile(&mut spreads, 95)
    }

    /// That these consoles play the parts that they played, and have told of nothing since then.
    #[track_caller]
    pub(crate) fn assert_untouched(&self, places: &[usize], roles: &[(String, u64)], since: Instant) {
        for place in places {
            assert_eq!(self.roles()[*place], roles[*place], "{}", self.report());
            let told = self.seats[*place].lines().since(since).into_iter().find(|line| line.notice.is_some());
            assert!(told.is_none(), "{} told {told:?}\n{}", self.seats[*place].name, self.report());
        }
    }

    /// All places.
    pub(crate) fn everybody(&self) -> Vec<usize> {
        (0..self.seats.len()).collect()
    }
}
