//! A frame for the tests of renderers. Not a frame that `compose` would make: only what lines of text read.

use std::sync::Arc;

use crate::frame::{Fence, Frame, ItemId, Level, Moment, Role, Safe, Span, Turn, TurnKind, frame_checksum};

/// 2026-11-20T14:03:22Z.
pub(super) const NOW: Moment = Moment::from_unix_millis(1_795_183_402_000);

/// A frame about the item `cache`; `item` empty: the fallback.
pub(super) fn frame(seq: u64, item: &str, level: Level, text: &str) -> Frame {
    let item = ItemId::new(item).ok();
    let turn = Turn {
        kind: if item.is_some() { TurnKind::Item } else { TurnKind::Fallback },
        item,
        text: Safe::line(text),
        level,
        since: Some(NOW - Span::from_secs(134)),
        position: 2,
        of: 3,
        began: NOW,
        ends: NOW + Span::from_secs(3),
        calling: false,
    };
    sealed(Frame {
        seq,
        at: NOW,
        wall: NOW,
        title: Safe::line("Line 3"),
        turn,
        crc: 0,
        role: Role::Leader(Fence(7)),
        consoles: 3,
        leader: None,
        clock_error: None,
        apart: None,
        peers: Arc::default(),
        board: 41,
        notice: None,
        concern: None,
        counts: [0, 0, 1, 1, 1],
        rows: Arc::default(),
        scroll: 12,
    })
}

/// The same frame with the checksum that fits it.
pub(super) fn sealed(mut frame: Frame) -> Frame {
    frame.crc = frame_checksum(frame.seq, frame.turn.item.as_ref(), frame.turn.level, &frame.turn.text);
    frame
}
