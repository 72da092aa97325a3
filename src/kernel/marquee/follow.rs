//! Keeping to another console's turns: the same item at the same moment, and no flicker on the way.
//!
//! What a leader told names items; here they get their places on this board. The
//! turns told are kept to whatever the own rule would say, and behind the last of
//! them the rule goes on, so that consoles which hear nothing more stay together.

use super::{Marquee, Passed, Turn};
use crate::kernel::beat::Showing;
use crate::kernel::board::Board;
use crate::kernel::{Moment, Span};

/// More turns than a leader tells at once; who tells more is not believed any further.
pub(in crate::kernel) const TURNS_MAX: usize = 64;

/// Two tellings mean one turn where they differ by no more: the clock's servo moves a turn by microseconds, a bad
/// link by the 15 ms that consoles may be apart, and nobody sees a turn that comes too soon by a few times that.
const SAME_TURN_WITHIN: Span = Span::from_millis(50);

/// They must also differ by less than this share of the turn: the same item may come again behind it.
const SAME_TURN_SHARE: u64 = 2;

impl Marquee {
    /// What is shown from now on is not cut off by the turns that are told first.
    pub(in crate::kernel) const fn rejoin(&mut self) {
        self.rejoins = true;
    }

    /// Whether something that begins to call is shown at once, or the leader says when.
    pub(super) fn heeds_calls(&self, now: Moment) -> bool {
        self.led_until.is_none_or(|end| end <= now)
    }

    /// Keeps to the turns that a leader told; `news`: they were not followed before.
    pub(in crate::kernel) fn follow(
        &mut self,
        now: Moment,
        told: &[Showing],
        board: &Board,
        news: bool,
    ) -> Vec<Passed> {
        let told = &told[..told.len().min(TURNS_MAX)];
        let end = told.last().map(|last| last.show_at + last.dwell);
        if !news && self.led_until.is_some_and(|end| end <= now) {
            return Vec::new();
        }
        self.led_until = end;
        self.missed = None;
        let turns = self.placed(now, told, board);
        let (Some(end), Some(last)) = (end, turns.last()) else {
            self.led_until = None;
            self.stand_until(now);
            return Vec::new();
        };
        let after = last.next(&self.playlist).map(|next| Turn { began: end, ..next });
        if end <= now {
            self.decided.clear();
            self.until = None;
            let Some(on) = after.map(|after| after.at(&self.playlist, now)) else { return Vec::new() };
            let same = self.turn.is_some_and(|shown| self.same(&shown, &on).is_some());
            return if same { Vec::new() } else { self.show(on, now) };
        }
        let on = turns.iter().rposition(|turn| turn.began <= now);
        let distance = |turn: &Turn| self.turn.and_then(|shown| self.same(&shown, turn));
        let shown = (0..turns.len()).filter_map(|place| Some((distance(&turns[place])?, place))).min();
        let mut passed = Vec::new();
        let next = match (shown, on) {
            (Some((_, shown)), on) if on.is_none_or(|on| on <= shown) => {
                self.turn = Some(turns[shown]);
                self.rejoins = false;
                shown + 1
            }
            // The turn to begin with may have begun before this console was told that it begins so early.
            (_, Some(on))
                if !self.rejoins
                    || self.turn.is_none_or(|shown| shown.ends(&self.playlist) <= turns[on].began)
                    || self.comes_next(&turns[on]) =>
            {
                passed = self.show(turns[on], now);
                on + 1
            }
            (_, on) => {
                self.missed = on.map(|on| turns[on]);
                on.map_or(0, |on| on + 1)
            }
        };
        self.decided = turns[next..].iter().copied().collect();
        self.until = Some(end);
        // Who rejoins in the last turn told begins with the one behind it.
        if self.decided.is_empty() && self.rejoins {
            self.decided.extend(after);
            self.until = None;
        }
        passed
    }

    /// Whether a turn is the one that would be shown next here too, if somewhat later or earlier: to wait for the one
    /// behind it would be to leave it out, and what is shown has been for most of its time.
    fn comes_next(&self, turn: &Turn) -> bool {
        let own = self.turn.and_then(|shown| {
            let began = shown.ends(&self.playlist);
            shown.next(&self.playlist).map(|next| Turn { began, ..next })
        });
        let next = self.decided.front().copied().or(own);
        next.and_then(|next| apart(&next, turn)).is_some_and(|apart| apart <= self.share(turn))
    }

    /// Whoever leads shows what the leader before it did: all others do, and would step back to a turn that was to end
    /// in peace here.
    pub(in crate::kernel) fn catch_up(&mut self, now: Moment) -> Vec<Passed> {
        self.missed.take().map_or_else(Vec::new, |missed| self.show(missed, now))
    }

    /// Goes on by the own rule from the turns that were told: those that begin until `end` stand,
    /// and the last of them ends when it was to end.
    pub(in crate::kernel) fn unfollow(&mut self, end: Moment) {
        self.led_until = None;
        self.rejoins = false;
        self.stand_until(end);
    }

    fn stand_until(&mut self, end: Moment) {
        let stand = self.decided.partition_point(|turn| turn.began <= end);
        if let Some(next) = self.decided.get(stand) {
            self.until = Some(next.began);
        }
        self.decided.truncate(stand);
    }

    /// By how much two tellings of one turn differ; `None`: they are two turns.
    fn same(&self, one: &Turn, other: &Turn) -> Option<Span> {
        apart(one, other).filter(|apart| *apart <= SAME_TURN_WITHIN.min(self.share(one)))
    }

    fn share(&self, turn: &Turn) -> Span {
        turn.hold(&self.playlist) / SAME_TURN_SHARE
    }

    /// The turns told, with their places on this board. For one whose item this board does not have, the own
    /// rule says what comes; while it is on, what is shown stays.
    fn placed(&self, now: Moment, told: &[Showing], board: &Board) -> Vec<Turn> {
        let mut turns: Vec<Turn> = Vec::with_capacity(told.len());
        for showing in told {
            let began = showing.show_at;
            let before = turns.last().copied();
            if before.is_some_and(|before| began <= before.began) {
                continue;
            }
            let entry = match &showing.item {
                Some(id) => board.place(id).and_then(|place| self.playlist.entry_of(place)),
                None => self.playlist.summary(),
            };
            let turn = entry.map(|entry| Turn {
                entry,
                began,
                calling: showing.calling,
                next_place: showing.next_place.min(self.ids.len()),
                next_call: showing.next_call,
                again: showing.again,
            });
            let own = || before.or(self.turn.filter(|_| began > now))?.next(&self.playlist);
            turns.extend(turn.or_else(|| own().map(|own| Turn { began, ..own })));
        }
        turns
    }
}

/// By how much two turns of the same item differ.
fn apart(one: &Turn, other: &Turn) -> Option<Span> {
    let apart = one.began.since(other.began) + other.began.since(one.began);
    ((one.entry, one.calling) == (other.entry, other.calling)).then_some(apart)
}
