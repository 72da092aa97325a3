//! The text of a theme file: YAML in, a theme and every problem with its place out.
//!
//! Deliberately no files and no ancestors here: `theme_file.rs` finds those. A
//! walk over the parser's events is enough, because a theme is three keys deep
//! at most; whatever else YAML can do (lists, aliases, tags) is refused.

use std::borrow::Cow;

use saphyr_parser::{Event, Marker, Parser};

use super::theme::{Rgb, Theme};
use crate::kernel::board::Level;
use crate::kernel::width::columns;

/// The most keys inside one another: `levels:`, a level, a part.
const DEPTH_MAX: usize = 3;
/// What a proposal has to resemble the word it stands for, by Jaro and Winkler; below it the guess is noise.
const SIMILARITY_MIN: f64 = 0.7;
/// The characters of a wrong word that a message repeats.
const QUOTED_MAX: usize = 40;
/// The most characters a theme's name may have: it stands in a status line.
const NAME_MAX: usize = 32;

const KEYS: &[&str] = &["name", "inherit", "background", "text", "muted", "border", "full_bleed", "levels"];
const PARTS: &[&str] = &["fg", "bg", "symbol"];

/// A line and a column of the text, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    line: usize,
    column: usize,
}

impl From<&Marker> for Place {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

/// A key and where it stands.
#[derive(Clone, Debug)]
struct Key {
    word: String,
    at: Place,
}

/// One value of the text, under its keys.
#[derive(Debug)]
struct Leaf {
    path: Vec<Key>,
    /// `None` for an empty list of keys.
    value: Option<String>,
    at: Place,
}

/// What a theme's text says, not yet laid over the theme it inherits.
#[derive(Debug, Default)]
pub(super) struct Reading {
    leaves: Vec<Leaf>,
    problems: Vec<(Place, String)>,
}

/// Reads the text of a theme. One that is no YAML says nothing but its problem.
pub(super) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    if let Err(problem) = reading.walk(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        reading.leaves.clear();
        reading.problems = vec![problem];
    }
    reading
}

/// A list of keys that is open at a point of the walk.
#[derive(Default)]
struct Open {
    key: Option<Key>,
    seen: Vec<Key>,
}

