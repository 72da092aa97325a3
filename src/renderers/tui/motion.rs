//! What moves by time alone: which step each moving thing is at, and when the next one is due.

use super::header::{self, notice_moves};
use super::layout::Layout;
use super::page::{bar_columns, bar_passed, line_text, text_room};
use super::scene::Scene;
use super::text::width;
use crate::frame::{Frame, Moment, Span, next_scroll_step, scroll_offset};

/// The shortest time between two pictures of a moving text: a little less than a step of the
/// default scroll of 12 columns a second, so that it moves evenly and a faster one in larger steps.
const SCROLL_GAP: Span = Span::from_millis(80);

/// The shortest time between two pictures of a growing progress bar: an eye sees no difference.
const BAR_GAP: Span = Span::from_millis(100);

const SECOND: Span = Span::from_secs(1);

/// The step that everything that moves is at; the same motion of the same news is the same picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Motion {
    second: u64,
    /// `None`: nothing blinks.
    lit: Option<bool>,
    /// Columns of the bar, and how many have passed; `None`: there is no bar that moves.
    bar: Option<(u16, u16)>,
    /// Since when the text scrolls and how far; `None`: it stands.
    text: Option<(Moment, u64)>,
    /// Since when the notice scrolls and how far; `None`: it stands, or there is none.
    notice: Option<(Moment, u64)>,
    /// Since when the ticker moves and how far; `None`: it stands.
    ticker: Option<(Moment, usize)>,
}

impl Motion {
    /// The step at the scene's moment.
    pub(super) fn of(scene: &Scene<'_>, layout: &Layout) -> Self {
        let (frame, shown) = (scene.frame, scene.shown);
        let bar = bar_columns(layout, frame);
        let moves = match layout.text {
            Some(_) => width(&shown.text) > usize::from(text_room(layout)),
            // One line for all: an exact answer would repeat the drawing, and a still text costs a few pictures.
            None => width(&line_text(scene)) + 4 > usize::from(layout.level.width) * 3 / 4,
        };
        let told = header::notice(scene).zip(layout.notice);
        let notice = told.filter(|(notice, area)| notice_moves(notice, area.width)).map(|_| scene.notice_since);
        let ticker = layout.ticker.filter(|area| scene.ticker.columns() >= usize::from(area.width.saturating_sub(1)));
        Self {
            second: scene.tick.wall.unix_nanos() / SECOND.as_nanos(),
            lit: (shown.calling || !scene.roster.calling().is_empty()).then_some(scene.tick.lit),
            bar: (bar > 0 && scene.state.paused.is_none()).then(|| (bar, bar_passed(frame, bar))),
            text: moves.then(|| (shown.began, scroll_offset(shown.began, frame.at, frame.scroll))),
            notice: notice.map(|since| (since, scroll_offset(since, frame.at, frame.scroll))),
            ticker: ticker.map(|_| (scene.ticker.since(), scene.ticker.passed(frame.at, frame.scroll))),
        }
    }

    /// When something takes its next step.
    pub(super) fn next(&self, frame: &Frame) -> Moment {
        let now = frame.at;
        let period = if self.lit.is_some() { SECOND / 2 } else { SECOND };
        let mut next = now + Span::from_nanos(period.as_nanos() - frame.wall.unix_nanos() % period.as_nanos());
        if let Some((columns, passed)) = self.bar.filter(|(columns, passed)| passed < columns) {
            let whole = frame.turn.ends.since(frame.turn.began).as_nanos();
            let due = (u128::from(whole) * u128::from(passed + 1)).div_ceil(u128::from(columns));
            let due = frame.turn.began + Span::from_nanos(u64::try_from(due).unwrap_or(u64::MAX));
            next = next.min(due.max(now + BAR_GAP));
        }
        let since = |moved: Option<(Moment, u64)>| moved.map(|(since, _)| since);
        let scrolling = [since(self.text), since(self.notice), self.ticker.map(|(since, _)| since)];
        for since in scrolling.into_iter().flatten() {
            if let Some(due) = next_scroll_step(since, now, frame.scroll) {
                next = next.min(due.max(now + SCROLL_GAP));
            }
        }
        next
    }
}
