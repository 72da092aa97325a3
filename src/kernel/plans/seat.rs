//! One plan's seat in the schedule: what the config says of it, and where it stands.

use std::sync::Arc;

use super::breaker::{Breaker, BreakerRules, BreakerState};
use super::bucket::{Bucket, Limit};
use super::flapping::FlappingRules;
use super::phase;
use super::ready::Ticket;
use super::settle::SettleRules;
use super::wheel::Key;
use crate::kernel::board::{Item, Source};
use crate::kernel::{Moment, RunId, Span};

/// What becomes of ticks that were missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// They are gone, and counted.
    #[default]
    Skip,
    /// One run now does for all of them.
    Coalesce,
    /// Up to so many are made up for, one after the other: for checks that count.
    Burst(u32),
}

/// When a plan runs and within which limits. What it does is not the kernel's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSpec {
    /// From one run to the next.
    pub every: Span,
    /// Where in the period it starts; `None`: spread by the id.
    pub phase: Option<Span>,
    /// How long one try may take.
    pub timeout: Span,
    /// How many more tries a failed run has.
    pub retries: u32,
    /// Who goes first among those that are due; greater is sooner.
    pub priority: u8,
    /// What becomes of missed ticks.
    pub late: Late,
    /// How often it may run, retries aside; `None`: as often as it is due.
    pub limit: Option<Limit>,
    /// The hosts that it asks, where hosts have limits of their own.
    pub hosts: Arc<[Arc<str>]>,
    /// When it is left alone for a while.
    pub breaker: BreakerRules,
    /// What its level needs to change.
    pub settle: SettleRules,
    /// When it changes too often to be read.
    pub flapping: FlappingRules,
}

impl PlanSpec {
    /// A plan every so often, without limits, whose results count at once.
    #[must_use]
    pub fn every(every: Span) -> Self {
        Self {
            every,
            phase: None,
            timeout: every,
            retries: 0,
            priority: 0,
            late: Late::Skip,
            limit: None,
            hosts: Arc::default(),
            breaker: BreakerRules { open_after: 0, retry_after: Span::ZERO, retry_at_most: Span::ZERO },
            settle: SettleRules::default(),
            flapping: FlappingRules::default(),
        }
    }
}

/// What a seat waits for, beside its next tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Nothing: it is idle or running.
    No,
    /// Its turn among those that are due.
    Turn(Ticket),
    /// A token of a bucket, or a run of its host to end.
    Room,
}

/// One plan's place in the schedule.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) plan: PlanSpec,
    pub(super) revision: u64,
    phase: Span,
    /// Only every so manieth tick of the grid is its own.
    slowness: u64,
    /// The next tick of the grid.
    pub(super) due: Moment,
    /// Where that tick waits in the wheel; `None`: nowhere yet.
    pub(super) key: Option<Key>,
    /// The first tick that was not served yet: by it, those that wait grow old.
    pub(super) since: Moment,
    /// The newest tick that a start would serve.
    pub(super) tick: Moment,
    pub(super) waits: Waits,
    pub(super) run: Option<RunId>,
    started: Option<Moment>,
    /// Ticks still to be made up for.
    pub(super) backlog: u32,
    /// A token was taken, but there was no room for a run yet.
    pub(super) has_token: bool,
    pub(super) bucket: Option<Bucket>,
    pub(super) breaker: Breaker,
}

/// Where in its period the plan of `item` starts.
fn phase_of(item: &Item, plan: &PlanSpec) -> Span {
    plan.phase.unwrap_or_else(|| phase::spread(item.id().as_str(), plan.every))
}

/// When the plan of `item` runs first: soon, but not all at once.
fn first_run(item: &Item, plan: &PlanSpec, now: Moment, within: Span) -> Moment {
    now + phase::spread(item.id().as_str(), plan.every.min(within))
}

impl Seat {
    /// The seat of `item`; `known` is its seat on the board before. Gives the run, too, that is no longer wanted.
    pub(super) fn take(
        item: &Item,
        known: Option<Self>,
        now: Moment,
        first_within: Span,
        slowness: u64,
    ) -> (Option<Self>, Option<RunId>) {
        let Source::Plan(plan) = &item.spec.source else { return (None, known.and_then(|seat| seat.run)) };
        let (plan, revision) = (plan.clone(), item.spec.revision);
        let phase = phase_of(item, &plan);
        match known {
            Some(seat) if seat.revision == revision => (Some(seat.change(plan, phase, now)), None),
            known => {
                let seat = Self {
                    revision,
                    phase,
                    slowness,
                    due: first_run(item, &plan, now, first_within),
                    key: None,
                    since: now,
                    tick: now,
                    waits: Waits::No,
                    run: None,
                    started: None,
                    backlog: 0,
                    has_token: false,
                    bucket: plan.limit.map(|limit| Bucket::new(now, limit)),
                    breaker: Breaker::default(),
                    plan,
                };
                (Some(seat), known.and_then(|seat| seat.run))
            }
        }
    }

    /// Takes up the plan that `item` has now, for the same measurement.
    pub(super) fn tuned(self, item: &Item, now: Moment) -> Self {
        let Source::Plan(plan) = &item.spec.source else { return self };
        self.change(plan.clone(), phase_of(item, plan), now)
    }

    /// Takes up other rules for the same measurement. A new period keeps the phase,
    /// and its first tick is no sooner than half the smaller period after the last start.
    fn change(mut self, plan: PlanSpec, phase: Span, now: Moment) -> Self {
        if (self.plan.every, self.phase) != (plan.every, phase) {
            let smaller = self.plan.every.min(plan.every);
            let earliest = self.started.map_or(now, |started| now.max(started + smaller / 2));
            self.due = phase::next_due(earliest, plan.every * self.slowness, phase);
        }
        match (&self.bucket, plan.limit) {
            (Some(bucket), Some(limit)) => bucket.change(now, limit),
            (_, limit) => self.bucket = limit.map(|limit| Bucket::new(now, limit)),
        }
        let waits = if self.waits == Waits::No { Waits::No } else { Waits::Room };
        Self { plan, phase, waits, ..self }
    }

    /// From one tick of its own to the next.
    pub(super) fn every(&self) -> Span {
        self.plan.every * self.slowness
    }

    /// Takes up another rate. An item without news is looked at soon; any other at its next tick.
    pub(super) fn keep_pace(&mut self, item: &Item, now: Moment, first_within: Span, slowness: u64) {
        self.slowness = slowness;
        self.due = if self.started.is_none() && item.updated.is_none() {
            first_run(item, &self.plan, now, first_within)
        } else {
            phase::next_due(now, self.every(), self.phase)
        };
    }

    /// Moves on to the first tick after `now`. A first run lies off the grid, so the tick
    /// after it is left out where it would follow within half a period.
    pub(super) fn next_tick(&mut self, now: Moment) {
        let next = phase::next_due(now, self.every(), self.phase);
        let close = self.started.is_none() && next.since(now) < self.every() / 2;
        self.due = if close { next + self.every() } else { next };
    }

    /// Notes a start.
    pub(super) fn begin(&mut self, run: RunId, now: Moment) {
        self.run = Some(run);
        self.started = Some(now);
        self.waits = Waits::No;
        self.has_token = false;
    }

    /// When it runs next: at its tick, or when its breaker lets it.
    pub(super) fn next_run(&self) -> Moment {
        match self.breaker.state(&self.plan.breaker) {
            BreakerState::Open(until) => self.due.max(until),
            BreakerState::Closed | BreakerState::HalfOpen => self.due,
        }
    }
}
