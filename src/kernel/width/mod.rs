//! How many terminal columns a text takes, and where it may be cut.
//!
//! The unit of both is the cluster: what a reader takes for one character, a
//! letter with its marks or a family of pictographs under joiners. It stands
//! here and not with the frame because the marquee holds a text that is too
//! wide for one look for longer. Ambiguous characters take one column, as on
//! any terminal that is not told otherwise.
//!
//! Deliberately without the ligatures of single scripts (Arabic lam-alef, Khmer
//! coeng, Tifinagh, Lisu, Kirat Rai): a terminal that lays out a grid draws
//! their letters one beside the other.

mod tables;

use tables::{EMOJI_SELECTED, PICTOGRAPH, SPACING, TEXT_SELECTED, TONED, WIDE, ZERO, has};

const ZERO_WIDTH_JOINER: char = '\u{200D}';
const TEXT_SELECTOR: char = '\u{FE0E}';
const EMOJI_SELECTOR: char = '\u{FE0F}';
/// The one character of three columns, a Khmer sign.
const BEYYAL: char = '\u{17D8}';
/// Below this every character but the soft hyphen takes one column and no character joins another.
const FIRST_MARK: char = '\u{300}';

/// The columns that `text` takes on a terminal. Control characters take none.
#[must_use]
pub fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(|byte| !byte.is_ascii_control()).count();
    }
    clusters(text).map(|(_, columns)| columns).sum()
}

/// The columns that `c` takes when it stands alone: 0 for marks and control characters, else 1 or 2.
#[must_use]
pub fn char_columns(c: char) -> usize {
    match c {
        ' '..='~' => 1,
        BEYYAL => 3,
        _ if c.is_control() || has(ZERO, c) => 0,
        _ if has(WIDE, c) => 2,
        _ => 1,
    }
}

/// Whether `c` takes no column of its own and is drawn onto the character before it.
#[must_use]
pub fn is_mark(c: char) -> bool {
    (c >= FIRST_MARK || c == '\u{AD}') && has(ZERO, c)
}

/// Whether `c` is a pictograph: what joiners and presentation selectors belong to.
#[must_use]
pub fn is_pictograph(c: char) -> bool {
    c >= '\u{A9}' && has(PICTOGRAPH, c)
}

/// Whether `c` is a skin tone, which colours the pictograph before it.
#[must_use]
pub const fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1F3FB}'..='\u{1F3FF}')
}

/// The clusters of `text`, each with its columns. Together they are the whole text.
pub fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut chars = rest.chars();
        let first = chars.next()?;
        let mut cluster = Cluster::of(first);
        let mut end = first.len_utf8();
        for c in chars {
            if !cluster.takes(c) {
                break;
            }
            end += c.len_utf8();
        }
        let (text, after) = rest.split_at(end);
        rest = after;
        Some((text, cluster.columns()))
    })
}

/// A cluster as far as it has been read. Joiners make it a row of elements, of
/// which those that are shown as one picture share its two columns.
struct Cluster {
    last: char,
    /// The columns of all elements before the last one.
    before: usize,
    /// The columns of the last element.
    element: usize,
    /// Whether the last element began with a pictograph.
    pictograph: bool,
    /// Whether the last element is shown as a picture, not as a letter.
    picture: bool,
    /// Whether a joiner ties the last element to a picture.
    joined: bool,
}

impl Cluster {
    fn of(first: char) -> Self {
        let element = char_columns(first);
        let pictograph = is_pictograph(first);
        Self { last: first, before: 0, element, pictograph, picture: pictograph && element == 2, joined: false }
    }

    const fn columns(&self) -> usize {
        if self.joined && self.picture { self.before } else { self.before + self.element }
    }

    /// Adds `c` if it belongs to this cluster.
    fn takes(&mut self, c: char) -> bool {
        if self.last.is_control() || c < FIRST_MARK && c != '\u{AD}' {
            return false;
        }
        let taken = if self.last == ZERO_WIDTH_JOINER && self.pictograph && is_pictograph(c) {
            self.next_element(c);
            true
        } else if is_mark(c) {
            self.mark(c);
            true
        } else if is_skin_tone(c) && has(TONED, self.last) {
            self.element = 2;
            self.picture = true;
            true
        } else if has(SPACING, c) || is_flag_half(c) && is_flag_half(self.last) && self.columns() == 1 {
            self.element += char_columns(c);
            true
        } else {
            false
        };
        self.last = c;
        taken
    }

    fn next_element(&mut self, c: char) {
        self.before = self.columns();
        self.joined = self.picture;
        self.element = char_columns(c);
        self.picture = self.element == 2;
    }

    fn mark(&mut self, c: char) {
        match c {
            EMOJI_SELECTOR if has(EMOJI_SELECTED, self.last) => {
                self.element = 2;
                self.picture = true;
            }
            TEXT_SELECTOR if has(TEXT_SELECTED, self.last) => {
                self.element = 1;
                self.picture = false;
            }
            // The enclosing key ends a keycap, which is a picture: digit, selector, key.
            ZERO_WIDTH_JOINER | EMOJI_SELECTOR | '\u{20E3}' => {}
            _ => self.picture = false,
        }
    }
}

