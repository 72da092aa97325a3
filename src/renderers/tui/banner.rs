//! The banner: the text of the turn in the largest letters that fit the text and the room.
//!
//! Deliberately no colours and no buffer here: a [`Banner`] is lines of blocks that are computed
//! once per text and room and kept.

use super::glyphs::Face;

/// A text in large letters, ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Banner {
    /// One string per row; every character is one column wide. Empty: no letters fit.
    pub(super) lines: Vec<String>,
    /// The columns of the widest line.
    pub(super) columns: usize,
}

/// A face at a scale: columns and pixel rows that one pixel takes.
#[derive(Clone, Copy)]
struct Size {
    face: Face,
    across: usize,
    down: usize,
}

/// How many scales are tried: at 12 a capital is 84 half rows high, more than any screen in use shows.
const SCALES: usize = 12;

/// Two lines are worth their room where their letters are at least a third larger than in one line.
const TWO_LINES_GAIN: (usize, usize) = (4, 3);

impl Banner {
    /// `text` in the largest letters that fit into `columns` and `rows`.
    pub(super) fn new(text: &str, columns: usize, rows: usize, ascii: bool) -> Self {
        let text = text.trim();
        // The slimmest letter takes two columns with its gap; beyond two lines of them nothing fits.
        if text.is_empty() || columns < 3 || rows < 3 || text.len() > columns * 2 {
            return Self::default();
        }
        let one = largest(&[text], columns, rows, ascii);
        let halves = split(text);
        let two =
            halves.and_then(|(first, second)| Some((largest(&[first, second], columns, rows, ascii)?, first, second)));
        match (one, two) {
            (Some(size), Some((larger, ..)))
                if larger.height() * TWO_LINES_GAIN.1 < size.height() * TWO_LINES_GAIN.0 =>
            {
                render(&[text], size, ascii)
            }
            (_, Some((size, first, second))) => render(&[first, second], size, ascii),
            (Some(size), None) => render(&[text], size, ascii),
            (None, None) => Self::default(),
        }
    }
}

/// How many rows a capital takes where `text` has `columns` and `rows` of room.
pub(super) fn capital_rows(text: &str, columns: usize, rows: usize, ascii: bool) -> Option<usize> {
    let pixels = largest(&[text], columns, rows, ascii)?.height();
    Some(if ascii { pixels } else { pixels.div_ceil(2) })
}

impl Size {
    /// How high a capital stands, in pixel rows of the screen.
    const fn height(self) -> usize {
        self.face.capital() * self.down
    }
}

/// Every size, largest first.
fn sizes(ascii: bool) -> impl Iterator<Item = Size> {
    // A cell is twice as high as wide. Half blocks make square pixels of it; in ASCII a pixel is a
    // whole cell, so that two columns make it square, and one column is the choice of need.
    let wide = if ascii { 2 } else { 1 };
    let scaled = (2..=SCALES).rev().flat_map(move |scale| {
        let fine = Size { face: Face::Fine, across: scale * wide, down: scale };
        let compact = Size { face: Face::Compact, across: scale * wide, down: scale };
        // The capitals of the compact face are read well at small scales alone.
        std::iter::once(fine).chain((scale == 2).then_some(compact))
    });
    let plain = move |face, across| Size { face, across, down: 1 };
    let narrow = ascii.then_some([plain(Face::Fine, 1), plain(Face::Compact, 1)]);
    scaled.chain([plain(Face::Fine, wide), plain(Face::Compact, wide)]).chain(narrow.into_iter().flatten())
}

/// The largest size in which all `lines` fit.
fn largest(lines: &[&str], columns: usize, rows: usize, ascii: bool) -> Option<Size> {
    let pixel_rows = if ascii { rows } else { rows * 2 };
    sizes(ascii).find(|size| {
        let each = lines.iter().map(|line| rows_of(size.face, line));
        let high = (each.sum::<usize>() + (lines.len() - 1) * size.face.leading()) * size.down;
        let wide = lines.iter().map(|line| size.face.columns(line)).max().flatten();
        let drawn = lines.iter().all(|line| size.face.columns(line).is_some());
        drawn && high <= pixel_rows && wide.is_some_and(|wide| wide * size.across <= columns)
    })
}

