//! What a leader tells those who mirror it: the beat, and the board behind it.
//!
//! Plain data without a format: how it travels is coordination's business. All
//! moments are on the clock of the kernel that made them, or that takes them up;
//! coordination translates between the two.

use std::sync::Arc;

use crate::kernel::board::{ItemId, Level, Values};
use crate::kernel::{Moment, Span};

/// The turn that is on, those that follow, and the board they stand on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Beat {
    /// The last frame's sequence number.
    pub seq: u64,
    /// The turn that is on first, then each that follows, as far as the horizon reaches. Empty:
    /// there is nothing to show.
    pub turns: Vec<Showing>,
    /// Which board the turns stand on.
    pub mark: Mark,
}

/// One turn, with all that is needed to go on from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Showing {
    /// Whose turn it is; `None`: the summary's.
    pub item: Option<ItemId>,
    /// A short digest of text and level when this was told.
    pub content: u16,
    /// When it begins.
    pub show_at: Moment,
    /// How long it lasts: shorter than its hold where the next turn is to cut it off.
    pub dwell: Span,
    /// Whether it is a turn of those that call.
    pub calling: bool,
    /// The place on the board from which the next ordinary turn is looked for.
    pub next_place: usize,
    /// Which of those that call is next.
    pub next_call: usize,
    /// Whether it was cut off once by an interrupt and is shown again.
    pub again: bool,
}

/// By what two boards are known to say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// How many items.
    pub items: usize,
    /// A digest of title, fallback, rules of the turns, and of the items' names and versions in their order.
    pub digest: u64,
}

/// A whole board, as a follower needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirror {
    /// What is watched.
    pub title: Arc<str>,
    /// What is shown where there is nothing to show.
    pub fallback: Arc<str>,
    /// How long a turn lasts.
    pub interval: Span,
    /// Columns a second at which too long a text scrolls.
    pub scroll: u32,
    /// Items at this level or worse call. `None`: none ever does.
    pub interrupt: Option<Level>,
    /// More healthy items than this share one turn.
    pub summarise_after: usize,
    /// The items, in the order of their turns.
    pub items: Vec<Mirrored>,
}

/// Where a mirrored item's news comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The config's own words.
    Fixed,
    /// A plan that runs this often.
    Plan {
        /// From one run to the next.
        every: Span,
    },
    /// Somebody pushes it.
    Pushed {
        /// How long it is believed; `None`: for ever.
        ttl: Option<Span>,
        /// Whether the config does not name it.
        unnamed: bool,
    },
}

/// One item, as a follower needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mirrored {
    /// Its name.
    pub id: ItemId,
    /// Grows each time that anything of it changes.
    pub version: u64,
    /// What it says.
    pub text: Arc<str>,
    /// The level it reported: whether it is stale, each console sees for itself.
    pub level: Level,
    /// When its shown level last changed.
    pub since: Moment,
    /// When it last reported; `None`: never.
    pub updated: Option<Moment>,
    /// Since when somebody knows of the alarm it shows; `None`: nobody does.
    pub acknowledged: Option<Moment>,
    /// How long its last run took.
    pub took: Option<Span>,
    /// Whether it changes too often to be read.
    pub flapping: bool,
    /// Whether something was taken out of its texts that no screen should see.
    pub filtered: bool,
    /// What was measured.
    pub values: Arc<Values>,
    /// How long its turn lasts; `None`: the board's interval.
    pub hold: Option<Span>,
    /// Where its news comes from.
    pub origin: Origin,
    /// The source in words without secrets.
    pub label: Arc<str>,
    /// The digest of how it is measured.
    pub revision: u64,
}
