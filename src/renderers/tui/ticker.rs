//! The ticker: all items in one line, alarms first, moving where the line is too short.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::roster::Roster;
use super::scene::Scene;
use super::text::{put_clipped, signed, width};
use crate::frame::{ItemId, Level, Moment, Row, scroll_offset};

/// Up to so many items all have their turn in the ticker; at 12 columns a second and 30 columns
/// each, a pass over them takes more than eight minutes.
const ITEMS_MAX: usize = 200;

/// On a larger board the alarms have the line for themselves, filled up to so many items.
const ITEMS_OF_MANY: usize = 50;

/// Columns between two items.
const GAP: usize = 3;

/// All items in one line.
#[derive(Debug, Default)]
pub(super) struct Ticker {
    pieces: Vec<Piece>,
    /// The columns of all pieces, each with its gap.
    whole: usize,
    /// Columns that had passed at a moment; later ones are counted from there.
    anchor: (Moment, u64),
}

/// One item of the line.
#[derive(Debug)]
struct Piece {
    item: ItemId,
    level: Level,
    calling: bool,
    text: String,
    /// Where it starts, in columns from the start of the line.
    start: usize,
}

impl Ticker {
    /// Takes over a changed board at `now`, without moving the piece that is at the line's left end.
    pub(super) fn refresh(&mut self, roster: &Roster, now: Moment, rate: u32) {
        let passed = self.passed(now, rate);
        let leading = self.pieces.iter().rev().find(|piece| piece.start <= passed);
        let leading = leading.map(|piece| (piece.item.clone(), passed - piece.start));

        let limit = if roster.len() > ITEMS_MAX { roster.alarms().clamp(ITEMS_OF_MANY, ITEMS_MAX) } else { ITEMS_MAX };
        let rows = roster.alarms_first().iter().take(limit).filter_map(|place| roster.row(*place));
        self.pieces.clear();
        self.whole = 0;
        for row in rows {
            let piece = Piece::new(row, self.whole);
            self.whole += 2 + width(&piece.text) + GAP;
            self.pieces.push(piece);
        }
        let kept =
            leading.and_then(|(item, into)| Some(self.pieces.iter().find(|piece| piece.item == item)?.start + into));
        self.anchor = (now, kept.unwrap_or(0) as u64);
    }

    /// The columns of the line, without the gap behind its end.
    pub(super) const fn columns(&self) -> usize {
        self.whole.saturating_sub(GAP)
    }

    /// How many columns have passed the line's left end.
    pub(super) fn passed(&self, now: Moment, rate: u32) -> usize {
        let (since, before) = self.anchor;
        let passed = before + scroll_offset(since, now, rate);
        usize::try_from(passed % self.whole.max(1) as u64).unwrap_or(0)
    }

    /// The moment that the offset counts from.
    pub(super) const fn since(&self) -> Moment {
        self.anchor.0
    }
}

impl Piece {
    fn new(row: &Arc<Row>, start: usize) -> Self {
        let text = format!("{} {}", row.id, row.text);
        Self { item: row.id.clone(), level: row.level, calling: row.calling, text, start }
    }
}

/// Draws the line.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let (ticker, look) = (scene.ticker, scene.look);
    let x = area.x + u16::from(area.width > 24);
    let spot = (x, area.y, area.right() - x);
    let room = usize::from(spot.2);
    let moves = ticker.columns() > room;
    let passed = if moves { ticker.passed(scene.frame.at, scene.frame.scroll) } else { 0 };
    for round in 0..=usize::from(moves) {
        let first =
            if round == 0 { ticker.pieces.partition_point(|piece| piece.start <= passed).saturating_sub(1) } else { 0 };
        for piece in &ticker.pieces[first..] {
            let start = signed(piece.start + round * ticker.whole) - signed(passed);
            if start >= signed(room) {
                return;
            }
            let style = look.level(piece.level);
            put_clipped(buffer, spot, start, scene.symbol(piece.level, piece.calling), style);
            // A level with a ground of its own is one patch, not two.
            put_clipped(buffer, spot, start + 1, " ", style);
            let quiet = if piece.level.is_alarm() { style } else { look.muted };
            put_clipped(buffer, spot, start + 2, &piece.text, quiet);
        }
    }
}
