//! What one moment looks like before any screen knows it.
//!
//! A [`Frame`] is plain data in the viewer's words; renderers and the API read
//! it and nothing else. Deliberately no colours, no sizes and no terminal here,
//! and no dependency but `std`. All texts are [`Safe`]: nothing from outside
//! reaches a screen uncleaned.

mod checksum;
mod clean;
mod clip;
mod compose;
mod peer;
mod scroll;

use std::sync::Arc;

pub use checksum::{crc32, frame_checksum};
pub use clean::Safe;
pub use clip::{clip, fit};
pub use compose::Composer;
pub use peer::Peer;
pub use scroll::{next_scroll_step, scroll_offset};

pub use crate::kernel::beat::{Apart, Fence, Role};
pub use crate::kernel::board::{ItemId, LastRun, Level, Past, Unit, Value, Values};
pub use crate::kernel::width::{char_columns, clusters, columns};
pub use crate::kernel::{Concern, Moment, Outcome, RunId, Span};

/// What is shown at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Grows by one with each frame that says something new.
    pub seq: u64,
    /// The moment on the shared clock; all ages are counted to it.
    pub at: Moment,
    /// The same moment on the wall clock, for display alone.
    pub wall: Moment,
    /// The board's title.
    pub title: Safe,
    /// The item whose turn it is.
    pub turn: Turn,
    /// Over sequence, item, level and text of the turn: see [`frame_checksum`].
    pub crc: u32,
    /// This console's part among the consoles.
    pub role: Role,
    /// How many consoles there are, this one included.
    pub consoles: u32,
    /// The console that this one follows, or heard last where it lost the others.
    pub leader: Option<Safe>,
    /// How wrong the shared clock may be here; `None`: there is nobody to share it with.
    pub clock_error: Option<Span>,
    /// How this console is not in sync with the others, on the clock of `at`; `None`: it is, or there are none.
    pub apart: Option<Apart>,
    /// The consoles, leader first, and of several that say so the newest; empty as long as nobody asked to see them.
    pub peers: Arc<Vec<Peer>>,
    /// The board's version.
    pub board: u64,
    /// What is not well with the program itself; `None`: all is.
    pub notice: Option<Safe>,
    /// What the notice is about; `None`: there is none.
    pub concern: Option<Concern>,
    /// How many items are at each level, in the order of [`Level::ALL`].
    pub counts: [usize; 5],
    /// All items, in the order of their turns.
    pub rows: Arc<Vec<Arc<Row>>>,
    /// Columns a second at which too long a text scrolls.
    pub scroll: u32,
}

/// Whose turn it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// What kind of turn.
    pub kind: TurnKind,
    /// The item; `None` for the summary and the fallback.
    pub item: Option<ItemId>,
    /// What is shown large.
    pub text: Safe,
    /// Its level.
    pub level: Level,
    /// Since when it is at this level; `None` where nothing has a since.
    pub since: Option<Moment>,
    /// Its place in the playlist, from 1; 0 for the fallback.
    pub position: usize,
    /// How many turns a whole pass has.
    pub of: usize,
    /// When the turn began.
    pub began: Moment,
    /// When it ends.
    pub ends: Moment,
    /// Whether the item interrupted because it calls.
    pub calling: bool,
}

/// What a turn shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TurnKind {
    /// One item.
    Item,
    /// So many healthy items together.
    Summary(usize),
    /// Nothing: there is no item, or no board yet.
    Fallback,
}

/// One item, as a list or a detail view shows it.
#[expect(clippy::struct_excessive_bools, reason = "plain facts, each of which a viewer sees apart")]
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub id: ItemId,
    /// What it says.
    pub text: Safe,
    /// Its level.
    pub level: Level,
    /// Since when it is at this level.
    pub since: Moment,
    /// When it last reported; `None`: never.
    pub updated: Option<Moment>,
    /// From one run to the next; `None` where it has no plan.
    pub every: Option<Span>,
    /// How long the last run took.
    pub took: Option<Span>,
    /// When the next run is due.
    pub next_run: Option<Moment>,
    /// The run in flight.
    pub run: Option<RunId>,
    /// Where its news comes from, without secrets.
    pub source: Safe,
    /// Whether the news is young enough to be believed.
    pub fresh: bool,
    /// Whether it changes too often to be read.
    pub flapping: bool,
    /// Whether something was taken out of its texts that no screen should see.
    pub filtered: bool,
    /// Since when somebody knows of the alarm it shows; `None`: nobody does, or it shows none.
    pub acknowledged: Option<Moment>,
    /// Whether it calls: it interrupts the others.
    pub calling: bool,
    /// What was measured last.
    pub values: Arc<Values>,
    /// Whether its plan failed so often that it is left alone until the next run.
    pub left_alone: bool,
    /// What the last run cost; `None`: it never ran.
    pub last_run: Option<LastRun>,
    /// The last results, oldest first.
    pub history: Arc<[Past]>,
    /// The item's version, by which an unchanged row is known.
    pub version: u64,
}

impl Frame {
    /// The same news at a later moment: ages, progress and clock move on.
    #[must_use]
    pub fn at(&self, at: Moment, wall: Moment) -> Self {
        Self { at, wall, ..self.clone() }
    }

    /// Whether the checksum fits what the frame says.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.crc == frame_checksum(self.seq, self.turn.item.as_ref(), self.turn.level, &self.turn.text)
    }

    /// Whether this is the fallback.
    #[must_use]
    pub const fn is_fallback(&self) -> bool {
        matches!(self.turn.kind, TurnKind::Fallback)
    }

    /// The row of an item.
    #[must_use]
    pub fn row(&self, id: &ItemId) -> Option<&Arc<Row>> {
        self.rows.iter().find(|row| row.id == *id)
    }
}