/// Pixel rows that a line takes: those below the baseline only where a letter reaches there.
fn rows_of(face: Face, line: &str) -> usize {
    let pixels = face.pixels(line).unwrap_or_default();
    let deep = pixels.iter().skip(face.capital()).flatten().any(|pixel| *pixel);
    if deep { face.rows() } else { face.capital() }
}

/// The text in two lines, parted at the space that leaves the longer one shortest.
fn split(text: &str) -> Option<(&str, &str)> {
    let spaces = text.match_indices(' ').map(|(place, _)| (text[..place].trim(), text[place..].trim()));
    let columns = |line: &str| Face::Fine.columns(line);
    let parted = spaces.filter(|(first, second)| !first.is_empty() && !second.is_empty());
    parted.min_by_key(|(first, second)| columns(first).max(columns(second)))
}

/// Draws the lines at a size.
fn render(lines: &[&str], size: Size, ascii: bool) -> Banner {
    let mut pixels: Vec<Vec<bool>> = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let mut drawn = size.face.pixels(line).unwrap_or_default();
        drawn.truncate(rows_of(size.face, line));
        if place > 0 {
            pixels.extend(std::iter::repeat_n(Vec::new(), size.face.leading() * size.down));
        }
        for row in drawn {
            let across: Vec<bool> = row.iter().flat_map(|pixel| std::iter::repeat_n(*pixel, size.across)).collect();
            pixels.extend(std::iter::repeat_n(across, size.down));
        }
    }
    let columns = pixels.iter().map(Vec::len).max().unwrap_or(0);
    let step = if ascii { 1 } else { 2 };
    let lines =
        pixels.chunks(step).map(|rows| (0..columns).map(|column| block(rows, column, ascii)).collect()).collect();
    Banner { lines, columns }
}

/// The character for the pixels of one cell.
fn block(rows: &[Vec<bool>], column: usize, ascii: bool) -> char {
    let lit = |row: usize| rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or(false);
    match (lit(0), lit(1)) {
        (true, _) if ascii => '#',
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, columns: usize, rows: usize, ascii: bool) -> Vec<String> {
        let banner = Banner::new(text, columns, rows, ascii);
        banner.lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
    }

    #[test]
    fn small_rooms_take_the_compact_face() {
        assert_eq!(
            lines("Redis TTL", 40, 3, false),
            ["█▀▄ █▀▀ █▀▄ █ ▄▀▀   ▀█▀ ▀█▀ █", "█▀▄ █▀  █ █ █  ▀▄    █   █  █", "▀ ▀ ▀▀▀ ▀▀  ▀ ▀▀     ▀   ▀  ▀▀▀",]
        );
    }

    #[test]
    fn larger_rooms_take_larger_letters() {
        assert_eq!(lines("ok", 12, 4, false), ["      █", "▄▀▀▀▄ █ ▄▀", "█   █ █▀▄", " ▀▀▀  ▀  ▀"]);
        let heights: Vec<_> = (3..40).map(|rows| Banner::new("OK", 200, rows, false).lines.len()).collect();
        assert!(heights.is_sorted(), "{heights:?}");
        assert!(heights.last() > Some(&30));
    }

    #[test]
    fn ascii_draws_with_one_sign() {
        assert_eq!(lines("1", 3, 5, true), ["##", " #", " #", " #", "###"]);
    }

    #[test]
    fn two_lines_where_one_is_too_long() {
        assert_eq!(lines("aaaa bbbb", 20, 7, false).len(), 6);
        assert!(lines("aaaa bbbb", 20, 5, false).is_empty());
        assert!(lines("aaaaaaaaa", 20, 7, false).is_empty());
    }

    #[test]
    fn a_character_without_a_drawing_leaves_all_to_normal_text() {
        assert!(lines("Druck é", 200, 20, false).is_empty());
        assert!(lines("七号", 200, 20, false).is_empty());
        assert!(lines("   ", 200, 20, false).is_empty());
    }

    proptest! {
        #[test]
        fn a_banner_never_leaves_its_room(text in "[ -~]{0,30}", columns in 0_usize..240, rows in 0_usize..60, ascii: bool) {
            let banner = Banner::new(&text, columns, rows, ascii);
            prop_assert!(banner.columns <= columns && banner.lines.len() <= rows);
            for line in &banner.lines {
                prop_assert_eq!(line.chars().count(), banner.columns);
                prop_assert!(!ascii || line.is_ascii());
            }
        }
    }
}
