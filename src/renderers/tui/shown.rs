//! The page: whose news is shown large, live or stopped by the viewer.

use std::borrow::Cow;
use std::sync::Arc;

use super::look::Look;
use super::state::{Page, ViewState};
use crate::frame::{Frame, ItemId, Level, Moment, Row, TurnKind};
use crate::renderers::words::Word;

/// The page as it is to be drawn.
#[derive(Clone, Debug)]
pub(super) struct Shown<'a> {
    /// The item; `None` for the summary and the fallback.
    pub(super) item: Option<&'a ItemId>,
    /// What is known of it.
    pub(super) row: Option<&'a Arc<Row>>,
    /// What is shown large.
    pub(super) text: Cow<'a, str>,
    /// Its level.
    pub(super) level: Level,
    /// Since when it is at that level.
    pub(super) since: Option<Moment>,
    /// Where a text too long for its room began to scroll.
    pub(super) began: Moment,
    /// Whether it calls.
    pub(super) calling: bool,
}

impl<'a> Shown<'a> {
    /// The page of this frame for this viewer.
    pub(super) fn new(frame: &'a Frame, state: &'a ViewState, look: &Look) -> Self {
        let turn = &frame.turn;
        if let Some(pause) = &state.paused {
            match &pause.page {
                Page::Item(item) if turn.item.as_ref() != Some(item) => {
                    if let Some(row) = frame.row(item) {
                        return Self::of_row(row, pause.began);
                    }
                }
                Page::Summary if !matches!(turn.kind, TurnKind::Summary(_)) => {
                    return Self::of_summary(frame, frame.counts[Level::Healthy.index()], pause.began, look);
                }
                _ => {}
            }
        }
        match (turn.kind, &turn.item) {
            (TurnKind::Summary(healthy), _) => Self::of_summary(frame, healthy, turn.began, look),
            (_, item) => {
                let row = item.as_ref().and_then(|item| frame.row(item));
                Self {
                    item: item.as_ref(),
                    row,
                    text: Cow::Borrowed(&turn.text),
                    level: turn.level,
                    since: turn.since,
                    began: turn.began,
                    calling: row.map_or(turn.calling, |row| row.calling),
                }
            }
        }
    }

    /// Its place and of how many: in the playlist where the frame shows it too, else in the list.
    pub(super) fn place(&self, frame: &Frame) -> (usize, usize) {
        let listed = self.item.filter(|item| frame.turn.item.as_ref() != Some(item));
        let place = listed.and_then(|item| frame.rows.iter().position(|row| row.id == *item));
        place.map_or((frame.turn.position, frame.turn.of), |place| (place + 1, frame.rows.len()))
    }

    fn of_row(row: &'a Arc<Row>, began: Moment) -> Self {
        Self {
            item: Some(&row.id),
            row: Some(row),
            text: Cow::Borrowed(&row.text),
            level: row.level,
            since: Some(row.since),
            began,
            calling: row.calling,
        }
    }

    /// The healthy items together, in the viewer's language.
    fn of_summary(frame: &'a Frame, healthy: usize, began: Moment, look: &Look) -> Self {
        Self {
            item: None,
            row: None,
            text: Cow::Owned(format!("{healthy}{}", look.word(Word::AllHealthy))),
            level: Level::Healthy,
            since: frame.turn.since.filter(|_| matches!(frame.turn.kind, TurnKind::Summary(_))),
            began,
            calling: false,
        }
    }
}
