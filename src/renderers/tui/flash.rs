//! What came of a key that asks something of the board: one line for a few seconds, over what matters least.
//!
//! What was done is read off the board and never assumed, so that the line says nothing that is not so. Deliberately
//! no area of its own: nothing moves for it, and nobody who is not at the keyboard has to read it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::clock::time_of_day;
use super::layout::Layout;
use super::scene::Scene;
use super::text::{put_cut, width};
use crate::frame::{ItemId, Moment, Safe, Span};
use crate::renderers::words::Word;

/// How long it stands there: a line of ten words is read twice in so long.
const LASTS: Span = Span::from_secs(4);

/// What was asked is on the board long before; where it is not by then, it was refused.
const DONE_WITHIN: Span = Span::from_secs(1);

/// What came of a key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flash {
    /// Which item was meant.
    pub(super) item: ItemId,
    /// What came of it.
    pub(super) came: Came,
    /// When the key was pressed.
    pub(super) at: Moment,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Came {
    /// The board was asked to have the alarm acknowledged, or that taken back.
    Asked { known: bool },
    /// This console follows another one, by whatever name is known of it, and asks nothing of its own board.
    Follows(Option<Safe>),
    /// There is no alarm to acknowledge.
    NoAlarm,
    /// There is no check to run.
    NoCheck,
}

impl Flash {
    /// Whether it has stood there long enough.
    pub(super) fn is_over(&self, now: Moment) -> bool {
        now.since(self.at) >= LASTS
    }

    /// What it says, at length and in few columns; `None`: nothing came of it yet.
    fn told(&self, scene: &Scene<'_>) -> Option<[String; 2]> {
        let word = |wanted| scene.look.word(wanted);
        let of_item = |told: &str| [format!("{}: {told}", self.item), told.to_owned()];
        Some(match &self.came {
            Came::Asked { known } => {
                let is_known = scene.frame.row(&self.item)?.acknowledged.is_some();
                if is_known != *known && scene.frame.at.since(self.at) < DONE_WITHIN {
                    return None;
                }
                of_item(word(if is_known { Word::Acknowledged } else { Word::NotAcknowledged }))
            }
            Came::Follows(Some(leader)) => [
                format!("{}{leader}{}", word(Word::ThisFollows), word(Word::AskThere)),
                format!("{}{leader}", word(Word::Ask)),
            ],
            Came::Follows(None) => [word(Word::NobodyLeads); 2].map(str::to_owned),
            Came::NoAlarm => of_item(word(Word::NoAlarm)),
            Came::NoCheck => of_item(word(Word::NoCheck)),
        })
    }
}

/// Draws it over the hints, or over whatever matters least where there are none; never over level and text, nor
/// over the clock.
pub(super) fn draw(scene: &Scene<'_>, layout: &Layout, buffer: &mut Buffer) {
    let Some(told) = scene.state.flash.as_ref().and_then(|flash| flash.told(scene)) else { return };
    let last = |area: Rect| Rect { y: area.bottom() - 1, height: 1, ..area };
    let above_clock = |area: Rect| {
        let clock = width(&time_of_day(scene.tick.wall, scene.zone)) + 1 + usize::from(area.width > 24);
        Rect { width: area.width.saturating_sub(u16::try_from(clock).unwrap_or(u16::MAX)), ..area }
    };
    let rows = [layout.hints, layout.ticker, layout.body.map(last), layout.counts, layout.header.map(above_clock)];
    let Some(area) = rows.into_iter().flatten().find(|area| area.width > 0) else { return };
    let look = scene.look;
    for x in area.left()..area.right() {
        buffer[(x, area.y)].reset();
        buffer[(x, area.y)].set_style(look.base);
    }
    let margin = u16::from(area.width > 24);
    let room = area.width - margin;
    let told = told.iter().find(|told| width(told) <= room.into()).unwrap_or(&told[1]);
    put_cut(buffer, (area.x + margin, area.y, room), told, look.strong, look.signs.ellipsis);
}
