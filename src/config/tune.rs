//! The settings of one plan that may change while it runs, and a change of them in JSON.
//!
//! A change is read as the config reads the same keys, so that bounds and words are
//! those of the file. Deliberately nothing of what is measured, and no secrets: whoever
//! sends a change must not read this machine's files or environment by it.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::defaults::{BURST, DEPTH_MAX, NODES_PER_ITEM, RETRIES_MAX};
use super::duration::{LIMIT, PERIOD};
use super::error::Problems;
use super::json;
use super::load::Options;
use super::model::{CheckConfig, Flow, Rate};
use super::reader::Reader;
use super::source::Source;
use super::tree::{self, Limits};
use crate::frame::Value;
use crate::kernel::Span;

/// What a change may name.
const NAMES: [&str; 11] =
    ["every", "phase", "timeout", "retries", "priority", "late", "limit", "burst", "confirm", "delay", "breaker"];

/// Those of them that may be null: there is none of it.
const NULLABLE: [&str; 3] = ["phase", "limit", "burst"];

/// When a plan runs and within which limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From one run to the next.
    pub every: Span,
    /// Where in the period it starts; `None`: spread by the id.
    pub phase: Option<Span>,
    /// How long one try may take.
    pub timeout: Span,
    /// How many more tries a failed run has.
    pub retries: u32,
    /// How its runs are paced and its results settled.
    pub flow: Flow,
}

impl From<&CheckConfig> for Settings {
    fn from(check: &CheckConfig) -> Self {
        Self {
            every: check.every,
            phase: check.phase,
            timeout: check.timeout,
            retries: check.retries,
            flow: check.flow,
        }
    }
}

impl Settings {
    /// These settings with the change that a JSON object says; what it does not name stays.
    ///
    /// # Errors
    /// What is wrong with it, in the config's words.
    pub fn changed(self, body: &[u8]) -> Result<Self, String> {
        let Value::Map(_) = json::strict(body)? else {
            return Err("a change of a plan is a JSON object, such as {\"every\": \"30s\"}".into());
        };
        let change = serde_json::from_slice(body).map_err(|why| format!("not the JSON that is taken here: {why}"))?;
        self.with(change)
    }

    fn with(mut self, mut change: Map<String, Json>) -> Result<Self, String> {
        for name in NULLABLE {
            if change.get(name).is_some_and(Json::is_null) {
                change.remove(name);
                match name {
                    "phase" => self.phase = None,
                    "limit" => self.flow.limit = None,
                    _ => self.flow.limit = self.flow.limit.map(|rate| Rate { burst: BURST, ..rate }),
                }
            }
        }
        // The config has both of a limit in one place, a change may name either alone.
        let had = self.flow.limit;
        if let Some(rate) = had.filter(|_| change.contains_key("limit") != change.contains_key("burst")) {
            change.entry("limit").or_insert_with(|| rate.to_string().into());
            change.entry("burst").or_insert_with(|| rate.burst.into());
        }
        let names_limit = change.contains_key("limit");
        let text = Json::Object(change).to_string();
        if text.contains("${") {
            return Err("a change of a plan names no secrets".into());
        }
        let options = Options { env: &|_| None, ..Options::default() };
        let mut reader = Reader::new(&options);
        let read = self.read(&mut reader, &text);
        match read {
            Some(settings) if reader.problems.is_empty() => {
                let limit = if names_limit { settings.flow.limit } else { had };
                Ok(Self { flow: Flow { limit, ..settings.flow }, ..settings })
            }
            _ => Err(told(&reader.problems)),
        }
    }

    /// What `text` says, these settings where it does not; mistakes are the reader's.
    fn read(self, reader: &mut Reader<'_>, text: &str) -> Option<Self> {
        let source = Source::new("change".into(), PathBuf::new(), text);
        let limits = Limits { depth: DEPTH_MAX, nodes: NODES_PER_ITEM * NAMES.len(), entries: 1 };
        let tree = tree::parse(&source, limits, &mut reader.problems)?;
        let section = reader.map(&tree, &NAMES, "a change of a plan")?;
        let every = reader.span(&section, "every", PERIOD, self.every);
        let timeout = reader.span(&section, "timeout", LIMIT, self.timeout);
        let retries = reader.number(&section, "retries", 0, RETRIES_MAX, self.retries);
        let phase = match section.get("phase") {
            Some(entry) => reader.phase(entry, every).map(Some),
            None => Some(self.phase),
        };
        let flow = reader.flow(&section, "items[]", self.flow);
        if let (Some(every), Some(Some(phase)), Some(entry)) = (every, phase, section.get("every"))
            && phase >= every
        {
            let message = format!("the `phase` ({phase}) would not be within the period ({every})");
            reader.fail(&entry.value.place, message, "name another `phase` with it, or null");
        }
        Some(Self { every: every?, phase: phase?, timeout: timeout?, retries: retries?, flow: flow? })
    }
}

