//! What becomes of a single character that is part of no escape sequence.
//!
//! The general category of a character does not tell whether it misleads, so
//! the ranges are written out. The heart has no tables of categories either:
//! a mark is here what [`width`] knows to take no column.

use crate::kernel::width;

/// What becomes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// It stays. Most characters are letters in this sense.
    Letter,
    /// It stays on a base that does not carry too many already.
    Mark,
    /// Zero width (non-)joiner: it stays between characters that it joins.
    Joiner,
    /// Text or emoji presentation: it stays behind a pictograph.
    Selector,
    /// The end of a line.
    LineFeed,
    /// Half the end of a line, or an attempt to write over it.
    CarriageReturn,
    /// White space that every text may have.
    Tab,
    /// White space of some unusual kind, or a letter that looks like it: a plain space instead.
    Space,
    /// It can't be shown: U+FFFD instead.
    Replaced,
    /// It can't be seen, or turns the order of what is seen.
    Removed,
}

/// The class of `c`.
pub(super) fn class(c: char) -> Class {
    match c {
        ' '..='~' => Class::Letter,
        '\n' => Class::LineFeed,
        '\r' => Class::CarriageReturn,
        '\t' => Class::Tab,
        _ if is_space(c) => Class::Space,
        _ if c.is_control() || is_private(c) => Class::Replaced,
        _ if is_joiner(c) => Class::Joiner,
        '\u{FE0E}' | '\u{FE0F}' => Class::Selector,
        _ if is_invisible(c) => Class::Removed,
        _ if width::is_mark(c) => Class::Mark,
        _ => Class::Letter,
    }
}

/// Zero width non-joiner and joiner.
pub(super) const fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Whether the shape of letters of this script depends on joiners.
pub(super) fn is_joining(c: char) -> bool {
    let script = matches!(c,
        '\u{0600}'..='\u{077F}'         // Arabic, Syriac
        | '\u{07C0}'..='\u{07FF}'       // N'Ko
        | '\u{0840}'..='\u{08FF}'       // Mandaic, more Arabic and Syriac
        | '\u{0900}'..='\u{0DFF}'       // Devanagari to Sinhala
        | '\u{0F00}'..='\u{109F}'       // Tibetan, Myanmar
        | '\u{1780}'..='\u{18AF}'       // Khmer, Mongolian
        | '\u{1A00}'..='\u{1AAF}'       // Buginese, Tai Tham
        | '\u{1B00}'..='\u{1C4F}'       // Balinese to Lepcha
        | '\u{1CD0}'..='\u{1CFF}'       // Vedic signs
        | '\u{A800}'..='\u{A82F}'       // Syloti Nagri
        | '\u{A840}'..='\u{A8FF}'       // Phags-pa, Saurashtra, more Devanagari
        | '\u{A980}'..='\u{AA7F}'       // Javanese, Cham, more Myanmar
        | '\u{AAE0}'..='\u{AAFF}'       // Meetei Mayek
        | '\u{ABC0}'..='\u{ABFF}'       // Meetei Mayek
        | '\u{10AC0}'..='\u{10AFF}'     // Manichaean
        | '\u{10B80}'..='\u{10BAF}'     // Psalter Pahlavi
        | '\u{10D00}'..='\u{10D3F}'     // Hanifi Rohingya
        | '\u{10F30}'..='\u{10FDF}'     // Sogdian, Old Uyghur, Chorasmian
        | '\u{11000}'..='\u{11FFF}'     // Brahmi and its daughters
        | '\u{1E900}'..='\u{1E95F}' // Adlam
    );
    script && (c.is_alphabetic() || width::is_mark(c))
}

/// Line and paragraph ends of other systems, and Hangul fillers, which are letters of no shape.
const fn is_space(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}')
}

/// Private use, the placeholder for objects, and code points that are no characters.
const fn is_private(c: char) -> bool {
    matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FFFC}' | '\u{F0000}'..='\u{10FFFF}')
        || c as u32 & 0xFFFE == 0xFFFE
}

/// Characters that are not seen: bidirectional controls, zero width spaces, soft
/// hyphens, tags, selectors of variants, format controls, and the code points
/// that Unicode keeps for more of them.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}'
        | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}
