//! The first line: title, what is special about this console, role, clock; and the notice below.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::clock::time_of_day;
use super::page::draw_moving;
use super::scene::Scene;
use super::text::{put, put_cut, put_right, width};
use crate::frame::{Level, Role};
use crate::renderers::words::Word;

/// Columns that a title keeps before the role has to go.
const TITLE_COLUMNS_MIN: usize = 8;

/// Draws title, pause, role and clock.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let look = scene.look;
    let margin = u16::from(area.width > 24);
    let end = area.right().saturating_sub(margin);
    let clock = time_of_day(scene.tick.wall, scene.zone);
    let pause = pause(scene, usize::MAX);
    let pause_columns = pause.as_deref().map_or(0, width);
    let room = usize::from(area.width.saturating_sub(2 * margin));

    let mut left = end - put_right(buffer, end, area.y, area.width, &clock, look.text);
    let role = role(scene);
    let needed = width(&clock)
        + width(&role)
        + look.signs.dot.len()
        + pause_columns
        + TITLE_COLUMNS_MIN.min(width(&scene.frame.title));
    if !role.is_empty() && needed + 2 <= room {
        let style = if matches!(scene.frame.role, Role::Local(_)) { look.notice() } else { look.muted };
        left -= put_right(buffer, left, area.y, left, look.signs.dot, look.muted);
        left -= put_right(buffer, left, area.y, left, &role, style);
    }
    let start = area.x + margin;
    let free = left.saturating_sub(start + 1);
    let for_pause = u16::try_from(pause_columns + 1).unwrap_or(u16::MAX);
    let for_title = if pause.is_some() { free.saturating_sub(for_pause) } else { free };
    let mut x =
        start + put_cut(buffer, (start, area.y, for_title), &scene.frame.title, look.strong, look.signs.ellipsis);
    if let Some(pause) = pause {
        x += u16::from(x > start);
        put(buffer, x, area.y, left.saturating_sub(x), &pause, look.badge(Level::Warning));
    }
}

/// Where more columns are not to be had, this says that the page is stopped.
const PAUSE_SIGN: &str = "||";

/// That the page is stopped, and for how long, as plainly as `room` allows; `None` where it turns.
pub(super) fn pause(scene: &Scene<'_>, room: usize) -> Option<String> {
    let pause = scene.state.paused.as_ref()?;
    let word = scene.look.word(Word::Paused);
    let forms = [format!(" {word} {} ", scene.tick.since(pause.since)), format!(" {word} "), PAUSE_SIGN.to_owned()];
    forms.into_iter().find(|form| width(form) <= room)
}

/// The role and how many consoles there are; empty where there is nothing to tell.
fn role(scene: &Scene<'_>) -> String {
    let look = scene.look;
    let role = match scene.frame.role {
        Role::Alone => return String::new(),
        Role::Leader(_) => look.word(Word::Leader),
        Role::Follower(_) => look.word(Word::Follower),
        Role::Local(_) => look.word(Word::Local),
    };
    let consoles = scene.frame.consoles;
    let word = look.word(if consoles == 1 { Word::Console } else { Word::Consoles });
    format!("{role}{}{consoles} {word}", look.signs.dot)
}

/// Draws what is not well with the program itself.
pub(super) fn draw_notice(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(notice) = &scene.frame.notice else { return };
    let look = scene.look;
    let style = look.notice();
    buffer.set_style(area, style);
    let x = area.x + u16::from(area.width > 24);
    let taken = put(buffer, x, area.y, area.right() - x, "! ", style);
    let room = area.right().saturating_sub(x + taken);
    draw_moving(scene, (x + taken, area.y, room), notice, scene.notice_since, style, buffer);
}

/// Whether a notice is too long for a line of so many columns, so that it has to move.
pub(super) fn notice_moves(notice: &str, columns: u16) -> bool {
    width(notice) + 2 + usize::from(columns > 24) > usize::from(columns)
}
