//! The schedule: what starts now, what waits for what, what is cancelled.
//!
//! Due times lie on a grid that is anchored to the epoch, so nothing can drift
//! and a restart finds the same beat again. What is due queues by rank; who is
//! refused by a limit steps aside and holds nobody up.

mod pace;

use std::collections::HashMap;

use super::breaker::BreakerState;
use super::hosts::{Busy, HostRules, Hosts};
use super::ready::{Rank, Ready, Urgency};
use super::seat::{Late, Seat, Waits};
use super::wheel::Wheel;
use crate::kernel::board::{Board, ItemId};
use crate::kernel::output::{Output, RunId, Start};
use crate::kernel::{Moment, Outcome, Span};

/// A first run waits no longer than this for its place in the spread: an
/// operator who starts a board should not look at unknowns.
pub const FIRST_RUN_WITHIN: Span = Span::from_millis(500);

/// Runs in flight over the whole program, where nobody says otherwise: below the
/// usual limit of 1,024 open files even where each takes two.
pub const CONCURRENCY: usize = 256;

/// What happens at a moment, to the seat at a place.
#[derive(Clone, Copy, Debug)]
enum Tick {
    Due(usize),
    Token(usize),
}

/// The seats of all plans, by the places of their items on the board.
#[derive(Debug)]
pub(in crate::kernel) struct Schedule {
    seats: Vec<Option<Seat>>,
    wheel: Wheel<Tick>,
    ready: Ready<usize>,
    hosts: Hosts,
    runs: HashMap<RunId, usize>,
    concurrency: usize,
    last_run: u64,
    halted: bool,
    /// Only every so manieth tick of the grid is a plan's.
    slowness: u64,
    fired: Vec<(Moment, Tick)>,
}

/// What a moment's wake-up did.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Woken {
    pub(in crate::kernel) started: Vec<Start>,
    /// Ticks that found their plan busy, or came too late.
    pub(in crate::kernel) skipped: u64,
    /// Ticks that found their plan's breaker open.
    pub(in crate::kernel) left_alone: u64,
}

/// The end of a run, as far as the schedule knows it.
pub(in crate::kernel) struct Ended {
    /// The place of its item.
    pub(in crate::kernel) place: usize,
    /// The breaker opened by it (`true`), or closed (`false`).
    pub(in crate::kernel) breaker: Option<bool>,
}

impl Schedule {
    pub(in crate::kernel) fn new(now: Moment) -> Self {
        Self {
            seats: Vec::new(),
            wheel: Wheel::new(now),
            ready: Ready::default(),
            hosts: Hosts::default(),
            runs: HashMap::new(),
            concurrency: CONCURRENCY,
            last_run: 0,
            halted: false,
            slowness: 1,
            fired: Vec::new(),
        }
    }

    /// Takes up other limits; what is in flight stays so.
    pub(in crate::kernel) fn limit(&mut self, now: Moment, concurrency: usize, hosts: &[HostRules]) {
        self.concurrency = concurrency.max(1);
        self.hosts.change(now, hosts);
    }

    /// Takes up the plans of a changed board. A plan that is measured as before
    /// keeps its run and its beat; the runs of all others are to be cancelled.
    pub(in crate::kernel) fn refresh(
        &mut self,
        now: Moment,
        old: &HashMap<ItemId, usize>,
        board: &Board,
    ) -> Vec<Output> {
        let mut known = std::mem::take(&mut self.seats);
        let (seats, dropped): (Vec<_>, Vec<_>) = board
            .items()
            .iter()
            .map(|item| {
                let seat = old.get(item.id()).and_then(|place| known.get_mut(*place)?.take());
                Seat::take(item, seat, now, FIRST_RUN_WITHIN, self.slowness)
            })
            .unzip();
        let gone = known.into_iter().flatten().filter_map(|seat| seat.run);
        let cancelled: Vec<RunId> = gone.chain(dropped.into_iter().flatten()).collect();
        self.seats = seats;
        // Places have moved, so whatever named one is made anew.
        self.runs = (0..).zip(&self.seats).filter_map(|(place, seat)| Some((seat.as_ref()?.run?, place))).collect();
        self.wheel = Wheel::new(now);
        self.ready = Ready::default();
        for place in 0..self.seats.len() {
            let Some(seat) = &mut self.seats[place] else { continue };
            seat.key = (!self.halted).then(|| self.wheel.insert(seat.due, Tick::Due(place)));
            if seat.waits != Waits::No {
                self.queue(place, board);
            }
        }
        cancelled.into_iter().map(Output::Cancel).collect()
    }

