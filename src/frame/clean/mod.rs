//! Outside text made safe: the one way by which it reaches a screen.
//!
//! A terminal obeys what it is sent: a text with the right bytes in it renames
//! the window, fills the clipboard or types into the shell. [`Safe`] can't hold
//! such a text. It also holds none that misleads a reader: no bidirectional
//! overrides, no invisible characters, no towers of marks.
//!
//! The order of the work: cap the input, remove escape sequences, sort the
//! characters (`classes`), compose, limit marks and joiners (`marks`), cap the
//! result. One linear pass, no expression engine. Deliberately no rewriting of
//! look-alike letters, and no composition of its own: the tables for that are
//! larger than the program's heart, so [`Safe::normalised`] takes it as an argument.

mod classes;
mod marks;
mod sequences;

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use classes::Class;
use marks::Settler;

use crate::kernel::width;

/// What stands where a text was cut.
const ELLIPSIS: char = '…';

/// A text without anything that could move a cursor, recolour a screen or mislead a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Safe {
    text: Arc<str>,
    tainted: bool,
}

impl Safe {
    /// Bytes of outside text that are looked at; what is behind them is cut off. A
    /// longer text is an accident or an attack, and its cost has to be bounded.
    pub const MAX_INPUT: usize = 64 * 1024;
    /// Bytes of a safe text, its ellipsis included: some fifty lines of a screen.
    pub const MAX_TEXT: usize = 4 * 1024;
    /// Lines of a safe text of several lines: more than a screen shows at once.
    pub const MAX_LINES: usize = 200;
    /// Marks that one character may carry: as many as living scripts need. More
    /// of them only paint over the neighbouring lines.
    pub const MAX_MARKS: usize = 4;

    /// Outside text as one line: line feeds become spaces.
    #[must_use]
    pub fn line(raw: &str) -> Self {
        Self::cleaned(raw, LineFeed::Space)
    }

    /// Outside text of several lines, [`Self::MAX_LINES`] at most.
    #[must_use]
    pub fn lines(raw: &str) -> Self {
        Self::cleaned(raw, LineFeed::Keep)
    }

    /// One line that shares its memory with `raw` where nothing had to be cleaned.
    #[must_use]
    pub fn of(raw: &Arc<str>) -> Self {
        if is_plain(raw) {
            return Self { text: Arc::clone(raw), tainted: false };
        }
        let safe = Self::line(raw);
        if safe.text == *raw { Self { text: Arc::clone(raw), ..safe } } else { safe }
    }

    /// One line of a text that may not be UTF-8; what is not becomes U+FFFD.
    #[must_use]
    pub fn bytes(raw: &[u8]) -> Self {
        let (kept, cut) = match raw.get(Self::MAX_INPUT) {
            None => (raw, false),
            Some(_) => (&raw[..start_of_character(raw, Self::MAX_INPUT)], true),
        };
        let text = String::from_utf8_lossy(kept);
        let damaged = matches!(text, std::borrow::Cow::Owned(_));
        let (head, cut_again) = cap_input(&text);
        let pass = pass(head, LineFeed::Space, Self::MAX_MARKS);
        Self::finished(pass.text, pass.tainted || damaged, cut || cut_again)
    }

    /// One line, composed by `normalise` (Unicode's NFC), so that texts that look the same are the same.
    #[must_use]
    pub fn normalised(raw: &str, normalise: impl Fn(&str) -> String) -> Self {
        let (head, cut) = cap_input(raw);
        // Marks are counted after composition: a letter with a composed accent has it for free.
        let first = pass(head, LineFeed::Space, usize::MAX);
        let mut last = pass(&normalise(&first.text), LineFeed::Space, Self::MAX_MARKS);
        let tainted = first.tainted || last.tainted;
        if last.tainted {
            // What was removed may have stood between two that compose.
            last = pass(&normalise(&last.text), LineFeed::Space, Self::MAX_MARKS);
        }
        Self::finished(last.text, tainted, cut)
    }

