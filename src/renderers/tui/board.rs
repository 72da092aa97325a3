//! The board view: all items over the whole screen, under titles.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::{self, Columns};
use super::scene::Scene;
use super::text::{put, put_right};
use crate::renderers::words::Word;

/// Rows from which on a line of titles is worth its place.
const ROWS_WITH_TITLES_MIN: u16 = 6;

/// How many rows of a body are the list's.
pub(super) const fn list_rows(body: u16) -> u16 {
    if body < ROWS_WITH_TITLES_MIN { body } else { body - 1 }
}

/// Draws titles and list.
pub(super) fn draw(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer) {
    let rows = list_rows(area.height);
    if rows < area.height {
        let look = scene.look;
        let columns = Columns::new(scene, area);
        put(buffer, area.x + 4, area.y, columns.id, look.word(Word::Item), look.muted);
        put(buffer, columns.text_at(area), area.y, columns.text, look.word(Word::Text), look.muted);
        let [every_end, took_end, age_end] = columns.ends(area);
        let titles = [
            (every_end, columns.every, Word::Period),
            (took_end, columns.took, Word::Took),
            (age_end, columns.age, Word::Updated),
        ];
        for (end, room, title) in titles {
            put_right(buffer, end, area.y, room, &look.word(title).to_uppercase(), look.muted);
        }
    }
    list::draw(scene, Rect { y: area.bottom() - rows, height: rows, ..area }, buffer);
}
