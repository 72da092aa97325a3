//! Putting text into a buffer: measured in columns, cut between graphemes, never within one.
//!
//! Everything that writes outside text into a cell goes through here. Control codes never reach
//! a cell, even if a caller forgot to clean its text.

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::style::Style;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// The columns that `text` takes, as the buffer counts them.
pub(super) fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(|byte| !byte.is_ascii_control()).count();
    }
    graphemes(text).map(|(_, columns)| usize::from(columns)).sum()
}

/// The visible graphemes of `text`, each with its columns.
pub(super) fn graphemes(text: &str) -> impl Iterator<Item = (&str, u16)> {
    text.graphemes(true)
        .filter(|grapheme| !grapheme.contains(char::is_control))
        .map(|grapheme| (grapheme, grapheme.cell_width()))
        .filter(|(_, columns)| *columns > 0)
}

/// Writes as much of `text` as fits into `room` columns; tells how many it took.
pub(super) fn put(buffer: &mut Buffer, x: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    let area = *buffer.area();
    if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
        return 0;
    }
    let room = room.min(area.right() - x);
    let mut at = x;
    if text.is_ascii() {
        for byte in text.bytes().filter(|byte| !byte.is_ascii_control()).take(usize::from(room)) {
            buffer[(at, y)].set_char(char::from(byte)).set_style(style);
            at += 1;
        }
        return at - x;
    }
    for (grapheme, columns) in graphemes(text) {
        if columns > room - (at - x) {
            break;
        }
        put_grapheme(buffer, at, y, grapheme, columns, style);
        at += columns;
    }
    at - x
}

/// Writes one grapheme and empties the cells that it covers besides its first.
fn put_grapheme(buffer: &mut Buffer, x: u16, y: u16, grapheme: &str, columns: u16, style: Style) {
    buffer[(x, y)].set_symbol(grapheme).set_style(style);
    for covered in 1..columns {
        buffer[(x + covered, y)].set_symbol(" ").set_style(style);
    }
}

/// The same as [`put`], with `ellipsis` at the end of what is cut off.
pub(super) fn put_cut(buffer: &mut Buffer, spot: (u16, u16, u16), text: &str, style: Style, ellipsis: &str) -> u16 {
    let (x, y, room) = spot;
    if width(text) <= usize::from(room) {
        return put(buffer, x, y, room, text, style);
    }
    let tail = u16::try_from(width(ellipsis)).unwrap_or(room).min(room);
    let taken = put(buffer, x, y, room - tail, text, style);
    taken + put(buffer, x + taken, y, tail, ellipsis, style)
}

/// Writes `text` so that it ends before column `end`, and takes at most `room` columns.
pub(super) fn put_right(buffer: &mut Buffer, end: u16, y: u16, room: u16, text: &str, style: Style) -> u16 {
    let taken = u16::try_from(width(text)).unwrap_or(u16::MAX).min(room).min(end);
    put(buffer, end - taken, y, taken, text, style)
}

/// Columns between the end of a scrolling text and its next beginning.
pub(super) const SCROLL_GAP: usize = 4;

/// Writes the piece of an endlessly repeated `text` that is seen after `passed` columns went by.
pub(super) fn put_scrolled(buffer: &mut Buffer, spot: (u16, u16, u16), text: &str, passed: u64, style: Style) {
    let whole = signed(width(text) + SCROLL_GAP);
    let offset = i64::try_from(passed).unwrap_or(0) % whole;
    put_clipped(buffer, spot, -offset, text, style);
    put_clipped(buffer, spot, whole - offset, text, style);
}

/// Writes what is seen of `text` through the window `spot` where it begins at column `start` of it.
pub(super) fn put_clipped(buffer: &mut Buffer, spot: (u16, u16, u16), start: i64, text: &str, style: Style) {
    let (x, y, room) = spot;
    let room = room.min(buffer.area().right().saturating_sub(x));
    if y >= buffer.area().bottom() {
        return;
    }
    let mut column = start;
    for (grapheme, columns) in graphemes(text) {
        let end = column + i64::from(columns);
        if end > i64::from(room) {
            return;
        }
        if let Ok(from) = u16::try_from(column) {
            put_grapheme(buffer, x + from, y, grapheme, columns, style);
        }
        column = end;
    }
}

