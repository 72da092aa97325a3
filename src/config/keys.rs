//! Every key of the config in one table: path, kind, default, meaning.
//!
//! Unknown keys are refused from it, the JSON schema is made from it, and the
//! full sample is tested against it. Deliberately no parsing: `lower.rs` and
//! `item.rs` ask for the keys, and a test proves that they ask for every one.

use super::defaults::{
    CONCURRENCY_MAX, CONFIRM_MAX, FEED_FLOOR_MAX, FEED_RATIO_MAX, OPEN_AFTER_MAX, PRIORITY_MAX, RATE_MAX, RETRIES_MAX,
    SUMMARISE_AFTER_MAX,
};

/// What a key's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A duration such as `3s`.
    Duration,
    /// A whole number of this range.
    Count(u32, u32),
    /// So many in one of these units of time, such as `12/s`.
    Rate(&'static [&'static str]),
    /// A share of a whole in percent, such as `30%`.
    Share,
    /// What becomes of missed runs: `skip`, `coalesce` or `burst N`.
    Late,
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a URL of one of these schemes.
    WordOrUrl(&'static [&'static str], &'static [&'static str]),
    /// An expression over the check's values.
    Expression,
    /// A list of texts.
    List,
    /// A map with the keys of its own lines in the table.
    Map,
    /// A map with the keys of its own lines in the table, or the value of this one of them alone.
    Short(&'static str),
    /// A map from names to maps with the keys of the lines below `*`.
    Named,
    /// A list of maps with the keys of their own lines in the table.
    Maps,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Where it stands: `interval`, `items[].levels.critical`; `*` is a name of any kind.
    pub path: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// What holds where it is absent, as the config writes it; `None`: nothing that could be written.
    pub default: Option<&'static str>,
    /// What it means.
    pub doc: &'static str,
}

