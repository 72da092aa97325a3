//! Every key of the config in one table: path, kind, default, meaning.
//!
//! Unknown keys are refused from it, the JSON schema is made from it, and the
//! full sample is tested against it. Deliberately no parsing: `lower.rs` and
//! `item.rs` ask for the keys, and a test proves that they ask for every one.

use super::defaults::{RETRIES_MAX, SUMMARISE_AFTER_MAX};

/// What a key's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A duration such as `3s`.
    Duration,
    /// A whole number of this range.
    Count(u32, u32),
    /// Columns a second, such as `12/s`.
    Rate,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An expression over the check's values.
    Expression,
    /// A list of texts.
    List,
    /// A map with the keys of its own lines in the table.
    Map,
    /// A list of maps with the keys of their own lines in the table.
    Maps,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Where it stands: `interval`, `items[].levels.critical`.
    pub path: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What holds where it is absent, as the config writes it; `None`: nothing that could be written.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

const INTERRUPTS: &[&str] = &["critical", "unknown", "warning", "never"];
const LEVELS: &[&str] = &["critical", "unknown", "warning", "info", "healthy"];

const fn key(path: &'static str, kind: Kind, default: Option<&'static str>, doc: &'static str) -> Key {
    Key { path, kind, default, doc }
}

/// Every key, in the order of the docs.
pub const KEYS: &[Key] = &[
    key("title", Kind::Text, Some("marquee"), "What is watched; the header shows it."),
    key("interval", Kind::Duration, Some("3s"), "How long an item's turn lasts."),
    key(
        "order",
        Kind::List,
        Some("[]"),
        "Ids of the items that come first, in this order; the rest follow in file order.",
    ),
    key("interrupt", Kind::Word(INTERRUPTS), Some("critical"), "An item at this level or worse is shown at once."),
    key("fallback", Kind::Text, Some("System initializing…"), "What is shown where there is nothing to show."),
    key("theme", Kind::Text, Some("midnight"), "A theme's name, or the path of a theme file."),
    key("scroll", Kind::Rate, Some("12/s"), "Columns a second at which too long a text scrolls."),
    key(
        "summarise_after",
        Kind::Count(1, SUMMARISE_AFTER_MAX),
        Some("8"),
        "More healthy items than this share one turn.",
    ),
    key("locale", Kind::Word(super::defaults::LOCALES), None, "The screen's language; absent: from the environment."),
    key("defaults", Kind::Map, None, "What holds for every check that does not say otherwise."),
    key("defaults.every", Kind::Duration, Some("10s"), "From one run of a check to the next."),
    key("defaults.timeout", Kind::Duration, Some("2s"), "How long one try may take."),
    key("defaults.retries", Kind::Count(0, RETRIES_MAX), Some("0"), "How many more tries a failed run has."),
    key(
        "state",
        Kind::Word(&["file", "memory"]),
        Some("file"),
        "Where the current item and the board outlive the program.",
    ),
    key(
        "cluster",
        Kind::Word(&["local", "none"]),
        Some("local"),
        "Among which consoles the leader is elected: this machine's, or none.",
    ),
    key("console", Kind::Text, None, "This console's name; absent: host and terminal."),
    key("listen", Kind::Text, None, "Address and port of metrics and API; absent: none."),
    key("token", Kind::Text, None, "What every write over the API has to show; best `${file:PATH}`."),
    key("include", Kind::List, Some("[]"), "Further files whose `items` are added to these."),
    key("items", Kind::Maps, Some("[]"), "What is watched."),
    key("items[].id", Kind::Text, None, "The item's name: 1 to 64 of a-z 0-9 . _ -"),
    key(
        "items[].text",
        Kind::Text,
        None,
        "What it says, with `{value}` placeholders; absent: the check's own text, or the id.",
    ),
    key("items[].level", Kind::Word(LEVELS), None, "A fixed level: the item is shown as it stands."),
    key("items[].check", Kind::Text, None, "What is asked, as a URL."),
    key("items[].every", Kind::Duration, Some("10s"), "From one run to the next; `defaults` may set another."),
    key("items[].timeout", Kind::Duration, Some("2s"), "How long one try may take; `defaults` may set another."),
    key(
        "items[].retries",
        Kind::Count(0, RETRIES_MAX),
        Some("0"),
        "How many more tries a failed run has; `defaults` may set another.",
    ),
    key("items[].phase", Kind::Duration, None, "Where in its period the check runs; absent: spread by the id."),
    key(
        "items[].levels",
        Kind::Map,
        None,
        "What the values mean: worst first, the first that holds; else healthy. Absent: the check's own.",
    ),
    key("items[].levels.critical", Kind::Expression, None, "When somebody has to act now."),
    key("items[].levels.unknown", Kind::Expression, None, "When nothing is known."),
    key("items[].levels.warning", Kind::Expression, None, "When somebody should look soon."),
    key("items[].levels.info", Kind::Expression, None, "When there is something to tell."),
    key("items[].ttl", Kind::Duration, None, "The item is pushed by others, and unknown when silent for so long."),
    key("items[].hold", Kind::Duration, None, "How long this item's turn lasts; absent: `interval`."),
];

