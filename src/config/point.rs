//! From a place in a value back to the place in the file: where inside a quoted or folded text a caret belongs.

use std::ops::Range;

use saphyr_parser::ScalarStyle;

use super::source::Place;
use super::tree::{Form, Node};

impl Node {
    /// The place of `range` (bytes into the scalar's value) in the file; the whole scalar where that can't be told.
    pub(super) fn point(&self, range: Range<usize>) -> Place {
        let Form::Scalar { text, style, .. } = &self.form else { return self.place.clone() };
        let written = self.place.text();
        let start = written_offset(written, text, *style, range.start);
        let end = written_offset(written, text, *style, range.end);
        let found = match (start, end) {
            (Some(start), Some(end)) => Some(start..end),
            _ if range.start == text.len() => Some(written.len()..written.len()),
            _ => unique(written, text.get(range.clone()).unwrap_or_default()),
        };
        match found {
            Some(found) => {
                let base = self.place.span.start;
                Place::new(&self.place.source, base + found.start..base + found.end)
            }
            None => self.place.clone(),
        }
    }
}

/// Where the byte `offset` of the value stands in what is written.
fn written_offset(written: &str, text: &str, style: ScalarStyle, offset: usize) -> Option<usize> {
    match style {
        ScalarStyle::Plain => (written == text).then_some(offset),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => quoted(written, text, style, offset),
        ScalarStyle::Literal => literal(written, text, offset),
        ScalarStyle::Folded => None,
    }
}

/// Walks a quoted text of one line, where each escape stands for one character.
fn quoted(written: &str, text: &str, style: ScalarStyle, offset: usize) -> Option<usize> {
    if written.contains(['\n', '\r']) {
        return None;
    }
    let (mut at, mut value) = (1, 0);
    while value < offset {
        let rest = written.get(at..)?;
        let next = rest.chars().next()?;
        at += match (style, next) {
            (ScalarStyle::SingleQuoted, '\'') => 2,
            (ScalarStyle::DoubleQuoted, '\\') => match rest.as_bytes().get(1)? {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 2,
            },
            _ => next.len_utf8(),
        };
        value += text.get(value..)?.chars().next()?.len_utf8();
    }
    (value == offset).then_some(at)
}

/// Finds the line of a `|` block; its lines are those of the value, indented.
fn literal(written: &str, text: &str, offset: usize) -> Option<usize> {
    let before = text.get(..offset)?;
    let line = before.matches('\n').count();
    let column = offset - before.rfind('\n').map_or(0, |at| at + 1);
    let value = text.lines().nth(line)?;
    let mut at = 0;
    for (number, source) in written.split_inclusive('\n').enumerate() {
        if number == line + 1 {
            let source = source.trim_end_matches(['\n', '\r']);
            return source.ends_with(value).then(|| at + source.len() - value.len() + column);
        }
        at += source.len();
    }
    None
}

/// The only place where `piece` is written.
fn unique(written: &str, piece: &str) -> Option<Range<usize>> {
    let mut found = written.match_indices(piece);
    let (at, _) = found.next().filter(|_| !piece.is_empty())?;
    found.next().is_none().then_some(at..at + piece.len())
}
