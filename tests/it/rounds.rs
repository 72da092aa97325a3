//! Runs that are started and cancelled a thousand times leave nothing behind: no task's
//! socket, no thread, no child, no memory.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::api::{Served, served};
use crate::support::clock::eventually;
use crate::support::http::Kept;
use crate::support::process::{Held, children, resident_mib};

/// What the account of the runs and the allocator may take meanwhile.
const MOST_GROWTH_MIB: f64 = 16.0;

/// A server that accepts and never answers; it counts who came and who left.
#[derive(Default)]
struct Silent {
    came: AtomicUsize,
    left: AtomicUsize,
}

impl Silent {
    /// Starts it; gives its port.
    fn start() -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Self::default());
        let ours = Arc::clone(&shared);
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                ours.came.fetch_add(1, Ordering::SeqCst);
                let ours = Arc::clone(&ours);
                thread::spawn(move || {
                    // A close and a reset are both an end.
                    let _ = stream.read_to_end(&mut Vec::new());
                    ours.left.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        (shared, port)
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }

    fn left(&self) -> usize {
        self.left.load(Ordering::SeqCst)
    }
}

/// A board whose runs do not end by themselves, and who is asked.
struct Rounds {
    board: Served,
    api: Kept,
    silent: Arc<Silent>,
}

impl Rounds {
    /// Starts and cancels so many runs: each second one once it is at its work, the others at once.
    fn go(&mut self, rounds: usize) {
        for round in 0..rounds {
            let id = ["child", "web", "port"][round % 3];
            let (status, body) = self.api.send("POST", &format!("/v1/items/{id}/run"), "");
            assert_eq!(status, 202, "{}", String::from_utf8_lossy(&body));
            let run: Value = serde_json::from_slice(&body).unwrap();
            if round % 2 == 0 {
                eventually(&format!("the work of run {round}, {id}"), || self.is_at_work(id).then_some(()));
            }
            let (status, body) = self.api.send("DELETE", &format!("/v1/runs/{}", run["run"].as_str().unwrap()), "");
            // A port that accepts is an answer: that run may have ended by itself.
            let is_over = status == 409 && id == "port";
            assert!(status == 202 || is_over, "{id}: {status} {}", String::from_utf8_lossy(&body));
        }
    }

    /// Whether an item's run has got as far as the wire; one that asks a port ends there by itself.
    fn is_at_work(&self, id: &str) -> bool {
        match id {
            "child" => children(self.board.run.pid()) > 0,
            "web" => self.silent.came() > self.silent.left(),
            _ => true,
        }
    }

    /// What the program holds once all that was started has ended.
    fn held(&self) -> Held {
        eventually("every socket closed", || (self.silent.left() == self.silent.came()).then_some(()));
        eventually("every child reaped", || Some(Held::by(self.board.run.pid())).filter(|held| held.children == 0))
    }
}

#[test]
fn a_thousand_rounds_leave_nothing_behind() {
    let rounds = if std::env::var_os("MARQUEE_THOROUGH").is_some() { 10_000 } else { 1_000 };
    let (silent, port) = Silent::start();
    let board = served(&format!(
        "items:\n  - {{id: child, text: C, check: 'exec:sleep 600', every: 1d, timeout: 1h}}\n  \
         - {{id: web, text: W, check: 'http://127.0.0.1:{port}/', every: 1d, timeout: 1h}}\n  \
         - {{id: port, text: P, check: 'tcp://127.0.0.1:{port}', every: 1d, timeout: 1h}}\n"
    ));
    let api = Kept::open(&board.at);
    let mut all = Rounds { board, api, silent };
    // What is made once and kept has been made after these.
    all.go(60);
    let (before, resident) = (all.held(), resident_mib(all.board.run.pid()));
    all.go(rounds);
    eventually("nothing left behind", || Some(all.held()).filter(|held| held.is_within(before)));
    let grown = resident_mib(all.board.run.pid()) - resident;
    assert!(grown < MOST_GROWTH_MIB, "grew by {grown} MiB");
    assert!(all.silent.came() > rounds / 4, "the server was asked {} times only", all.silent.came());
}
