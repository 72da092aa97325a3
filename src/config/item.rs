//! One item of the file, lowered: fixed, checked or pushed, and nothing between.

use super::defaults::{EVERY, RETRIES, RETRIES_MAX, TIMEOUT};
use super::duration::{LIMIT, PERIOD, PHASE};
use super::error::{Problem, quote};
use super::keys::proposal;
use super::mask::mask_url;
use super::model::{CheckConfig, ItemConfig, ItemKind, Levels, Secret};
use super::reader::{Reader, Said, Section};
use super::revision::revision;
use super::schemes::{COMMON_VALUES, Scheme};
use super::source::Place;
use super::tree::{Entry, Form, Node};
use super::{Expression, Template};
use crate::kernel::Span;
use crate::kernel::board::{ID_CHARACTERS_MAX, ItemId, Level};

/// What `defaults:` says, or the program where it does not.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) every: Span,
    pub(super) timeout: Span,
    pub(super) retries: u32,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { every: EVERY, timeout: TIMEOUT, retries: RETRIES }
    }
}

/// The keys that say how a check is run; without one they say nothing.
const OF_CHECKS: [&str; 5] = ["every", "timeout", "retries", "phase", "levels"];

/// An item as far as it could be read.
pub(super) struct Read {
    /// Its name and where it is written; `None` where it has no valid one.
    pub(super) id: Option<(ItemId, Place)>,
    /// The whole of it; `None` where anything is wrong.
    pub(super) item: Option<ItemConfig>,
}

