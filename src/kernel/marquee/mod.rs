//! The marquee: the rule that picks the item to show at a moment.
//!
//! It keeps the anchor over changes of the board: what is shown goes on being
//! shown, what begins to call interrupts, and nothing starves. It does not know
//! what the items say, nor draws anything.

mod playlist;
mod turn;

pub use playlist::{Entry, HOLD_MIN, Playlist, Rules, Shows, WIDE_COLUMNS, WIDE_HOLD_MAX};
pub use turn::Turn;

use std::collections::{HashMap, HashSet};

use super::board::{Item, ItemId};
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
    /// The ids behind the playlist's places, to find them again on another board.
    ids: Vec<ItemId>,
    pass_began: Option<Moment>,
}

/// How much of its turn an interrupted item must have had to count as shown:
/// with less than half of it nobody has read it, and it is shown again, once.
const SHOWN_SHARE: u64 = 2;

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
        self.turn.map(|turn| turn.ends(&self.playlist))
    }

    /// What is shown.
    #[must_use]
    pub fn shows(&self) -> Option<Shows> {
        self.turn.map(|turn| self.playlist.entries()[turn.entry].shows)
    }

    /// Goes on at the item that a store held; its turn goes on where it still lasts.
    pub(in crate::kernel) fn resume(&mut self, id: &ItemId, show_at: Moment, dwell: Span, now: Moment) {
        let Some(place) = self.ids.iter().position(|known| known == id) else { return };
        let Some(entry) = self.playlist.entry_of(place) else { return };
        let began = if show_at <= now && now < show_at + dwell { show_at } else { now };
        let calling = self.playlist.is_calling(place);
        let next_place = place + 1;
        self.turn = Some(Turn { entry, began, calling, next_place, next_call: 0, again: false });
    }

    /// Takes up a changed board. What is shown stays, unless it is gone or something begins to call.
    pub(in crate::kernel) fn refresh(&mut self, now: Moment, items: &[Item], rules: &Rules) {
        let old = std::mem::replace(&mut self.playlist, Playlist::new(items, rules));
        let moved = self.ids.len() != items.len() || self.ids.iter().zip(items).any(|(id, item)| id != item.id());
        let old_ids = if moved {
            let ids = items.iter().map(|item| item.id().clone()).collect();
            std::mem::replace(&mut self.ids, ids)
        } else {
            Vec::new()
        };
        let places: HashMap<&ItemId, usize> =
            if moved { self.ids.iter().enumerate().map(|(place, id)| (id, place)).collect() } else { HashMap::new() };
        let place_now = |place: usize| if moved { places.get(old_ids.get(place)?).copied() } else { Some(place) };
        let Some(turn) = self.turn else {
            self.turn = Turn::first(&self.playlist, now);
            self.pass_began = self.turn.map(|_| now);
            return;
        };
        let was = old.entries()[turn.entry].shows;
        // Where the next ordinary turn stood, the first item that is still there takes its place.
        let next_place = (turn.next_place..old_ids.len().max(turn.next_place + 1)).find_map(place_now).unwrap_or(0);
        let turn = Turn { next_place, ..turn };
        let entry = self.entry_now(was, place_now(was.place()));
        let known: HashSet<usize> = callers(&old).filter_map(place_now).collect();
        let shown_place = entry.map(|entry| self.playlist.entries()[entry].shows.place());
        let new_call = callers(&self.playlist).position(|place| !known.contains(&place));
        self.turn = match (new_call, entry) {
            (Some(rank), entry) => {
                let cut = entry.filter(|_| !turn.calling && !turn.again && !was_read(&turn, &old, now));
                let cut = cut.filter(|entry| self.playlist.base().contains(entry)).and(shown_place);
                let next_place = cut.unwrap_or(turn.next_place);
                let call = Turn { next_place, ..turn }.call(&self.playlist, now, rank);
                let again = cut.is_some() || (turn.calling && turn.again);
                call.map(|call| Turn { again, ..call })
            }
            (None, Some(entry)) => Some(Turn { entry, ..turn }),
            // What was shown is gone: its turn ends here, and whoever is next begins.
            (None, None) => {
                let calls = || turn.call(&self.playlist, now, turn.next_call);
                turn.ordinary(&self.playlist, now).or_else(calls)
            }
        };
        if self.turn.is_none() {
            self.pass_began = None;
        }
    }

    /// Moves on to the turn that is on at `now`.
    pub(in crate::kernel) fn advance(&mut self, now: Moment) -> Vec<Passed> {
        let mut passed = Vec::new();
        while let Some(turn) = self.turn.filter(|turn| now >= turn.ends(&self.playlist)) {
            let ended = turn.ends(&self.playlist);
            passed.push(Passed::Turned(self.playlist.entries()[turn.entry].shows));
            let Some(mut next) = turn.next(&self.playlist) else { break };
            // A board that slept is not shown turns that nobody saw: it goes on where time is.
            if now.since(ended) > SLEPT {
                next = next.at(&self.playlist, now);
            }
            next.again = turn.again && turn.calling;
            let wrapped = next.next_place <= turn.next_place && !next.calling;
            let calls_wrapped = self.playlist.base().is_empty() && next.next_call <= turn.next_call;
            if wrapped || calls_wrapped {
                passed.extend(self.pass_began.map(|began| Passed::Cycled(ended.since(began))));
                self.pass_began = Some(ended);
            }
            self.turn = Some(next);
        }
        passed
    }

    fn entry_now(&self, was: Shows, place: Option<usize>) -> Option<usize> {
        let entries = self.playlist.entries();
        match was {
            Shows::Item(_) => self.playlist.entry_of(place?),
            Shows::Summary { .. } => entries.iter().position(|entry| matches!(entry.shows, Shows::Summary { .. })),
        }
    }
}

/// A gap in which a board was asleep rather than late.
const SLEPT: Span = Span::from_secs(60);

fn callers(playlist: &Playlist) -> impl Iterator<Item = usize> + '_ {
    playlist.calls().iter().map(|&index| playlist.entries()[index].shows.place())
}

fn was_read(turn: &Turn, playlist: &Playlist, now: Moment) -> bool {
    now.since(turn.began) >= turn.hold(playlist) / SHOWN_SHARE
}
