//! Reads typed values out of the tree; each refusal is told with its place.
//!
//! Every method gives `None` after adding a mistake, so that the caller goes on
//! and finds the next one. Deliberately ignorant of what the keys mean.

use std::collections::HashMap;
use std::ops::Range;

use super::Expression;
use super::defaults::TEXT_BYTES_MAX;
use super::duration::{BadDuration, Bounds, DURATION_FORM, parse_duration};
use super::error::{Problem, Problems, quote};
use super::expression::ExpressionError;
use super::keys::{self, listed, nearest, proposal};
use super::load::Options;
use super::secrets::{Secrets, Words};
use super::source::Place;
use super::tree::{Entry, Form, Node};
use crate::kernel::Span;

/// What the reading of one config needs and gathers.
pub(super) struct Reader<'a> {
    pub(super) options: &'a Options<'a>,
    pub(super) problems: Problems,
    pub(super) secrets: Secrets<'a>,
    compiled: HashMap<String, Result<Expression, ExpressionError>>,
}

/// A map whose keys are all known.
pub(super) struct Section<'n> {
    entries: &'n [Entry],
    pub(super) place: &'n Place,
}

impl<'n> Section<'n> {
    pub(super) fn get(&self, name: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == name)
    }
}

/// A scalar with its secrets filled in.
pub(super) struct Said<'n> {
    node: &'n Node,
    pub(super) words: Words,
}

