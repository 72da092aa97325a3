//! One step by itself: its kind, its own keys, what it gives and what it takes.

use super::error::quote;
use super::keys::listed;
use super::known::Members;
use super::mask::mask_url;
use super::model::{OnFailure, Secret, StepConfig, StepWork};
use super::pattern;
use super::reader::{Reader, Said, Section};
use super::source::Place;
use super::steps::STEP_KINDS;
use super::tree::Entry;
use crate::kernel::Span;

/// What `json` gives where nothing names it.
const VALUE: &str = "value";

/// A step that is not yet compared with the others.
pub(super) struct Draft<'n> {
    pub(super) kind: &'static str,
    pub(super) entry: &'n Entry,
    /// Its name and where that is written; `None` before it got one.
    pub(super) name: Option<(String, Place)>,
    pub(super) needs: Option<Vec<Said<'n>>>,
    /// What it gives.
    pub(super) gives: Members,
    /// The value that its writer named, and where.
    pub(super) named: Option<(String, Place)>,
    /// What it takes from others.
    pub(super) asks: Option<Ask<'n>>,
    timeout: Option<Span>,
    retries: u32,
    on_failure: OnFailure,
    work: StepWork,
}

/// The values that a step takes, with their bytes in what is written.
pub(super) struct Ask<'n> {
    pub(super) said: Said<'n>,
    pub(super) paths: Vec<(String, usize)>,
}

/// What a kind's own keys say.
struct Own<'n> {
    work: StepWork,
    gives: Members,
    named: Option<(String, Place)>,
    asks: Option<Ask<'n>>,
}

impl Draft<'_> {
    pub(super) fn name(&self) -> &str {
        self.name.as_ref().map_or(self.kind, |(name, _)| name)
    }

    pub(super) fn lowered(self, needs: Vec<usize>) -> Option<StepConfig> {
        let Self { name, timeout, retries, on_failure, work, .. } = self;
        let (name, _) = name?;
        Some(StepConfig { name, needs, timeout, retries, on_failure, work })
    }
}

