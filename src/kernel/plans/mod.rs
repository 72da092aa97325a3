//! Plans: when each item is measured, one run at a time.
//!
//! The schedule knows due times and runs in flight, not what a run does. Due
//! times lie on a grid that is anchored to the epoch, so nothing can drift and a
//! restart finds the same beat again.

mod breaker;
mod bucket;
mod flapping;
mod phase;
mod ready;
mod run;
mod settle;
mod spike;
mod sync;
mod wheel;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

pub use breaker::{Breaker, BreakerRules, BreakerState};
pub use bucket::{Bucket, Limit};
pub use flapping::Flapping;
pub use ready::{OVERDUE_SHARE, PATIENCE, Rank, Ready, Ticket, Urgency};
pub use run::{Finish, RunWord, Running, Was};
pub use settle::{Settle, SettleRules};
pub use spike::{Spike, SpikeRules};
pub use wheel::{Key, Wheel};

use super::board::{Board, Item, PlanSpec, Source};
use super::output::{Output, RunId, Start};
use super::{Moment, Span};

/// A first run waits no longer than this for its place in the spread: an
/// operator who starts a board should not look at unknowns.
pub const FIRST_RUN_WITHIN: Span = Span::from_millis(500);

/// The seats of all plans, by the places of their items on the board.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    seats: Vec<Option<Seat>>,
    due: BinaryHeap<Reverse<(Moment, usize)>>,
    runs: HashMap<RunId, usize>,
    last_run: u64,
    halted: bool,
}

/// One plan's seat.
#[derive(Clone, Debug)]
struct Seat {
    plan: PlanSpec,
    revision: u64,
    phase: Span,
    due: Moment,
    run: Option<RunId>,
}

/// What a moment's wake-up did.
#[derive(Debug, Default)]
pub(super) struct Woken {
    pub(super) started: Vec<Start>,
    pub(super) skipped: u64,
}

impl Schedule {
    /// Takes up the plans of a changed board. A plan that is measured as before
    /// keeps its run and its beat; the runs of all others are to be cancelled.
    pub(super) fn refresh(
        &mut self,
        now: Moment,
        old_ids: &HashMap<super::board::ItemId, usize>,
        board: &Board,
    ) -> Vec<Output> {
        let mut old = std::mem::take(&mut self.seats);
        let seats = board.items().iter().map(|item| {
            let known = old_ids.get(item.id()).and_then(|place| old.get_mut(*place)?.take());
            seat(item, known, now)
        });
        let (seats, dropped): (Vec<_>, Vec<_>) = seats.unzip();
        self.seats = seats;
        let gone = old.into_iter().flatten().filter_map(|seat| seat.run);
        let cancelled: Vec<RunId> = gone.chain(dropped.into_iter().flatten()).collect();
        self.runs = (0..).zip(&self.seats).filter_map(|(place, seat)| Some((seat.as_ref()?.run?, place))).collect();
        self.due =
            (0..).zip(&self.seats).filter_map(|(place, seat)| Some(Reverse((seat.as_ref()?.due, place)))).collect();
        cancelled.into_iter().map(Output::Cancel).collect()
    }

    /// Starts what is due.
    pub(super) fn wake(&mut self, now: Moment, board: &Board) -> Woken {
        let mut woken = Woken::default();
        while let Some(Reverse((due, place))) = self.due.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.due.pop();
            let Some(seat) = self.seats.get_mut(place).and_then(Option::as_mut) else { continue };
            if seat.due != due {
                continue;
            }
            // A tick that is later than half its period belongs to the past: the next one is nearer.
            let late = now.since(due);
            let fires = seat.run.is_none() && late <= seat.plan.every / 2;
            seat.due = phase::next_due(now, seat.plan.every, seat.phase);
            self.due.push(Reverse((seat.due, place)));
            if self.halted {
                continue;
            }
            if fires {
                woken.started.push(self.start(place, &board.items()[place], late));
            } else {
                woken.skipped += 1;
            }
        }
        woken
    }

    /// Starts the plan of the item at `place` out of turn; `None` where it has none or is busy.
    pub(super) fn run_now(&mut self, place: usize, board: &Board) -> Option<Start> {
        let seat = self.seats.get(place)?.as_ref()?;
        (seat.run.is_none() && !self.halted).then(|| self.start(place, &board.items()[place], Span::ZERO))
    }

    fn start(&mut self, place: usize, item: &Item, late: Span) -> Start {
        self.last_run += 1;
        let run = RunId(self.last_run);
        self.runs.insert(run, place);
        let (mut timeout, mut retries) = (Span::ZERO, 0);
        if let Some(seat) = self.seats[place].as_mut() {
            seat.run = Some(run);
            (timeout, retries) = (seat.plan.timeout, seat.plan.retries);
        }
        Start { run, item: item.id().clone(), revision: item.spec.revision, timeout, retries, late }
    }

    /// A run ended: the place of its item, or `None` where nobody waits for it any more.
    pub(super) fn ended(&mut self, run: RunId) -> Option<usize> {
        let place = self.runs.remove(&run)?;
        self.seats[place].as_mut()?.run = None;
        Some(place)
    }

    /// Whether `run` is in flight.
    pub(super) fn is_running(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// Stops or resumes starting runs; what is in flight at a stop is to be cancelled.
    pub(super) fn halt(&mut self, halted: bool) -> Vec<Output> {
        if std::mem::replace(&mut self.halted, halted) == halted || !halted {
            return Vec::new();
        }
        let running = self.runs.keys().copied().map(Output::Cancel).collect();
        self.runs.clear();
        self.seats.iter_mut().flatten().for_each(|seat| seat.run = None);
        running
    }

    /// When the plan of the item at `place` is due, and its run in flight.
    pub(super) fn seat(&self, place: usize) -> (Option<Moment>, Option<RunId>) {
        let seat = self.seats.get(place).and_then(Option::as_ref);
        (seat.map(|seat| seat.due), seat.and_then(|seat| seat.run))
    }

    /// The next moment when something is due.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }
}

/// The seat of an item, and the run of the `known` one where that is no longer wanted.
fn seat(item: &Item, known: Option<Seat>, now: Moment) -> (Option<Seat>, Option<RunId>) {
    let Source::Plan(plan) = &item.spec.source else { return (None, known.and_then(|seat| seat.run)) };
    let plan = plan.clone();
    let revision = item.spec.revision;
    let phase = plan.phase.unwrap_or_else(|| phase::spread(item.id().as_str(), plan.every));
    match known {
        Some(seat) if seat.revision == revision => {
            let same_beat = seat.plan.every == plan.every && seat.phase == phase;
            let due = if same_beat { seat.due } else { phase::next_due(now, plan.every, phase) };
            (Some(Seat { plan, phase, due, ..seat }), None)
        }
        known => {
            let wait = phase::spread(item.id().as_str(), plan.every.min(FIRST_RUN_WITHIN));
            let seat = Seat { plan, revision, phase, due: now + wait, run: None };
            (Some(seat), known.and_then(|seat| seat.run))
        }
    }
}
