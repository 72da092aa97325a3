//! What the commands to a running board have in common: how its answers and refusals are printed.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::client::{Answered, Failure};
use crate::frame::{Safe, Span};

/// The thing asked about is bad.
pub(super) const BAD: u8 = 1;

/// Usage or config is wrong.
const USAGE: u8 = 2;

/// The board can't be reached.
const UNREACHABLE: u8 = 3;

/// The board did not do it.
pub(super) fn refused(answer: &Answered) -> io::Result<ExitCode> {
    writeln!(io::stderr(), "marquee: {}", answer.why())?;
    Ok(ExitCode::from(BAD))
}

/// There is no answer.
pub(super) fn failed(failure: &Failure) -> io::Result<ExitCode> {
    writeln!(io::stderr(), "marquee: {failure}")?;
    Ok(ExitCode::from(if matches!(failure, Failure::Usage(_)) { USAGE } else { UNREACHABLE }))
}

/// Members of an answer as clean text.
pub(super) trait Told {
    /// The member as one clean line; `-` where it is null or missing.
    fn told(&self, name: &str) -> Safe;
}

impl Told for Value {
    fn told(&self, name: &str) -> Safe {
        match &self[name] {
            Self::Null => Safe::line("-"),
            Self::String(text) => Safe::line(text),
            other => Safe::line(&other.to_string()),
        }
    }
}

/// An item's age as people say it; empty where it never reported.
pub(super) fn age(item: &Value) -> String {
    item["age_ms"].as_u64().map(|millis| Span::from_millis(millis).to_string()).unwrap_or_default()
}

/// A run in a line.
pub(super) fn run_line(run: &Value) -> String {
    let took =
        run["ran_ms"].as_u64().map_or_else(String::new, |millis| format!(" after {}", Span::from_millis(millis)));
    let retries = match run["retries"].as_u64() {
        None | Some(0) => String::new(),
        Some(1) => ", 1 retry".into(),
        Some(retries) => format!(", {retries} retries"),
    };
    let (name, item, state, detail) = (run.told("run"), run.told("item"), run.told("state"), run.told("detail"));
    let said = if detail.is_empty() || *detail == *state { String::new() } else { format!(": {detail}") };
    format!("{name} {item} {}{took}{retries}{said}", state.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_told_in_a_line() {
        let run = |state: &str, retries: u32, detail: &str| {
            run_line(
                &serde_json::json!({"run": "r7", "item": "db", "state": state, "ran_ms": 12, "retries": retries, "detail": detail}),
            )
        };
        assert_eq!(run("done", 0, "OK"), "r7 db done after 12ms: OK");
        assert_eq!(run("timed_out", 1, "no\u{7} answer"), "r7 db timed out after 12ms, 1 retry: no\u{fffd} answer");
        assert_eq!(run("cancelled", 0, "cancelled"), "r7 db cancelled after 12ms");
        assert_eq!(run_line(&Value::Null), "- - -");
    }
}