const INTERRUPTS: &[&str] = &["critical", "unknown", "warning", "never"];
const SECONDS: &[&str] = &["s"];
/// The units of time of a limit.
pub(super) const UNITS: &[&str] = &["s", "m", "h"];
/// What becomes of the plan when a step fails.
pub(super) const ON_FAILURE: &[&str] = &["fail", "degrade"];
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
    key("scroll", Kind::Rate(SECONDS), Some("12/s"), "Columns a second at which too long a text scrolls."),
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
        "defaults.priority",
        Kind::Count(0, PRIORITY_MAX as u32),
        Some("5"),
        "Who goes first where not all can go at once; 9 is the most urgent. An item in alarm goes before all.",
    ),
    key("defaults.late", Kind::Late, Some("skip"), "What becomes of missed runs: `skip`, `coalesce` or `burst N`."),
    key("defaults.confirm", Kind::Map, None, "How many results in a row change the level."),
    key("defaults.confirm.bad", Kind::Count(1, CONFIRM_MAX), Some("1"), "So many worse results in a row."),
    key("defaults.confirm.good", Kind::Count(1, CONFIRM_MAX), Some("1"), "So many better results in a row."),
    key("defaults.delay", Kind::Map, None, "How long another level must hold before it shows."),
    key("defaults.delay.on", Kind::Duration, Some("0s"), "So long for a worse level."),
    key("defaults.delay.off", Kind::Duration, Some("0s"), "So long for a better level."),
    key("defaults.flapping", Kind::Map, None, "When an item that can't decide is marked, over its last 20 results."),
    key("defaults.flapping.start", Kind::Share, Some("30%"), "Above so many changes; `100%`: never."),
    key("defaults.flapping.stop", Kind::Share, Some("25%"), "Below so many changes the mark goes."),
    key("defaults.breaker", Kind::Map, None, "What fails again and again is left alone for a while."),
    key(
        "defaults.breaker.open_after",
        Kind::Count(0, OPEN_AFTER_MAX),
        Some("5"),
        "So many failures in a row; 0: never.",
    ),
    key(
        "defaults.breaker.retry_after",
        Kind::Duration,
        Some("1s"),
        "The first wait; each one after it is twice as long.",
    ),
    key("defaults.breaker.retry_max", Kind::Duration, Some("10s"), "The longest wait."),
    key("concurrency", Kind::Count(1, CONCURRENCY_MAX), Some("256"), "How many runs may be in flight at once."),
    key("hosts", Kind::Named, None, "Limits of hosts, by the name or address that the checks ask; over all items."),
    key("hosts.*.limit", Kind::Rate(UNITS), None, "How many runs may ask it: `20/s`, `5/m`; absent: any number."),
    key("hosts.*.burst", Kind::Count(1, RATE_MAX), None, "How many of them at once; absent: 1."),
    key("hosts.*.at_once", Kind::Count(1, CONCURRENCY_MAX), None, "How many may be in flight; absent: any number."),
    key("feed", Kind::Map, None, "When a source that pushes far more than usual is sampled."),
    key("feed.window", Kind::Duration, Some("10s"), "How long updates are counted together; three in a row decide."),
    key(
        "feed.spike_ratio",
        Kind::Count(2, FEED_RATIO_MAX),
        Some("4"),
        "More than so many times the usual updates are a spike.",
    ),
    key(
        "feed.spike_floor",
        Kind::Count(0, FEED_FLOOR_MAX),
        Some("20000"),
        "So many updates in a window never are one.",
    ),
    key(
        "feed.sample",
        Kind::Count(1, FEED_RATIO_MAX),
        Some("10"),
        "Of so many updates one is taken while a source is degraded.",
    ),
    key(
        "state",
        Kind::WordOrUrl(&["file", "memory"], &["redis", "rediss", r"redis\+sentinel", r"rediss\+sentinel"]),
        Some("file"),
        "Where the current item and the board outlive the program; a server as `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, one that sentinels know as `redis+sentinel://HOST[:PORT],HOST[:PORT]…/NAME[/DB]`.",
    ),
    key(
        "cluster",
        Kind::WordOrUrl(&["local", "none"], &["etcd", "etcds"]),
        Some("local"),
        "Among which consoles the leader is elected: this machine's, none, or all that ask the same etcd, `etcd://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…`.",
    ),
    key("guardian", Kind::Switch, Some("true"), "With etcd: a child gives the lease back when this console is killed."),
    key("lease", Kind::Map, None, "With etcd: how the leader's place is held."),
    key("lease.ttl", Kind::Duration, Some("3s"), "How long it is kept without a renewal; whole seconds."),
    key("lease.renew", Kind::Duration, None, "From one renewal to the next; absent: a quarter of `ttl`."),
    key("lease.attempt", Kind::Duration, Some("400ms"), "How long one try at one endpoint may take; four have to fit."),
    key("lease.margin", Kind::Duration, Some("600ms"), "How long before its end the leader falls silent."),
    key(
        "console",
        Kind::Text,
        None,
        "This console's name, 1 to 64 visible characters without `/`; absent: host and terminal.",
    ),
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
    key("items[].plan", Kind::Maps, None, "What is asked in steps instead of one `check`; each is a map of one key."),
    key("items[].plan[].check", Kind::Short("url"), None, "A step that asks what a `check` asks."),
    key("items[].plan[].check.url", Kind::Text, None, "What is asked, as a URL."),
    key("items[].plan[].json", Kind::Short("from"), None, "A step that reads a text as JSON."),
    key("items[].plan[].json.from", Kind::Text, None, "The value that is read, such as `check.body`."),
    key("items[].plan[].json.as", Kind::Text, None, "The name of what is read; absent: `value`."),
    key("items[].plan[].extract", Kind::Map, None, "A step that finds values in a text by a pattern."),
    key("items[].plan[].extract.from", Kind::Text, None, "The value that is searched, such as `check.text`."),
    key(
        "items[].plan[].extract.pattern",
        Kind::Text,
        None,
        "A regular expression; its groups `(?<name>…)` are the values, numbers where they are some.",
    ),
    key("items[].plan[].extract.as", Kind::Text, None, "The value's name where the pattern names no group."),
    key("items[].plan[].expect", Kind::Short("that"), None, "A step that fails unless an expression holds."),
    key("items[].plan[].expect.that", Kind::Expression, None, "What has to hold."),
    key(
        "items[].plan[].*.name",
        Kind::Text,
        None,
        "The step's name; absent: its kind, numbered where it is not the first.",
    ),
    key("items[].plan[].*.needs", Kind::List, None, "The steps it waits for; absent: the one before; `[]`: none."),
    key(
        "items[].plan[].*.timeout",
        Kind::Duration,
        None,
        "How long one try of the step may take; absent: as long as the plan.",
    ),
    key(
        "items[].plan[].*.retries",
        Kind::Count(0, RETRIES_MAX),
        Some("0"),
        "How many more tries the step has, after pauses.",
    ),
    key(
        "items[].plan[].*.on_failure",
        Kind::Word(ON_FAILURE),
        Some("fail"),
        "Whether the item is unknown when the step fails, or goes on without it as a warning at least.",
    ),
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
        "items[].priority",
        Kind::Count(0, PRIORITY_MAX as u32),
        Some("5"),
        "Who goes first where not all can go at once; 9 is the most urgent. `defaults` may set another.",
    ),
    key(
        "items[].late",
        Kind::Late,
        Some("skip"),
        "What becomes of missed runs: `skip`, `coalesce` (one for all) or `burst N`; `defaults` may set another.",
    ),
    key(
        "items[].limit",
        Kind::Rate(UNITS),
        None,
        "How many runs there may be: `20/s`, `5/m`; absent: as `every` says.",
    ),
    key("items[].burst", Kind::Count(1, RATE_MAX), None, "How many runs `limit` lets through at once; absent: 1."),
    key("items[].confirm", Kind::Map, None, "How many results in a row change the level; `defaults` may set another."),
    key("items[].confirm.bad", Kind::Count(1, CONFIRM_MAX), Some("1"), "So many worse results in a row."),
    key("items[].confirm.good", Kind::Count(1, CONFIRM_MAX), Some("1"), "So many better results in a row."),
    key(
        "items[].delay",
        Kind::Map,
        None,
        "How long another level must hold before it shows; `defaults` may set another.",
    ),
    key("items[].delay.on", Kind::Duration, Some("0s"), "So long for a worse level."),
    key("items[].delay.off", Kind::Duration, Some("0s"), "So long for a better level."),
    key(
        "items[].flapping",
        Kind::Map,
        None,
        "When an item that can't decide is marked, over its last 20 results; `defaults` may set another.",
    ),
    key("items[].flapping.start", Kind::Share, Some("30%"), "Above so many changes; `100%`: never."),
    key("items[].flapping.stop", Kind::Share, Some("25%"), "Below so many changes the mark goes."),
    key(
        "items[].breaker",
        Kind::Map,
        None,
        "What fails again and again is left alone for a while; `defaults` may set another.",
    ),
    key(
        "items[].breaker.open_after",
        Kind::Count(0, OPEN_AFTER_MAX),
        Some("5"),
        "So many failures in a row; 0: never.",
    ),
    key(
        "items[].breaker.retry_after",
        Kind::Duration,
        Some("1s"),
        "The first wait; each one after it is twice as long.",
    ),
    key("items[].breaker.retry_max", Kind::Duration, Some("10s"), "The longest wait."),
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