impl Reader<'_> {
    pub(super) fn item(&mut self, node: &Node, defaults: Defaults) -> Read {
        let Some(section) = self.section(node, "items[]", "an item") else { return Read { id: None, item: None } };
        let id = self.id(&section);
        let hold = section.get("hold").map(|entry| self.duration(entry, PERIOD));
        let said = section.get("text").map(|entry| self.text(entry));
        let mixed = self.refuse_mixtures(&section);
        let (kind, scheme) = self.kind(&section, defaults);
        let said = match said {
            Some(None) => return Read { id, item: None },
            Some(said) => said,
            None => None,
        };
        let text = match (&kind, said, &id) {
            (_, Some(said), _) => self.template(said, kind.as_ref(), scheme),
            (_, None, Some((id, _))) => {
                let text = scheme.map_or(id.as_str(), |scheme| scheme.text);
                Template::parse(text).ok().map(|template| (template, text.to_owned()))
            }
            _ => None,
        };
        let item = match (&id, text, kind, hold) {
            (Some((id, _)), Some((text, written)), Some(kind), None | Some(Some(_))) if !mixed => {
                let revision = revision(id.as_str(), &written, &kind);
                Some(ItemConfig { id: id.clone(), text, hold: hold.flatten(), kind, revision })
            }
            _ => None,
        };
        Read { id, item }
    }

    fn id(&mut self, section: &Section<'_>) -> Option<(ItemId, Place)> {
        let Some(entry) = section.get("id") else {
            self.fail(section.place, "an item without `id`", "write `id: NAME`");
            return None;
        };
        let said = self.words(entry)?;
        if let Ok(id) = ItemId::new(&said.words.full) {
            return Some((id, said.place().clone()));
        }
        let message = format!("{} is no id: an id is 1 to {ID_CHARACTERS_MAX} of a-z 0-9 . _ -", said.quoted());
        let plain: String = said.words.full.to_lowercase().replace([' ', '/', ':'], "-");
        let help = match ItemId::new(&plain) {
            Ok(id) if !said.words.secret => format!("did you mean `{id}`?"),
            _ => "the screen shows `text`; the id is its short name".to_owned(),
        };
        self.fail(said.place(), message, help);
        None
    }

    /// Whether keys stand together that exclude each other, or without the one they belong to.
    fn refuse_mixtures(&mut self, section: &Section<'_>) -> bool {
        let mut mixed = false;
        for (one, other, help) in [
            ("check", "level", "keep `level` for a fixed item, or `check` with `levels` for a measured one"),
            (
                "check",
                "ttl",
                "keep `ttl` for a pushed item, or `check` for a measured one; a check is stale after 3 periods by itself",
            ),
            ("level", "ttl", "keep `level` for a fixed item, or `ttl` for a pushed one"),
        ] {
            if let (Some(first), Some(second)) = (section.get(one), section.get(other)) {
                let message = format!("an item has either `{one}` or `{other}`");
                let problem = Problem::at(&second.place, message).label(&first.place, "the other is here").help(help);
                self.problems.add(problem);
                mixed = true;
            }
        }
        if section.get("check").is_none() {
            for entry in OF_CHECKS.iter().filter_map(|name| section.get(name)) {
                let help = match entry.key.as_str() {
                    "levels" => "add `check: …`, or write `level:` for a fixed item",
                    _ => "add `check: …`, or remove the key; a pushed item has `ttl`",
                };
                self.fail(&entry.place, format!("{} without `check`", quote(&entry.key)), help);
                mixed = true;
            }
        }
        mixed
    }

    fn kind(&mut self, section: &Section<'_>, defaults: Defaults) -> (Option<ItemKind>, Option<&'static Scheme>) {
        if let Some(entry) = section.get("check") {
            let (check, scheme) = self.check(entry, section, defaults);
            return (check.map(|check| ItemKind::Check(Box::new(check))), scheme);
        }
        let kind = if let Some(entry) = section.get("level") {
            let words = Level::ALL.map(Level::word);
            self.word(entry, &words).and_then(|word| word.parse().ok()).map(ItemKind::Fixed)
        } else if let Some(entry) = section.get("ttl") {
            self.duration(entry, PERIOD).map(|ttl| ItemKind::Pushed { ttl: Some(ttl) })
        } else if section.get("text").is_some() {
            // Words alone are news of no urgency; whoever pushes an item says so by `ttl`.
            Some(ItemKind::Fixed(Level::Info))
        } else {
            Some(ItemKind::Pushed { ttl: None })
        };
        (kind, None)
    }

    fn check(
        &mut self,
        entry: &Entry,
        section: &Section<'_>,
        defaults: Defaults,
    ) -> (Option<CheckConfig>, Option<&'static Scheme>) {
        let said = self.text(entry);
        let scheme = said.as_ref().and_then(|said| self.scheme(said));
        let every = section.get("every").map_or(Some(defaults.every), |entry| self.duration(entry, PERIOD));
        let timeout = section.get("timeout").map_or(Some(defaults.timeout), |entry| self.duration(entry, LIMIT));
        let retries = section.get("retries").map_or(Some(defaults.retries), |entry| self.count(entry, 0, RETRIES_MAX));
        let phase = section.get("phase").map(|entry| self.phase(entry, every));
        let levels = match section.get("levels") {
            Some(entry) => self.levels(entry, scheme),
            None => scheme.map(|scheme| self.own_levels(scheme)),
        };
        let check = match (said, scheme, every, timeout, retries, phase, levels) {
            (
                Some(said),
                Some(known),
                Some(every),
                Some(timeout),
                Some(retries),
                None | Some(Some(_)),
                Some(levels),
            ) => Some(CheckConfig {
                scheme: known.name,
                label: mask_url(&said.words.shown),
                target: Secret::new(said.words.full),
                every,
                phase: phase.flatten(),
                timeout,
                retries,
                levels,
            }),
            _ => None,
        };
        (check, scheme)
    }

    fn phase(&mut self, entry: &Entry, every: Option<Span>) -> Option<Span> {
        let phase = self.duration(entry, PHASE)?;
        if every.is_some_and(|every| phase >= every) {
            self.fail(&entry.value.place, "`phase` is not within the period", "write a `phase` shorter than `every`");
            return None;
        }
        Some(phase)
    }

    /// The expressions of the scheme itself; they are part of the program and tested there.
    fn own_levels(&mut self, scheme: &Scheme) -> Levels {
        Levels(scheme.levels.iter().filter_map(|(level, text)| Some((*level, self.compile(text).ok()?))).collect())
    }

    fn levels(&mut self, entry: &Entry, scheme: Option<&Scheme>) -> Option<Levels> {
        if let Form::Map(entries) = &entry.value.form
            && let Some(healthy) = entries.iter().find(|entry| entry.key == "healthy")
        {
            self.fail(
                &healthy.place,
                "`levels` has no `healthy`",
                "an item is healthy where none of the others holds: remove it",
            );
            return None;
        }
        let section = self.section(&entry.value, "items[].levels", "`levels`")?;
        // Worst first, whatever the order in the file.
        let written: Vec<_> =
            Level::ALL.into_iter().filter_map(|level| Some((level, section.get(level.word())?))).collect();
        if matches!(&entry.value.form, Form::Map(entries) if entries.is_empty()) {
            self.fail(
                &entry.place,
                "`levels` says nothing",
                "write for example `critical: latency > 1s`, or remove the key",
            );
            return None;
        }
        let read: Vec<_> =
            written.iter().map(|(level, entry)| Some((*level, self.expression(entry, scheme)?))).collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(Levels)
    }

    fn expression(&mut self, entry: &Entry, scheme: Option<&Scheme>) -> Option<Expression> {
        let said = self.text(entry)?;
        let expression = match self.compile(&said.words.full) {
            Ok(expression) => expression,
            Err(why) => {
                // The parser's words may quote an expanded secret.
                let message = if said.words.secret { "the expression does not parse".to_owned() } else { why.message };
                let next = char_len(&said.words.full, why.at);
                self.fail(
                    &said.point(why.at..why.at + next),
                    message,
                    "write for example `latency > 200ms && status != 200`",
                );
                return None;
            }
        };
        let names = expression.names();
        self.known(&said, &names, scheme).then_some(expression)
    }

    /// Whether the check gives every one of these values.
    fn known(&mut self, said: &Said<'_>, names: &[(String, usize)], scheme: Option<&Scheme>) -> bool {
        let Some(scheme) = scheme.filter(|scheme| !scheme.open) else { return true };
        let values = scheme.values.iter().chain(COMMON_VALUES).copied();
        let mut known = true;
        for (path, at) in names {
            let name = path.split('.').next().unwrap_or(path);
            if !values.clone().any(|value| value == name) {
                let shown = if said.words.secret { "***" } else { name };
                let message = format!("a check of `{}` gives no value {}", scheme.name, quote(shown));
                self.fail(&said.point(*at..at + name.len()), message, proposal(shown, values.clone(), "it gives"));
                known = false;
            }
        }
        known
    }

    fn template(
        &mut self,
        said: Said<'_>,
        kind: Option<&ItemKind>,
        scheme: Option<&Scheme>,
    ) -> Option<(Template, String)> {
        let said = said.keep_braces();
        let template = match Template::parse(&said.words.full) {
            Ok(template) => template,
            Err(why) => {
                let next = char_len(&said.words.full, why.at);
                let message = if said.words.secret { "the text's braces do not match".to_owned() } else { why.message };
                self.fail(
                    &said.point(why.at..why.at + next),
                    message,
                    "write `{NAME}` for a value, `{{` and `}}` for the braces themselves",
                );
                return None;
            }
        };
        let names = template.names();
        if let (Some(ItemKind::Fixed(_)), Some((name, at))) = (kind, names.first()) {
            let message = format!("a fixed item has no value {}", quote(name));
            let help = "add a `check`, or `ttl` where others push the item; `{{` and `}}` are the braces themselves";
            self.fail(&said.point(*at..at + name.len()), message, help);
            return None;
        }
        self.known(&said, &names, scheme).then_some((template, said.words.full))
    }
}

/// How many bytes the character at `at` has; none at the end.
fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}