    /// Takes up the plan that the item at `place` has now, for the same measurement: its run
    /// goes on, and so do all others.
    pub(in crate::kernel) fn tune(&mut self, place: usize, now: Moment, board: &Board) {
        let Some(seat) = self.seats.get_mut(place).and_then(Option::take) else { return };
        if let Waits::Turn(ticket) = seat.waits {
            self.ready.remove(ticket);
        }
        let due = seat.due;
        let mut seat = seat.tuned(&board.items()[place], now);
        if seat.due != due {
            if let Some(key) = seat.key.take() {
                self.wheel.cancel(key);
            }
            seat.key = (!self.halted).then(|| self.wheel.insert(seat.due, Tick::Due(place)));
        }
        self.seats[place] = Some(seat);
        // It waited for a turn or for room, and both may come sooner now.
        self.retry(place, board);
    }

    /// Starts what is due and has room.
    pub(in crate::kernel) fn wake(&mut self, now: Moment, board: &Board) -> Woken {
        let mut woken = Woken::default();
        let mut fired = std::mem::take(&mut self.fired);
        self.wheel.advance(now, &mut fired);
        for (at, tick) in fired.drain(..) {
            match tick {
                Tick::Due(place) => self.tick(place, at, now, board, &mut woken),
                Tick::Token(place) => self.retry(place, board),
            }
        }
        self.fired = fired;
        self.serve(now, board, &mut woken);
        woken
    }

    /// A tick of the grid came.
    fn tick(&mut self, place: usize, at: Moment, now: Moment, board: &Board, woken: &mut Woken) {
        let Some(seat) = self.seats.get_mut(place).and_then(Option::as_mut) else { return };
        let late = now.since(at);
        let every = seat.every();
        let missed = late.as_nanos() / every.as_nanos().max(1);
        let ticks = missed + 1;
        seat.next_tick(now);
        seat.key = Some(self.wheel.insert(seat.due, Tick::Due(place)));
        let idle = seat.run.is_none() && seat.waits == Waits::No;
        seat.tick = at + every * missed;
        // A tick that is later than half its period belongs to the past: the next one is nearer.
        let too_late = now.since(seat.tick) > every / 2;
        let starts = match seat.plan.late {
            Late::Skip => idle && !too_late,
            Late::Coalesce => {
                seat.backlog = u32::from(!idle);
                idle
            }
            Late::Burst(most) => {
                let more = u32::try_from(ticks - u64::from(idle)).unwrap_or(u32::MAX);
                seat.backlog = seat.backlog.saturating_add(more).min(most);
                idle
            }
        };
        let made_up_for = if matches!(seat.plan.late, Late::Burst(_)) { ticks } else { u64::from(starts) };
        woken.skipped += ticks - made_up_for.min(ticks);
        if starts {
            seat.since = at;
            self.queue(place, board);
        }
    }

    /// Lets the plan at `place` wait for its turn.
    fn queue(&mut self, place: usize, board: &Board) {
        let Some(seat) = self.seats.get_mut(place).and_then(Option::as_mut) else { return };
        let urgency = Urgency::Normal.at(board.items()[place].level());
        let rank = Rank { urgency, priority: seat.plan.priority, due: seat.since };
        seat.waits = Waits::Turn(self.ready.push(rank, place));
    }

    /// Lets the plan at `place` wait for its turn again, where it still waits for room. It may have
    /// run out of turn since, or have been tuned.
    fn retry(&mut self, place: usize, board: &Board) {
        if self.seats.get(place).and_then(Option::as_ref).is_some_and(|seat| seat.waits == Waits::Room) {
            self.queue(place, board);
        }
    }

    /// Starts those that wait, as far as there is room.
    fn serve(&mut self, now: Moment, board: &Board, woken: &mut Woken) {
        while self.runs.len() < self.concurrency {
            let Some(place) = self.ready.pop(now) else { return };
            let Some(seat) = self.seats.get_mut(place).and_then(Option::as_mut) else { continue };
            seat.waits = Waits::No;
            let closed = match seat.breaker.state(&seat.plan.breaker) {
                BreakerState::Closed => true,
                BreakerState::Open(until) => until <= now,
                BreakerState::HalfOpen => false,
            };
            if !closed {
                woken.left_alone += 1;
                continue;
            }
            match self.enter(place, now) {
                Ok(()) => woken.started.push(self.start(place, board, now)),
                Err(Busy::For(wait)) => drop(self.wheel.insert(now + wait, Tick::Token(place))),
                // The end of a run of its host queues it again.
                Err(Busy::UntilOneEnds) => {}
            }
        }
    }

