//! The text of one file and the places in it.
//!
//! Offsets are bytes into the text as it is kept: without a byte order mark,
//! otherwise exactly as it was read. Lines and columns begin at one; a column
//! counts characters, as editors do.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// One file's text.
pub(super) struct Source {
    /// The file as messages name it.
    pub(super) name: String,
    /// What relative paths in it are relative to.
    pub(super) folder: PathBuf,
    /// The text.
    pub(super) text: String,
    lines: Vec<usize>,
    /// The byte offset of every 64th character; empty where all are ASCII.
    marks: Vec<usize>,
}

/// How many characters lie between two marks: few enough to walk, many enough to keep the table small.
const MARK_EVERY: usize = 64;

impl Source {
    pub(super) fn new(name: String, folder: PathBuf, text: &str) -> Arc<Self> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let marks = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(MARK_EVERY).map(|(at, _)| at).collect()
        };
        Arc::new(Self { name, folder, text, lines, marks })
    }

    /// The byte offset of the character with this index; the end where there is none.
    pub(super) fn byte_of(&self, character: usize) -> usize {
        if self.marks.is_empty() {
            return character.min(self.text.len());
        }
        let Some(&mark) = self.marks.get(character / MARK_EVERY) else { return self.text.len() };
        self.text[mark..].char_indices().nth(character % MARK_EVERY).map_or(self.text.len(), |(at, _)| mark + at)
    }

    /// Line and column of a byte offset.
    pub(super) fn position(&self, at: usize) -> (usize, usize) {
        let at = self.boundary(at);
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        (line, self.text[start..at].chars().count() + 1)
    }

    /// The bytes of a line, counted from one, without its line break.
    pub(super) fn line(&self, line: usize) -> Range<usize> {
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line));
        let Some(&start) = start else { return self.text.len()..self.text.len() };
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        let end = start + self.text[start..end].trim_end_matches('\r').len();
        start..end
    }

    /// `at` moved back to the nearest place that is in the text and between two characters.
    fn boundary(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

impl fmt::Debug for Source {
    /// The name alone: the text may hold a password, and Debug ends in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.name)
    }
}

/// A stretch of a file's text; always within it and between characters.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) source: Arc<Source>,
    pub(super) span: Range<usize>,
}

impl Place {
    pub(super) fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let start = source.boundary(span.start);
        let end = source.boundary(span.end).max(start);
        Self { source: Arc::clone(source), span: start..end }
    }

    /// From `start` to the end of what is written on its line.
    pub(super) fn rest_of_line(source: &Arc<Source>, start: usize) -> Self {
        let (line, _) = source.position(start);
        let end = source.line(line).end.max(start);
        let written = source.text.get(start..end).map_or(0, |rest| rest.trim_end().len());
        Self::new(source, start..start + written)
    }

    pub(super) fn text(&self) -> &str {
        &self.source.text[self.span.clone()]
    }

    /// Line and column of the start.
    pub(super) fn position(&self) -> (usize, usize) {
        self.source.position(self.span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lines_and_columns_agree_for_wide_text_crlf_and_a_byte_order_mark() {
        let text = format!("\u{feff}ab\r\n{}é\nz", "号".repeat(100));
        let source = Source::new("x".into(), PathBuf::new(), &text);
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.line(1), 0..2);
        for (index, (at, _)) in source.text.char_indices().enumerate() {
            assert_eq!(source.byte_of(index), at);
        }
        assert_eq!(source.byte_of(10_000), source.text.len());
        assert_eq!(source.position(4 + 300), (2, 101));
        assert_eq!(source.position(usize::MAX), (3, 2));
        let inside = Place::new(&source, 5..usize::MAX);
        assert_eq!(inside.span, 4..source.text.len());
    }
}
