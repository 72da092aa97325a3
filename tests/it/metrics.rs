//! Metrics and health over HTTP, and logs that stay off the screen.

use crate::support::clock::eventually;
use crate::support::pipe::text;
use crate::support::servers::{Got, free_port, get};
use crate::support::{Piped, Pty, Size, TempHome};

const BOARD: &str = "\
title: Counted
interval: 100ms
cluster: none
items:
  - {id: a, text: One, level: info}
  - {id: b, text: Two, level: warning}
";

/// A running board that serves metrics.
fn served(home: &TempHome) -> (Piped, u16) {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let run =
        Piped::start(home, &["run", "--render", "json", "--config", text(&home.config()), "--metrics-addr", &address]);
    eventually("the port to answer", || get(port, "/healthz"));
    (run, port)
}

/// Asks until an answer holds what is wanted.
fn metrics_with(port: u16, wanted: &str) -> Got {
    eventually(wanted, || {
        get(port, "/metrics").filter(|got| got.body.lines().any(|line| !line.starts_with('#') && line.contains(wanted)))
    })
}

#[test]
fn a_running_board_is_alive_and_ready() {
    let home = TempHome::with_config(BOARD);
    let (_run, port) = served(&home);
    assert_eq!(get(port, "/healthz").unwrap().status, 200);
    eventually("ready", || get(port, "/readyz").filter(|got| got.status == 200));
    assert_eq!(get(port, "/no/such/path").unwrap().status, 404);
}

#[test]
fn the_listen_key_serves_too() {
    let port = free_port();
    let home = TempHome::with_config(&format!("{BOARD}listen: 127.0.0.1:{port}\n"));
    let _run = Piped::render(&home, "json");
    eventually("ready", || get(port, "/readyz").filter(|got| got.status == 200));
}

#[test]
fn a_board_without_a_config_is_alive_but_not_ready() {
    let home = TempHome::with_config("items: [{id: a, text: x, level: purple}]\n");
    let (_run, port) = served(&home);
    assert_eq!(get(port, "/healthz").unwrap().status, 200);
    assert_eq!(get(port, "/readyz").unwrap().status, 503);
}

#[test]
fn the_product_s_metrics_are_exported() {
    let home = TempHome::with_config(BOARD);
    let (_run, port) = served(&home);
    let got = metrics_with(port, "marquee_item_processed_total{item=\"a\",level=\"info\"}");
    assert_eq!(got.status, 200);
    assert!(got.headers["content-type"].starts_with("text/plain"), "{:?}", got.headers);
    metrics_with(port, "marquee_item_processed_total{item=\"b\",level=\"warning\"}");
    metrics_with(port, "marquee_cycle_duration_seconds");
    metrics_with(port, "marquee_reload_last_success_timestamp_seconds");
    metrics_with(port, "marquee_frame_draw_seconds");
    let body = get(port, "/metrics").unwrap().body;
    for line in body.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(name.starts_with("marquee_") || name.starts_with("process_"), "{line}");
    }
    for line in body.lines().filter(|line| line.starts_with("# TYPE ")) {
        let name = line.split(' ').nth(2).unwrap();
        assert!(body.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
}

#[test]
fn reloads_are_counted_by_their_result() {
    let home = TempHome::with_config(BOARD);
    let (mut run, port) = served(&home);
    let counted = |result: &str| {
        let body = get(port, "/metrics")?.body;
        let series = format!("marquee_reload_total{{result=\"{result}\"}} ");
        body.lines().find_map(|line| line.strip_prefix(&series))?.parse::<u32>().ok()
    };
    let before = eventually("the successes", || counted("success"));
    home.rename_over("marquee.yaml", "items: [{id: a, text: x, level: purple}]\n");
    run.line_where("with a notice", |line| line.contains("purple"));
    eventually("a failure", || counted("failure").filter(|count| *count == 1));
    home.rename_over("marquee.yaml", format!("{BOARD}  - {{id: c, text: Three, level: info}}\n"));
    run.line_where("of the new item", |line| line.contains("Three"));
    eventually("a success more", || counted("success").filter(|count| *count == before + 1));
}

#[test]
fn a_port_that_is_taken_does_not_cost_the_picture() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = TempHome::with_config(BOARD);
    let pty =
        Pty::open(&home, Size::USUAL, &["run", "--config", text(&home.config()), "--metrics-addr", &address], &[]);
    pty.wait_for_text("Two");
    pty.wait_for_text(&address);
    pty.quit();
}

#[test]
fn logs_are_never_on_the_live_screen() {
    let home = TempHome::with_config(&format!("{BOARD}  - {{id: dead, check: 'tcp://127.0.0.1:1', every: 100ms}}\n"));
    let pty = Pty::open(&home, Size::USUAL, &["run", "--config", text(&home.config())], &[("RUST_LOG", "trace")]);
    pty.wait_for_text("Two");
    pty.wait_for_clock_moves(2);
    for picture in pty.pictures() {
        for word in ["DEBUG", "TRACE", "run ended"] {
            assert!(!picture.contains(word), "a log line is on the screen:\n{picture}");
        }
    }
    pty.quit();
}