    /// Counts a run of the plan at `place` in, where no limit stands against it.
    fn enter(&mut self, place: usize, now: Moment) -> Result<(), Busy> {
        let Some(seat) = self.seats[place].as_mut() else { return Ok(()) };
        seat.waits = Waits::Room;
        if !seat.has_token
            && let Some(bucket) = &seat.bucket
        {
            bucket.take(now).map_err(Busy::For)?;
        }
        seat.has_token = true;
        self.hosts.enter(&seat.plan.hosts, now, place)
    }

    /// Starts the plan of the item at `place` out of turn; `None` where it has none or is busy.
    pub(in crate::kernel) fn run_now(&mut self, place: usize, board: &Board, now: Moment) -> Option<Start> {
        let seat = self.seats.get_mut(place)?.as_mut()?;
        if seat.run.is_some() || self.halted {
            return None;
        }
        if let Waits::Turn(ticket) = seat.waits {
            self.ready.remove(ticket);
        }
        seat.tick = now;
        self.hosts.enter_anyway(&seat.plan.hosts);
        Some(self.start(place, board, now))
    }

    fn start(&mut self, place: usize, board: &Board, now: Moment) -> Start {
        self.last_run += 1;
        let run = RunId(self.last_run);
        self.runs.insert(run, place);
        let item = &board.items()[place];
        let mut start = Start {
            run,
            item: item.id().clone(),
            revision: item.spec.revision,
            timeout: Span::ZERO,
            retries: 0,
            late: Span::ZERO,
        };
        if let Some(seat) = self.seats[place].as_mut() {
            seat.begin(run, now);
            seat.breaker.permits(now, &seat.plan.breaker);
            (start.timeout, start.retries, start.late) = (seat.plan.timeout, seat.plan.retries, now.since(seat.tick));
        }
        start
    }

    /// A run ended; `None` where nobody waits for it any more.
    pub(in crate::kernel) fn ended(
        &mut self,
        run: RunId,
        outcome: Outcome,
        now: Moment,
        board: &Board,
    ) -> Option<Ended> {
        let place = self.runs.remove(&run)?;
        let seat = self.seats[place].as_mut()?;
        seat.run = None;
        let breaker = match outcome {
            Outcome::Done => seat.breaker.succeeded().then_some(false),
            Outcome::Failed | Outcome::TimedOut => {
                seat.breaker.failed(now, &seat.plan.breaker, super::phase::scatter(run.0)).then_some(true)
            }
            Outcome::Cancelled => {
                seat.breaker.abandoned();
                None
            }
        };
        let made_up_for = seat.backlog > 0 && !self.halted;
        if made_up_for {
            seat.backlog -= 1;
            (seat.since, seat.tick) = (now, now);
        }
        let freed = self.hosts.leave(&seat.plan.hosts);
        if made_up_for {
            self.queue(place, board);
        }
        for waiting in freed {
            self.retry(waiting, board);
        }
        Some(Ended { place, breaker })
    }

    /// Whether `run` is in flight.
    pub(in crate::kernel) fn is_running(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// When the plan of the item at `place` runs next, and its run in flight.
    pub(in crate::kernel) fn seat(&self, place: usize) -> (Option<Moment>, Option<RunId>) {
        let seat = self.seats.get(place).and_then(Option::as_ref).filter(|_| !self.halted);
        (seat.map(Seat::next_run), seat.and_then(|seat| seat.run))
    }

    /// What the breaker of the plan at `place` is; `None`: there is no plan.
    pub(in crate::kernel) fn breaker(&self, place: usize) -> Option<BreakerState> {
        let seat = self.seats.get(place)?.as_ref()?;
        Some(seat.breaker.state(&seat.plan.breaker))
    }

    /// How many plans are left alone.
    pub(in crate::kernel) fn open_breakers(&self) -> u64 {
        let open = |seat: &&Seat| seat.breaker.state(&seat.plan.breaker) != BreakerState::Closed;
        self.seats.iter().flatten().filter(open).count() as u64
    }

    /// How many wait for a turn, a token or room.
    pub(in crate::kernel) fn waiting(&self) -> usize {
        self.ready.len()
    }

    /// The next moment when something is due.
    pub(in crate::kernel) fn next_due(&self) -> Option<Moment> {
        self.wheel.next()
    }
}
