//! Builds a safe text character by character: marks, joiners and selectors are
//! kept where they mean something.
//!
//! Each decision looks at what was kept so far and at nothing else, never at
//! what was removed. So a safe text passes unchanged, however often it comes by.

use super::classes::is_joining;
use crate::kernel::width::{is_pictograph, is_skin_tone};

/// What a mark that has no base stands on.
const DOTTED_CIRCLE: char = '\u{25CC}';
const ZERO_WIDTH_JOINER: char = '\u{200D}';

/// The last character with a column of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    /// There is none: the line begins.
    None,
    /// A character that no joiner joins.
    Plain,
    /// A letter of a script whose letters join.
    Joining,
    /// A pictograph.
    Pictograph,
}

/// The text that is being built.
pub(super) struct Settler {
    text: String,
    tainted: bool,
    max_marks: usize,
    base: Base,
    /// Marks on the base.
    marks: usize,
    /// The base itself was the last character.
    bare: bool,
    /// A joiner that waits for what it joins.
    joiner: Option<char>,
}

impl Settler {
    /// An empty text with room for `capacity` bytes and `max_marks` marks on a base.
    pub(super) fn new(capacity: usize, max_marks: usize) -> Self {
        let text = String::with_capacity(capacity);
        Self { text, tainted: false, max_marks, base: Base::None, marks: 0, bare: false, joiner: None }
    }

    /// Remembers that something was removed or replaced.
    pub(super) const fn taint(&mut self) {
        self.tainted = true;
    }

    /// A character with a column of its own.
    pub(super) fn letter(&mut self, c: char) {
        let base = match c {
            _ if is_pictograph(c) => Base::Pictograph,
            // A skin tone belongs to its pictograph, which may be joined to more.
            _ if is_skin_tone(c) && self.base == Base::Pictograph => Base::Pictograph,
            _ if is_joining(c) => Base::Joining,
            _ => Base::Plain,
        };
        self.settle_joiner(base);
        self.text.push(c);
        self.base = base;
        self.marks = 0;
        self.bare = is_pictograph(c);
    }

    /// A character that is drawn onto the base.
    pub(super) fn mark(&mut self, c: char) {
        if self.base == Base::None {
            self.taint();
            self.letter(DOTTED_CIRCLE);
        }
        if self.marks >= self.max_marks {
            self.taint();
            return;
        }
        self.settle_joiner(if is_joining(c) { Base::Joining } else { Base::Plain });
        self.text.push(c);
        self.marks += 1;
        self.bare = false;
    }

    /// A zero width (non-)joiner, kept once what follows is known.
    pub(super) fn joiner(&mut self, c: char) {
        if self.joiner.replace(c).is_some() {
            self.taint();
        }
    }

    /// A choice between text and picture.
    pub(super) fn selector(&mut self, c: char) {
        if self.bare && self.joiner.is_none() {
            self.text.push(c);
            self.bare = false;
        } else {
            self.taint();
        }
    }

    /// The end of a line.
    pub(super) fn line_feed(&mut self) {
        self.settle_joiner(Base::None);
        self.text.push('\n');
        self.base = Base::None;
        self.marks = 0;
        self.bare = false;
    }

    /// The text, and whether something was removed or replaced.
    pub(super) fn finish(mut self) -> (String, bool) {
        self.settle_joiner(Base::None);
        (self.text, self.tainted)
    }

    /// Keeps the waiting joiner if it joins the base and `next`.
    fn settle_joiner(&mut self, next: Base) {
        let Some(joiner) = self.joiner.take() else { return };
        match (self.base, next) {
            (Base::Joining, Base::Joining) => self.text.push(joiner),
            (Base::Pictograph, Base::Pictograph) if joiner == ZERO_WIDTH_JOINER => self.text.push(joiner),
            _ => self.taint(),
        }
    }
}
