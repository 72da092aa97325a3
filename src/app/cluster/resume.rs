//! Resuming: from what a store held of a leader that is gone to what the kernel goes on from.

use super::part::Part;
use crate::coordination::link::{Message, Said};
use crate::kernel::beat::{Mirror, Mirrored, Origin};
use crate::kernel::{BoardSnapshot, Current, Input, ItemSnapshot, Snapshot, Span};

impl Part {
    /// What a store held of a leader that is gone: the kernel goes on from it.
    pub(super) fn resume(&mut self, beat: Option<&str>, board: Option<&str>) {
        let now = self.now();
        let current = match self.kept(beat).map(|message| (message.head.token, message.said)) {
            Some((token, Said::Beat { beat, .. })) => {
                let turn = beat.turns.iter().take_while(|turn| turn.show_at <= now).last().or(beat.turns.first());
                Current {
                    seq: beat.seq,
                    item: turn.and_then(|turn| turn.item.clone()),
                    show_at: turn.map_or(now, |turn| turn.show_at),
                    dwell: turn.map_or(Span::ZERO, |turn| turn.dwell),
                    fence: token.fence().0,
                }
            }
            _ => Current::default(),
        };
        let board = self.kept_board(board);
        if current != Current::default() || !board.items.is_empty() {
            self.give(Input::Snapshot(Box::new(Snapshot { current, board })));
        }
    }

    /// What a store held that answers only now: what this session has heard is newer and so is the turn that is on,
    /// but what it has not heard of is taken in before it is written over.
    pub(super) fn take_in(&mut self, seq: u64, board: Option<&str>) {
        let (current, board) = (Current { seq, ..Current::default() }, self.kept_board(board));
        self.give(Input::Snapshot(Box::new(Snapshot { current, board })));
    }

    /// A message of this board that was kept, on this console's clock.
    fn kept(&self, text: Option<&str>) -> Option<Message> {
        let message = Message::read(text?).ok()?;
        let mapping = self.reference.reads(&message.head).unwrap_or_default();
        (message.head.board == self.who.board).then(|| message.on_clock(|moment| mapping.to_local(moment)))
    }

    fn kept_board(&self, text: Option<&str>) -> BoardSnapshot {
        match self.kept(text).map(|message| message.said) {
            Some(Said::Board { mirror, .. }) => snapshot(mirror),
            _ => BoardSnapshot::default(),
        }
    }
}

/// A mirrored board as a store would have kept it.
fn snapshot(mirror: Mirror) -> BoardSnapshot {
    let item = |item: Mirrored| {
        let (pushed, ttl) = match item.origin {
            Origin::Pushed { ttl, unnamed } => (unnamed, ttl),
            Origin::Fixed | Origin::Plan { .. } => (false, None),
        };
        let Mirrored { id, text, level, since, updated, acknowledged, revision, .. } = item;
        ItemSnapshot { id, text, level, since, updated, revision, pushed, ttl, acknowledged }
    };
    BoardSnapshot { version: 0, items: mirror.items.into_iter().map(item).collect() }
}
