//! `plan:`, a list of steps: names, needs without circles, and who takes what from whom.
//!
//! Read in two passes, because a step may need one that is written below it:
//! first each step by itself, then what it names of the others.

use super::defaults::{RETRIES_MAX, STEP_NAME_CHARACTERS_MAX, STEPS_MAX};
use super::duration::LIMIT;
use super::error::{Problem, quote};
use super::keys::{ON_FAILURE, listed, proposal};
use super::known::{Known, Members};
use super::model::{OnFailure, StepConfig};
use super::reader::{Reader, Said, Section};
use super::schemes::COMMON_VALUES;
use super::source::Place;
use super::step::{Ask, Draft};
use super::steps::STEP_KINDS;
use super::tree::{Entry, Form, Node};
use crate::kernel::Span;

impl Reader<'_> {
    /// The steps of a plan and the values it gives; `timeout` is the plan's own.
    pub(super) fn plan(&mut self, entry: &Entry, timeout: Option<Span>) -> Option<(Vec<StepConfig>, Known)> {
        let nodes = self.list(entry)?;
        if nodes.is_empty() {
            self.fail(&entry.place, "a `plan` without steps", "write for example `- check: http://HOST/PATH`");
            return None;
        }
        if let Some(node) = nodes.get(STEPS_MAX) {
            self.fail(&node.place, format!("more than {STEPS_MAX} steps"), "split the plan over several items");
            return None;
        }
        let drafts: Vec<_> = nodes.iter().map(|node| self.draft(node, timeout)).collect();
        let mut drafts = drafts.into_iter().collect::<Option<Vec<_>>>()?;
        let named = self.number_and_compare(&mut drafts);
        let needs = self.needs(&drafts)?;
        if !self.goes_forward(&drafts, &needs) || !named {
            return None;
        }
        let mut good = true;
        for (at, draft) in drafts.iter().enumerate() {
            let earlier = before(&needs, at);
            let scope = scope(&drafts, &earlier, needs[at].last().copied());
            let later = (0..drafts.len()).filter(|place| !earlier.contains(place)).map(|place| drafts[place].name());
            good &= self.takes(draft, &scope, &later.collect::<Vec<_>>());
        }
        let known = whole(&drafts);
        let steps: Option<Vec<_>> = drafts.into_iter().zip(needs).map(|(draft, needs)| draft.lowered(needs)).collect();
        steps.filter(|_| good).map(|steps| (steps, known))
    }

    /// One step by itself.
    fn draft<'n>(&mut self, node: &'n Node, timeout: Option<Span>) -> Option<Draft<'n>> {
        let before = self.problems.len();
        self.section(node, "items[].plan[]", "a step")?;
        let Form::Map(entries) = &node.form else { return None };
        let forms = || listed(STEP_KINDS.iter().map(|kind| kind.form));
        let entry = match entries.as_slice() {
            _ if self.problems.len() > before => return None,
            [entry] => entry,
            [] => {
                self.fail(&node.place, "a step that says nothing", format!("write one of {}", forms()));
                return None;
            }
            [_, second, ..] => {
                let message = format!("{} is a second kind in one step", quote(&second.key));
                self.fail(&second.place, message, "begin a step of its own with `- `");
                return None;
            }
        };
        let kind = STEP_KINDS.iter().find(|kind| kind.name == entry.key)?.name;
        let section = match &entry.value.form {
            Form::Map(_) => {
                Some(self.section(&entry.value, &format!("items[].plan[].{kind}"), &format!("`{kind}`"))?)
            }
            _ => None,
        };
        self.step(kind, entry, section, timeout)
    }

    /// Gives names to those without one; whether no two are the same.
    fn number_and_compare(&mut self, drafts: &mut [Draft<'_>]) -> bool {
        let mut seen: Vec<(String, &'static str, Place)> = Vec::new();
        let mut good = true;
        for draft in drafts.iter_mut() {
            let nth = seen.iter().filter(|(_, kind, _)| *kind == draft.kind).count() + 1;
            let place = draft.name.as_ref().map_or(&draft.entry.place, |(_, place)| place).clone();
            let name = match &draft.name {
                Some((name, _)) => name.clone(),
                None if nth == 1 => draft.kind.to_owned(),
                None => format!("{}{nth}", draft.kind),
            };
            if let Some((_, _, first)) = seen.iter().find(|(known, ..)| *known == name) {
                let problem = Problem::at(&place, format!("two steps are called `{name}`"))
                    .label(first, "the first is here")
                    .help("give one of them another `name`");
                self.problems.add(problem);
                good = false;
            }
            seen.push((name.clone(), draft.kind, place.clone()));
            draft.name = Some((name, place));
        }
        let values: Vec<_> = drafts.iter().filter_map(|draft| draft.named.clone()).collect();
        for (at, (value, place)) in values.iter().enumerate() {
            let step = seen.iter().find(|(name, ..)| name == value).map(|(.., place)| (place, "a step is called so"));
            let other =
                values[..at].iter().find(|(other, _)| other == value).map(|(_, place)| (place, "the first is here"));
            if let Some((first, why)) = step.or(other) {
                let problem = Problem::at(place, format!("the name `{value}` is given twice"))
                    .label(first, why)
                    .help("write another name behind `as`");
                self.problems.add(problem);
                good = false;
            }
        }
        good
    }

    /// The places of the steps that each one waits for.
    fn needs(&mut self, drafts: &[Draft<'_>]) -> Option<Vec<Vec<usize>>> {
        let mut all = Vec::with_capacity(drafts.len());
        let mut good = true;
        for (at, draft) in drafts.iter().enumerate() {
            let mut needs = Vec::new();
            if draft.needs.is_none() {
                needs.extend(at.checked_sub(1));
            }
            for said in draft.needs.iter().flatten() {
                let others = || drafts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| it.name());
                match drafts.iter().position(|other| other.name() == said.words.full) {
                    Some(found) if found == at => {
                        self.fail(said.place(), "a step that needs itself", "name another step, or write `needs: []`");
                        good = false;
                    }
                    Some(found) if needs.contains(&found) => {}
                    Some(found) => needs.push(found),
                    None => {
                        let shown = if said.words.secret { "" } else { &said.words.full };
                        let known: Vec<_> = others().collect();
                        let help = proposal(shown, known.iter().copied(), "the other steps are");
                        self.fail(said.place(), format!("there is no step {}", said.quoted()), help);
                        good = false;
                    }
                }
            }
            all.push(needs);
        }
        good.then_some(all)
    }

    /// Whether no step waits for itself by way of others.
    fn goes_forward(&mut self, drafts: &[Draft<'_>], needs: &[Vec<usize>]) -> bool {
        let Some(at) = (0..drafts.len()).find(|at| before(needs, *at).contains(at)) else { return true };
        // The need that leads back, and the way it takes.
        let closing = needs[at].iter().position(|need| *need == at || before(needs, *need).contains(&at));
        let by = closing.map_or(at, |place| needs[at][place]);
        let place = match (&drafts[at].needs, closing) {
            (Some(said), Some(_)) => said.iter().find(|said| said.words.full == drafts[by].name()).map(Said::place),
            _ => None,
        };
        let message = format!("a circle: `{}` needs `{}`, which needs `{0}`", drafts[at].name(), drafts[by].name());
        let help = "let one of them begin with `needs: []`; without `needs` a step needs the one before";
        self.fail(place.unwrap_or(&drafts[at].entry.place), message, help);
        false
    }

    /// Whether what a step takes is there when it runs; nothing of the steps in `later` is.
    fn takes(&mut self, draft: &Draft<'_>, scope: &Known, later: &[&str]) -> bool {
        let Some(Ask { said, paths }) = &draft.asks else { return true };
        for (path, at) in paths {
            let first = path.split('.').next().unwrap_or_default();
            if later.contains(&first) {
                let message = format!("`{}` does not wait for the step `{first}`", draft.name());
                let help = if first == draft.name() {
                    "name the step that gives the value".to_owned()
                } else {
                    format!("add it to its needs: `needs: [{first}]`")
                };
                self.fail(&said.point(*at..at + first.len()), message, help);
                return false;
            }
        }
        self.known(said, paths, Some(scope))
    }

    /// A name that texts and expressions can say.
    pub(super) fn step_name(&mut self, entry: &Entry) -> Option<(String, Place)> {
        let said = self.words(entry)?;
        let name = said.words.full.as_str();
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
            && name.len() <= STEP_NAME_CHARACTERS_MAX;
        // A word of the expressions' own language can't name a value in one.
        let mut sayable = || self.compile(name).is_ok_and(|it| it.names().iter().any(|(known, _)| known == name));
        if plain && !COMMON_VALUES.contains(&name) && sayable() {
            return Some((name.to_owned(), said.place().clone()));
        }
        let message = if plain {
            format!("{} has a meaning of its own", said.quoted())
        } else {
            format!("{} is no name: a name is 1 to {STEP_NAME_CHARACTERS_MAX} of a-z 0-9 _", said.quoted())
        };
        self.fail(said.place(), message, "texts and expressions say this name; it begins with a letter");
        None
    }

    /// What becomes of the plan when the step fails.
    pub(super) fn on_failure(&mut self, section: &Section<'_>) -> Option<OnFailure> {
        let Some(entry) = section.get("on_failure") else { return Some(OnFailure::default()) };
        let word = self.word(entry, ON_FAILURE)?;
        Some(if word == "degrade" { OnFailure::Degrade } else { OnFailure::Fail })
    }

    /// `timeout` and `retries` of a step; `plan` is the plan's own time.
    pub(super) fn tries(&mut self, section: &Section<'_>, plan: Option<Span>) -> Option<(Option<Span>, u32)> {
        let timeout = section.get("timeout").map(|entry| (entry, self.duration(entry, LIMIT)));
        let retries = self.number(section, "retries", 0, RETRIES_MAX, 0);
        if let (Some((entry, Some(timeout))), Some(plan)) = (timeout, plan)
            && timeout > plan
        {
            let message = format!("the step may take longer than its plan, which ends after {plan}");
            self.fail(&entry.value.place, message, "write a shorter one, or give the item a longer `timeout`");
            return None;
        }
        let timeout = timeout.map_or(Some(None), |(_, timeout)| timeout.map(Some));
        Some((timeout?, retries?))
    }
}

/// The places of all steps that have ended before the one at `at` begins.
fn before(needs: &[Vec<usize>], at: usize) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    let mut open = needs[at].clone();
    while let Some(next) = open.pop() {
        if !found.contains(&next) {
            found.push(next);
            open.extend(&needs[next]);
        }
    }
    found.sort_unstable();
    found
}

/// What a step may name: the steps before it, values with names of their own, and bare what the last of
/// its needs gives.
fn scope(drafts: &[Draft<'_>], earlier: &[usize], last: Option<usize>) -> Known {
    let mut known = Known::new("what comes before");
    name(&mut known, earlier.iter().map(|place| &drafts[*place]));
    if let Some(last) = last {
        known.add_all(&drafts[last].gives);
    }
    known
}

/// What the item's text and levels may name: the same of all steps, and bare what the last one gives.
fn whole(drafts: &[Draft<'_>]) -> Known {
    let mut known = Known::new("the plan");
    name(&mut known, drafts.iter());
    known.add_common();
    if let Some(last) = drafts.last() {
        known.add_all(&last.gives);
    }
    known
}

fn name<'d>(known: &mut Known, drafts: impl Iterator<Item = &'d Draft<'d>> + Clone) {
    for draft in drafts.clone() {
        known.add(draft.name(), draft.gives.clone());
    }
    for (value, _) in drafts.filter_map(|draft| draft.named.as_ref()) {
        known.add(value.clone(), Members::Any);
    }
}