impl Reader<'_> {
    /// A step of this kind; without a `section` the value of `entry` is its main key alone.
    pub(super) fn step<'n>(
        &mut self,
        kind: &'static str,
        entry: &'n Entry,
        section: Option<Section<'n>>,
        plan: Option<Span>,
    ) -> Option<Draft<'n>> {
        let own = match kind {
            "check" => self.check_step(entry, section.as_ref()),
            "json" => self.json_step(entry, section.as_ref()),
            "extract" => self.extract_step(entry, section.as_ref()),
            _ => self.expect_step(entry, section.as_ref()),
        };
        let Some(section) = section else { return own.map(|own| draft(kind, entry, own)) };
        let name = section.get("name").map_or(Some(None), |entry| self.step_name(entry).map(Some));
        let needs = section.get("needs").map(|entry| (self.list(entry).is_some(), entry));
        let needs = match needs {
            None => Some(None),
            Some((false, _)) => None,
            Some((true, entry)) => {
                let (before, said) = (self.problems.len(), self.texts(entry));
                (self.problems.len() == before).then_some(Some(said))
            }
        };
        let (tries, on_failure) = (self.tries(&section, plan), self.on_failure(&section));
        let (timeout, retries) = tries?;
        let (name, needs, on_failure) = (name?, needs?, on_failure?);
        Some(Draft { name, needs, timeout, retries, on_failure, ..draft(kind, entry, own?) })
    }

    fn check_step<'n>(&mut self, entry: &'n Entry, section: Option<&Section<'n>>) -> Option<Own<'n>> {
        let url = self.main("check", "url", entry, section)?;
        let said = self.text(url)?;
        let scheme = self.scheme(&said)?;
        let (label, target) = (mask_url(&said.words.shown), Secret::new(said.words.full));
        let work = StepWork::Check { scheme: scheme.name, target, label };
        Some(Own { work, gives: Members::of_scheme(scheme), named: None, asks: None })
    }

    fn json_step<'n>(&mut self, entry: &'n Entry, section: Option<&Section<'n>>) -> Option<Own<'n>> {
        let named = section.and_then(|section| section.get("as")).map_or(Some(None), |it| self.step_name(it).map(Some));
        let from = self.main("json", "from", entry, section)?;
        let ask = self.from(from)?;
        let named = named?;
        let name = named.as_ref().map_or(VALUE, |(name, _)| name).to_owned();
        let work = StepWork::Json { from: ask.said.words.full.clone(), name: name.clone(), named: named.is_some() };
        Some(Own { work, gives: Members::These(vec![name]), named, asks: Some(ask) })
    }

    fn extract_step<'n>(&mut self, entry: &'n Entry, section: Option<&Section<'n>>) -> Option<Own<'n>> {
        let from = self.main("extract", "from", entry, section);
        // A value that stands alone was refused by now, and is not to be refused twice.
        let pattern = section.and_then(|_| self.main("extract", "pattern", entry, section))?;
        let ask = from.and_then(|entry| self.from(entry));
        let said = self.text(pattern)?;
        let compiled = match pattern::compile(&said.words.full) {
            Ok(compiled) => compiled,
            Err(why) => {
                let message = if said.words.secret { "the pattern does not parse".to_owned() } else { why.message };
                let help = "a pattern is a regular expression, such as `(?<bar>[0-9.]+) bar`; quote it with '…'";
                self.fail(&said.point(why.at), message, help);
                return None;
            }
        };
        let groups = pattern::groups(&compiled);
        let named = match (section.and_then(|section| section.get("as")), groups.is_empty()) {
            (Some(entry), true) => Some(self.step_name(entry)?),
            (None, false) => None,
            (Some(entry), false) => {
                let message = format!("`as` beside groups with names ({})", listed(groups.iter().map(String::as_str)));
                self.fail(&entry.place, message, "remove `as`; each group is a value by its own name");
                return None;
            }
            (None, true) => {
                let help = "name a group, as in `(?<bar>[0-9.]+) bar`, or add `as: NAME`";
                self.fail(said.place(), "the pattern names no value", help);
                return None;
            }
        };
        let ask = ask?;
        let name = named.as_ref().map(|(name, _)| name.clone());
        let gives = Members::These(name.clone().map_or(groups, |name| vec![name]));
        let work = StepWork::Extract { from: ask.said.words.full.clone(), pattern: compiled, name };
        Some(Own { work, gives, named, asks: Some(ask) })
    }

    fn expect_step<'n>(&mut self, entry: &'n Entry, section: Option<&Section<'n>>) -> Option<Own<'n>> {
        let condition = self.main("expect", "that", entry, section)?;
        let (said, that) = self.condition(condition)?;
        let asks = Some(Ask { paths: that.names(), said });
        Some(Own { work: StepWork::Expect { that }, gives: Members::These(Vec::new()), named: None, asks })
    }

    /// The entry of a kind's key `name`: in its map, or the value that stands alone.
    fn main<'n>(
        &mut self,
        kind: &str,
        name: &str,
        entry: &'n Entry,
        section: Option<&Section<'n>>,
    ) -> Option<&'n Entry> {
        let form = STEP_KINDS.iter().find(|known| known.name == kind).map_or("", |known| known.form);
        let alone = kind != "extract";
        match section {
            None if alone => Some(entry),
            None => {
                let message = format!("{} is {}, not a map", quote(kind), entry.value.what());
                self.fail(&entry.value.place, message, format!("write `{form}`"));
                None
            }
            Some(section) => {
                let found = section.get(name);
                if found.is_none() {
                    self.fail(&entry.place, format!("{} without `{name}`", quote(kind)), format!("write `{form}`"));
                }
                found
            }
        }
    }

    /// The path of a value of an earlier step.
    fn from<'n>(&mut self, entry: &'n Entry) -> Option<Ask<'n>> {
        let said = self.text(entry)?;
        let path = said.words.full.as_str();
        let fits = |c: char| c.is_alphanumeric() || "_-/.".contains(c);
        if !path.chars().all(fits) || path.split('.').any(str::is_empty) {
            let help = "write `STEP.VALUE`, such as `check.body`";
            self.fail(said.place(), format!("{} is no path of a value", said.quoted()), help);
            return None;
        }
        Some(Ask { paths: vec![(path.to_owned(), 0)], said })
    }
}

/// A step that says nothing but its kind's own keys.
fn draft<'n>(kind: &'static str, entry: &'n Entry, own: Own<'n>) -> Draft<'n> {
    let Own { work, gives, named, asks } = own;
    let (timeout, retries, on_failure) = (None, 0, OnFailure::default());
    Draft { kind, entry, name: None, needs: None, gives, named, asks, timeout, retries, on_failure, work }
}
