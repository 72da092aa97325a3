//! What is seen of an item or a run, and how it is told in JSON's words.
//!
//! Seeing is done on the board thread and copies nothing long; telling is done by whoever asked.

use std::sync::Arc;

use super::account::Record;
use super::clock::Clock;
use crate::api::{ItemWire, RunWire, ValuesWire};
use crate::frame::Safe;
use crate::kernel::board::{Item, ItemId, Level, Values};
use crate::kernel::{Kernel, Moment, Outcome, RunId, Span};
use crate::renderers::json::rfc3339;

/// What a visit takes along of an item: everything shared, nothing copied that is long.
pub(super) struct Seen {
    pub(super) id: ItemId,
    text: Arc<str>,
    level: Level,
    since: Moment,
    acknowledged: Option<Moment>,
    updated: Option<Moment>,
    source: Arc<str>,
    values: Arc<Values>,
    fresh: bool,
    flapping: bool,
    next_run: Option<Moment>,
    run: Option<RunId>,
}

pub(super) fn see(kernel: &Kernel, id: &ItemId) -> Option<Seen> {
    let place = kernel.board().place(id)?;
    Some(Seen::of(kernel, place, &kernel.board().items()[place]))
}

impl Seen {
    pub(super) fn of(kernel: &Kernel, place: usize, item: &Item) -> Self {
        let (next_run, run) = kernel.seat(place);
        Self {
            id: item.id().clone(),
            text: Arc::clone(&item.text),
            level: item.level(),
            since: item.since,
            acknowledged: item.acknowledged,
            updated: item.updated,
            source: Arc::clone(&item.spec.label),
            values: Arc::clone(&item.values),
            fresh: item.fresh,
            flapping: item.flapping,
            next_run,
            run,
        }
    }

    pub(super) fn tell(self, times: Times, last: Option<&Record>) -> ItemWire {
        ItemWire {
            id: self.id.to_string(),
            text: Safe::of(&self.text),
            level: self.level.word(),
            since: times.tell(self.since),
            acknowledged: self.acknowledged.map(|at| times.tell(at)),
            updated: self.updated.map(|at| times.tell(at)),
            age_ms: self.updated.map(|at| times.now.since(at).as_millis()),
            source: Safe::of(&self.source),
            values: ValuesWire(self.values),
            fresh: self.fresh,
            flapping: self.flapping,
            next_run: self.next_run.map(|at| times.tell(at)),
            run: self.run.map(|run| run.to_string()),
            last_run: last.map(|record| tell_run(record, times)),
        }
    }
}

pub(super) fn tell_run(record: &Record, times: Times) -> RunWire {
    RunWire {
        run: record.run.to_string(),
        item: record.item.to_string(),
        state: record.outcome.map_or("running", Outcome::word),
        started: times.tell(record.started),
        waited_ms: record.waited.as_millis(),
        ran_ms: record.ran.as_millis(),
        retries: record.retries,
        bytes: record.bytes,
        detail: Safe::of(&record.detail),
    }
}

/// How moments of the shared clock are told in one answer.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Moment,
    ahead: Span,
    behind: Span,
}

impl Times {
    /// The distance to the wall clock, in whole seconds: a moment must not tremble from one answer to the next.
    pub(super) fn of(clock: Clock) -> Self {
        let (now, wall) = (clock.now(), clock.wall());
        let seconds = |span: Span| Span::from_secs((span + Span::from_millis(500)).as_secs());
        Self { now, ahead: seconds(wall.since(now)), behind: seconds(now.since(wall)) }
    }

    pub(super) fn tell(self, moment: Moment) -> String {
        rfc3339(moment + self.ahead - self.behind)
    }
}
