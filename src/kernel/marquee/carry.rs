//! The turns over a change of the board: what is shown stays, unless it is gone or something begins to call.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Marquee, Playlist, Rules, Shows, Turn};
use crate::kernel::Moment;
use crate::kernel::board::{Item, ItemId};

/// How much of its turn an interrupted item must have had to count as shown:
/// with less than half of it nobody has read it, and it is shown again, once.
const SHOWN_SHARE: u64 = 2;

/// A turn of the board before, and its entry on the present one; `None`: what it showed is gone.
struct Carried {
    was: Turn,
    entry: Option<usize>,
}

impl Carried {
    fn turn(&self) -> Option<Turn> {
        self.entry.map(|entry| Turn { entry, ..self.was })
    }
}

impl Marquee {
    /// Takes up a changed board. What is shown stays, unless it is gone or something begins to call.
    pub(in crate::kernel) fn refresh(&mut self, now: Moment, items: &[Item], rules: &Rules) {
        self.missed = None;
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
        let carry = |turn: Turn| {
            let was = old.entries()[turn.entry].shows;
            // Where the next ordinary turn stood, the first item that is still there takes its place.
            let next_place = (turn.next_place..old_ids.len().max(turn.next_place + 1)).find_map(place_now).unwrap_or(0);
            Carried { was: Turn { next_place, ..turn }, entry: self.entry_now(was, place_now(was.place())) }
        };
        let shown = carry(turn);
        let decided: Vec<Carried> = self.decided.iter().copied().map(carry).collect();
        let known: HashSet<usize> = callers(&old).filter_map(place_now).collect();
        let new_call = callers(&self.playlist).position(|place| !known.contains(&place));
        match new_call.filter(|_| self.heeds_calls(now)) {
            Some(rank) => self.interrupt(now, rank, &old, &shown, decided),
            None => self.keep(now, &shown, &decided),
        }
        if self.turn.is_none() {
            self.pass_began = None;
        }
    }

    /// All turns go on whose item is still there.
    fn keep(&mut self, now: Moment, shown: &Carried, decided: &[Carried]) {
        if decided.last().unwrap_or(shown).entry.is_none() {
            self.until = None;
        }
        self.decided = decided.iter().filter_map(Carried::turn).collect();
        self.turn = shown.turn();
        if self.turn.is_none() {
            self.fill(now, &shown.was);
        }
        // A turn that is shorter now than it has lasted ends now, not in a past that nobody saw.
        let earliest = now + self.lead;
        if self.heeds_calls(now) && self.last_ends().is_some_and(|ends| ends < earliest) {
            self.until = Some(earliest);
        }
    }

    /// What was shown is gone: its turn ends here, and whoever is next begins.
    fn fill(&mut self, now: Moment, was: &Turn) {
        let next = self.decided.pop_front().map(|next| Turn { began: now, ..next });
        self.turn =
            next.or_else(|| was.ordinary(&self.playlist, now)).or_else(|| was.call(&self.playlist, now, was.next_call));
    }

    /// The `rank`-th of those that call begins to, as soon as others can hear of it. What begins
    /// sooner stands; the last of it is cut off.
    fn interrupt(&mut self, now: Moment, rank: usize, old: &Playlist, shown: &Carried, mut decided: Vec<Carried>) {
        let at = now + self.lead;
        decided.truncate(decided.partition_point(|next| next.was.began < at));
        let last = decided.last().unwrap_or(shown);
        let turn = last.was;
        let cut = last.entry.filter(|_| !turn.calling && !turn.again && !was_read(&turn, old, at));
        let cut = cut.filter(|entry| self.playlist.base().contains(entry));
        let cut = cut.map(|entry| self.playlist.entries()[entry].shows.place());
        let next_place = cut.unwrap_or(turn.next_place);
        let call = Turn { next_place, ..turn }.call(&self.playlist, at, rank);
        let again = cut.is_some() || (turn.calling && turn.again);
        let call = call.map(|call| Turn { again, ..call });
        self.until = None;
        if at <= now {
            (self.turn, self.decided) = (call, VecDeque::new());
            return;
        }
        self.decided = decided.iter().filter_map(Carried::turn).chain(call).collect();
        self.turn = shown.turn();
        if self.turn.is_none() {
            self.fill(now, &shown.was);
        }
    }

    fn entry_now(&self, was: Shows, place: Option<usize>) -> Option<usize> {
        match was {
            Shows::Item(_) => self.playlist.entry_of(place?),
            Shows::Summary { .. } => self.playlist.summary(),
        }
    }
}

fn callers(playlist: &Playlist) -> impl Iterator<Item = usize> + '_ {
    playlist.calls().iter().map(|&index| playlist.entries()[index].shows.place())
}

fn was_read(turn: &Turn, playlist: &Playlist, now: Moment) -> bool {
    now.since(turn.began) >= turn.hold(playlist) / SHOWN_SHARE
}
