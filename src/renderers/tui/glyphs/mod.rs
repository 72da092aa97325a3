//! Letters drawn in pixels, for the banner.
//!
//! Two faces of our own: [`Face::Compact`] for small rooms, [`Face::Fine`] for the rest, both
//! scaled by whole numbers. A character without a drawing has none in either face: the caller
//! then shows normal text, since a look-alike could be read as something else.

mod compact;
mod fine;

/// A way to draw letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// Capitals of five pixels.
    Compact,
    /// Letters of seven pixels.
    Fine,
}

/// Empty pixel columns between two letters.
const GAP: usize = 1;

impl Face {
    /// Pixel rows of a letter, those below the baseline included.
    pub(super) const fn rows(self) -> usize {
        match self {
            Self::Compact => 6,
            Self::Fine => 8,
        }
    }

    /// Pixel rows of a capital: what an eye far away has to tell apart.
    pub(super) const fn capital(self) -> usize {
        match self {
            Self::Compact => 5,
            Self::Fine => 7,
        }
    }

    /// Pixel rows between two lines.
    pub(super) const fn leading(self) -> usize {
        match self {
            Self::Compact => 1,
            Self::Fine => 2,
        }
    }

    /// The drawing of a character.
    fn glyph(self, letter: char) -> Option<&'static str> {
        let table = match self {
            Self::Compact => compact::GLYPHS,
            Self::Fine => fine::GLYPHS,
        };
        let find = |letter| table.binary_search_by_key(&letter, |(known, _)| *known).ok().map(|place| table[place].1);
        match self {
            Self::Compact => find(letter).or_else(|| find(letter.to_ascii_uppercase())),
            Self::Fine => find(letter),
        }
    }

    /// Pixel columns of `text`; `None` where a character has no drawing.
    pub(super) fn columns(self, text: &str) -> Option<usize> {
        let mut columns: usize = 0;
        for letter in text.chars() {
            let first = self.glyph(letter)?.split('/').next()?;
            columns += first.len() + GAP;
        }
        Some(columns.saturating_sub(GAP))
    }

    /// The pixels of `text`, row by row; `None` where a character has no drawing.
    pub(super) fn pixels(self, text: &str) -> Option<Vec<Vec<bool>>> {
        let mut rows = vec![Vec::new(); self.rows()];
        for (place, letter) in text.chars().enumerate() {
            let glyph = self.glyph(letter)?;
            let wide = glyph.split('/').next()?.len();
            let mut drawn = glyph.split('/');
            for row in &mut rows {
                if place > 0 {
                    row.resize(row.len() + GAP, false);
                }
                match drawn.next() {
                    Some(pixels) => row.extend(pixels.bytes().map(|pixel| pixel == b'#')),
                    None => row.resize(row.len() + wide, false),
                }
            }
        }
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_draw_every_printable_ascii_character_and_the_marks_of_measures() {
        for face in [Face::Compact, Face::Fine] {
            for letter in (' '..='~').chain("°µ·…–".chars()) {
                assert!(face.glyph(letter).is_some(), "{face:?} lacks {letter:?}");
            }
            for letter in "é七★\u{200d}".chars() {
                assert_eq!(face.columns(&letter.to_string()), None, "{letter:?}");
            }
        }
    }

    #[test]
    fn every_drawing_is_a_whole_rectangle_within_its_face() {
        for (face, table) in [(Face::Compact, compact::GLYPHS), (Face::Fine, fine::GLYPHS)] {
            assert!(table.is_sorted_by(|one, next| one.0 < next.0), "the search needs {face:?} in order");
            for (letter, glyph) in table {
                let rows: Vec<_> = glyph.split('/').collect();
                assert!(rows.len() <= face.rows(), "{face:?} {letter:?} is too high");
                assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{face:?} {letter:?} is ragged");
                assert!(glyph.bytes().all(|byte| b"#./".contains(&byte)), "{face:?} {letter:?}");
                assert!(*letter == ' ' || glyph.contains('#'), "{face:?} {letter:?} is empty");
            }
        }
    }

    #[test]
    fn no_two_fine_letters_look_alike_and_figures_share_a_width() {
        for (face, table) in [(Face::Compact, compact::GLYPHS), (Face::Fine, fine::GLYPHS)] {
            for (place, (letter, glyph)) in table.iter().enumerate() {
                let trimmed = glyph.trim_end_matches(['.', '/']);
                let twin = table[..place].iter().find(|(_, other)| other.trim_end_matches(['.', '/']) == trimmed);
                assert!(twin.is_none(), "{face:?}: {letter:?} is {twin:?}");
            }
            let figure = face.columns("0");
            assert!(('1'..='9').all(|letter| face.columns(&letter.to_string()) == figure));
        }
    }

    #[test]
    fn the_pixels_of_a_text_are_as_wide_as_it_is_said() {
        for face in [Face::Compact, Face::Fine] {
            let text = "Redis TTL > 30s";
            let pixels = face.pixels(text).unwrap();
            assert_eq!(pixels.len(), face.rows());
            assert!(pixels.iter().all(|row| Some(row.len()) == face.columns(text)));
        }
    }
}
