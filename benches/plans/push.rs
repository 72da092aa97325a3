//! The figures of pushing.
//!
//! The release binary is run as its users run it and is pushed to over its port.
//! A server takes 20,000 updates a second; what it could take is measured in
//! bursts of that many, each timed alone, with a second between them.

use std::fmt::Write as _;
use std::time::Duration;

use super::figure;
use crate::support::clock::{eventually, now};
use crate::support::http::{At, Kept};
use crate::support::process::processor_time;
use crate::support::servers::free_port;
use crate::support::{Piped, TempHome};

/// Updates that a server takes at once, from a full bucket.
const BURST: usize = 20_000;

struct Board {
    run: Piped,
    at: At,
    _home: TempHome,
}

fn board() -> Board {
    let port = free_port();
    let rest = "items:\n  - {id: press, text: Press, ttl: 1h}\n";
    let home = TempHome::with_config(&format!(
        "title: Pushed\ninterval: 1h\ncluster: none\nstate: memory\nlisten: 127.0.0.1:{port}\n{rest}"
    ));
    let run = Piped::render(&home, "json");
    let at = At::Port(port);
    eventually("a ready board", || at.connect().filter(|_| at.ask("GET", "/readyz").status == 200));
    Board { run, at, _home: home }
}

/// Batches of 500 updates for 500 items on one connection.
pub(super) fn batches() {
    let board = board();
    let mut kept = Kept::open(&board.at);
    let mut round = 0;
    let mut rates: Vec<f64> = Vec::new();
    let (mut used, mut updates) = (Duration::ZERO, 0_u32);
    for _ in 0..6 {
        let batches: Vec<String> = (0..BURST / 500).map(|_| batch(&mut round)).collect();
        let (began, before) = (now(), processor_time(board.run.pid()));
        for batch in &batches {
            let (status, body) = kept.send("POST", "/v1/items", batch);
            let told = String::from_utf8_lossy(&body);
            // A batch whose updates were refused is answered with 200 too, and costs less.
            assert!(status == 200 && told.contains(r#""accepted":500"#), "{status} {told}");
        }
        rates.push(20_000.0 / (now() - began).as_secs_f64());
        used += processor_time(board.run.pid()).saturating_sub(before);
        updates += 20_000;
        refill(&board);
    }
    figure("push_batch_per_s", median(&mut rates), "1/s");
    figure("push_batch_cpu_us", used.as_secs_f64() * 1e6 / f64::from(updates), "us");
}

fn batch(round: &mut usize) -> String {
    *round += 1;
    let mut text = String::new();
    for unit in 0..500 {
        let _ =
            writeln!(text, r#"{{"id":"unit-{unit}","level":"info","text":"Reading {round}","values":{{"t":{unit}}}}}"#);
    }
    text
}

/// One update a request, one after the other on four kept connections.
pub(super) fn singles() {
    let board = board();
    let mut rates: Vec<f64> = Vec::new();
    let (mut used, mut updates) = (Duration::ZERO, 0_u32);
    for _ in 0..4 {
        let (began, before) = (now(), processor_time(board.run.pid()));
        let pushers: Vec<_> = (0..4)
            .map(|pusher| {
                let at = board.at.clone();
                std::thread::spawn(move || {
                    let mut kept = Kept::open(&at);
                    for number in 0..2_500 {
                        let body = format!(r#"{{"level":"info","text":"Reading {number}"}}"#);
                        let (status, _) = kept.send("PUT", &format!("/v1/items/unit-{pusher}"), &body);
                        assert!(matches!(status, 200 | 201), "{status}");
                    }
                })
            })
            .collect();
        for pusher in pushers {
            pusher.join().unwrap();
        }
        rates.push(10_000.0 / (now() - began).as_secs_f64());
        used += processor_time(board.run.pid()).saturating_sub(before);
        updates += 10_000;
        refill(&board);
    }
    figure("push_single_per_s", median(&mut rates), "1/s");
    figure("push_single_cpu_us", used.as_secs_f64() * 1e6 / f64::from(updates), "us");
}

/// From the moment that an update is sent to its frame in the hands of a reader.
pub(super) fn to_the_frame() {
    let board = board();
    let mut events = board.at.frames();
    let mut kept = Kept::open(&board.at);
    let mut took: Vec<f64> = (0..1_000)
        .map(|number| {
            let body = format!(r#"{{"level":"info","text":"Reading {number}."}}"#);
            let wanted = format!("Reading {number}.");
            let sent = now();
            assert_eq!(kept.send("PUT", "/v1/items/press", &body).0, 200);
            while !events.next().expect("a frame").contains(&wanted) {}
            (now() - sent).as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    figure("push_to_frame_p50_ms", took[500], "ms");
    figure("push_to_frame_p99_ms", took[990], "ms");
}

/// Lets the server's bucket fill again: a second and a little.
fn refill(board: &Board) {
    let began = now();
    eventually("the second to pass", || (now() - began >= Duration::from_millis(1_100)).then_some(()));
    eventually("the board", || board.at.connect());
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
