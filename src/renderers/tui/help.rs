//! The help: every key and what it does, printed from the key table.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout::Layout;
use super::scene::Scene;
use super::text::{put, width};
use crate::config::keymap::BINDINGS;
use crate::renderers::words::Word;

/// Draws the help over the picture, below the line that tells header and level.
pub(super) fn draw(scene: &Scene<'_>, layout: &Layout, buffer: &mut Buffer) {
    let whole = *buffer.area();
    // Level, word and text stay on small screens; on large ones the box leaves them free by itself.
    let top = if whole.height < 12 {
        let below = layout.text.map_or(layout.level.bottom(), Rect::bottom);
        if below < whole.bottom() { below } else { layout.level.bottom() }
    } else {
        layout.header.map_or(0, Rect::bottom)
    };
    let room = Rect { y: top, height: whole.bottom().saturating_sub(top), ..whole };
    if room.height == 0 {
        return;
    }
    let keys: Vec<String> = BINDINGS.iter().map(|binding| binding.keys.join("  ")).collect();
    let key_columns = keys.iter().map(|key| width(key)).max().unwrap_or(0);
    let help = |place: usize| scene.look.word(Word::Help(BINDINGS[place].action));
    let help_columns = (0..BINDINGS.len()).map(|place| width(help(place))).max().unwrap_or(0);
    let wanted = u16::try_from(key_columns + help_columns + 3 + 6).unwrap_or(u16::MAX);
    let columns = wanted.min(room.width);
    let rows = u16::try_from(BINDINGS.len() + 2).unwrap_or(u16::MAX).min(room.height);
    let x = room.x + (room.width - columns) / 2;
    let y = room.y + (room.height - rows) / 2;
    let inner = open(scene, Rect { x, y, width: columns, height: rows }, buffer);

    let look = scene.look;
    let last = BINDINGS.len().saturating_sub(usize::from(inner.height));
    let first = scene.state.help.unwrap_or(0).min(last);
    let key_room = u16::try_from(key_columns).unwrap_or(0).min(inner.width / 2);
    for (y, place) in (inner.y..inner.bottom()).zip(first..BINDINGS.len()) {
        put(buffer, inner.x, y, key_room, &keys[place], look.strong);
        let x = inner.x + key_room + 3;
        put(buffer, x, y, inner.right().saturating_sub(x), help(place), look.text);
    }
}

/// The most columns that one grapheme takes: a kana with its mark is counted as three.
const WIDEST: u16 = 3;

/// Empties `area`, draws a frame around it where that leaves room for text, and gives the inside.
fn open(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) -> Rect {
    let look = scene.look;
    // A wide character that reaches into the box would be cut in half.
    for y in area.top()..area.bottom() {
        for before in 1..=WIDEST.min(area.x) {
            let cell = &mut buffer[(area.x - before, y)];
            if width(cell.symbol()) > usize::from(before) {
                cell.set_symbol(" ");
            }
        }
        for x in area.left()..area.right() {
            buffer[(x, y)].reset();
            buffer[(x, y)].set_style(look.base);
        }
    }
    if area.height < 5 || area.width < 12 {
        return area;
    }
    // One column of air at both sides keeps the box apart from what it lies on.
    let area = Rect { x: area.x + 1, width: area.width - 2, ..area };
    let [upper_left, upper_right, lower_left, lower_right, level, upright] = look.signs.frame;
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    for x in area.left()..area.right() {
        for y in [area.y, bottom] {
            buffer[(x, y)].set_symbol(level).set_style(look.border);
        }
    }
    for y in area.top()..area.bottom() {
        for x in [area.x, right] {
            buffer[(x, y)].set_symbol(upright).set_style(look.border);
        }
    }
    for (spot, corner) in [
        ((area.x, area.y), upper_left),
        ((right, area.y), upper_right),
        ((area.x, bottom), lower_left),
        ((right, bottom), lower_right),
    ] {
        buffer[spot].set_symbol(corner).set_style(look.border);
    }
    let title = format!(" {} ", look.word(Word::Keys));
    put(buffer, area.x + 2, area.y, area.width - 4, &title, look.strong);
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}
