//! `marquee show`: all that the running board knows of one item.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::args::{Format, ShowArgs};
use super::client::{Client, USUAL, cleaned, escaped};
use super::tell::{Told, age, failed, refused, run_line};
use crate::frame::Safe;

/// # Errors
/// Where nothing can be printed.
pub(super) fn show(args: &ShowArgs) -> io::Result<ExitCode> {
    let path = format!("/v1/items/{}", escaped(&args.id));
    let asked = Client::find(&args.reach).and_then(|client| client.ask("GET", &path, None, USUAL));
    let item = match asked {
        Ok(answer) if answer.is_well() => answer.body,
        Ok(answer) => return refused(&answer),
        Err(failure) => return failed(&failure),
    };
    let mut out = io::stdout().lock();
    if args.format == Format::Json {
        writeln!(out, "{:#}", cleaned(&item))?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, told) in lines(&item) {
        writeln!(out, "{name:<12} {told}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(item: &Value) -> Vec<(Safe, String)> {
    let mut lines: Vec<(&str, String)> = ["id", "text", "level", "since", "updated"]
        .map(|name| (name, item.told(name).to_string()))
        .into_iter()
        .collect();
    let age = age(item);
    let unfresh = if item["fresh"] == Value::Bool(false) { "no longer believed" } else { "" };
    let flapping = if item["flapping"] == Value::Bool(true) { "flapping" } else { "" };
    if !item["acknowledged"].is_null() {
        lines.push(("acknowledged", item.told("acknowledged").to_string()));
    }
    let remarks: Vec<&str> = [age.as_str(), unfresh, flapping].into_iter().filter(|part| !part.is_empty()).collect();
    if !remarks.is_empty() {
        lines.push(("age", remarks.join(", ")));
    }
    lines.push(("source", item.told("source").to_string()));
    for name in ["next_run", "run"] {
        if !item[name].is_null() {
            lines.push((if name == "run" { "running" } else { "next run" }, item.told(name).to_string()));
        }
    }
    if !item["last_run"].is_null() {
        lines.push(("last run", run_line(&item["last_run"])));
    }
    let mut lines: Vec<(Safe, String)> = lines.into_iter().map(|(name, told)| (Safe::line(name), told)).collect();
    for (name, _) in item["values"].as_object().into_iter().flatten() {
        lines.push((Safe::line(name), item["values"].told(name).to_string()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_told_whole() {
        let item = serde_json::json!({
            "id": "db", "text": "OK\u{1b}[2J", "level": "healthy", "since": "S", "updated": null, "age_ms": null,
            "source": "tcp://h:1", "values": {"latency": 0.01, "a\u{202e}": {"b": "c"}}, "fresh": false, "flapping": true,
            "next_run": "N", "run": "r2", "last_run": {"run": "r1", "item": "db", "state": "done", "ran_ms": 3, "retries": 0, "detail": "OK"},
        });
        let told: Vec<String> = lines(&item).iter().map(|(name, told)| format!("{name}={told}")).collect();
        for wanted in [
            "text=OK",
            "updated=-",
            "age=no longer believed, flapping",
            "running=r2",
            "last run=r1 db done after 3ms: OK",
            "latency=0.01",
            "a={\"b\":\"c\"}",
        ] {
            assert!(told.iter().any(|line| line == wanted), "{wanted} is not in {told:?}");
        }
    }
}
