//! How it ends: by key, by signal, by a closed terminal, by time; and how it begins again.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::clock::eventually;
use crate::support::{Piped, Pty, Size, TempHome, crowd};

const BOARD: &str = "\
title: Ends
interval: 60s
cluster: none
items:
  - {id: db, text: PostgreSQL OK, level: healthy}
  - {id: api, text: API slow, level: warning}
";

#[test]
fn both_keys_quit() {
    for key in ["q", "\x03"] {
        let home = TempHome::with_config(BOARD);
        let mut pty = Pty::board(&home);
        pty.wait_for_text("API slow");
        pty.send(key);
        let status = pty.wait_exit();
        assert!(status.success(), "{key:?}: {status:?}");
        pty.assert_restored();
        pty.assert_allowed();
    }
}

#[test]
fn every_ending_signal_restores_the_terminal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let home = TempHome::with_config(BOARD);
        let pty = Pty::board(&home);
        pty.wait_for_text("API slow");
        pty.signal(signal);
        let status = pty.wait_exit();
        assert!(status.success(), "{signal:?}: {status:?}");
        pty.assert_restored();
        pty.assert_allowed();
    }
}

#[test]
fn a_signal_ends_it_behind_pipes_too() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let home = TempHome::with_config(BOARD);
        let mut run = Piped::render(&home, "json");
        run.next_line().unwrap();
        run.signal(signal);
        let status = run.wait_exit();
        assert_eq!(status.code(), Some(0), "{signal:?}: {status:?} {}", run.errors());
    }
}

#[test]
fn a_closed_terminal_ends_it() {
    let home = TempHome::with_config(BOARD);
    let mut pty = Pty::board(&home);
    pty.wait_for_text("API slow");
    pty.hang_up();
    let status = pty.wait_exit();
    assert!(status.success(), "{status:?}");
}

#[test]
fn a_closed_pipe_ends_it() {
    let home = TempHome::with_config(&BOARD.replace("60s", "50ms"));
    let mut run = Piped::render(&home, "json");
    run.next_line().unwrap();
    run.close_output();
    let status = run.wait_exit();
    assert_eq!(status.code(), Some(0), "{status:?} {}", run.errors());
}

#[test]
fn it_runs_for_as_long_as_it_is_told() {
    let home = TempHome::with_config(BOARD);
    let config = home.config();
    let args = ["run", "--for", "1s", "--config", config.to_str().unwrap()];
    let pty = Pty::open(&home, Size::USUAL, &args, &[]);
    let status = pty.wait_exit();
    assert!(status.success(), "{status:?}");
    assert!(pty.started().elapsed().as_secs_f64() >= 1.0, "ended before its time");
    pty.assert_restored();
    pty.assert_allowed();
}

#[test]
fn checks_in_flight_do_not_hold_up_the_end() {
    let home = TempHome::new();
    let check = home.plugin("hang.sh", "trap '' TERM\necho started > started\nwhile :; do sleep 60; done\n");
    home.write(
        "marquee.yaml",
        format!("title: Busy\ncluster: none\nitems:\n  - {{id: hang, check: '{check}', timeout: 60s, every: 60s}}\n"),
    );
    let mut pty = Pty::board(&home);
    eventually("the check to start", || home.path("started").exists().then_some(()));
    pty.send("q");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
}

#[test]
fn after_a_kill_it_goes_on_from_the_stored_item() {
    let home = TempHome::new();
    home.write("marquee.yaml", crowd("title: Resume\ninterval: 1s\n", 12));
    let mut run = Piped::render(&home, "json");
    run.line_where("of the fourth item", |line| item(line) == Some(3));
    run.signal(Signal::KILL);
    run.wait_exit();
    assert!(!home.state_files().is_empty(), "nothing is kept under the state folder");
    let mut again = Piped::render(&home, "json");
    let first = again.line_where("of an item", |line| item(line).is_some());
    let place = item(&first).unwrap();
    // The third turn was stored a whole turn before the kill; the restart itself may take a turn or two.
    assert!((2..=7).contains(&place), "resumed at item {place} after a kill at item 3");
}

#[test]
fn a_config_mended_after_the_start_keeps_its_state_and_leads() {
    let home = TempHome::with_config("items: [{id: a, text: One, level: purple}]\n");
    let mut run = Piped::render(&home, "json");
    run.line_where("with the mistake", |line| line.contains("purple"));
    home.rename_over("marquee.yaml", "title: Mended\nitems: [{id: a, text: One, level: info}]\n");
    run.line_where("of the item, as its leader", |line| line.contains("One") && line.contains("\"leader\""));
    eventually("the state to be kept", || (!home.state_files().is_empty()).then_some(()));
    run.signal(Signal::TERM);
    assert!(run.wait_exit().success());
}

#[test]
fn the_store_can_be_read_after_a_kill_at_any_moment() {
    let rounds = if std::env::var_os("MARQUEE_THOROUGH").is_some() { 200 } else { 20 };
    let home = TempHome::new();
    home.write("marquee.yaml", crowd("title: Storm\ninterval: 20ms\n", 40));
    for round in 0..rounds {
        let mut run = Piped::render(&home, "json");
        for _ in 0..=round % 7 {
            let line = run.next_line().unwrap();
            assert!(line.contains("\"notice\":null"), "round {round}: {line}");
        }
        run.signal(Signal::KILL);
        run.wait_exit();
    }
}

#[test]
fn a_corrupt_store_is_set_aside_and_told() {
    let home = TempHome::with_config(BOARD);
    let mut run = Piped::render(&home, "json");
    run.next_line().unwrap();
    run.signal(Signal::TERM);
    run.wait_exit();
    let stored = home.state_files();
    assert!(!stored.is_empty());
    for (path, content) in &stored {
        if !content.is_empty() && path.extension().is_none_or(|extension| extension != "log") {
            std::fs::write(path, &b"\x00\xff damaged "[..]).unwrap();
        }
    }
    let mut again = Piped::render(&home, "json");
    let line = again.line_where("that tells of the store", |line| !line.contains("\"notice\":null"));
    let notice = serde_json::from_str::<Value>(&line).unwrap()["notice"].as_str().unwrap().to_lowercase();
    assert!(["store", "state"].iter().any(|word| notice.contains(word)), "{notice}");
    let kept = home.state_files().iter().any(|(_, content)| content.starts_with(b"\x00\xff damaged"));
    assert!(kept, "the damaged store was not kept aside");
}

#[test]
fn strict_refuses_a_bad_file() {
    let home = TempHome::with_config("items: [{id: a, text: x, level: purple}]\n");
    let config = home.config();
    let answer =
        crate::support::marquee(&home, &["run", "--strict", "--render", "json", "--config", config.to_str().unwrap()]);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(answer.err.contains("purple"), "{answer:?}");
}

/// The number of the item that a JSON line shows.
fn item(line: &str) -> Option<u32> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["item"].as_str()?.strip_prefix("unit-")?.parse().ok()
}
