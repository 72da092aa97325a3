//! Everything the kernel can ask of the world, as one closed enum.

use std::fmt;

use super::Span;
use super::board::{ItemId, Level};

/// The name of one execution of a plan. Never given twice by one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl std::str::FromStr for RunId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix('r').unwrap_or(text).parse().map(Self)
    }
}

/// Something is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Start a run of an item's plan.
    Start(Start),
    /// End this run now; its `Ended` is still awaited.
    Cancel(RunId),
    /// A turn of the marquee ended: the item had its time on the screen. `None`: the summary.
    Turned {
        /// Whose turn it was.
        item: Option<ItemId>,
        /// Its level as the turn ended.
        level: Level,
    },
    /// A whole pass over the playlist took so long.
    Cycled(Span),
    /// What the frame says has changed: draw, publish, and keep the current item.
    Frame,
    /// The board has changed: keep it.
    Board,
}

/// A run that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The new run.
    pub run: RunId,
    /// Whose plan.
    pub item: ItemId,
    /// The revision of the item's config that this run belongs to.
    pub revision: u64,
    /// How long one try may take.
    pub timeout: Span,
    /// How many more tries it has after a failed one.
    pub retries: u32,
    /// How late it starts.
    pub late: Span,
}
