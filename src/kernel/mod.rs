//! The kernel: what is true, and what to do about it.
//!
//! A state machine with three verbs: [`Kernel::handle`] takes what happened,
//! [`Kernel::poll`] gives what is to be done, [`Kernel::next_wake`] names the
//! moment when it wants to be woken. Deliberately without a clock, I/O, threads,
//! randomness, serialisation or any dependency but `std`: a day of plant runs in
//! a test in milliseconds.
//!
//! Invariants: a run that was cancelled, removed or replaced never changes an
//! item; what is stale is never shown at its old level; the sequence number
//! grows by one with each frame that says something new, and never falls.

pub mod beat;
pub mod board;
mod digest;
mod follow;
mod input;
pub mod marquee;
mod mirror;
mod moment;
mod news;
mod output;
pub mod plans;
mod snapshot;
mod stats;
mod tell;
#[cfg(test)]
mod tests;
pub mod width;

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

pub use digest::{digest, digest_on};
pub use input::{BoardSpec, Concern, Ended, Input, Outcome, Push, Report};
pub use moment::{Moment, Span};
pub use output::{Output, RunId, Start};
pub use snapshot::{BoardSnapshot, Current, ItemSnapshot, Snapshot};
pub use stats::Stats;

use beat::{Mark, Role};
use board::{Board, ItemId, Level};
use marquee::{Marquee, Passed, Rules, Shows};
use plans::{Schedule, Spike, SpikeRules};

/// The item that tells that pushes are sampled.
pub const FEED_ITEM: &str = "marquee.feed";

/// When pushes are sampled, where nobody says otherwise: thirty seconds of more than
/// 2,000 a second, and four times what is usual, are no plant but a program gone wild.
pub const FEED: SpikeRules = SpikeRules { window: Span::from_secs(10), ratio: 4.0, floor: 20_000, sample: 10 };

/// What is true of a whole board, and what is to be done about it.
#[derive(Debug)]
pub struct Kernel {
    now: Moment,
    title: Arc<str>,
    fallback: Arc<str>,
    rules: Rules,
    board: Board,
    marquee: Marquee,
    schedule: Schedule,
    feed: Spike,
    feed_rules: SpikeRules,
    role: Role,
    notices: BTreeMap<Concern, Arc<str>>,
    resume: Option<Box<Snapshot>>,
    has_board: bool,
    began: Moment,
    seq: u64,
    said: Option<Said>,
    outputs: VecDeque<Output>,
    unsettled: Unsettled,
    settled: bool,
    stats: Stats,
    sync: follow::Sync,
    /// The board's mark, and the `touched` that it belongs to.
    marked: Cell<Option<(u64, Mark)>>,
}

/// What has to be worked out before the next output.
#[derive(Debug, Default)]
struct Unsettled {
    turns: bool,
    board: bool,
    turned: bool,
}

/// All that a viewer can tell one frame from the next by.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    shows: Option<Shows>,
    text: Arc<str>,
    level: Level,
    role: Role,
    notice: Option<Arc<str>>,
}

impl Kernel {
    /// A kernel without a board, which shows `fallback`.
    #[must_use]
    pub fn new(now: Moment, title: impl Into<Arc<str>>, fallback: impl Into<Arc<str>>) -> Self {
        Self {
            now,
            title: title.into(),
            fallback: fallback.into(),
            rules: Rules { interval: Span::from_secs(3), scroll: 12, interrupt: None, summarise_after: usize::MAX },
            board: Board::default(),
            marquee: Marquee::default(),
            schedule: Schedule::new(now),
            feed: Spike::default(),
            feed_rules: FEED,
            role: Role::default(),
            notices: BTreeMap::new(),
            resume: None,
            has_board: false,
            began: now,
            seq: 0,
            said: None,
            outputs: VecDeque::new(),
            unsettled: Unsettled { turns: true, ..Unsettled::default() },
            settled: false,
            stats: Stats::default(),
            sync: follow::Sync::default(),
            marked: Cell::new(None),
        }
    }

    /// Takes what happened at `now`. Time never goes back: an earlier `now` counts as the last one.
    pub fn handle(&mut self, now: Moment, input: Input) {
        self.now = now.max(self.now);
        self.settled = false;
        // The turns that ended before this input ended on the board as it was.
        self.advance();
        match input {
            Input::Wake => self.tell_feed(),
            Input::Board(spec) => self.load(*spec),
            Input::Snapshot(snapshot) => {
                self.resume = Some(snapshot);
                if self.has_board {
                    self.restore();
                }
            }
            Input::Mirror(mirror) => self.take_mirror(*mirror),
            Input::News(news) => self.take_news(news),
            Input::Beat(beat) => self.take_beat(*beat),
            Input::Lead(lead) => self.lead(lead),
            Input::Ended(ended) => self.ended(ended),
            Input::Retold(id, report) => self.retell(&id, report),
            Input::Push(push) => self.push(push),
            Input::Remove(id) => self.remove(&id),
            Input::Acknowledge(id) => self.acknowledge(&id, true),
            Input::Unacknowledge(id) => self.acknowledge(&id, false),
            Input::RunNow(id) => {
                let place = self.board.place(&id);
                if let Some(start) = place.and_then(|place| self.schedule.run_now(place, &self.board, self.now)) {
                    self.start(start);
                }
            }
            Input::Cancel(run) => {
                if self.schedule.is_running(run) {
                    self.outputs.push_back(Output::Cancel(run));
                }
            }
            Input::Tune(id, plan) => self.tune(&id, &plan),
            Input::Role(role) => self.act_as(role),
            Input::Notice(concern, Some(text)) => {
                self.notices.insert(concern, text);
            }
            Input::Notice(concern, None) => {
                self.notices.remove(&concern);
            }
        }
    }

