//! `marquee consoles`: who leads, who follows, and how far their clocks are off.
//!
//! Ages are counted to the moment at which the asked console answered, on the clock that the consoles share: this
//! command reads no clock, and consoles whose clocks differ are told alike.

use std::cmp::Reverse;
use std::io::{self, Write as _};
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::Value;

use super::args::{ConsolesArgs, Format};
use super::client::{Client, USUAL, cleaned};
use super::tell::{BAD, Told, failed, refused};
use crate::frame::Safe;

/// # Errors
/// Where nothing can be printed.
pub(super) fn consoles(args: &ConsolesArgs) -> io::Result<ExitCode> {
    let asked = Client::find(&args.reach).and_then(|client| client.ask("GET", "/v1/consoles", None, USUAL));
    let known = match asked {
        Ok(answer) if answer.is_well() => answer.body,
        Ok(answer) => return refused(&answer),
        Err(failure) => return failed(&failure),
    };
    let mut out = io::stdout().lock();
    if args.format == Format::Json {
        writeln!(out, "{:#}", cleaned(&known))?;
    } else {
        for line in lines(&known) {
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    let Some(trouble) = trouble(&known) else { return Ok(ExitCode::SUCCESS) };
    writeln!(io::stderr(), "marquee: {trouble}")?;
    Ok(ExitCode::from(BAD))
}

const TITLES: [&str; 7] = ["CONSOLE", "ROLE", "SINCE", "VERSION", "OFFSET", "BOUND", "LAST SEEN"];

/// Up to which column they begin at the left; numbers end at the right.
const LEFT: usize = 2;

/// A line each, under titles, leaders first.
fn lines(known: &Value) -> Vec<String> {
    let consoles = sorted(known);
    let now = consoles.iter().filter_map(|console| shared(console, "last_seen")).max().unwrap_or_default();
    let row = |console: &&Value| {
        let age = |moment: &str| shared(console, moment).map_or_else(|| "-".into(), |then| age(now - then));
        let millis = |name: &str| console[name].as_f64().unwrap_or(0.0);
        [
            console.told("name"),
            console.told("role"),
            Safe::line(&age("since")),
            console.told("version"),
            Safe::line(&format!("{:+.1} ms", millis("offset_ms"))),
            Safe::line(&format!("{:.1} ms", millis("bound_ms"))),
            Safe::line(&age("last_seen")),
        ]
    };
    let rows: Vec<_> = std::iter::once(TITLES.map(Safe::line)).chain(consoles.iter().map(row)).collect();
    let widths: [usize; 7] =
        std::array::from_fn(|place| rows.iter().map(|row| row[place].columns()).max().unwrap_or(0));
    let line = |row: &[Safe; 7]| {
        let cells = row.iter().zip(widths).enumerate().map(|(place, (cell, width))| {
            let pad = " ".repeat(width.saturating_sub(cell.columns()));
            if place < LEFT { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

/// The consoles, the newest leader first, the others by name.
fn sorted(known: &Value) -> Vec<&Value> {
    let mut consoles: Vec<&Value> = known["consoles"].as_array().into_iter().flatten().collect();
    let newest = |console: &Value| Some(shared(console, "since")).filter(|_| leads(console));
    consoles.sort_by_key(|console| (Reverse(newest(console)), console.told("name").to_string()));
    consoles
}

fn leads(console: &Value) -> bool {
    matches!(console["role"].as_str(), Some("leader" | "alone"))
}

/// A moment of a console's own clock on the shared one, in milliseconds.
fn shared(console: &Value, name: &str) -> Option<i64> {
    let told: Timestamp = console[name].as_str()?.parse().ok()?;
    // No clock is off by so much that the fraction matters.
    #[expect(clippy::cast_possible_truncation, reason = "an offset that is no number is none, a huge one saturates")]
    let offset = console["offset_ms"].as_f64().unwrap_or(0.0).round() as i64;
    Some(told.as_millisecond().saturating_add(offset))
}

/// An age in one whole unit.
fn age(millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds}s ago"),
        60..3_600 => format!("{}m ago", seconds / 60),
        3_600..172_800 => format!("{}h ago", seconds / 3_600),
        _ => format!("{}d ago", seconds / 86_400),
    }
}

/// What is not well with the consoles; `None`: one leads, and all are in sync with it.
fn trouble(known: &Value) -> Option<String> {
    let consoles = sorted(known);
    if !consoles.iter().any(|console| leads(console)) {
        return Some("nobody leads this board".into());
    }
    let lost = consoles.iter().find(|console| console["role"] == "local")?;
    Some(format!("{} is not in sync: it lost the others and goes on by itself", lost.told("name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(name: &str, role: &str, offset_ms: f64, [since, seen]: [&str; 2]) -> Value {
        serde_json::json!({
            "name": name, "role": role, "version": "0.1.0", "offset_ms": offset_ms, "bound_ms": 0.4,
            "since": format!("2026-11-20T{since}.000Z"), "last_seen": format!("2026-11-20T{seen}.000Z"),
        })
    }

    #[test]
    fn consoles_stand_in_columns_leader_first_with_ages_on_the_shared_clock() {
        // The leader's clock is two hours behind the others'.
        let known = serde_json::json!({"leader": "z", "consoles": [
            console("press\u{1b}[2J-hall", "follower", -1.25, ["14:00:01", "14:03:23"]),
            console("七号", "local", 0.0, ["13:01:01", "14:03:20"]),
            console("z", "leader", 7_200_000.0, ["12:00:00", "12:03:22"]),
        ]});
        assert_eq!(
            lines(&known),
            [
                "CONSOLE     ROLE       SINCE  VERSION         OFFSET   BOUND  LAST SEEN",
                "z           leader    3m ago    0.1.0  +7200000.0 ms  0.4 ms     0s ago",
                "press-hall  follower  3m ago    0.1.0        -1.2 ms  0.4 ms     0s ago",
                "七号        local     1h ago    0.1.0        +0.0 ms  0.4 ms     2s ago",
            ]
        );
    }

    #[test]
    fn nobody_who_leads_and_somebody_who_lost_the_others_are_trouble() {
        let told = |roles: &[&str]| {
            let consoles: Vec<Value> =
                roles.iter().map(|role| serde_json::json!({"name": format!("a {role}"), "role": role})).collect();
            trouble(&serde_json::json!({"consoles": consoles}))
        };
        for well in [&["alone"][..], &["follower", "leader"], &["leader", "observer"]] {
            assert_eq!(told(well), None, "{well:?}");
        }
        for (bad, why) in [
            (&[][..], "nobody leads this board"),
            (&["follower", "follower"], "nobody leads this board"),
            (&["local"], "nobody leads this board"),
            (&["leader", "local"], "a local is not in sync: it lost the others and goes on by itself"),
        ] {
            assert_eq!(told(bad).as_deref(), Some(why), "{bad:?}");
        }
    }
}
