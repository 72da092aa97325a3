//! One item of the file, lowered: fixed, checked or pushed, and nothing between.

use super::Template;
use super::defaults::{EVERY, RETRIES, RETRIES_MAX, TIMEOUT};
use super::duration::{LIMIT, PERIOD, PHASE};
use super::error::{Problem, quote};
use super::known::Known;
use super::mask::mask_url;
use super::model::{CheckConfig, Flow, ItemConfig, ItemKind, Levels, Secret, StepConfig, identity};
use super::reader::{Reader, Section};
use super::schemes::Scheme;
use super::source::Place;
use super::steps::PLAN;
use super::tree::{Entry, Node};
use crate::kernel::Span;
use crate::kernel::board::{ID_CHARACTERS_MAX, ItemId, Level};

/// What `defaults:` says, or the program where it does not.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) every: Span,
    pub(super) timeout: Span,
    pub(super) retries: u32,
    pub(super) flow: Flow,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { every: EVERY, timeout: TIMEOUT, retries: RETRIES, flow: Flow::default() }
    }
}

/// The keys that say how a check or a plan is run; without one they say nothing.
const OF_CHECKS: [&str; 13] = [
    "every", "timeout", "retries", "phase", "priority", "late", "limit", "burst", "confirm", "delay", "flapping",
    "breaker", "levels",
];

/// What an item measures, as far as it could be read.
struct Aim {
    scheme: &'static str,
    /// The scheme of a single check.
    own: Option<&'static Scheme>,
    target: Secret,
    label: String,
    steps: Vec<StepConfig>,
}

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
        let (kind, known, scheme) = self.kind(&section, defaults);
        let said = match said {
            Some(None) => return Read { id, item: None },
            Some(said) => said,
            None => None,
        };
        let text = match (&kind, said, &id) {
            (_, Some(said), _) => self.template(said, kind.as_ref(), known.as_ref()),
            (_, None, Some((id, _))) => {
                let text = scheme.map_or(id.as_str(), |scheme| scheme.text);
                Template::parse(text).ok()
            }
            _ => None,
        };
        let item = match (&id, text, kind, hold) {
            (Some((id, _)), Some(text), Some(kind), None | Some(Some(_))) if !mixed => {
                Some(ItemConfig { id: id.clone(), text, hold: hold.flatten(), kind })
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
            ("check", "plan", "keep `check` for one question, or put it into the `plan` as its first step"),
            ("plan", "level", "keep `level` for a fixed item, or `plan` with `levels` for a measured one"),
            ("plan", "ttl", "keep `ttl` for a pushed item, or `plan` for a measured one"),
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
        if section.get("check").is_none() && section.get("plan").is_none() {
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

    /// What the item is, what its texts may name, and the scheme that lends it a text.
    fn kind(
        &mut self,
        section: &Section<'_>,
        defaults: Defaults,
    ) -> (Option<ItemKind>, Option<Known>, Option<&'static Scheme>) {
        if section.get("check").is_some() || section.get("plan").is_some() {
            let (check, known, scheme) = self.measured(section, defaults);
            return (check.map(|check| ItemKind::Check(Box::new(check))), known, scheme);
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
        (kind, None, None)
    }

    fn measured(
        &mut self,
        section: &Section<'_>,
        defaults: Defaults,
    ) -> (Option<CheckConfig>, Option<Known>, Option<&'static Scheme>) {
        let every = self.span(section, "every", PERIOD, defaults.every);
        let timeout = self.span(section, "timeout", LIMIT, defaults.timeout);
        let retries = self.number(section, "retries", 0, RETRIES_MAX, defaults.retries);
        let phase = section.get("phase").map_or(Some(None), |entry| self.phase(entry, every).map(Some));
        let flow = self.flow(section, "items[]", defaults.flow);
        let (aim, known) = match (section.get("check"), section.get("plan")) {
            (Some(entry), _) => self.single(entry),
            (None, Some(entry)) => self.in_steps(entry, timeout),
            (None, None) => (None, None),
        };
        let scheme = aim.as_ref().and_then(|aim| aim.own);
        let levels = match section.get("levels") {
            Some(entry) => self.levels(entry, known.as_ref()),
            None => Some(scheme.map_or_else(Levels::default, |scheme| self.own_levels(scheme))),
        };
        let check = match (aim, every, timeout, retries, phase, flow, levels) {
            (Some(aim), Some(every), Some(timeout), Some(retries), Some(phase), Some(flow), Some(levels)) => {
                let Aim { scheme, own: _, target, label, steps } = aim;
                Some(CheckConfig { scheme, target, label, every, phase, timeout, retries, levels, flow, steps })
            }
            _ => None,
        };
        (check, known, scheme)
    }

    /// `check:`, one question.
    fn single(&mut self, entry: &Entry) -> (Option<Aim>, Option<Known>) {
        let Some(said) = self.text(entry) else { return (None, None) };
        let Some(scheme) = self.scheme(&said) else { return (None, None) };
        let (label, target) = (mask_url(&said.words.shown), Secret::new(said.words.full));
        let aim = Aim { scheme: scheme.name, own: Some(scheme), target, label, steps: Vec::new() };
        (Some(aim), Some(Known::of_scheme(scheme)))
    }

    /// `plan:`, several steps.
    fn in_steps(&mut self, entry: &Entry, timeout: Option<Span>) -> (Option<Aim>, Option<Known>) {
        let Some((steps, known)) = self.plan(entry, timeout) else { return (None, None) };
        let label = |step: &StepConfig| match &step.work {
            super::StepWork::Check { label, .. } => label.clone(),
            _ => step.name.clone(),
        };
        let label = steps.iter().map(label).collect::<Vec<_>>().join(", ");
        (Some(Aim { scheme: PLAN, own: None, target: identity(&steps), label, steps }), Some(known))
    }

    pub(super) fn phase(&mut self, entry: &Entry, every: Option<Span>) -> Option<Span> {
        let phase = self.duration(entry, PHASE)?;
        if every.is_some_and(|every| phase >= every) {
            self.fail(&entry.value.place, "`phase` is not within the period", "write a `phase` shorter than `every`");
            return None;
        }
        Some(phase)
    }
}