/// The keys that every kind of step has.
const OF_STEPS: &str = "items[].plan[].*";

/// The names of the keys directly under a section: `""` is the file itself, `items[]` an item.
pub(super) fn names(section: &str) -> impl Iterator<Item = &'static str> {
    within(section).map(|(name, _)| name)
}

/// The keys directly under a section, with their own names.
pub(super) fn within(section: &str) -> impl Iterator<Item = (&'static str, &'static Key)> {
    KEYS.iter().filter_map(move |key| {
        let (parent, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        let is_step = || section.strip_prefix("items[].plan[].").is_some_and(|kind| !kind.contains('.'));
        (parent == section || parent == OF_STEPS && is_step()).then_some((name, key))
    })
}

/// Where else keys of this name stand, in words.
pub(super) fn belongs(name: &str) -> Option<String> {
    let mut places: Vec<String> = Vec::new();
    for key in KEYS.iter().filter(|key| key.path.rsplit('.').next() == Some(name)) {
        let place = match key.path.rsplit_once('.').map_or("", |(parent, _)| parent) {
            "" => "at the top of the file".to_owned(),
            "items[]" => "in an item".to_owned(),
            "items[].plan[]" => "in an item's `plan`".to_owned(),
            OF_STEPS => "within a step, as in `check: {url: …, needs: []}`".to_owned(),
            "hosts.*" => "in a host of `hosts`".to_owned(),
            parent => format!("in `{}`", parent.rsplit('.').next().unwrap_or(parent)),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    (!places.is_empty()).then(|| places.join(" or "))
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
                let parent = parent.trim_end_matches(".*").trim_end_matches("[]");
                assert!(KEYS.iter().any(|other| other.path == parent), "{}", key.path);
            }
        }
    }

    /// What else a map needs, so that nothing but the tested key is wrong with it.
    const COMPANY: &[(&str, &[(&str, &str)])] = &[
        ("hosts.*", &[("at_once", "1")]),
        ("items[]", &[("id", "a"), ("check", "'load:'")]),
        ("items[].plan[].check", &[("url", "'load:'")]),
        ("items[].plan[].json", &[("from", "check.load1")]),
        ("items[].plan[].extract", &[("from", "check.load1"), ("pattern", "(.)"), ("as", "x")]),
        ("items[].plan[].expect", &[("that", "check.up")]),
    ];

    /// A map in which the key at `path` is a list in a list, which no key takes.
    fn wrong_at(section: &str, path: &str) -> String {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let bare = name.trim_end_matches("[]");
        let below = format!("{section}{}{name}", if section.is_empty() { "" } else { "." });
        let inner = if rest.is_empty() { "[[]]".to_owned() } else { wrong_at(&below, rest) };
        let inner = if name.ends_with("[]") { format!("[{inner}]") } else { inner };
        let steps = (section == "items[].plan[]" && bare != "check").then_some("{check: 'load:'}, ");
        let company = COMPANY.iter().find(|(of, _)| *of == section).map_or(&[][..], |(_, company)| *company);
        let replaced = |other: &str| other == bare || other == "check" && ["plan", "level", "ttl"].contains(&bare);
        let company: String = company
            .iter()
            .filter(|(other, _)| !replaced(other))
            .map(|(other, value)| format!(", {other}: {value}"))
            .collect();
        format!("{}{{{}: {inner}{company}}}", steps.unwrap_or_default(), if bare == "*" { "name" } else { bare })
    }

    #[test]
    fn every_key_of_the_table_is_read() {
        for key in KEYS {
            // Every kind of step has the common keys; one stands for all.
            let text = wrong_at("", &key.path.replace("plan[].*", "plan[].check"));
            let problems = parse(&text, "x", std::path::Path::new(""), &Options::default()).unwrap_err();
            let told = problems.one_line();
            assert!(told.contains(" is a list, not a "), "{}: {text}: {told}", key.path);
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
        assert_eq!(belongs("every").as_deref(), Some("in `defaults` or in an item"));
        assert_eq!(belongs("critical").as_deref(), Some("in `levels`"));
        assert_eq!(belongs("nothing"), None);
    }
}
