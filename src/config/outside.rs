//! Outside text as the board keeps it: in Unicode's composed form, and cleaned.
//!
//! The cleaning itself is the frame's and knows no library; here it meets the one
//! that composes, for everything that checks measure and programs push.

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::frame::Safe;

/// One line of outside text, composed and cleaned.
#[must_use]
pub fn outside(raw: &str) -> Safe {
    if is_nfc(raw) { Safe::line(raw) } else { Safe::normalised(raw, |text| text.nfc().collect()) }
}

/// Somebody else's word for a message: clean, and no longer than a word.
#[must_use]
pub fn shortened(word: &str) -> String {
    /// As many characters as an id has.
    const CHARACTERS: usize = 64;
    let safe = Safe::line(word);
    let mut short: String = safe.chars().take(CHARACTERS).collect();
    if short.len() < safe.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_their_marks_become_one_and_stay_so() {
        let once = outside("Zu\u{308}rich \u{1b}[31me\u{200b}\u{301}");
        assert_eq!(&*once, "Z\u{fc}rich \u{e9}");
        assert_eq!(&*outside(&once), &*once);
    }
}