/// The names of the keys directly under a section: `""` is the file itself, `items[]` an item.
pub(super) fn names(section: &str) -> impl Iterator<Item = &'static str> {
    within(section).map(|(name, _)| name)
}

/// The keys directly under a section, with their own names.
pub(super) fn within(section: &str) -> impl Iterator<Item = (&'static str, &'static Key)> {
    KEYS.iter().filter_map(move |key| {
        let (parent, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        (parent == section).then_some((name, key))
    })
}

/// Where else a key of this name stands, in words.
pub(super) fn belongs(name: &str) -> Option<&'static str> {
    let key = KEYS.iter().find(|key| key.path.rsplit('.').next() == Some(name))?;
    Some(match key.path.rsplit_once('.').map_or("", |(parent, _)| parent) {
        "" => "at the top of the file",
        "defaults" => "in an item, or in `defaults`",
        "items[]" => "in an item",
        _ => "in an item's `levels`",
    })
}

/// How alike two words have to be for one to be proposed for the other, from 0 to 1.
const ALIKE: f64 = 0.7;
/// Longer words are no typing mistakes.
const WORD_BYTES_MAX: usize = 64;
/// Words whose lengths differ by more are not the same word mistyped or begun.
const MISTYPED_MAX: usize = 8;
/// Shorter beginnings may mean anything.
const BEGINNING_BYTES_MIN: usize = 3;

/// The known word nearest to `word`, where one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let lower = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().filter(|other| other.len().abs_diff(word.len()) <= MISTYPED_MAX).collect();
    // A beginning is as clear as a typing mistake: `warn`, `crit`.
    let mut begun = known.iter().filter(|other| lower.len() >= BEGINNING_BYTES_MIN && other.starts_with(&lower));
    if let (Some(only), None) = (begun.next(), begun.next()) {
        return Some(only);
    }
    let alike = |other: &str| strsim::normalized_damerau_levenshtein(&lower, other);
    let best = known.into_iter().map(|other| (alike(other), other)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness > ALIKE).map(|(_, other)| other)
}

/// Words in backquotes, joined by commas.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// "did you mean …?" where a known word is near, else all that is known.
pub(super) fn proposal<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{what}: {}", listed(known)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, parse};

    #[test]
    fn paths_are_unique_their_sections_exist_and_each_says_what_it_means() {
        for (place, key) in KEYS.iter().enumerate() {
            assert!(KEYS[..place].iter().all(|other| other.path != key.path), "{}", key.path);
            assert!(!key.doc.is_empty());
            if let Some((parent, _)) = key.path.rsplit_once('.') {
                let parent = parent.trim_end_matches("[]");
                assert!(KEYS.iter().any(|other| other.path == parent), "{}", key.path);
            }
        }
    }

    #[test]
    fn every_key_of_the_table_is_read() {
        for key in KEYS {
            let name = key.path.rsplit('.').next().unwrap().trim_end_matches("[]");
            let text = match key.path.rsplit_once('.').map_or("", |(section, _)| section) {
                "" => format!("{name}: [[]]"),
                "defaults" => format!("defaults: {{{name}: [[]]}}"),
                "items[]" if name == "id" => "items: [{id: [[]]}]".into(),
                "items[]" if ["every", "timeout", "retries", "phase", "levels"].contains(&name) => {
                    format!("items: [{{id: a, check: 'load:', {name}: [[]]}}]")
                }
                "items[]" => format!("items: [{{id: a, {name}: [[]]}}]"),
                _ => format!("items: [{{id: a, check: 'load:', levels: {{{name}: [[]]}}}}]"),
            };
            let problems = parse(&text, "x", std::path::Path::new(""), &Options::default()).unwrap_err();
            let told = problems.one_line();
            assert!(told.contains(" is a list, not a "), "{}: {told}", key.path);
        }
    }

    #[test]
    fn only_a_word_that_may_be_meant_is_proposed() {
        for (word, near) in [
            ("intervall", Some("interval")),
            ("Title", Some("title")),
            ("itmes", Some("items")),
            ("qqq", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, names("")), near, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(1_000_000), names("")), None);
        assert_eq!(belongs("every"), Some("in an item, or in `defaults`"));
    }
}
