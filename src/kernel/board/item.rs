//! One watched thing: what the config says of it and what is known of it now.
//!
//! Deliberately no rule lives here: when an item is stale is `freshness.rs`,
//! when it calls is `marquee/`, when it is looked at is `plans/`.

use std::fmt;
use std::sync::Arc;

use super::{Level, Values};
use crate::kernel::plans::{Flapping, PlanSpec, Settle};
use crate::kernel::{Moment, Outcome, RunId, Span};

/// The most characters an id may have; longer ones tear every column they stand in.
pub const ID_CHARACTERS_MAX: usize = 64;

/// The name of an item: 1 to 64 of `a-z 0-9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(Arc<str>);

/// The given text can't be an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadItemId;

impl fmt::Display for BadItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an id is 1 to {ID_CHARACTERS_MAX} of a-z 0-9 . _ -")
    }
}

impl std::error::Error for BadItemId {}

impl ItemId {
    /// The id `text`.
    ///
    /// # Errors
    /// Where `text` is empty, too long or has a character that no id has.
    pub fn new(text: &str) -> Result<Self, BadItemId> {
        let fits = (1..=ID_CHARACTERS_MAX).contains(&text.len());
        let plain = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'));
        if fits && plain { Ok(Self(text.into())) } else { Err(BadItemId) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::borrow::Borrow<str> for ItemId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Where an item's news comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The config's own words; always fresh.
    Fixed(Level),
    /// A plan that is run again and again.
    Plan(PlanSpec),
    /// Somebody pushes it; with `ttl` it is unknown after so long a silence.
    Pushed {
        /// How long a pushed value is believed; `None`: for ever.
        ttl: Option<Span>,
    },
}

/// What the config says of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemSpec {
    /// Its name.
    pub id: ItemId,
    /// What is shown of it before the first news, and for fixed items always.
    pub text: Arc<str>,
    /// How long its turn lasts; `None`: the board's interval.
    pub hold: Option<Span>,
    /// Where its news comes from.
    pub source: Source,
    /// The source in words without secrets, as the detail view tells it.
    pub label: Arc<str>,
    /// A digest of all the config says of how the item is measured. Where it is
    /// unchanged over a reload, the item keeps its news and its plan runs on.
    pub revision: u64,
}

/// One result in an item's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    /// The level the result gave.
    pub level: Level,
    /// How long the run took.
    pub took: Span,
}

/// What its last run cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// Which run it was.
    pub run: RunId,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it waited, from its due moment until it began.
    pub waited: Span,
    /// How many tries beyond the first it needed.
    pub retries: u32,
    /// Bytes that came in.
    pub bytes: u64,
}

/// How many results an item remembers: the width of the detail view's sparkline.
pub const HISTORY: usize = 60;

/// Which of a leader's news of an item is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kernel) struct Led {
    /// The leader's version of it.
    pub(in crate::kernel) version: u64,
    /// When it last reported, by the leader's word.
    pub(in crate::kernel) updated: Option<Moment>,
}

/// What is known of one item now.
#[expect(clippy::struct_excessive_bools, reason = "plain facts, each of which a viewer sees apart")]
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What the config, or the first push, says of it.
    pub spec: Arc<ItemSpec>,
    /// What it says now.
    pub text: Arc<str>,
    /// The columns that the text takes.
    pub(in crate::kernel) columns: usize,
    /// The level it last reported. See [`Item::level`] for the one to show.
    pub(in crate::kernel) reported: Level,
    /// When the shown level last changed.
    pub since: Moment,
    /// When it last reported; `None`: never.
    pub updated: Option<Moment>,
    /// Whether the news is young enough to be believed.
    pub fresh: bool,
    /// Since when somebody knows of the alarm it shows, so that it no longer calls; `None`: nobody does, or it shows none.
    pub acknowledged: Option<Moment>,
    /// Whether it changes too often to be read.
    pub flapping: bool,
    /// Whether something was taken out of its texts that no screen should see.
    pub filtered: bool,
    /// What was measured last.
    pub values: Arc<Values>,
    /// What its last run cost; `None`: it never ran.
    pub last_run: Option<LastRun>,
    /// The last results, oldest first.
    pub history: std::collections::VecDeque<Past>,
    /// What its level still needs to change.
    pub(in crate::kernel) settle: Settle,
    /// The changes among its last results.
    pub(in crate::kernel) changes: Flapping,
    /// A pushed value's own `ttl`, where the push named one.
    pub(in crate::kernel) ttl: Option<Span>,
    /// Whether it came by a push and the config does not name it.
    pub(in crate::kernel) pushed_in: bool,
    /// The config's plan, where somebody tuned it since: `spec` has the one in force.
    pub(in crate::kernel) configured: Option<Box<PlanSpec>>,
    /// When the board looks next whether it is stale; `None`: not at all.
    pub(in crate::kernel) queued: Option<Moment>,
    /// At every how manieth of its plan's ticks news could be had when it last reported, or since.
    pub(in crate::kernel) slowness: u64,
    /// Until when a pushed value is believed at most, because whoever pushes does not reach this console.
    pub(in crate::kernel) cut_off: Option<Moment>,
    /// What a leader told of it; `None`: the news is this console's own.
    pub(in crate::kernel) led: Option<Led>,
    /// The board's `touched` when anything of this item last changed.
    pub version: u64,
}

impl Item {
    /// The level to show: what was reported, or unknown where that is stale.
    #[must_use]
    pub const fn level(&self) -> Level {
        if self.fresh { self.reported } else { Level::Unknown }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &ItemId {
        &self.spec.id
    }

    /// How long the last run took; `None`: never ran.
    #[must_use]
    pub fn took(&self) -> Option<Span> {
        self.history.back().map(|past| past.took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        for good in ["db", "press-7", "a.b_c-9", &"x".repeat(64)] {
            assert_eq!(ItemId::new(good).map(|id| id.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "Db", "a b", "a/b", "é", "a\u{200b}", &"x".repeat(65)] {
            assert_eq!(ItemId::new(bad), Err(BadItemId), "{bad:?}");
        }
    }
}
