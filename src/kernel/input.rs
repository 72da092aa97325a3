//! Everything that can happen to the kernel, as one closed enum.
//!
//! Reading [`Input`] tells all that can move a board. Texts that come in here
//! are already cleaned (`frame/clean.rs`); the kernel never looks inside them.

use std::sync::Arc;

use super::Span;
use super::beat::{Beat, Mirror, Mirrored, Role};
use super::board::{ItemId, ItemSpec, Level, Values};
use super::output::RunId;
use super::plans::{HostRules, PlanSpec, SpikeRules};
use super::snapshot::Snapshot;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// A moment that `next_wake` named has come.
    Wake,
    /// A whole new board: replaces all items in one step. What did not change keeps its state.
    Board(Box<BoardSpec>),
    /// What the store held at the start. Accepted once, before or after the first board.
    Snapshot(Box<Snapshot>),
    /// A run ended.
    Ended(Ended),
    /// An item's last measurement, told in other words after an edit of its text or levels.
    Retold(ItemId, Report),
    /// Somebody pushed news of an item.
    Push(Push),
    /// A pushed item goes.
    Remove(ItemId),
    /// Somebody knows of the alarm that this item shows: it no longer calls.
    Acknowledge(ItemId),
    /// Nobody does after all.
    Unacknowledge(ItemId),
    /// An item's plan is to run now, out of turn.
    RunNow(ItemId),
    /// A run is to be cancelled.
    Cancel(RunId),
    /// An item's plan is to keep to these settings, until a new board has other ones for it than the last had.
    Tune(ItemId, Box<PlanSpec>),
    /// This console's part among the consoles changed.
    Role(Role),
    /// How long before it begins a leader decides a turn, so that its followers hear of it in time. The lead of
    /// who is no leader is nothing, and so is the default.
    Lead(Span),
    /// A leader's whole board, for who follows it; anybody else leaves this and the next two alone.
    Mirror(Box<Mirror>),
    /// A leader's news of some items. Those that are older than what is known change nothing.
    News(Vec<Mirrored>),
    /// A leader's turns. What it said before is void, so they come in the order in which it said them.
    Beat(Box<Beat>),
    /// Something is wrong, or well again (`None`), in a part of the program.
    Notice(Concern, Option<Arc<str>>),
}

/// What the config says of a whole board.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardSpec {
    /// What is watched: "Line 3".
    pub title: Arc<str>,
    /// The items, already in the order of their turns.
    pub items: Vec<ItemSpec>,
    /// How long an item's turn lasts.
    pub interval: Span,
    /// Columns a second at which too long a text scrolls.
    pub scroll: u32,
    /// Items at this level or worse call. `None`: none ever does.
    pub interrupt: Option<Level>,
    /// More healthy items than this share one turn.
    pub summarise_after: usize,
    /// What is shown where there is nothing to show.
    pub fallback: Arc<str>,
    /// Runs in flight over the whole program.
    pub concurrency: usize,
    /// What target hosts bear.
    pub hosts: Vec<HostRules>,
    /// When pushes are sampled.
    pub feed: SpikeRules,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Which run.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// What it says of its item; `None` for a cancelled run, which says nothing.
    pub report: Option<Report>,
    /// How long it ran.
    pub took: Span,
    /// How many tries beyond the first it needed.
    pub retries: u32,
    /// How long it waited, from its due moment until it began.
    pub waited: Span,
    /// Bytes that came in.
    pub bytes: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It reached its end and measured something.
    Done,
    /// It could not measure.
    Failed,
    /// It was cut off by its own limit.
    TimedOut,
    /// It was no longer wanted.
    Cancelled,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Done, Self::Failed, Self::TimedOut, Self::Cancelled];

    /// The word of the metrics and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
        }
    }
}

/// News of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How bad it is.
    pub level: Level,
    /// What it says.
    pub text: Arc<str>,
    /// What was measured.
    pub values: Arc<Values>,
    /// Whether something was taken out of its texts that no screen should see.
    pub filtered: bool,
}

/// News of an item from somebody outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// Which item; one that the board does not have is added last.
    pub item: ItemId,
    /// How bad it is.
    pub level: Level,
    /// What it says.
    pub text: Arc<str>,
    /// How long it is believed; `None`: as the config says of the item, else for ever.
    pub ttl: Option<Span>,
    /// What was measured.
    pub values: Arc<Values>,
    /// Whether something was taken out of its texts that no screen should see.
    pub filtered: bool,
}

/// The parts of the program that can be unwell, most urgent to tell first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concern {
    /// The config can't be used as it stands.
    Config,
    /// The consoles are not in step.
    Sync,
    /// The store does not keep what it is given.
    Store,
    /// Something else that an operator should know.
    Other,
}