/// Replaces everything that is not ASCII, for a terminal that can't show it.
pub(super) fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let letter = plain_letter(cell.symbol());
            // A wide character's second column is empty already.
            cell.set_char(letter);
        }
    }
}

/// The letter of ASCII that a reader takes for `grapheme`; a question mark where there is none.
fn plain_letter(grapheme: &str) -> char {
    let base = grapheme.nfkd().next().unwrap_or('?');
    match base {
        ' '..='~' => base,
        '‐'..='―' | '−' | '─' => '-',
        '·' | '•' | '…' => '.',
        '‘' | '’' | '‚' => '\'',
        '“' | '”' | '„' | '«' | '»' => '"',
        '°' => 'o',
        'µ' | 'μ' => 'u',
        '×' => 'x',
        'ß' => 's',
        _ => '?',
    }
}

/// A number of columns for reckoning left of a window as well.
pub(super) fn signed(columns: usize) -> i64 {
    i64::try_from(columns).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn line(columns: u16, draw: impl FnOnce(&mut Buffer)) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, 1));
        draw(&mut buffer);
        let mut told = String::new();
        let mut x = 0;
        while x < columns {
            let cell = &buffer[(x, 0)];
            told.push_str(cell.symbol());
            x += cell.symbol().cell_width().max(1);
        }
        told
    }

    #[test]
    fn wide_characters_are_never_cut_in_half() {
        for (room, told) in [(0, "|     "), (1, "|     "), (2, "七|   "), (3, "七|   "), (4, "七号| ")] {
            let drawn = line(6, |buffer| {
                let taken = put(buffer, 0, 0, room, "七号压机", Style::new());
                put(buffer, taken, 0, 1, "|", Style::new());
            });
            assert_eq!(drawn, told, "{room}");
        }
        assert_eq!(
            line(5, |b| {
                put_cut(b, (0, 0, 5), "七号压机", Style::new(), "…");
            }),
            "七号…"
        );
        assert_eq!(
            line(4, |b| {
                put_cut(b, (0, 0, 4), "七号压机", Style::new(), "…");
            }),
            "七… "
        );
        assert_eq!(
            line(6, |b| {
                put_right(b, 6, 0, 3, "七号压", Style::new());
            }),
            "   七 "
        );
    }

    #[test]
    fn ascii_keeps_what_a_reader_can_guess() {
        let told = line(22, |b| {
            put(b, 0, 0, 22, "Ventil prüfen – 4 µs… 七!", Style::new());
            to_ascii(b);
        });
        assert_eq!(told, "Ventil prufen - 4 us. ");
        assert_eq!(plain_letter("七"), '?');
        assert_eq!(plain_letter("e\u{301}"), 'e');
    }

    #[test]
    fn control_codes_reach_no_cell() {
        assert_eq!(
            line(5, |b| {
                put(b, 0, 0, 5, "a\x1b\tb\u{9b}", Style::new());
            }),
            "ab   "
        );
        assert_eq!(width("a\x1b\tb"), 2);
    }

    #[test]
    fn a_scrolled_text_comes_round_again() {
        for (passed, told) in [(0, "abcdef"), (1, "bcdefg"), (5, "fg    "), (7, "    ab"), (11, "abcdef")] {
            assert_eq!(line(6, |b| put_scrolled(b, (0, 0, 6), "abcdefg", passed, Style::new())), told, "{passed}");
        }
        for (passed, told) in [(0, "七号 "), (1, " 号压"), (2, "号压 ")] {
            assert_eq!(line(5, |b| put_scrolled(b, (0, 0, 5), "七号压", passed, Style::new())), told, "{passed}");
        }
    }
}