    /// Whether something was removed or replaced that has no business in a text. Folded white space
    /// and a cut do not count: the first is harmless, the second shows.
    #[must_use]
    pub const fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// The terminal columns that the text takes.
    #[must_use]
    pub fn columns(&self) -> usize {
        width::columns(&self.text)
    }

    /// The text itself, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    fn cleaned(raw: &str, line_feed: LineFeed) -> Self {
        let (head, cut) = cap_input(raw);
        let pass = pass(head, line_feed, Self::MAX_MARKS);
        Self::finished(pass.text, pass.tainted, cut)
    }

    fn finished(mut text: String, tainted: bool, input_was_cut: bool) -> Self {
        cap_text(&mut text, input_was_cut);
        Self { text: text.into(), tainted }
    }
}

impl Deref for Safe {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// What becomes of a line feed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineFeed {
    Space,
    Keep,
}

/// What a pass over a text found.
struct Pass {
    text: String,
    tainted: bool,
}

/// Removes sequences, sorts characters, limits marks and joiners.
fn pass(raw: &str, line_feed: LineFeed, max_marks: usize) -> Pass {
    let mut settler = Settler::new(raw.len(), max_marks);
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        if sequences::is_introducer(c) {
            rest = &rest[sequences::length(rest)..];
            settler.taint();
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match classes::class(c) {
            Class::LineFeed if line_feed == LineFeed::Keep => settler.line_feed(),
            Class::CarriageReturn if rest.starts_with('\n') => {}
            Class::LineFeed | Class::Tab => settler.letter(' '),
            Class::CarriageReturn | Class::Space => {
                settler.taint();
                settler.letter(' ');
            }
            Class::Replaced => {
                settler.taint();
                settler.letter(char::REPLACEMENT_CHARACTER);
            }
            Class::Removed => settler.taint(),
            Class::Joiner => settler.joiner(c),
            Class::Selector => settler.selector(c),
            Class::Mark => settler.mark(c),
            Class::Letter => settler.letter(c),
        }
    }
    let (text, tainted) = settler.finish();
    Pass { text, tainted }
}

/// Whether `text` is a safe line as it stands, told without building one. It
/// may say no of a safe text with marks or joiners.
fn is_plain(text: &str) -> bool {
    text.len() <= Safe::MAX_TEXT
        && (text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
            || text.chars().all(|c| matches!(c, ' '..='~') || classes::class(c) == Class::Letter))
}

/// The head of `raw` that is looked at, and whether there was more.
fn cap_input(raw: &str) -> (&str, bool) {
    (&raw[..raw.floor_char_boundary(Safe::MAX_INPUT)], raw.len() > Safe::MAX_INPUT)
}

/// The last position up to `end` where a UTF-8 character can begin.
fn start_of_character(raw: &[u8], end: usize) -> usize {
    /// A UTF-8 character has four bytes, three of them continuations.
    const CONTINUATIONS: usize = 3;
    (end.saturating_sub(CONTINUATIONS)..=end).rev().find(|at| raw[*at] & 0xC0 != 0x80).unwrap_or(end)
}

/// Cuts `text` to [`Safe::MAX_LINES`] and [`Safe::MAX_TEXT`] and says so with an ellipsis.
fn cap_text(text: &mut String, input_was_cut: bool) {
    let mut cut = input_was_cut;
    if let Some((end, _)) = text.match_indices('\n').nth(Safe::MAX_LINES - 1)
        && (cut || end + 1 < text.len())
    {
        text.truncate(end);
        cut = true;
    }
    if cut || text.len() > Safe::MAX_TEXT {
        let room = Safe::MAX_TEXT - ELLIPSIS.len_utf8();
        if text.len() > room {
            let mut end = 0;
            for (cluster, _) in width::clusters(text) {
                if end + cluster.len() > room {
                    break;
                }
                end += cluster.len();
            }
            text.truncate(end);
        }
        // A joiner that lost what it joins is only an invisible character.
        text.truncate(text.trim_end_matches(classes::is_joiner).len());
        text.push(ELLIPSIS);
    }
}
