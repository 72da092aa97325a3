//! `tests/faults`: every fault of consoles in step against the release program, as a table, and the figures.
//!
//! The scenarios are those of the tests, here with their times judged, and more that need a network of
//! their own. A row that fails is tried once more, and both results are told.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a scenario ends where its own tools fail")]

#[expect(dead_code, reason = "what makes tests of the scenarios is not used here")]
#[path = "../it/consoles/mod.rs"]
mod consoles;
mod figures;
mod host;
mod limits;
mod networks;
#[expect(dead_code, unused_imports, reason = "the tests share it and use the rest")]
#[path = "../it/support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use consoles::{Notes, Scenario};

/// How a row came out.
enum Outcome {
    /// What was measured, and whether everything promised was held.
    Ran(String, bool),
    Skipped(String),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (mut only, mut list, mut soak, mut seed) = (Vec::new(), false, None, 1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--only" => only.extend(arguments.next()),
            "--list" => list = true,
            "--soak" => soak = arguments.next().and_then(|minutes| minutes.parse().ok()).map(Duration::from_mins),
            "--seed" => seed = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(seed),
            networks::INSIDE => return networks::inside(arguments.next().as_deref()),
            other => {
                eprintln!("usage: tests/faults [--only N]... [--list] [--soak MINUTES [--seed N]]; not {other}");
                return ExitCode::from(2);
            }
        }
    }
    let rows = [consoles::ALL, networks::ALL, host::ALL, limits::ALL].concat();
    if list {
        for row in &rows {
            println!("{} {} ({})", row.number, row.fault, row.name);
        }
        for (name, _) in figures::ALL {
            println!("{name} (figures)");
        }
        return ExitCode::SUCCESS;
    }
    if let Some(time) = soak {
        let well = consoles::soak::soak(time, seed).is_none_or(|account| account.wrong + account.stale == 0);
        return ExitCode::from(u8::from(!well));
    }
    // 4 stands for 4a and 4b.
    let bare = |number: &str| number.trim_end_matches(|letter: char| letter.is_ascii_lowercase()).to_owned();
    let wanted = |number: &str| only.is_empty() || only.iter().any(|one| *one == number || *one == bare(number));
    println!("load {}", load());
    println!("fault | expected | measured | ok");
    let mut failed = 0;
    for row in rows.iter().filter(|row| wanted(row.number)) {
        let (measured, ok) = match tried(row) {
            Outcome::Ran(measured, true) => (measured, "ok"),
            Outcome::Ran(first, false) => match tried(row) {
                Outcome::Ran(second, ok) => {
                    (format!("first: {first}; again: {second}"), if ok { "ok, again" } else { "FAILED" })
                }
                Outcome::Skipped(why) => (format!("first: {first}; {why}"), "FAILED"),
            },
            Outcome::Skipped(why) => (why, "skipped"),
        };
        failed += usize::from(ok == "FAILED");
        println!("{} {} | {} | {measured} | {ok}", row.number, row.fault, row.expected);
    }
    for (_, measure) in figures::ALL.iter().filter(|(name, _)| wanted(name)) {
        if catch_unwind(measure).is_err() {
            failed += 1;
        }
    }
    println!("load {}", load());
    ExitCode::from(u8::from(failed > 0))
}

fn tried(row: &Scenario) -> Outcome {
    let mut notes = Notes::default();
    let ran = catch_unwind(AssertUnwindSafe(|| (row.run)(&mut notes)));
    let mut told: Vec<String> = Vec::new();
    let mut held = true;
    for note in &notes.0 {
        let value = format!("{} {:.0} ms", note.name, note.value.as_secs_f64() * 1e3);
        let late = note.most.filter(|most| note.value > *most);
        held &= late.is_none();
        told.push(late.map_or(value.clone(), |most| format!("{value} (over {} ms)", most.as_millis())));
    }
    match ran {
        Ok(Some(())) => Outcome::Ran(format!("{} (load {})", told.join(", "), load()), held),
        Ok(None) => Outcome::Skipped(notes.1.unwrap_or_else(|| "a server is not installed".into())),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            let first = words.lines().next().unwrap_or_default().to_owned();
            told.push(format!("it failed: {first}"));
            Outcome::Ran(told.join(", "), false)
        }
    }
}

/// How many processes wanted to run within the last minute.
fn load() -> String {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split(' ').next().unwrap_or_default().to_owned()
}
