//! What outlives the process: the current item and the board's last news.
//!
//! Plain data without a format: how it is written is the store's business.

use std::sync::Arc;

use super::board::{ItemId, Level};
use super::{Moment, Span};

/// The current item and the board, as a store keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The turn that is on.
    pub current: Current,
    /// The last news of each item.
    pub board: BoardSnapshot,
}

/// The turn that is on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Current {
    /// The last frame's sequence number.
    pub seq: u64,
    /// The shown item; `None`: the summary or the fallback.
    pub item: Option<ItemId>,
    /// When its turn began.
    pub show_at: Moment,
    /// How long its turn lasts.
    pub dwell: Span,
    /// The fence of the leader who wrote this.
    pub fence: u64,
}

/// The board at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoardSnapshot {
    /// The board's version.
    pub version: u64,
    /// The items, in order.
    pub items: Vec<ItemSnapshot>,
}

/// The last news of one item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemSnapshot {
    /// Its name.
    pub id: ItemId,
    /// What it says.
    pub text: Arc<str>,
    /// The level it reported.
    pub level: Level,
    /// When its shown level last changed.
    pub since: Moment,
    /// When it last reported.
    pub updated: Option<Moment>,
    /// Its config's revision; another one means the news is of something else.
    pub revision: u64,
    /// Whether it came by a push and the config does not name it.
    pub pushed: bool,
    /// How long a pushed value is believed.
    pub ttl: Option<Span>,
    /// Since when somebody knows of the alarm it shows; `None`: nobody does.
    pub acknowledged: Option<Moment>,
}
