//! From the kernel's state to a frame.
//!
//! Pure but for its memory: rows that did not change are kept from the last
//! frame, so that ten thousand items cost what the changed ones cost.

use std::sync::Arc;

use super::{Frame, Row, Safe, Turn, TurnKind, frame_checksum};
use crate::kernel::board::{Item, Source};
use crate::kernel::marquee::Shows;
use crate::kernel::plans::BreakerState;
use crate::kernel::{Kernel, Moment, Span};

/// Composes frames, keeping the rows that did not change.
#[derive(Debug, Default)]
pub struct Composer {
    rows: Arc<Vec<Arc<Row>>>,
    counts: [usize; 5],
    touched: Option<u64>,
}

impl Composer {
    /// The frame of this moment. `wall` is the wall clock, for display alone.
    pub fn compose(&mut self, kernel: &Kernel, now: Moment, wall: Moment) -> Frame {
        self.refresh(kernel);
        let turn = turn(kernel);
        let seq = kernel.seq();
        Frame {
            seq,
            at: now,
            wall,
            title: Safe::of(kernel.title()),
            crc: frame_checksum(seq, turn.item.as_ref(), turn.level, &turn.text),
            turn,
            role: kernel.role(),
            consoles: 1,
            leader: None,
            clock_error: None,
            apart: None,
            peers: Arc::default(),
            board: kernel.board().version(),
            notice: kernel.notice().map(Safe::of),
            concern: kernel.notices().next().map(|(concern, _)| concern),
            counts: self.counts,
            rows: Arc::clone(&self.rows),
            scroll: kernel.scroll(),
        }
    }

    fn refresh(&mut self, kernel: &Kernel) {
        let board = kernel.board();
        let playlist = kernel.marquee().playlist();
        let same_board = self.touched == Some(board.touched());
        let same = |place: usize, item: &Item| {
            let row = self.rows.get(place)?;
            let (next_run, run) = kernel.seat(place);
            let unchanged = row.id == *item.id()
                && row.version == item.version
                && row.calling == playlist.is_calling(place)
                && (row.next_run, row.run) == (next_run, run);
            unchanged.then(|| Arc::clone(row))
        };
        if same_board && self.rows.iter().zip(0..).all(|(row, place)| (row.next_run, row.run) == kernel.seat(place)) {
            return;
        }
        let items = board.items().iter().enumerate();
        let rows: Vec<_> = items
            .map(|(place, item)| same(place, item).unwrap_or_else(|| Arc::new(row(kernel, place, item))))
            .collect();
        self.counts = [0; 5];
        for row in &rows {
            self.counts[row.level.index()] += 1;
        }
        self.rows = Arc::new(rows);
        self.touched = Some(board.touched());
    }
}

fn row(kernel: &Kernel, place: usize, item: &Item) -> Row {
    let (next_run, run) = kernel.seat(place);
    let every = match &item.spec.source {
        Source::Plan(plan) => Some(plan.every),
        Source::Fixed(_) | Source::Pushed { .. } => None,
    };
    Row {
        id: item.id().clone(),
        text: Safe::of(&item.text),
        level: item.level(),
        since: item.since,
        updated: item.updated,
        every,
        took: every.and(item.took()),
        next_run,
        run,
        source: Safe::of(&item.spec.label),
        fresh: item.fresh,
        flapping: item.flapping,
        filtered: item.filtered,
        acknowledged: item.acknowledged,
        calling: kernel.marquee().playlist().is_calling(place),
        values: Arc::clone(&item.values),
        left_alone: matches!(kernel.breaker(place), Some(BreakerState::Open(_))),
        last_run: item.last_run,
        history: item.history.iter().copied().collect(),
        version: item.version,
    }
}

fn turn(kernel: &Kernel) -> Turn {
    let marquee = kernel.marquee();
    let text = Safe::of(&kernel.shown_text());
    let level = kernel.shown_level();
    let of = marquee.playlist().entries().len();
    let (Some(turn), Some(shows)) = (marquee.turn(), marquee.shows()) else {
        let began = kernel.began();
        return Turn {
            kind: TurnKind::Fallback,
            item: None,
            text,
            level,
            since: None,
            position: 0,
            of,
            began,
            ends: began + Span::MAX,
            calling: false,
        };
    };
    let (kind, item) = match shows {
        Shows::Item(place) => (TurnKind::Item, kernel.board().items().get(place)),
        Shows::Summary { count, .. } => (TurnKind::Summary(count), None),
    };
    Turn {
        kind,
        item: item.map(|item| item.id().clone()),
        text,
        level,
        since: item.map(|item| item.since),
        position: turn.entry + 1,
        of,
        began: turn.began,
        ends: marquee.ends().unwrap_or(turn.began),
        calling: turn.calling,
    }
}
