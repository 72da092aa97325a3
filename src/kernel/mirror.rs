//! What a leader tells: the beat, the board behind it, and by what two boards are known to be the same.
//!
//! All of it is read only and made anew at each call; how often it is asked for,
//! and how it travels, is coordination's business.

use std::sync::Arc;

use super::beat::{Beat, Mark, Mirror, Mirrored, Origin, Showing};
use super::board::{Item, Level, Source};
use super::marquee::{Shows, TURNS_MAX, Turn};
use super::{Kernel, Moment, Span, digest, digest_on};

/// What a leader tells those who mirror it.
impl Kernel {
    /// The turn that is on, those that are decided, and those that follow by the rule alone until
    /// `horizon` from now; at most 64.
    #[must_use]
    pub fn beat(&self, horizon: Span) -> Beat {
        let ahead = self.marquee.ahead(self.now + horizon, TURNS_MAX);
        let turns = ahead.into_iter().filter_map(|(turn, ends)| self.showing(&turn, ends)).collect();
        Beat { seq: self.seq, turns, mark: self.mark() }
    }

    fn showing(&self, turn: &Turn, ends: Moment) -> Option<Showing> {
        let shows = self.marquee.playlist().entries().get(turn.entry)?.shows;
        let (item, level, text) = match shows {
            Shows::Item(place) => {
                let item = self.board.items().get(place)?;
                (Some(item.id().clone()), item.level(), Arc::clone(&item.text))
            }
            Shows::Summary { count, .. } => (None, Level::Healthy, count.to_string().into()),
        };
        Some(Showing {
            item,
            content: short(digest_on(digest(text.bytes()), level.word().bytes())),
            show_at: turn.began,
            dwell: ends.since(turn.began),
            calling: turn.calling,
            next_place: turn.next_place,
            next_call: turn.next_call,
            again: turn.again,
        })
    }

    /// By what this board is known to say the same as another.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let touched = self.board.touched();
        if let Some((_, mark)) = self.marked.get().filter(|(at, _)| *at == touched) {
            return mark;
        }
        let rules = &self.rules;
        let calls = rules.interrupt.map_or("never", Level::word);
        let numbers = [rules.interval.as_nanos(), u64::from(rules.scroll), rules.summarise_after as u64];
        // What ends in a byte that no text has can't run into what follows it.
        let texts = [&*self.title, &*self.fallback, calls];
        let head = texts.iter().fold(digest([]), |head, text| digest_on(head, text.bytes().chain([0xFF])));
        let head = digest_on(head, numbers.into_iter().flat_map(u64::to_le_bytes));
        let digest = self.board.items().iter().fold(head, |digest, item| {
            let version = item.led.map_or(item.version, |led| led.version);
            digest_on(digest, item.id().as_str().bytes().chain([0xFF]).chain(version.to_le_bytes()))
        });
        // Half of it, because it travels with every beat: one in four thousand million boards would pass for another.
        let mark = Mark { items: self.board.items().len(), digest: (digest ^ (digest >> 32)) & u64::from(u32::MAX) };
        self.marked.set(Some((touched, mark)));
        mark
    }

    /// The whole board.
    #[must_use]
    pub fn mirror(&self) -> Mirror {
        Mirror {
            title: Arc::clone(&self.title),
            fallback: Arc::clone(&self.fallback),
            interval: self.rules.interval,
            scroll: self.rules.scroll,
            interrupt: self.rules.interrupt,
            summarise_after: self.rules.summarise_after,
            items: self.board.items().iter().map(mirrored).collect(),
        }
    }

    /// The items of which anything changed since the board's `touched` was `since_touched`.
    #[must_use]
    pub fn news(&self, since_touched: u64) -> Vec<Mirrored> {
        self.board.items().iter().filter(|item| item.version > since_touched).map(mirrored).collect()
    }
}

/// As much of a digest as tells two texts of one item apart.
const fn short(digest: u64) -> u16 {
    let [low, high, ..] = digest.to_le_bytes();
    u16::from_le_bytes([low, high])
}

fn mirrored(item: &Item) -> Mirrored {
    let origin = match &item.spec.source {
        Source::Fixed(_) => Origin::Fixed,
        // The news may still be one that was measured more slowly, and is to be believed for as long.
        Source::Plan(plan) => Origin::Plan { every: plan.every * item.slowness },
        Source::Pushed { ttl } => Origin::Pushed { ttl: item.ttl.or(*ttl), unnamed: item.pushed_in },
    };
    Mirrored {
        id: item.id().clone(),
        version: item.led.map_or(item.version, |led| led.version),
        text: Arc::clone(&item.text),
        level: item.reported,
        since: item.since,
        updated: item.updated,
        acknowledged: item.acknowledged,
        took: item.took(),
        flapping: item.flapping,
        filtered: item.filtered,
        values: Arc::clone(&item.values),
        hold: item.spec.hold,
        origin,
        label: Arc::clone(&item.spec.label),
        revision: item.spec.revision,
    }
}
