//! How often plans run: at their own rate, more slowly, or not at all.
//!
//! Who runs nothing has nothing to wake for. Who runs more slowly keeps to the
//! same grid and leaves ticks out by their number, so that consoles which know
//! nothing of each other ask a target at the same ticks.

use super::{FIRST_RUN_WITHIN, Ready, Schedule, Tick, Waits, Wheel};
use crate::kernel::Moment;
use crate::kernel::board::Board;
use crate::kernel::output::Output;

impl Schedule {
    /// Runs each plan at every `slowness`-th of its ticks; `None`: not at all, and what is in flight
    /// is to be cancelled.
    pub(in crate::kernel) fn pace(&mut self, now: Moment, board: &Board, slowness: Option<u64>) -> Vec<Output> {
        let Some(slowness) = slowness else { return self.halt(now) };
        if !std::mem::replace(&mut self.halted, false) && self.slowness == slowness {
            return Vec::new();
        }
        self.slowness = slowness;
        for (place, item) in board.items().iter().enumerate() {
            let Some(seat) = self.seats.get_mut(place).and_then(Option::as_mut) else { continue };
            if let Some(key) = seat.key.take() {
                self.wheel.cancel(key);
            }
            seat.keep_pace(item, now, FIRST_RUN_WITHIN, slowness);
            seat.key = Some(self.wheel.insert(seat.due, Tick::Due(place)));
        }
        Vec::new()
    }

    fn halt(&mut self, now: Moment) -> Vec<Output> {
        if std::mem::replace(&mut self.halted, true) {
            return Vec::new();
        }
        let running: Vec<_> = self.runs.drain().collect();
        self.ready = Ready::default();
        self.wheel = Wheel::new(now);
        for seat in self.seats.iter_mut().flatten() {
            (seat.waits, seat.backlog, seat.key) = (Waits::No, 0, None);
            if seat.run.take().is_some() {
                seat.breaker.abandoned();
                self.hosts.leave(&seat.plan.hosts);
            }
        }
        running.into_iter().map(|(run, _)| Output::Cancel(run)).collect()
    }
}