impl Said<'_> {
    /// The whole of it.
    pub(super) fn place(&self) -> &Place {
        &self.node.place
    }

    /// A stretch of the full text.
    pub(super) fn point(&self, range: Range<usize>) -> Place {
        self.node.point(self.words.written(range.start)..self.words.written(range.end))
    }

    /// What may be quoted of it.
    pub(super) fn quoted(&self) -> String {
        quote(&self.words.shown)
    }

    pub(super) fn keep_braces(mut self) -> Self {
        self.words = self.words.with_braces_kept();
        self
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(options: &'a Options<'a>) -> Self {
        let secrets = Secrets::new(options.env);
        Self { options, problems: Problems::default(), secrets, compiled: HashMap::new() }
    }

    pub(super) fn fail(&mut self, place: &Place, message: impl AsRef<str>, help: impl AsRef<str>) {
        self.problems.add(Problem::at(place, message).help(help));
    }

    /// The map `node` as the section of the table with this path; `what` names it in messages.
    pub(super) fn section<'n>(&mut self, node: &'n Node, path: &str, what: &str) -> Option<Section<'n>> {
        let known: Vec<&str> = keys::names(path).collect();
        self.map(node, &known, what)
    }

    /// The map `node`, which may have only the `known` keys.
    pub(super) fn map<'n>(&mut self, node: &'n Node, known: &[&str], what: &str) -> Option<Section<'n>> {
        let Form::Map(entries) = &node.form else {
            let help = format!("write `key: value` with these keys: {}", listed(known.iter().copied()));
            self.fail(&node.place, format!("{what} is {}, not a map", node.what()), help);
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            if self.problems.is_full() {
                self.problems.count();
                continue;
            }
            let message = format!("unknown key {}", quote(&entry.key));
            let help = match (nearest(&entry.key, known.iter().copied()), keys::belongs(&entry.key)) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, Some(elsewhere)) => format!("{} stands {elsewhere}", quote(&entry.key)),
                (None, None) => format!("{what} has these keys: {}", listed(known.iter().copied())),
            };
            self.fail(&entry.place, message, help);
        }
        Some(Section { entries, place: &node.place })
    }

    /// A scalar with its secrets filled in; `name` says in messages what it is.
    fn scalar<'n>(&mut self, node: &'n Node, key: &Place, name: &str) -> Option<Said<'n>> {
        let text = match &node.form {
            Form::Scalar { null: true, text, .. } => {
                let place = if text.is_empty() { key } else { &node.place };
                self.fail(
                    place,
                    format!("{} has no value", quote(name)),
                    "write a value, or remove the key; a text `null` needs quotes",
                );
                return None;
            }
            Form::Scalar { text, .. } => text,
            Form::List(_) | Form::Map(_) => {
                let message = format!("{} is {}, not a text", quote(name), node.what());
                self.fail(&node.place, message, "write one value; quote a text that begins with `[`, `{` or `-`");
                return None;
            }
        };
        match self.secrets.expand(text, &node.place.source.folder) {
            Ok(words) => Some(Said { node, words }),
            Err(why) => {
                self.fail(&node.point(why.at), why.message, why.help);
                None
            }
        }
    }

    /// Any scalar.
    pub(super) fn words<'n>(&mut self, entry: &'n Entry) -> Option<Said<'n>> {
        self.scalar(&entry.value, &entry.place, &entry.key)
    }

    /// A text that says something, of at most [`TEXT_BYTES_MAX`] bytes.
    pub(super) fn text<'n>(&mut self, entry: &'n Entry) -> Option<Said<'n>> {
        let said = self.words(entry)?;
        self.sized(said, &entry.key, TEXT_BYTES_MAX, "bytes", str::len)
    }

    /// A text of at most `max` characters, for names. What no screen should see in it is cleaned where it is shown.
    pub(super) fn name<'n>(&mut self, entry: &'n Entry, max: usize) -> Option<Said<'n>> {
        let said = self.words(entry)?;
        self.sized(said, &entry.key, max, "characters", |text| text.chars().count())
    }

    fn sized<'n>(
        &mut self,
        said: Said<'n>,
        key: &str,
        max: usize,
        unit: &str,
        size: impl Fn(&str) -> usize,
    ) -> Option<Said<'n>> {
        if said.words.full.trim().is_empty() {
            self.fail(said.place(), format!("{} is empty", quote(key)), "write a text, or remove the key");
            return None;
        }
        if size(&said.words.full) > max {
            self.fail(said.place(), format!("{} is longer than {max} {unit}", quote(key)), "write a shorter one");
            return None;
        }
        Some(said)
    }

    pub(super) fn duration(&mut self, entry: &Entry, bounds: Bounds) -> Option<Span> {
        let said = self.words(entry)?;
        let text = said.words.full.as_str();
        let range = format!("{} is {}", quote(&entry.key), bounds.told);
        match parse_duration(text) {
            Ok(span) if (bounds.min..=bounds.max).contains(&span) => return Some(span),
            Ok(_) | Err(BadDuration::TooLong) => {
                self.fail(
                    said.place(),
                    format!("{} is out of range: {range}", said.quoted()),
                    format!("write for example {DURATION_FORM}"),
                );
            }
            Err(BadDuration::Form) => {
                let message = format!("{} is no duration: {range}, written {DURATION_FORM}", said.quoted());
                let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) && !said.words.secret;
                let help = if bare && text.len() < 10 {
                    format!("did you mean `{text}s` or `{text}ms`?")
                } else {
                    "whole numbers with their units `d`, `h`, `m`, `s`, `ms`, longest first".to_owned()
                };
                self.fail(said.place(), message, help);
            }
        }
        None
    }

    pub(super) fn count(&mut self, entry: &Entry, min: u32, max: u32) -> Option<u32> {
        let said = self.words(entry)?;
        let text = said.words.full.as_str();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let zeros = text.len() > 1 && text.starts_with('0');
        match text.parse::<u32>() {
            Ok(number) if digits && !zeros && (min..=max).contains(&number) => Some(number),
            _ => {
                let message = format!("{} is no number from {min} to {max}", said.quoted());
                self.fail(said.place(), message, format!("{} is a whole number, such as `{min}`", quote(&entry.key)));
                None
            }
        }
    }

    /// Columns a second, written `12/s`.
    pub(super) fn rate(&mut self, entry: &Entry, max: u32) -> Option<u32> {
        let said = self.words(entry)?;
        let text = said.words.full.as_str();
        let number = text.strip_suffix("/s").filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
        match number.and_then(|number| number.parse::<u32>().ok()) {
            Some(number) if (1..=max).contains(&number) => Some(number),
            _ => {
                let message = format!("{} is no rate from `1/s` to `{max}/s`", said.quoted());
                self.fail(said.place(), message, "columns a second are written `12/s`");
                None
            }
        }
    }

    /// One of `words`.
    pub(super) fn word<'w>(&mut self, entry: &Entry, words: &'w [&'w str]) -> Option<&'w str> {
        let said = self.words(entry)?;
        let found = words.iter().find(|word| **word == said.words.full).copied();
        if found.is_none() {
            let help =
                proposal(if said.words.secret { "" } else { &said.words.full }, words.iter().copied(), "write one of");
            self.fail(said.place(), format!("{} is no value for {}", said.quoted(), quote(&entry.key)), help);
        }
        found
    }

    /// The entries of a list.
    pub(super) fn list<'n>(&mut self, entry: &'n Entry) -> Option<&'n [std::rc::Rc<Node>]> {
        match &entry.value.form {
            Form::List(nodes) => Some(nodes),
            Form::Scalar { null: true, .. } => {
                self.fail(
                    &entry.place,
                    format!("{} has no value", quote(&entry.key)),
                    "write a list, `[]` for an empty one, or remove the key",
                );
                None
            }
            _ => {
                let message = format!("{} is {}, not a list", quote(&entry.key), entry.value.what());
                self.fail(&entry.value.place, message, "write `[a, b]`, or a line with `- ` for each entry");
                None
            }
        }
    }

    /// The entries of a list of texts; those that are none are left out.
    pub(super) fn texts<'n>(&mut self, entry: &'n Entry) -> Vec<Said<'n>> {
        let nodes = self.list(entry).unwrap_or_default();
        nodes.iter().filter_map(|node| self.scalar(node, &node.place, &entry.key)).collect()
    }

    /// The expression `text`, compiled once however often it is written.
    pub(super) fn compile(&mut self, text: &str) -> Result<Expression, ExpressionError> {
        if let Some(known) = self.compiled.get(text) {
            return known.clone();
        }
        let compiled = Expression::compile(text);
        self.compiled.insert(text.to_owned(), compiled.clone());
        compiled
    }
}
