//! Everything that one picture is drawn from, and the picture as a whole.
//!
//! A function of plain values: no terminal, no clock. The areas draw themselves in files of
//! their own.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::banner::Banner;
use super::clock::Tick;
use super::layout::{Layout, Wants};
use super::look::Look;
use super::roster::Roster;
use super::shown::Shown;
use super::state::{View, ViewState};
use super::ticker::Ticker;
use super::{board, bottom, consoles, detail, flash, header, help, list, page};
use crate::frame::{Frame, Level, Moment};

/// Everything that one picture is drawn from.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) frame: &'a Frame,
    pub(super) state: &'a ViewState,
    pub(super) look: &'a Look,
    pub(super) roster: &'a Roster,
    pub(super) shown: &'a Shown<'a>,
    pub(super) tick: Tick,
    pub(super) zone: &'a TimeZone,
    pub(super) banner: &'a Banner,
    pub(super) ticker: &'a Ticker,
    /// Since when the notice stands there.
    pub(super) notice_since: Moment,
}

impl Scene<'_> {
    /// The sign of a level; nothing in the dark half of a blink where the item calls.
    pub(super) fn symbol(&self, level: Level, calling: bool) -> &str {
        if calling && !self.tick.lit { " " } else { self.look.symbol(level) }
    }
}

/// The areas of the picture that a viewer sees in this state.
pub(super) fn areas(area: Rect, frame: &Frame, state: &ViewState, ascii: bool) -> Layout {
    let wants = Wants { rows: frame.rows.len(), notice: frame.notice.is_some(), ascii, prompt: state.find.is_some() };
    if state.view == View::Marquee && state.detail.is_none() {
        Layout::marquee(area, wants)
    } else {
        Layout::whole(area, wants)
    }
}

/// Draws the whole picture.
pub(super) fn draw(scene: &Scene<'_>, layout: &Layout, buffer: &mut Buffer) {
    let area = *buffer.area();
    buffer.set_style(area, scene.look.base);
    for y in &layout.rules {
        for x in area.left()..area.right() {
            buffer[(x, *y)].set_symbol(scene.look.signs.rule).set_style(scene.look.border);
        }
    }
    let draw = |part: Option<Rect>, buffer: &mut Buffer, how: fn(&Scene<'_>, Rect, &mut Buffer)| {
        if let Some(part) = part {
            how(scene, part, buffer);
        }
    };
    draw(layout.header, buffer, header::draw);
    draw(layout.notice, buffer, header::draw_notice);
    if let Some(fill) = scene.look.paper(scene.shown.level).fill {
        buffer.set_style(layout.page, fill);
    }
    if layout.text.is_some() {
        page::draw(scene, layout, buffer);
    } else {
        page::draw_line(scene, layout, buffer);
    }
    draw(layout.counts, buffer, bottom::draw_counts);
    let body = match (&scene.state.detail, scene.state.view) {
        (Some(_), _) => detail::draw,
        (None, View::Marquee) => list::draw,
        (None, View::Board) => board::draw,
        (None, View::Consoles) => consoles::draw,
    };
    draw(layout.body, buffer, body);
    draw(layout.ticker, buffer, super::ticker::draw);
    let hints = if scene.state.find.is_some() { bottom::draw_prompt } else { bottom::draw_hints };
    draw(layout.hints, buffer, hints);
    flash::draw(scene, layout, buffer);
    if scene.state.help.is_some() {
        help::draw(scene, layout, buffer);
    }
    if scene.look.ascii {
        super::text::to_ascii(buffer);
    }
}
