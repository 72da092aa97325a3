//! What values mean: `levels`, and texts with values in them.
//!
//! Each names values, and a name that nothing gives is a mistake like any other.

use super::error::quote;
use super::known::Known;
use super::model::{ItemKind, Levels};
use super::reader::{Reader, Said};
use super::schemes::Scheme;
use super::tree::{Entry, Form};
use super::{Expression, Template};
use crate::kernel::board::Level;

impl Reader<'_> {
    /// The expressions of the scheme itself; they are part of the program and tested there.
    pub(super) fn own_levels(&mut self, scheme: &Scheme) -> Levels {
        Levels(scheme.levels.iter().filter_map(|(level, text)| Some((*level, self.compile(text).ok()?))).collect())
    }

    pub(super) fn levels(&mut self, entry: &Entry, known: Option<&Known>) -> Option<Levels> {
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
            written.iter().map(|(level, entry)| Some((*level, self.expression(entry, known)?))).collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(Levels)
    }

    fn expression(&mut self, entry: &Entry, known: Option<&Known>) -> Option<Expression> {
        let (said, expression) = self.condition(entry)?;
        let names = expression.names();
        self.known(&said, &names, known).then_some(expression)
    }

    /// An expression, whatever it names.
    pub(super) fn condition<'n>(&mut self, entry: &'n Entry) -> Option<(Said<'n>, Expression)> {
        let said = self.text(entry)?;
        match self.compile(&said.words.full) {
            Ok(expression) => Some((said, expression)),
            Err(why) => {
                // The parser's words may quote an expanded secret.
                let message = if said.words.secret { "the expression does not parse".to_owned() } else { why.message };
                let next = char_len(&said.words.full, why.at);
                self.fail(
                    &said.point(why.at..why.at + next),
                    message,
                    "write for example `latency > 200ms && status != 200`",
                );
                None
            }
        }
    }

    /// Whether there is every one of these values, as far as anybody can know.
    pub(super) fn known(&mut self, said: &Said<'_>, paths: &[(String, usize)], known: Option<&Known>) -> bool {
        let Some(known) = known else { return true };
        let mut all = true;
        for (path, at) in paths {
            if let Err(missing) = known.find(path, said.words.secret) {
                self.fail(&said.point(at + missing.at.start..at + missing.at.end), missing.message, missing.help);
                all = false;
            }
        }
        all
    }

    pub(super) fn template(
        &mut self,
        said: Said<'_>,
        kind: Option<&ItemKind>,
        known: Option<&Known>,
    ) -> Option<Template> {
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
        self.known(&said, &names, known).then_some(template)
    }
}

/// How many bytes the character at `at` has; none at the end.
fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}
