//! Somebody sets the wall clock while the board runs: the displayed time follows, and nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::pipe::{command, text};
use crate::support::{Piped, TempHome, skip};

/// Where Debian's package `faketime` has the library that tells a program another time.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// Seconds since the epoch of a line's `at`, as its hour and minute tell it within a day.
fn minutes(line: &str) -> i64 {
    let at = serde_json::from_str::<serde_json::Value>(line).unwrap()["at"].as_str().unwrap().to_owned();
    let number = |range: std::ops::Range<usize>| at[range].parse::<i64>().unwrap();
    number(8..10) * 1_440 + number(11..13) * 60 + number(14..16)
}

fn item(line: &str) -> String {
    serde_json::from_str::<serde_json::Value>(line).unwrap()["item"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_wall_clock_that_is_set_moves_the_displayed_time_alone() {
    let test = "a_wall_clock_that_is_set_moves_the_displayed_time_alone";
    if !Path::new(LIBRARY).exists() {
        return skip(test, "the library of the package faketime is missing");
    }
    let home = TempHome::with_config(
        "title: Clock\ninterval: 200ms\ncluster: none\nitems:\n  - {id: a, text: One, level: info}\n  \
         - {id: b, text: Two, level: info}\n  - {id: load, check: 'load:', every: 500ms, hold: 200ms}\n",
    );
    let clock = home.write("clock", "+0\n");
    let mut command = command(&home, &["run", "--config", text(&home.config()), "--render", "json"]);
    command
        .env("LD_PRELOAD", LIBRARY)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut run = Piped::spawn(command);
    let first = run.line_where("of the first item", |line| line.contains("\"a\""));
    for (set, moved) in [("+3600\n", 60), ("-7200\n", -120), ("+0\n", 0)] {
        let base = minutes(&first);
        home.rename_over("clock", set);
        let jumped = run.line_where("with the other time", |line| (minutes(line) - base - moved).abs() <= 2);
        // From here on the turns go on in their order and at their pace, and nothing turns stale.
        let mut began: Option<Instant> = None;
        let mut shown = item(&jumped);
        let mut turns = 0;
        while turns < 12 {
            let (arrived, line) = run.next_line_at().expect("the board goes on");
            let began = *began.get_or_insert(arrived);
            // Twelve turns of 200 ms: a board that waited for the wall clock would stand still for hours.
            assert!(arrived.duration_since(began) < Duration::from_secs(20), "the turns came to a stand");
            assert!(!line.contains("\"unknown\""), "a jump of the clock makes no news old: {line}");
            let now = item(&line);
            if now != shown {
                let order = ["a", "b", "load"];
                let place = |id: &str| order.iter().position(|known| *known == id).unwrap();
                assert_eq!(place(&now), (place(&shown) + 1) % 3, "a turn was skipped or repeated: {line}");
                shown = now;
                turns += 1;
            }
        }
    }
}
