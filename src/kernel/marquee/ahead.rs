//! Turns ahead of their time: decided early enough that others hear of them.
//!
//! A lead says how long before its beginning a turn is decided. All decisions are
//! those of the one rule, made on the board as it is and on a clock that is ahead
//! by the lead; what was decided stands. So a lead of nothing is the rule itself,
//! and with a lead nobody who hears of a decision within it is ever surprised.

use super::{Marquee, Turn};
use crate::kernel::{Moment, Span};

/// A gap in which a board was asleep rather than late.
const SLEPT: Span = Span::from_secs(60);

impl Marquee {
    /// Decides turns so long before they begin from now on. What is decided stands.
    pub(in crate::kernel) const fn lead(&mut self, lead: Span) {
        self.lead = lead;
    }

    /// The turn that the next one is decided from.
    pub(super) fn last(&self) -> Option<&Turn> {
        self.decided.back().or(self.turn.as_ref())
    }

    /// When the last turn that stands ends.
    pub(super) fn last_ends(&self) -> Option<Moment> {
        self.last().map(|last| self.until.unwrap_or_else(|| last.ends(&self.playlist)))
    }

    /// Decides one more turn, where it is time to; tells whether it did.
    pub(super) fn decide(&mut self, now: Moment) -> bool {
        let Some(ends) = self.last_ends().filter(|ends| *ends <= now + self.lead) else { return false };
        let Some(next) = self.last().and_then(|last| last.next(&self.playlist)) else { return false };
        let next = Turn { began: ends, ..next };
        // A board that slept is not shown turns that nobody saw: it goes on where time is.
        let next = if now.since(ends) > SLEPT { next.at(&self.playlist, now) } else { next };
        self.until = None;
        self.decided.push_back(next);
        true
    }

    /// The turn that is on and those that follow until `end` as the board is now, each with its
    /// own end; at most so many.
    pub(in crate::kernel) fn ahead(&self, end: Moment, most: usize) -> Vec<(Turn, Moment)> {
        let mut turns: Vec<Turn> = self.turn.iter().chain(&self.decided).copied().take(most).collect();
        let mut last_ends = self.last_ends();
        if turns.len() < 1 + self.decided.len() {
            last_ends = self.decided.get(most.saturating_sub(1)).map(|turn| turn.began);
        }
        while let (Some(last), Some(ends)) = (turns.last(), last_ends.filter(|ends| *ends < end)) {
            let Some(next) = last.next(&self.playlist).filter(|_| turns.len() < most) else { break };
            let next = Turn { began: ends, ..next };
            last_ends = Some(next.ends(&self.playlist));
            turns.push(next);
        }
        let ends = turns.iter().skip(1).map(|turn| turn.began).chain(last_ends);
        turns.iter().copied().zip(ends).collect()
    }
}