/// Regional indicators: two in a row are one flag.
const fn is_flag_half(c: char) -> bool {
    matches!(c, '\u{1F1E6}'..='\u{1F1FF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts with their columns. Where `unicode-width` is at hand the same are asked of it.
    const TEXTS: [(&str, usize); 45] = [
        ("", 0),
        (" ", 1),
        ("PostgreSQL OK", 13),
        ("Redis TTL > 30s", 15),
        ("naïve café", 10),
        ("nai\u{308}ve cafe\u{301}", 10),
        ("Größe äöü ß", 11),
        ("Привет мир", 10),
        ("Ελληνικά", 8),
        ("Tiếng Việt", 10),
        ("▲ ● ✔ ✖ ━─█▀▄", 13),
        ("①②—…“”", 6),
        ("日本語", 6),
        ("中文 text", 9),
        ("한국어", 6),
        ("\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}", 4),
        ("Ｈｅｌｌｏ", 10),
        ("ｶﾞｷﾞ", 4),
        ("が", 2),
        ("か\u{3099}", 2),
        ("ไทย", 3),
        ("ภาษาไทยนี้", 8),
        ("हिन्दी", 5),
        ("தமிழ்", 4),
        ("עברית", 5),
        ("שָׁלוֹם", 4),
        ("العربية", 7),
        ("می\u{200C}خواهم", 7),
        ("🔥", 2),
        ("🔥 fire 🔥", 10),
        ("👍🏽", 2),
        ("☝🏻", 2),
        ("☁", 1),
        ("☁\u{FE0F}", 2),
        ("⌚", 2),
        ("⌚\u{FE0E}", 1),
        ("1\u{FE0F}\u{20E3}", 2),
        ("🇩🇪", 2),
        ("🇩🇪🇫🇷", 4),
        ("🇩🇪🇫", 3),
        ("👩\u{200D}👩\u{200D}👧\u{200D}👦", 2),
        ("👩🏽\u{200D}🚀 up", 5),
        ("❤\u{FE0F}\u{200D}🔥", 2),
        ("🏳\u{FE0F}\u{200D}🌈", 2),
        ("👩\u{200D}♂", 3),
    ];

    #[test]
    fn texts_take_their_columns() {
        for (text, expected) in TEXTS {
            assert_eq!(columns(text), expected, "{text} ({})", text.escape_unicode());
        }
    }

    #[test]
    fn control_characters_take_no_column_and_stand_alone() {
        assert_eq!(columns("a\u{1B}b\n\t\u{85}"), 2);
        assert_eq!(columns("é\u{1B}\n"), 1);
        assert_eq!(clusters("\n\u{301}").count(), 2);
    }

    #[test]
    fn a_cluster_is_what_a_reader_takes_for_one_character() {
        for (text, expected) in [
            ("ab", vec!["a", "b"]),
            ("e\u{301}\u{323}a", vec!["e\u{301}\u{323}", "a"]),
            ("का", vec!["का"]),
            ("🇩🇪🇫🇷🇪", vec!["🇩🇪", "🇫🇷", "🇪"]),
            ("👩🏽\u{200D}🚀🔥", vec!["👩🏽\u{200D}🚀", "🔥"]),
            ("a\u{200D}🔥", vec!["a\u{200D}", "🔥"]),
            ("日本", vec!["日", "本"]),
            ("\u{301}a", vec!["\u{301}", "a"]),
        ] {
            let found: Vec<_> = clusters(text).map(|(cluster, _)| cluster).collect();
            assert_eq!(found, expected, "{}", text.escape_unicode());
        }
    }

    proptest! {
        #[test]
        fn clusters_are_the_whole_text(text in ".*") {
            let whole: String = clusters(&text).map(|(cluster, _)| cluster).collect();
            prop_assert_eq!(whole, text);
        }

        #[test]
        fn a_text_is_never_wider_than_its_characters_and_their_selectors(text in ".*") {
            let selectors = text.chars().filter(|c| *c == EMOJI_SELECTOR).count();
            let most: usize = text.chars().map(char_columns).sum();
            prop_assert!(columns(&text) <= most + selectors);
        }
    }

    #[cfg(feature = "tui")]
    mod against_the_crates {
        use unicode_segmentation::UnicodeSegmentation;
        use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

        use super::*;

        #[test]
        fn every_character_agrees() {
            for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
                assert_eq!(char_columns(c), c.width().unwrap_or(0), "U+{:04X}", u32::from(c));
            }
        }

        #[test]
        fn every_text_agrees() {
            for (text, expected) in TEXTS {
                assert_eq!(text.width(), expected, "{text} ({})", text.escape_unicode());
            }
        }

        #[test]
        fn every_pair_of_a_letter_and_a_character_is_cut_alike() {
            // Characters that are written before their base, of which a
            // terminal makes a mark of the character before them.
            let prepended = |c: char| c.width() == Some(0) && format!("{c}a").graphemes(true).count() == 1;
            for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
                let pair = format!("a{c}");
                let theirs = pair.graphemes(true).count() == 1;
                let alone = c.width() == Some(0) && !theirs;
                assert!((clusters(&pair).count() == 1) == theirs || alone || prepended(c), "U+{:04X}", u32::from(c));
            }
        }

        proptest! {
            /// Texts set one beside the other: what is measured is what is painted, grapheme by grapheme.
            #[test]
            fn texts_in_any_order_measure_as_their_graphemes(
                parts in prop::collection::vec(prop::sample::select(TEXTS.as_slice()), 0..6),
            ) {
                let text: String = parts.iter().map(|(text, _)| *text).collect();
                let theirs: usize = text.graphemes(true).map(UnicodeWidthStr::width).sum();
                prop_assert_eq!(columns(&text), theirs, "{}", text.escape_unicode());
            }
        }
    }
}
