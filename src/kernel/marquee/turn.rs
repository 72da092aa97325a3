//! Whose turn it is: a pure function of playlist, anchor and time.
//!
//! The anchor is a [`Turn`]: one turn that is known to have begun at a moment.
//! From it every later turn follows without an accumulated error, so two
//! consoles with the same board and anchor show the same item unasked.

use super::playlist::{Entry, Playlist};
use crate::kernel::{Moment, Span};

/// One turn: the anchor of all that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The index of the entry that is shown.
    pub entry: usize,
    /// When it began.
    pub began: Moment,
    /// Whether it is a turn of those that call.
    pub calling: bool,
    /// The place on the board from which the next ordinary turn is looked for.
    pub next_place: usize,
    /// Which of those that call is next.
    pub next_call: usize,
    /// Whether it was cut off once by an interrupt and is shown again.
    pub again: bool,
}

impl Turn {
    /// The first turn of all, for an anchor without a past; `None` for an empty playlist.
    #[must_use]
    pub fn first(playlist: &Playlist, began: Moment) -> Option<Self> {
        let nothing = Self { entry: 0, began, calling: false, next_place: 0, next_call: 0, again: false };
        if playlist.calls().is_empty() { nothing.ordinary(playlist, began) } else { nothing.call(playlist, began, 0) }
    }

    /// How long it lasts.
    #[must_use]
    pub fn hold(&self, playlist: &Playlist) -> Span {
        playlist.entries().get(self.entry).map_or(Span::ZERO, |entry: &Entry| entry.hold)
    }

    /// When it ends.
    #[must_use]
    pub fn ends(&self, playlist: &Playlist) -> Moment {
        self.began + self.hold(playlist)
    }

    /// The turn after this one. While anything calls, every other turn is a call.
    #[must_use]
    pub fn next(&self, playlist: &Playlist) -> Option<Self> {
        let began = self.ends(playlist);
        let call = || self.call(playlist, began, self.next_call);
        let ordinary = || self.ordinary(playlist, began);
        let next = if self.calling { ordinary().or_else(call) } else { call().or_else(ordinary) };
        // A call that cut a turn off is followed by that turn.
        next.map(|next| Self { again: self.again && self.calling, ..next })
    }

    /// A turn of the `rank`-th of those that call.
    #[must_use]
    pub fn call(&self, playlist: &Playlist, began: Moment, rank: usize) -> Option<Self> {
        let calls = playlist.calls();
        let rank = rank.checked_rem(calls.len())?;
        Some(Self { entry: calls[rank], began, calling: true, next_call: rank + 1, again: false, ..*self })
    }

    /// The next ordinary turn.
    #[must_use]
    pub fn ordinary(&self, playlist: &Playlist, began: Moment) -> Option<Self> {
        let place_of = |index: &usize| playlist.entries()[*index].shows.place();
        let base = playlist.base();
        let entry = *base.iter().find(|index| place_of(index) >= self.next_place).or_else(|| base.first())?;
        Some(Self { entry, began, calling: false, next_place: place_of(&entry) + 1, again: false, ..*self })
    }

    /// The turn that is on at `now`.
    #[must_use]
    pub fn at(self, playlist: &Playlist, now: Moment) -> Self {
        let mut turn = self;
        // After a whole round everything is as before, so whole rounds are left out.
        let round = playlist.round().as_nanos().max(1);
        turn.began += Span::from_nanos(now.since(turn.began).as_nanos() / round * round);
        while now >= turn.ends(playlist) {
            let Some(next) = turn.next(playlist) else { break };
            turn = next;
        }
        turn
    }
}
