//! How long somebody's acknowledgement of an alarm holds.
//!
//! An acknowledgement says "I know how bad this is", so it holds as long as the item shows an alarm
//! that is no worse than what was known of it, and ends for good with anything worse, or when all is well. What an
//! acknowledged item does not do any more is `marquee/`'s business.

use super::Level;
use super::freshness::is_fresh;
use super::item::{Item, Source};
use super::table::{Board, Change};
use crate::kernel::Moment;

/// How bad an item was before its level may have changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The level it showed.
    shown: Level,
    /// The level it last reported: while an item is stale, it is still what somebody knew of it.
    reported: Level,
}

impl Known {
    /// What `item` showed and reported at a moment when it had the news that it has now.
    pub(super) fn at(item: &Item, at: Moment) -> Self {
        let shown = if is_fresh(item, at) { item.reported } else { Level::Unknown };
        Self { shown, reported: item.reported }
    }

    /// Whether an acknowledgement of this holds for an item that shows `level` now.
    ///
    /// Worse is only what is worse than both: an item that was critical, fell silent and is critical again has not
    /// got worse, and neither has one that shows unknown and then reports a warning.
    fn covers(self, level: Level) -> bool {
        level.is_alarm() && level >= self.shown.min(self.reported)
    }
}

impl Item {
    /// How bad it is, to be given to [`Item::reconsider`] once that may have changed.
    pub(super) const fn known(&self) -> Known {
        Known { shown: self.level(), reported: self.reported }
    }

    /// Ends the acknowledgement where it no longer holds.
    pub(super) fn reconsider(&mut self, before: Known) {
        self.acknowledged = self.acknowledged.filter(|_| before.covers(self.level()));
    }

    /// The same for an item that became stale. Where its plan is to report again at once, that report decides:
    /// neither a restart nor a leader's death makes an alarm any worse than it was.
    pub(super) fn reconsider_silence(&mut self, before: Known, report_is_near: bool) {
        if !(report_is_near && matches!(self.spec.source, Source::Plan(_))) {
            self.reconsider(before);
        }
    }

    /// Acknowledged since `at`, or not at all, by somebody who knows this item; an item that shows no alarm is not.
    pub(super) fn acknowledge(&mut self, at: Option<Moment>) {
        self.acknowledged = at.filter(|_| self.level().is_alarm());
    }
}

impl Board {
    /// Somebody knows of the alarm that the item at `place` shows, or takes that back; `None`: that changes nothing,
    /// or there is no alarm to know of.
    pub(in crate::kernel) fn acknowledge(&mut self, now: Moment, place: usize, known: bool) -> Option<Change> {
        let item = &mut self.items[place];
        let before = item.acknowledged;
        item.acknowledge(known.then_some(before.unwrap_or(now)));
        if item.acknowledged == before {
            return None;
        }
        self.touch(place, true);
        Some(Change { said: true, turns: true })
    }
}
