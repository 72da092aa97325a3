//! News of items: what runs report, and what others push.

use std::sync::Arc;

use super::board::{ItemId, LastRun, Level, Values};
use super::input::{Ended, Outcome, Push, Report};
use super::plans::{Ended as EndedRun, PlanSpec};
use super::{FEED_ITEM, Kernel};

impl Kernel {
    pub(super) fn retell(&mut self, id: &ItemId, report: Report) {
        // The leader tells its own items in its own words.
        if self.is_mirroring() {
            return;
        }
        if let Some(place) = self.board.place(id) {
            let change = self.board.retell(self.now, place, report);
            self.note(change);
        }
    }

    pub(super) fn remove(&mut self, id: &ItemId) {
        if self.role.follows() {
            return;
        }
        let places = self.places();
        if self.board.remove(id) {
            self.reschedule(&places);
        }
    }

    pub(super) fn acknowledge(&mut self, id: &ItemId, known: bool) {
        // Known here alone, an alarm would go on calling everywhere else, and here again with the leader's next word.
        if self.role.follows() {
            return;
        }
        let place = self.board.place(id);
        if let Some(change) = place.and_then(|place| self.board.acknowledge(self.now, place, known)) {
            self.stats.acknowledged += u64::from(known);
            self.note(change);
        }
    }

    /// The plan of `id` alone takes up other settings; no other one notices.
    pub(super) fn tune(&mut self, id: &ItemId, plan: &PlanSpec) {
        let Some(place) = self.board.place(id).filter(|_| !self.is_mirroring()) else { return };
        let Some(change) = self.board.tune(self.now, place, plan) else { return };
        self.schedule.tune(place, self.now, &self.board);
        self.stats.breakers_open = self.schedule.open_breakers();
        self.note(change);
    }

    pub(super) fn ended(&mut self, ended: Ended) {
        let Some(EndedRun { place, breaker }) = self.schedule.ended(ended.run, ended.outcome, self.now, &self.board)
        else {
            self.stats.ghosts_refused += 1;
            return;
        };
        self.stats.breakers_opened += u64::from(breaker == Some(true));
        if breaker.is_some() {
            self.stats.breakers_open = self.schedule.open_breakers();
        }
        let Ended { run, outcome, waited, retries, bytes, .. } = ended;
        self.board.note_run(place, LastRun { run, outcome, waited, retries, bytes });
        match ended.report {
            Some(report) if ended.outcome != Outcome::Cancelled => {
                let change = self.board.report(self.now, place, report, ended.took);
                self.note(change);
            }
            _ => self.board.touch(place, false),
        }
    }

    pub(super) fn push(&mut self, push: Push) {
        // A push belongs to the leader; applied here it would be shown on one console alone.
        if self.role.follows() {
            self.stats.pushes_refused += 1;
            return;
        }
        let taken = self.feed.arrived(self.now, &self.feed_rules);
        self.tell_feed();
        if !taken {
            self.stats.pushes_sampled += 1;
            return;
        }
        match self.board.push(self.now, push) {
            Ok(change) => self.note(change),
            Err(_) => self.stats.pushes_refused += 1,
        }
    }

    /// Keeps the item that tells of a sampled feed: there as long as the feed is.
    pub(super) fn tell_feed(&mut self) {
        // On a mirrored board the leader's item tells of the leader's feed.
        if self.is_mirroring() {
            return;
        }
        self.feed.wake(self.now, &self.feed_rules);
        let Ok(id) = ItemId::new(FEED_ITEM) else { return };
        match (self.feed.is_degraded(), self.board.place(&id)) {
            (true, None) => {
                let (sample, usual) = (self.feed_rules.sample.max(1), self.feed.usual().unwrap_or_default());
                let window = self.feed_rules.window;
                let text = format!("Pushes: one of {sample} is taken; far more than the usual {usual:.0} in {window}");
                let values = Arc::new(Values::new());
                let push =
                    Push { item: id, level: Level::Warning, text: text.into(), ttl: None, values, filtered: false };
                if let Ok(change) = self.board.push(self.now, push) {
                    self.note(change);
                }
            }
            (false, Some(_)) => self.remove(&id),
            _ => {}
        }
    }
}