impl Reading {
    fn walk(&mut self, text: &str) -> Result<(), (Place, String)> {
        let mut parser = Parser::new_from_str(text);
        let mut open: Vec<Open> = Vec::new();
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|bad| (bad.marker().into(), format!("not YAML: {}", bad.info())))?;
            let at = Place::from(&span.start);
            let refuse = |why: &str| Err((at, why.to_owned()));
            match event {
                Event::DocumentStart(_) if documents > 0 => return refuse("a theme file holds one document"),
                Event::DocumentStart(_) => documents += 1,
                Event::Alias(_) => return refuse("an alias (`*name`) has no place in a theme"),
                Event::SequenceStart(..) => return refuse("a list has no place in a theme"),
                Event::Scalar(_, _, _, Some(_)) | Event::MappingStart(_, Some(_)) => {
                    return refuse("a tag (`!name`) has no place in a theme");
                }
                Event::MappingStart(..) if open.len() == DEPTH_MAX => {
                    return refuse("nothing in a theme is nested so deep");
                }
                Event::MappingStart(..) if open.last().is_some_and(|map| map.key.is_none()) => {
                    return refuse("a key is one word");
                }
                Event::MappingStart(..) => open.push(Open::default()),
                Event::MappingEnd => {
                    let empty = open.pop().is_none_or(|map| map.seen.is_empty());
                    self.close(&mut open, empty.then_some((None, at)));
                }
                Event::Scalar(word, ..) => match open.last_mut() {
                    None => return refuse("a theme is made of lines of `key: value`"),
                    Some(map) if map.key.is_none() => self.key(map, Key { word: word.into_owned(), at }),
                    Some(_) => self.close(&mut open, Some((Some(word), at))),
                },
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes a key, and tells where the same list has it already.
    fn key(&mut self, map: &mut Open, key: Key) {
        if let Some(first) = map.seen.iter().find(|first| first.word == key.word) {
            let first = first.at.line;
            let what = format!("{} stands here twice, first in line {first}; the last one counts", quoted(&key.word));
            self.problems.push((key.at, what));
        }
        map.seen.push(key.clone());
        map.key = Some(key);
    }

    /// Ends the value of the innermost open key; what it holds becomes a leaf, where it holds anything of its own.
    fn close(&mut self, open: &mut [Open], value: Option<(Option<Cow<'_, str>>, Place)>) {
        if let Some((value, at)) = value {
            let path: Vec<_> = open.iter().filter_map(|map| map.key.clone()).collect();
            if !path.is_empty() {
                self.leaves.push(Leaf { path, value: value.map(Cow::into_owned), at });
            }
        }
        if let Some(map) = open.last_mut() {
            map.key = None;
        }
    }

    /// The theme that this one inherits, and where it says so.
    pub(super) fn inherits(&self) -> Option<(&str, Place)> {
        let leaf = self.leaves.iter().rev().find(|leaf| words(leaf) == ["inherit"])?;
        Some((leaf.value.as_deref().unwrap_or_default(), leaf.at))
    }

    /// Adds a problem that was found elsewhere.
    pub(super) fn add_problem(&mut self, at: Place, what: String) {
        self.problems.push((at, what));
    }

    /// Lays what the text says over `theme`; what it says wrongly is left as it was.
    pub(super) fn lay_over(&mut self, theme: &mut Theme) {
        for leaf in std::mem::take(&mut self.leaves) {
            if let Err(problem) = say(&leaf, theme) {
                // The same unknown key is told once, however much stands under it.
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
        }
    }

    /// Every problem as `label:line:column: what`, from the top.
    pub(super) fn into_problems(mut self, label: &str) -> Vec<String> {
        self.problems.sort();
        self.problems.iter().map(|(at, what)| format!("{label}:{}:{}: {what}", at.line, at.column)).collect()
    }
}

fn words(leaf: &Leaf) -> Vec<&str> {
    leaf.path.iter().map(|key| key.word.as_str()).collect()
}

/// Says one leaf to the theme.
fn say(leaf: &Leaf, theme: &mut Theme) -> Result<(), (Place, String)> {
    let words = words(leaf);
    let unknown = |depth: usize, known: &[&str]| {
        let key = &leaf.path[depth];
        Err((key.at, format!("unknown key {}{}", quoted(&key.word), proposal(&key.word, known))))
    };
    let wrong = |why: String| Err((leaf.at, why));
    match (words.as_slice(), leaf.value.as_deref()) {
        (["inherit"], _) | (["levels"], None) => {}
        (["name"], Some(name)) if is_name(name) => name.clone_into(&mut theme.name),
        (["name"], _) => return wrong(format!("a name is 1 to {NAME_MAX} of a-z 0-9 -")),
        (["full_bleed"], Some("true")) => theme.full_bleed = true,
        (["full_bleed"], Some("false")) => theme.full_bleed = false,
        (["full_bleed"], _) => return wrong("`full_bleed` is true or false".into()),
        (["background"], value) => theme.background = colour(value, leaf.at)?,
        (["text"], value) => theme.text = colour(value, leaf.at)?,
        (["muted"], value) => theme.muted = colour(value, leaf.at)?,
        (["border"], value) => theme.border = colour(value, leaf.at)?,
        (["levels"], Some(_)) => {
            return wrong("`levels` is a list of keys: critical, unknown, warning, info, healthy".into());
        }
        (["levels", level, part @ ..], value) => {
            let Ok(level) = level.parse::<Level>() else {
                return unknown(1, &Level::ALL.map(Level::word));
            };
            let look = &mut theme.levels[level.index()];
            match (part, value) {
                ([], None) => {}
                (["fg"], value) => look.fg = colour(value, leaf.at)?,
                (["bg"], value) => look.bg = colour(value, leaf.at)?,
                (["symbol"], value) => look.symbol = symbol(value, leaf.at)?,
                ([], Some(_)) => return wrong(format!("`{level}` is a list of keys: fg, bg, symbol")),
                _ => return unknown(2, PARTS),
            }
        }
        ([key, ..], _) if KEYS.contains(key) => return wrong(format!("`{key}` takes one value, not a list of keys")),
        _ => return unknown(0, KEYS),
    }
    Ok(())
}

/// A colour, or the terminal's own.
fn colour(value: Option<&str>, at: Place) -> Result<Option<Rgb>, (Place, String)> {
    match value.unwrap_or_default() {
        "default" => Ok(None),
        // The most likely mistake of all: without quotes `#` starts a comment, and nothing is left.
        "" | "~" => {
            Err((at, "no colour here: write \"#rrggbb\" in quotes, since # starts a comment, or default".into()))
        }
        text => match text.parse() {
            Ok(colour) => Ok(Some(colour)),
            Err(_) => Err((at, format!("{} is no colour: write \"#rrggbb\" or default", quoted(text)))),
        },
    }
}

/// A level's symbol: it stands in columns of a list, so it has to take exactly one.
fn symbol(value: Option<&str>, at: Place) -> Result<char, (Place, String)> {
    let text = value.unwrap_or_default();
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(symbol), None) if !symbol.is_control() && !symbol.is_whitespace() && columns(text) == 1 => Ok(symbol),
        _ => Err((at, format!("{} is no symbol: write one visible character that is one column wide", quoted(text)))),
    }
}

/// Whether `name` can be a theme's name.
pub(super) fn is_name(name: &str) -> bool {
    let plain = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    (1..=NAME_MAX).contains(&name.len()) && plain
}

/// `: did you mean …?` for the known word that resembles `word` most, or the known words.
pub(super) fn proposal(word: &str, known: &[&str]) -> String {
    let similar = known.iter().map(|known| (strsim::jaro_winkler(word, known), known));
    match similar.max_by(|one, two| one.0.total_cmp(&two.0)) {
        Some((similarity, known)) if similarity >= SIMILARITY_MIN => format!(": did you mean `{known}`?"),
        _ => format!(": known are {}", known.join(", ")),
    }
}

/// A word of the file as a message repeats it: short, and without anything a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED_MAX).collect();
    let rest = if short.len() < text.len() { "…" } else { "" };
    format!("`{}{rest}`", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text makes of the theme without colours, and its problems.
    fn read_over_default(text: &str) -> (Theme, Vec<String>) {
        let mut theme = Theme::default();
        let mut reading = read(text);
        reading.lay_over(&mut theme);
        (theme, reading.into_problems("t.yaml"))
    }

    #[test]
    fn every_key_is_read() {
        let text = "\u{feff}name: press\nbackground: \"#010203\"\ntext: '#040506'\nmuted: default\nborder: \"#070809\"\r\n\
                    full_bleed: true\nlevels:\n  info:\n    fg: \"#0a0b0c\"\n  warning: {bg: \"#0d0e0f\", symbol: \"!\"}\n";
        let (theme, problems) = read_over_default(text);
        assert_eq!(problems, [""; 0]);
        let mut expected = Theme { name: "press".into(), full_bleed: true, ..Theme::default() };
        expected.background = Some(Rgb(1, 2, 3));
        expected.text = Some(Rgb(4, 5, 6));
        expected.border = Some(Rgb(7, 8, 9));
        expected.levels[Level::Info.index()].fg = Some(Rgb(10, 11, 12));
        expected.levels[Level::Warning.index()].bg = Some(Rgb(13, 14, 15));
        expected.levels[Level::Warning.index()].symbol = '!';
        assert_eq!(theme, expected);
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        for (text, told) in [
            ("backgroud: default", "1:1: unknown key `backgroud`: did you mean `background`?"),
            ("levels:\n  critcal: {fg: default}", "2:3: unknown key `critcal`: did you mean `critical`?"),
            ("levels: {info: {colour: default}}", "1:17: unknown key `colour`: known are fg, bg, symbol"),
            ("zzz: {a: 1, b: 2}", "1:1: unknown key `zzz`: known are name, inherit, background, text, muted"),
            ("text: red", "1:7: `red` is no colour: write \"#rrggbb\" or default"),
            ("text: #112233", "no colour here: write \"#rrggbb\" in quotes, since # starts a comment"),
            ("text: {a: 1}", "1:11: `text` takes one value, not a list of keys"),
            ("text: {}", "no colour here"),
            ("levels: red", "1:9: `levels` is a list of keys"),
            ("levels: {info: red}", "1:16: `info` is a list of keys: fg, bg, symbol"),
            ("levels: {info: {symbol: ab}}", "1:25: `ab` is no symbol"),
            ("levels: {info: {symbol: \"\\e\"}}", "1:25: `\\u{1b}` is no symbol"),
            ("full_bleed: yes", "1:13: `full_bleed` is true or false"),
            ("name: Press 7", "1:7: a name is 1 to 32 of a-z 0-9 -"),
            ("text: default\ntext: default", "2:1: `text` stands here twice, first in line 1"),
            ("- text", "1:1: a list has no place in a theme"),
            ("text: [1]", "1:7: a list has no place in a theme"),
            ("text: *a", "not YAML"),
            ("text: &a default\nmuted: *a", "2:8: an alias"),
            ("text: !!python/object x", "1:7: a tag"),
            ("levels: {info: {fg: {a: {b: 1}}}}", "1:21: nothing in a theme is nested so deep"),
            ("? {a: 1}\n: b", "1:3: a key is one word"),
            ("just text", "1:1: a theme is made of lines of `key: value`"),
            ("---\ntext: default\n---\ntext: default", "3:1: a theme file holds one document"),
            ("text: \"#11", "not YAML"),
            ("text:\n\t- a", "not YAML"),
        ] {
            let (theme, problems) = read_over_default(text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert!(problems[0].contains(told), "{text}: {} instead of {told}", problems[0]);
            assert!(problems[0].starts_with("t.yaml:"));
            assert_eq!(theme, Theme::default(), "{text} changed the theme");
        }
    }

    #[test]
    fn what_is_right_beside_a_mistake_counts() {
        let (theme, problems) = read_over_default("text: \"#ffffff\"\nmuted: gray\nbordr: default\n");
        assert_eq!(theme.text, Some(Rgb(255, 255, 255)));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn an_empty_text_says_nothing_and_bombs_are_refused() {
        for text in ["", "\n", "# only a comment\n", "levels: {}", "levels: {info: {}}"] {
            assert_eq!(read_over_default(text), (Theme::default(), vec![]), "{text:?}");
        }
        for bomb in ["[".repeat(60_000), "{".repeat(60_000), "- ".repeat(30_000), "a: &a [x]\nb: [*a,*a]".into()] {
            assert_eq!(read_over_default(&bomb).1.len(), 1);
        }
    }
}
