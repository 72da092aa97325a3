//! The marquee: the rule that picks the item to show at a moment.
//!
//! It keeps the anchor over changes of the board: what is shown goes on being
//! shown, what begins to call interrupts, and nothing starves. Where there are
//! others to tell it decides each turn ahead of its beginning, and where there is
//! one to follow it keeps to what that one decided. It does not know what the
//! items say, nor draws anything.

mod ahead;
mod carry;
mod follow;
mod playlist;
mod turn;

pub(in crate::kernel) use follow::TURNS_MAX;
pub use playlist::{Entry, HOLD_MIN, Playlist, Rules, Shows, WIDE_COLUMNS, WIDE_HOLD_MAX};
pub use turn::Turn;

use std::collections::VecDeque;

use super::board::ItemId;
use super::{Moment, Span};

/// What happened as time went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kernel) enum Passed {
    /// A turn ended that showed this.
    Turned(Shows),
    /// A whole pass over the ordinary turns, or over the calls where there is nothing else, took so long.
    Cycled(Span),
}

/// The anchor and the playlist it stands in.
#[derive(Debug, Default)]
pub struct Marquee {
    playlist: Playlist,
    turn: Option<Turn>,
    /// The turns that stand already, in the order of their beginnings, which no hold can move.
    decided: VecDeque<Turn>,
    /// When the last of all turns above ends, where that is not after its hold.
    until: Option<Moment>,
    /// How long before it begins a turn is decided.
    lead: Span,
    /// Until when a leader's schedule is kept to, whatever calls.
    led_until: Option<Moment>,
    /// What is shown is another's turn than the leader's, and may end in peace.
    rejoins: bool,
    /// The leader's turn that is on meanwhile.
    missed: Option<Turn>,
    /// The ids behind the playlist's places, to find them again on another board.
    ids: Vec<ItemId>,
    pass_began: Option<Moment>,
}

impl Marquee {
    /// The turn that is on; `None`: there is nothing to show.
    #[must_use]
    pub const fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }

    /// The turns of a pass.
    #[must_use]
    pub const fn playlist(&self) -> &Playlist {
        &self.playlist
    }

    /// When the turn that is on ends.
    #[must_use]
    pub fn ends(&self) -> Option<Moment> {
        self.decided.front().map(|next| next.began).or_else(|| self.last_ends())
    }

    /// What is shown.
    #[must_use]
    pub fn shows(&self) -> Option<Shows> {
        self.turn.map(|turn| self.playlist.entries()[turn.entry].shows)
    }

    /// When a turn ends or is to be decided.
    pub(in crate::kernel) fn next_wake(&self) -> Option<Moment> {
        let begins = self.decided.front().map(|next| next.began);
        let decides = self.last_ends().map(|ends| ends - self.lead);
        begins.into_iter().chain(decides).min()
    }

    /// Goes on at the item that a store held; its turn goes on where it still lasts.
    pub(in crate::kernel) fn resume(&mut self, id: &ItemId, show_at: Moment, dwell: Span, now: Moment) {
        let Some(place) = self.ids.iter().position(|known| known == id) else { return };
        let Some(entry) = self.playlist.entry_of(place) else { return };
        let began = if show_at <= now && now < show_at + dwell { show_at } else { now };
        let calling = self.playlist.is_calling(place);
        let next_place = place + 1;
        self.turn = Some(Turn { entry, began, calling, next_place, next_call: 0, again: false });
        self.decided.clear();
        self.until = None;
    }

    /// Moves on to the turn that is on at `now`.
    pub(in crate::kernel) fn advance(&mut self, now: Moment) -> Vec<Passed> {
        let mut passed = Vec::new();
        loop {
            if self.decided.front().is_some_and(|next| next.began <= now) {
                passed.extend(self.decided.pop_front().into_iter().flat_map(|next| self.show(next, now)));
                self.rejoins &= self.led_until.is_none();
            } else if !self.decide(now) {
                return passed;
            }
        }
    }

    /// Shows `next`; what thereby came to its end.
    fn show(&mut self, next: Turn, now: Moment) -> Vec<Passed> {
        self.missed = None;
        let Some(turn) = self.turn.replace(next) else { return Vec::new() };
        let mut passed = Vec::new();
        // What nobody could read, or what comes again for that, did not have its turn.
        if turn.began < now && !(next.calling && next.again) {
            passed.push(Passed::Turned(self.playlist.entries()[turn.entry].shows));
        }
        let wrapped = next.next_place <= turn.next_place && !next.calling;
        let calls_wrapped = self.playlist.base().is_empty() && next.next_call <= turn.next_call;
        if wrapped || calls_wrapped {
            passed.extend(self.pass_began.map(|began| Passed::Cycled(next.began.since(began))));
            self.pass_began = Some(next.began);
        }
        passed
    }
}