    /// What is to be done next; `None`: nothing until the next input or wake-up.
    pub fn poll(&mut self) -> Option<Output> {
        if !std::mem::replace(&mut self.settled, true) {
            self.settle();
        }
        self.outputs.pop_front()
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let feed = self.feed.next_wake(&self.feed_rules);
        [self.marquee.next_wake(), self.board.next_expiry(), self.schedule.next_due(), feed].into_iter().flatten().min()
    }

    fn replace(&mut self, spec: BoardSpec) {
        self.title = spec.title;
        self.fallback = spec.fallback;
        self.rules = Rules {
            interval: spec.interval,
            scroll: spec.scroll,
            interrupt: spec.interrupt,
            summarise_after: spec.summarise_after,
        };
        self.feed_rules = spec.feed;
        self.schedule.limit(self.now, spec.concurrency, &spec.hosts);
        let places = self.places();
        self.board.replace(self.now, spec.items);
        self.has_board = true;
        self.reschedule(&places);
        if self.resume.is_some() {
            self.restore();
        }
    }

    fn places(&self) -> HashMap<ItemId, usize> {
        self.board.items().iter().enumerate().map(|(place, item)| (item.id().clone(), place)).collect()
    }

    fn reschedule(&mut self, old: &HashMap<ItemId, usize>) {
        let cancelled = self.schedule.refresh(self.now, old, &self.board);
        self.outputs.extend(cancelled);
        self.stats.breakers_open = self.schedule.open_breakers();
        self.unsettled.turns = true;
        self.unsettled.board = true;
    }

    fn restore(&mut self) {
        let Some(snapshot) = self.resume.take() else { return };
        if self.is_mirroring() {
            self.seq = self.seq.max(snapshot.current.seq);
            return;
        }
        let places = self.places();
        self.board.restore(self.now, snapshot.board);
        self.reschedule(&places);
        self.seq = self.seq.max(snapshot.current.seq);
        self.marquee.refresh(self.now, self.board.items(), &self.rules);
        if let Some(id) = &snapshot.current.item {
            self.marquee.resume(id, snapshot.current.show_at, snapshot.current.dwell, self.now);
        }
    }

    fn start(&mut self, start: Start) {
        self.stats.runs_started += 1;
        self.outputs.push_back(Output::Start(start));
    }

    const fn note(&mut self, change: board::Change) {
        self.unsettled.board |= change.said;
        self.unsettled.turns |= change.turns;
    }

    fn settle(&mut self) {
        let (expired, settled) = self.board.expire(self.now);
        self.stats.went_stale += expired;
        if expired + settled > 0 {
            self.note(board::Change { said: true, turns: true });
        }
        let turns = std::mem::take(&mut self.unsettled.turns);
        if turns {
            self.marquee.refresh(self.now, self.board.items(), &self.rules);
        }
        self.keep_step(turns);
        let woken = self.schedule.wake(self.now, &self.board);
        self.stats.ticks_skipped += woken.skipped;
        self.stats.left_alone += woken.left_alone;
        self.stats.plans_waiting = self.schedule.waiting() as u64;
        woken.started.into_iter().for_each(|start| self.start(start));
        if std::mem::take(&mut self.unsettled.board) {
            self.outputs.push_back(Output::Board);
        }
        let said = self.said();
        if std::mem::take(&mut self.unsettled.turned) || self.said.as_ref() != Some(&said) {
            self.said = Some(said);
            self.seq += 1;
            self.stats.frames += 1;
            self.outputs.push_back(Output::Frame);
        }
    }

    fn advance(&mut self) {
        let passed = self.marquee.advance(self.now);
        self.tell_passed(passed);
    }

    fn tell_passed(&mut self, passed: Vec<Passed>) {
        for passed in passed {
            self.unsettled.turned = true;
            match passed {
                Passed::Turned(shows) => {
                    self.stats.turns += 1;
                    let (item, level) = match shows {
                        Shows::Item(place) => {
                            let item = self.board.items().get(place);
                            (item.map(|item| item.id().clone()), item.map_or(Level::Unknown, board::Item::level))
                        }
                        Shows::Summary { .. } => (None, Level::Healthy),
                    };
                    self.outputs.push_back(Output::Turned { item, level });
                }
                Passed::Cycled(took) => self.outputs.push_back(Output::Cycled(took)),
            }
        }
    }

    fn said(&self) -> Said {
        let shows = self.marquee.shows();
        let notice = self.notice().cloned();
        Said { shows, text: self.shown_text(), level: self.shown_level(), role: self.role, notice }
    }
}
