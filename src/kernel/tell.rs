//! What the kernel tells those who compose frames, keep state and count: everything, read only.

use std::sync::Arc;

use super::beat::Role;
use super::board::{Board, Level};
use super::marquee::{Marquee, Shows};
use super::plans::BreakerState;
use super::{Concern, Current, Kernel, Moment, RunId, Span, Stats};

/// What the kernel tells those who compose frames.
impl Kernel {
    /// The board's title.
    #[must_use]
    pub const fn title(&self) -> &Arc<str> {
        &self.title
    }

    /// All items.
    #[must_use]
    pub const fn board(&self) -> &Board {
        &self.board
    }

    /// The rule of turns and the turn that is on.
    #[must_use]
    pub const fn marquee(&self) -> &Marquee {
        &self.marquee
    }

    /// What the turn that is on says.
    #[must_use]
    pub fn shown_text(&self) -> Arc<str> {
        match self.marquee.shows() {
            Some(Shows::Item(place)) => Arc::clone(&self.board.items()[place].text),
            Some(Shows::Summary { count, .. }) => format!("{count} healthy").into(),
            None => Arc::clone(&self.fallback),
        }
    }

    /// The level of what is shown. The fallback is no alarm: there is nothing that could be wrong yet.
    #[must_use]
    pub fn shown_level(&self) -> Level {
        match self.marquee.shows() {
            Some(Shows::Item(place)) => self.board.items()[place].level(),
            Some(Shows::Summary { .. }) => Level::Healthy,
            None => Level::Info,
        }
    }

    /// When the plan of the item at `place` is due next, and its run in flight.
    #[must_use]
    pub fn seat(&self, place: usize) -> (Option<Moment>, Option<RunId>) {
        self.schedule.seat(place)
    }

    /// What the breaker of the plan at `place` is; `None`: there is no plan.
    #[must_use]
    pub fn breaker(&self, place: usize) -> Option<BreakerState> {
        self.schedule.breaker(place)
    }

    /// Columns a second at which too long a text scrolls.
    #[must_use]
    pub const fn scroll(&self) -> u32 {
        self.rules.scroll
    }

    /// This console's part among the consoles.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The most urgent thing that is not well with the program.
    #[must_use]
    pub fn notice(&self) -> Option<&Arc<str>> {
        self.notices.values().next()
    }

    /// All that is not well with the program, most urgent first.
    pub fn notices(&self) -> impl Iterator<Item = (Concern, &Arc<str>)> {
        self.notices.iter().map(|(concern, text)| (*concern, text))
    }

    /// The sequence number of the last frame.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// When this kernel began: since when the fallback is shown.
    #[must_use]
    pub const fn began(&self) -> Moment {
        self.began
    }

    /// Whether a board has been loaded.
    #[must_use]
    pub const fn has_board(&self) -> bool {
        self.has_board
    }

    /// What was counted so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The turn that is on, as a store keeps it.
    #[must_use]
    pub fn current(&self) -> Current {
        let turn = self.marquee.turn();
        let item = match self.marquee.shows() {
            Some(Shows::Item(place)) => Some(self.board.items()[place].id().clone()),
            Some(Shows::Summary { first, .. }) => Some(self.board.items()[first].id().clone()),
            None => None,
        };
        let dwell = turn.zip(self.marquee.ends()).map_or(Span::ZERO, |(turn, ends)| ends.since(turn.began));
        let show_at = turn.map_or(self.began, |turn| turn.began);
        Current { seq: self.seq, item, show_at, dwell, fence: self.role.fence().0 }
    }
}
