//! From changed cells to the bytes that a terminal understands.
//!
//! Own sequences for colours: a terminal of 8 or 16 colours gets the short ones that it knows,
//! where crossterm would send those of 256. Positions are absolute, so that a misjudged width
//! ends with its own character.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::style::{Color, Modifier};

/// Around one picture: the terminal shows it whole or not at all.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// Plain letters on an empty screen.
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// The attributes that are sent, with their numbers.
const ATTRIBUTES: [(Modifier, &str); 4] =
    [(Modifier::BOLD, "1"), (Modifier::DIM, "2"), (Modifier::UNDERLINED, "4"), (Modifier::REVERSED, "7")];

/// What the terminal's pen is set to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    attributes: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, attributes: Modifier::empty() };

/// Writes into `bytes` what turns the picture `seen` into `next`; nothing where they are the same.
///
/// With `afresh` the terminal's screen is unknown and emptied first; `seen` then is an empty picture.
pub(super) fn encode(bytes: &mut Vec<u8>, seen: &Buffer, next: &Buffer, afresh: bool) {
    bytes.clear();
    let mut pen = PLAIN;
    let mut cursor = None;
    let mut changes = seen.diff_iter(next).peekable();
    let mut wiped = None;
    while let Some((x, y, cell)) = wiped.take().or_else(|| changes.next()) {
        if bytes.is_empty() {
            bytes.extend_from_slice(BEGIN);
            if afresh {
                bytes.extend_from_slice(CLEAR);
            }
        }
        if cursor != Some((x, y)) {
            append(bytes, format_args!("\x1b[{};{}H", u32::from(y) + 1, u32::from(x) + 1));
        }
        set(bytes, &mut pen, cell);
        bytes.extend_from_slice(cell.symbol().as_bytes());
        // Terminals disagree about what is wide; after anything unusual the place is told anew.
        let sure = cell.symbol().chars().count() == 1 && cell.cell_width() == 1;
        cursor = sure.then_some((x + 1, y));
        // Whatever is written over the first half of a wide character wipes its second half, colours and all.
        let behind = x + cell.cell_width().max(1);
        let halves = behind < next.area().right() && seen[(behind - 1, y)].cell_width() > 1;
        if halves && changes.peek().is_none_or(|(x, below, _)| (*x, *below) != (behind, y)) {
            wiped = Some((behind, y, &next[(behind, y)]));
        }
    }
    if bytes.is_empty() {
        return;
    }
    if pen != PLAIN {
        bytes.extend_from_slice(b"\x1b[0m");
    }
    bytes.extend_from_slice(END);
}

/// Sets the pen to what `cell` needs.
fn set(bytes: &mut Vec<u8>, pen: &mut Pen, cell: &Cell) {
    let wanted = Pen { fg: cell.fg, bg: cell.bg, attributes: cell.modifier };
    if *pen == wanted {
        return;
    }
    if !wanted.attributes.contains(pen.attributes) {
        bytes.extend_from_slice(b"\x1b[0m");
        *pen = PLAIN;
    }
    let fresh = wanted.attributes - pen.attributes;
    for (_, number) in ATTRIBUTES.iter().filter(|(attribute, _)| fresh.contains(*attribute)) {
        append(bytes, format_args!("\x1b[{number}m"));
    }
    if wanted.fg != pen.fg {
        colour(bytes, wanted.fg, 30);
    }
    if wanted.bg != pen.bg {
        colour(bytes, wanted.bg, 40);
    }
    *pen = wanted;
}

/// Sets one colour; `base` is 30 for letters and 40 for what is behind them.
fn colour(bytes: &mut Vec<u8>, colour: Color, base: u8) {
    let plain = match colour {
        Color::Reset => 9,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        Color::Indexed(number) => return append(bytes, format_args!("\x1b[{};5;{number}m", base + 8)),
        Color::Rgb(r, g, b) => return append(bytes, format_args!("\x1b[{};2;{r};{g};{b}m", base + 8)),
    };
    append(bytes, format_args!("\x1b[{}m", base + plain));
}

fn append(bytes: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory has no way to fail.
    drop(bytes.write_fmt(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn told(seen: &Buffer, next: &Buffer, afresh: bool) -> String {
        let mut bytes = Vec::new();
        encode(&mut bytes, seen, next, afresh);
        String::from_utf8(bytes).unwrap().replace('\x1b', "^")
    }

    #[test]
    fn nothing_is_written_where_nothing_changed() {
        let buffer = Buffer::with_lines(["七号 ok"]);
        assert_eq!(told(&buffer, &buffer.clone(), false), "");
    }

    #[test]
    fn only_the_change_is_written_within_one_update() {
        let seen = Buffer::with_lines(["abcd", "efgh"]);
        let mut next = Buffer::with_lines(["abXd", "efgh"]);
        assert_eq!(told(&seen, &next, false), "^[?2026h^[1;3HX^[?2026l");
        next[(3, 0)].set_style(Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        assert_eq!(told(&seen, &next, false), "^[?2026h^[1;3HX^[1m^[31md^[0m^[?2026l");
    }

    #[test]
    fn few_colours_take_the_short_sequences() {
        for (colour, fg, bg) in [
            (Color::Red, "^[31m", "^[41m"),
            (Color::White, "^[97m", "^[107m"),
            (Color::Indexed(208), "^[38;5;208m", "^[48;5;208m"),
            (Color::Rgb(1, 2, 3), "^[38;2;1;2;3m", "^[48;2;1;2;3m"),
        ] {
            let seen = Buffer::empty(Rect::new(0, 0, 1, 1));
            let mut next = seen.clone();
            next[(0, 0)].set_symbol("x").set_fg(colour).set_bg(colour);
            assert_eq!(told(&seen, &next, false), format!("^[?2026h^[1;1H{fg}{bg}x^[0m^[?2026l"));
        }
    }

    #[test]
    fn after_a_wide_character_the_place_is_told_anew() {
        let seen = Buffer::empty(Rect::new(0, 0, 4, 1));
        let next = Buffer::with_lines(["七ab"]);
        assert_eq!(told(&seen, &next, true), "^[?2026h^[0m^[2J^[1;1H七^[1;3Hab^[?2026l");
    }

    #[test]
    fn the_other_half_of_an_overwritten_wide_character_is_drawn_anew() {
        let red = Style::new().bg(Color::Red);
        let line = |text: &str| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 1));
            super::super::text::put(&mut buffer, 0, 0, 5, text, red);
            buffer
        };
        let (seen, next) = (line("a机 b"), line("机  b"));
        assert_eq!(told(&seen, &next, false), "^[?2026h^[1;1H^[41m机^[1;3H ^[0m^[?2026l");
        // Where it changes anyway it is written once.
        assert_eq!(told(&seen, &line("机xyz"), false), "^[?2026h^[1;1H^[41m机^[1;3Hxyz^[0m^[?2026l");
        assert_eq!(told(&seen, &line("ab  b"), false), "^[?2026h^[1;2H^[41mb ^[0m^[?2026l");
    }
}