/// The mistakes in a sentence: the change is one line, so places would say nothing.
fn told(problems: &Problems) -> String {
    let Some(first) = problems.list().first() else { return "the change can't be read".into() };
    let help = first.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
    let more = match problems.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{}{help}{more}", first.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{BreakerConfig, Confirm, Delay, Late};

    fn base() -> Settings {
        let rate = Rate { tokens: 5, per: Span::from_secs(60), burst: 3 };
        Settings {
            every: Span::from_secs(10),
            phase: Some(Span::from_secs(4)),
            timeout: Span::from_secs(2),
            retries: 0,
            flow: Flow { limit: Some(rate), confirm: Confirm { bad: 3, good: 2 }, ..Flow::default() },
        }
    }

    fn changed(body: &str) -> Result<Settings, String> {
        base().changed(body.as_bytes())
    }

    #[test]
    fn what_is_named_changes_and_the_rest_stays() {
        let flow = base().flow;
        let with = |flow: Flow| Settings { flow, ..base() };
        let rate = |tokens, per, burst| Some(Rate { tokens, per: Span::from_secs(per), burst });
        let limit = |limit| with(Flow { limit, ..flow });
        for (body, wanted) in [
            ("{}", base()),
            (r#"{"every":"1m"}"#, Settings { every: Span::from_secs(60), ..base() }),
            (
                r#"{"every":"2s","phase":"1s"}"#,
                Settings { every: Span::from_secs(2), phase: Some(Span::from_secs(1)), ..base() },
            ),
            (
                "{\n\t\"every\": \"2s\",\n\t\"phase\": null\n}",
                Settings { every: Span::from_secs(2), phase: None, ..base() },
            ),
            (r#"{"timeout":"500ms","retries":2}"#, Settings { timeout: Span::from_millis(500), retries: 2, ..base() }),
            (r#"{"priority":9,"late":"burst 4"}"#, with(Flow { priority: 9, late: Late::Burst(4), ..flow })),
            (r#"{"limit":"20/s"}"#, limit(rate(20, 1, 3))),
            (r#"{"burst":1}"#, limit(rate(5, 60, 1))),
            (r#"{"burst":null}"#, limit(rate(5, 60, 1))),
            (r#"{"limit":"7/h","burst":2}"#, limit(rate(7, 3_600, 2))),
            (r#"{"limit":null}"#, limit(None)),
            (r#"{"limit":null,"burst":null}"#, limit(None)),
            (r#"{"confirm":{"bad":1}}"#, with(Flow { confirm: Confirm { bad: 1, good: 2 }, ..flow })),
            (
                r#"{"delay":{"on":"5s"}}"#,
                with(Flow { delay: Delay { on: Span::from_secs(5), off: Span::ZERO }, ..flow }),
            ),
            (
                r#"{"breaker":{"open_after":0}}"#,
                with(Flow { breaker: BreakerConfig { open_after: 0, ..flow.breaker }, ..flow }),
            ),
        ] {
            assert_eq!(changed(body), Ok(wanted), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_the_config_s_words() {
        for (body, part) in [
            ("", "not the JSON"),
            ("[]", "is a JSON object"),
            (r#"{"every":"1s","every":"2s"}"#, "there twice"),
            (r#"{"evry":"1s"}"#, "did you mean `every`?"),
            (r#"{"check":"tcp://x:1"}"#, "unknown key `check`"),
            (r#"{"flapping":{"start":"9%"}}"#, "unknown key `flapping`"),
            (r#"{"every":5}"#, "did you mean `5s` or `5ms`?"),
            (r#"{"every":"1ms"}"#, "`every` is 10ms to 365d"),
            (r#"{"every":null}"#, "`every` has no value"),
            (r#"{"every":"3s"}"#, "the `phase` (4s) would not be within the period (3s)"),
            (r#"{"phase":"10s"}"#, "`phase` is not within the period"),
            (r#"{"retries":1.5}"#, "no number from 0 to 100"),
            (r#"{"priority":10}"#, "no number from 0 to 9"),
            (r#"{"late":"never"}"#, "no value for `late`"),
            (r#"{"late":["skip"]}"#, "not a text"),
            (r#"{"limit":"20"}"#, "write `20/s`, `5/m` or `100/h`"),
            (r#"{"limit":null,"burst":2}"#, "`burst` without `limit`"),
            (r#"{"confirm":{"bad":0}}"#, "no number from 1 to 20"),
            (r#"{"confirm":3}"#, "not a map"),
            (r#"{"breaker":{"open":1}}"#, "unknown key `open`"),
            (r#"{"breaker":{"retry_after":"1h"}}"#, "is shorter than `retry_after`"),
            (r#"{"every":"${HOME}"}"#, "names no secrets"),
            (r#"{"every":"\u0024{file:/etc/hostname}"}"#, "names no secrets"),
            (r#"{"a":1,"b":2}"#, "(and 1 more)"),
        ] {
            let why = changed(body).unwrap_err();
            assert!(why.contains(part), "{body}: {why}");
        }
    }
}
