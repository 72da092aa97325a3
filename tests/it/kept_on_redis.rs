//! The state on a Redis server: resumed from, lost under a running board, and not there at all.

use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::clock::eventually;
use crate::support::servers::{SilentServer, free_port};
use crate::support::{Piped, Pty, TempHome, crowd, marquee, skip};

/// A server of this test's own, gone with it.
pub(crate) struct Redis {
    child: Option<Child>,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Redis {
    /// A server that is not started yet.
    pub(crate) fn absent() -> Self {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        Self { child: None, port: free_port(), folder }
    }

    /// Whether it runs; where it is not installed, the test is skipped.
    pub(crate) fn start(&mut self, test: &str) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--port", &self.port.to_string()]);
        command.arg("--dir").arg(self.folder.path());
        match command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(child) => self.child = Some(child),
            Err(error) => {
                skip(test, &format!("redis-server can't be started: {error}"));
                return false;
            }
        }
        eventually("the server to listen", || std::net::TcpStream::connect(("127.0.0.1", self.port)).ok());
        true
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn config(&self, more: &str) -> String {
        format!("title: Line 3\nstate: redis://127.0.0.1:{}\n{more}", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn item(line: &str) -> Option<usize> {
    let frame: Value = serde_json::from_str(line).ok()?;
    frame["item"].as_str()?.strip_prefix("unit-")?.parse().ok()
}

const BOARD: &str = "interval: 1s\nitems:\n  - {id: db, text: PostgreSQL OK, level: healthy}\n  - {id: api, text: API slow, level: warning}\n";

#[test]
fn after_a_kill_it_goes_on_from_the_item_on_the_server() {
    let mut redis = Redis::absent();
    if !redis.start("after_a_kill_it_goes_on_from_the_item_on_the_server") {
        return;
    }
    let home = TempHome::new();
    home.write("marquee.yaml", crowd(&redis.config("interval: 1s\n"), 12));
    let mut run = Piped::render(&home, "json");
    run.line_where("of the fourth item", |line| item(line) == Some(3));
    run.signal(Signal::KILL);
    run.wait_exit();
    let mut again = Piped::render(&home, "json");
    let first = again.line_where("of an item", |line| item(line).is_some());
    let place = item(&first).unwrap();
    assert!((2..=7).contains(&place), "resumed at item {place} after a kill at item 3");
    assert!(first.contains("\"notice\":null"), "{first}");
}

#[test]
fn a_server_that_is_lost_is_told_until_it_is_back() {
    let mut redis = Redis::absent();
    if !redis.start("a_server_that_is_lost_is_told_until_it_is_back") {
        return;
    }
    let home = TempHome::with_config(&redis.config(BOARD));
    let pty = Pty::board(&home);
    pty.wait_for_text("API slow");
    redis.kill();
    pty.wait_for_text("connection refused");
    redis.start("");
    pty.wait_for_no_text("connection refused");
    pty.quit();
}

#[test]
fn the_picture_comes_without_the_server_and_the_state_when_it_comes() {
    let mut redis = Redis::absent();
    let home = TempHome::with_config(&redis.config(BOARD));
    let mut run = Piped::render(&home, "json");
    let first = run.line_where("of an item", |line| line.contains("PostgreSQL OK") || line.contains("API slow"));
    let told = |line: &str| line.contains("in Redis (127.0.0.1:") || line.contains("from Redis (127.0.0.1:");
    if !told(&first) {
        run.line_where("that tells of the server", told);
    }
    if !redis.start("the_picture_comes_without_the_server_and_the_state_when_it_comes") {
        return;
    }
    run.line_where("without a notice", |line| line.contains("\"notice\":null"));
    run.signal(Signal::TERM);
    assert!(run.wait_exit().success());
}

/// Whether the board says this of an item.
fn says(home: &TempHome, id: &str, text: &str) -> bool {
    marquee(home, &["show", id]).all().contains(text)
}

fn push(home: &TempHome, id: &str, text: &str) {
    let push = || marquee(home, &["push", id, "--level", "warning", "--text", text]).code == Some(0);
    eventually("the push to be taken", || push().then_some(()));
}

/// Ends a board by a request.
fn end(mut run: Piped) {
    run.signal(Signal::TERM);
    assert!(run.wait_exit().success());
}

#[test]
fn a_server_that_answers_late_gives_its_board_before_it_is_written_over() {
    const TEST: &str = "a_server_that_answers_late_gives_its_board_before_it_is_written_over";
    for cluster in ["none", "local"] {
        let mut redis = Redis::absent();
        if !redis.start(TEST) {
            return;
        }
        let board = format!("cluster: {cluster}\n{BOARD}  - {{id: line, ttl: 1h}}\n");
        let home = TempHome::with_config(&redis.config(&board));
        let run = Piped::render(&home, "json");
        for id in ["kept", "both", "line"] {
            push(&home, id, "of the first day");
        }
        end(run);
        redis.kill();

        let mut run = Piped::render(&home, "json");
        run.line_where("that tells of the server", |line| line.contains("from Redis (127.0.0.1:"));
        for id in ["both", "new"] {
            push(&home, id, "of the second day");
        }
        assert!(!says(&home, "kept", "of the first day"), "nobody could know of it yet");
        redis.start(TEST);
        let all = |home: &TempHome| {
            ["kept", "line"].iter().all(|id| says(home, id, "of the first day"))
                && ["both", "new"].iter().all(|id| says(home, id, "of the second day"))
        };
        eventually("what the server kept, and what is newer", || all(&home).then_some(()));
        end(run);

        let run = Piped::render(&home, "json");
        eventually("all of it to be kept", || all(&home).then_some(()));
        end(run);
    }
}

#[test]
fn a_silent_server_holds_up_neither_the_start_nor_the_end() {
    let server = SilentServer::start();
    let home = TempHome::with_config(&format!("title: Line 3\nstate: redis://{}\n{BOARD}", server.address()));
    let pty = Pty::board(&home);
    pty.wait_for_text("API slow");
    pty.wait_for_text("did not answer in time");
    pty.quit();
}

#[test]
fn doctor_greets_the_server() {
    let mut redis = Redis::absent();
    let home = TempHome::with_config(&redis.config(BOARD));
    let told = |home: &TempHome| marquee(home, &["doctor"]).all();
    assert!(told(&home).contains("does not answer: connection refused"));
    if redis.start("doctor_greets_the_server") {
        eventually("doctor to see it", || {
            told(&home).contains(&format!("127.0.0.1:{} answers: ", redis.port)).then_some(())
        });
    }
}
