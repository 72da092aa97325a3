//! The playlist: which turns a whole pass has, in which order and how long each.
//!
//! Made anew from the board whenever something in it could differ; it holds no
//! time and no position.

use crate::kernel::Span;
use std::ops::Add;

use crate::kernel::board::{Item, Level, Source};

/// A text wider than this holds for one whole pass of its scroll. It is a
/// constant of the board and not a terminal's width, so that all consoles agree.
pub const WIDE_COLUMNS: usize = 72;

/// The longest that a wide text may hold the line up.
pub const WIDE_HOLD_MAX: Span = Span::from_secs(30);

/// The shortest turn; the config refuses less, and an embedding program gets this.
pub const HOLD_MIN: Span = Span::from_millis(10);

/// What decides the turns, beside the items themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a turn lasts.
    pub interval: Span,
    /// Columns a second at which too long a text scrolls.
    pub scroll: u32,
    /// Items at this level or worse call.
    pub interrupt: Option<Level>,
    /// More healthy items than this share one turn.
    pub summarise_after: usize,
}

/// One turn of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it shows.
    pub shows: Shows,
    /// How long it lasts.
    pub hold: Span,
}

/// What a turn shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The item at this place of the board.
    Item(usize),
    /// So many healthy items together; they stand where the first of them stood.
    Summary {
        /// The place of the first of them.
        first: usize,
        /// How many they are.
        count: usize,
    },
}

impl Shows {
    /// The place on the board by which entries are ordered.
    #[must_use]
    pub const fn place(self) -> usize {
        match self {
            Self::Item(place) | Self::Summary { first: place, .. } => place,
        }
    }
}

/// All turns of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Playlist {
    entries: Vec<Entry>,
    /// Indices of the entries that call, worst first, then oldest first.
    calls: Vec<usize>,
    /// Indices of the entries that do not call, in order.
    base: Vec<usize>,
    /// Whether the item at each place of the board calls.
    calling: Vec<bool>,
    /// The index of the summary.
    summary: Option<usize>,
}

impl Playlist {
    /// The playlist of these items.
    #[must_use]
    pub fn new(items: &[Item], rules: &Rules) -> Self {
        let healthy = |item: &&Item| item.level() == Level::Healthy;
        let count = items.iter().filter(healthy).count();
        let summarised = count > rules.summarise_after;
        let mut playlist = Self { calling: vec![false; items.len()], ..Self::default() };
        for (place, item) in items.iter().enumerate() {
            let shows = if !(summarised && item.level() == Level::Healthy) {
                Shows::Item(place)
            } else if playlist.summary.is_some() {
                continue;
            } else {
                playlist.summary = Some(playlist.entries.len());
                Shows::Summary { first: place, count }
            };
            let index = playlist.entries.len();
            let hold = match shows {
                Shows::Item(_) => hold(item, rules),
                Shows::Summary { .. } => rules.interval.max(HOLD_MIN),
            };
            playlist.entries.push(Entry { shows, hold });
            if calls(item, rules) {
                playlist.calling[place] = true;
                playlist.calls.push(index);
            } else {
                playlist.base.push(index);
            }
        }
        let entries = &playlist.entries;
        playlist.calls.sort_by_key(|&index| {
            let item = &items[entries[index].shows.place()];
            (item.level(), item.since)
        });
        playlist
    }

    /// All entries, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries that call, worst first, then oldest first, as indices of [`Playlist::entries`].
    #[must_use]
    pub fn calls(&self) -> &[usize] {
        &self.calls
    }

    /// The entries that do not call, in order, as indices of [`Playlist::entries`].
    #[must_use]
    pub fn base(&self) -> &[usize] {
        &self.base
    }

    /// How long it takes until every ordinary turn and every call stand to each other as they did.
    pub(super) fn round(&self) -> Span {
        let length =
            |indices: &[usize]| indices.iter().map(|&index| self.entries[index].hold).fold(Span::ZERO, Span::add);
        let (base, calls) = (self.base.len().max(1) as u64, self.calls.len().max(1) as u64);
        if self.base.is_empty() || self.calls.is_empty() {
            return length(&self.base) + length(&self.calls);
        }
        let pairs = base / greatest_common_divisor(base, calls) * calls;
        length(&self.base) * (pairs / base) + length(&self.calls) * (pairs / calls)
    }

    /// Whether the item at `place` calls.
    #[must_use]
    pub fn is_calling(&self, place: usize) -> bool {
        self.calling.get(place).copied().unwrap_or(false)
    }

    /// The index of the entry that stands for the item at `place`, be it in the summary.
    #[must_use]
    pub fn entry_of(&self, place: usize) -> Option<usize> {
        let own = self.entries.binary_search_by_key(&place, |entry| entry.shows.place());
        own.ok().or(self.summary)
    }

    /// The index of the summary; `None`: every item has a turn of its own.
    #[must_use]
    pub const fn summary(&self) -> Option<usize> {
        self.summary
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Whether an item interrupts. One that never reported is unknown but not news, and neither is what somebody knows.
fn calls(item: &Item, rules: &Rules) -> bool {
    let spoke = item.updated.is_some() || matches!(item.spec.source, Source::Fixed(_));
    spoke && item.acknowledged.is_none() && rules.interrupt.is_some_and(|worst| item.level() <= worst)
}

fn hold(item: &Item, rules: &Rules) -> Span {
    let own = item.spec.hold.unwrap_or(rules.interval).max(HOLD_MIN);
    if item.columns <= WIDE_COLUMNS || rules.scroll == 0 {
        return own;
    }
    let columns = u64::try_from(item.columns).unwrap_or(u64::MAX);
    let pass = Span::from_secs(columns) / u64::from(rules.scroll);
    own.max(pass.min(WIDE_HOLD_MAX))
}
