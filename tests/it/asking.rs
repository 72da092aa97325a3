//! Those who ask a board: the commands over its socket, runs that are cancelled down to the wire, Alertmanager.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::api::{Served, served};
use crate::support::clock::{PATIENCE, eventually};
use crate::support::http::At;
use crate::support::pipe::text;
use crate::support::servers::free_port;
use crate::support::{Piped, TempHome, marquee, skip};

/// A server that never answers, and tells when its client closes.
fn silent() -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (closed, told) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let closed = closed.clone();
            thread::spawn(move || {
                // A close and a reset are both an end.
                let _ = stream.read_to_end(&mut Vec::new());
                let _ = closed.send(());
            });
        }
    });
    (port, told)
}

/// The run of an item that is in flight.
fn running(at: &At, id: &str) -> String {
    eventually("a run in flight", || at.get(&format!("/v1/items/{id}"))["run"].as_str().map(str::to_owned))
}

#[test]
fn a_cancelled_run_closes_its_socket_at_the_target() {
    let (port, closed) = silent();
    let Served { at, run: _run, home: _home, .. } = served(&format!(
        "items:\n  - {{id: hung, text: H, check: 'http://127.0.0.1:{port}/', every: 1h, timeout: 10m}}\n"
    ));
    let run = running(&at, "hung");
    let waiting = {
        let at = at.clone();
        thread::spawn(move || at.ask("POST", "/v1/items/hung/run?wait"))
    };
    assert_eq!(at.get(&format!("/v1/runs/{run}"))["state"], "running");
    assert!(closed.try_recv().is_err(), "the target is still asked");
    let answer = at.ask("DELETE", &format!("/v1/runs/{run}"));
    assert_eq!((answer.status, &answer.json()["state"]), (202, &json!("cancelled")));
    closed.recv_timeout(PATIENCE).expect("the target's connection is closed");
    assert_eq!(at.get("/v1/items/hung")["last_run"]["state"], "cancelled");
    at.ask("DELETE", &format!("/v1/runs/{run}")).problem(409);
    let waited = waiting.join().unwrap();
    assert!([200, 503].contains(&waited.status), "who waits hears the end: {waited:?}");
}

#[test]
fn a_cancelled_command_takes_its_whole_group_along() {
    let home = TempHome::new();
    let told = home.path("pids");
    let lines = format!(
        "sleep 1000 &\necho $! > {0}.new; echo $$ >> {0}.new; mv {0}.new {0}; trap '' TERM; wait\n",
        told.display()
    );
    let plugin = home.plugin("hung.sh", &lines);
    let Served { at, run: _run, home: _home, .. } =
        served(&format!("items:\n  - {{id: hung, text: H, check: '{plugin}', every: 1h, timeout: 10m}}\n"));
    let pids = eventually("the command's children", || std::fs::read_to_string(&told).ok());
    let run = running(&at, "hung");
    assert_eq!(at.ask("DELETE", &format!("/v1/runs/{run}")).status, 202);
    for pid in pids.split_whitespace() {
        let dead = || {
            let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            (state.is_empty() || state.contains(") Z ")).then_some(())
        };
        eventually("the group to be gone", dead);
    }
}

#[test]
fn the_commands_find_the_board_by_its_config() {
    let home = TempHome::with_config(
        "title: Line 3\ncluster: none\nitems:\n  - {id: db, text: PostgreSQL OK, level: healthy}\n  \
         - {id: load, text: 'Load {load1}', check: 'load:', every: 1h}\n  \
         - {id: dead, text: D, check: 'tcp://127.0.0.1:1', every: 1h}\n",
    );
    let nobody = marquee(&home, &["list"]);
    assert_eq!(nobody.code, Some(3), "{nobody:?}");
    assert!(nobody.err.contains("line-3.sock") && nobody.err.contains("is it running"), "{nobody:?}");
    let run = Piped::render(&home, "json");
    let socket = home.path("../run/marquee/line-3.sock");
    eventually("the socket", || At::Socket(socket.clone()).connect());
    let asked = |args: &[&str], code: i32, parts: &[&str]| {
        let answer = marquee(&home, args);
        assert_eq!(answer.code, Some(code), "{args:?}: {answer:?}");
        for part in parts {
            assert!(answer.all().contains(part), "{part:?} is not in the answer to {args:?}: {answer:?}");
        }
        answer
    };
    asked(&["list"], 0, &["healthy", "db", "PostgreSQL OK"]);
    let listed = asked(&["list", "--format", "json"], 0, &[]);
    assert_eq!(serde_json::from_str::<Value>(&listed.out).unwrap()["title"], "Line 3");
    asked(
        &["push", "press-7", "--level", "warning", "--text", "Oil\u{1b}[2J is low", "--ttl", "10m"],
        0,
        &["press-7 is warning: Oil is low"],
    );
    let shown = asked(&["show", "press-7"], 0, &["Oil is low", "pushed"]);
    assert!(!shown.out.contains('\x1b'), "{shown:?}");
    asked(&["show", "press-7", "--format", "json"], 0, &["\"level\": \"warning\""]);
    asked(&["show", "nothing"], 1, &["no item `nothing`"]);
    asked(&["show", "no/such thing"], 1, &["no item"]);
    asked(&["push", "db", "--level", "info", "--text", "x"], 1, &["takes no pushes"]);
    asked(&["push", "db", "--level", "purple", "--text", "x"], 2, &["one of critical"]);
    asked(&["push", "a", "--level", "info", "--text", "x", "--ttl", "30"], 2, &["duration"]);
    asked(&["acknowledge", "press-7"], 0, &["press-7 is warning, acknowledged: Oil is low"]);
    asked(&["list"], 0, &["Oil is low  (acknowledged)"]);
    asked(&["show", "press-7"], 0, &["\nacknowledged 20"]);
    asked(&["ack", "press-7", "--undo"], 0, &["press-7 is warning, not acknowledged: Oil is low"]);
    asked(&["ack", "db"], 1, &["db is healthy: only what is critical"]);
    asked(&["ack", "db", "--undo"], 0, &["db is healthy, not acknowledged"]);
    asked(&["ack", "nothing"], 1, &["no item `nothing`"]);
    asked(&["ack", "db", "--socket", "/nowhere.sock"], 3, &["/nowhere.sock"]);
    asked(&["ack"], 2, &["<ID>"]);
    asked(&["run-now", "load"], 0, &["load done after"]);
    asked(&["run-now", "dead"], 1, &["dead failed after", "refused"]);
    asked(&["run-now", "db"], 1, &["has no plan"]);
    asked(&["cancel", "r999"], 1, &["no run `r999`"]);
    asked(&["consoles"], 0, &["alone"]);
    asked(&["list", "--socket", text(&socket)], 0, &["PostgreSQL OK"]);
    asked(&["list", "--socket", "/nowhere.sock"], 3, &["/nowhere.sock"]);
    asked(&["list", "--url", "http://127.0.0.1:1"], 3, &["is it running"]);
    asked(&["list", "--url", "ftp://x"], 2, &["--url"]);
    asked(&["list", "--config", "missing.yaml"], 2, &["missing.yaml"]);
    drop(run);
}

#[test]
fn the_commands_reach_a_port_and_show_the_token() {
    let (hung, _closed) = silent();
    let board = served(&format!(
        "token: s3cret\nitems:\n  - {{id: press, text: P, ttl: 1h}}\n  \
         - {{id: hung, text: H, check: 'http://127.0.0.1:{hung}/', every: 1h, timeout: 10m}}\n"
    ));
    let elsewhere = TempHome::new();
    let url = format!("http://127.0.0.1:{}", board.port);
    let push = |token: &str| {
        marquee(&elsewhere, &["push", "press", "--level", "info", "--text", "x", "--url", &url, "--token", token])
    };
    assert_eq!(push("s3cret").code, Some(0));
    let refused = push("wrong");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("token") && !refused.err.contains("s3cret"), "{refused:?}");
    let run = running(&board.at, "hung");
    let cancelled = marquee(&elsewhere, &["cancel", &run, "--url", &url, "--token", "s3cret"]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    assert!(cancelled.out.contains(&format!("{run} hung cancelled after")), "{cancelled:?}");
    let again = marquee(&elsewhere, &["cancel", &run, "--url", &url, "--token", "s3cret"]);
    assert_eq!(again.code, Some(1), "{again:?}");
}

#[test]
fn one_board_one_socket_that_goes_with_it_and_follows_its_title() {
    let board = |title: &str| {
        format!("title: {title}\ncluster: none\nstate: memory\nitems:\n  - {{id: a, text: Alpha, level: info}}\n")
    };
    let home = TempHome::with_config(&board("Line 3"));
    let socket = |name: &str| At::Socket(home.path(&format!("../run/marquee/{name}.sock")));
    let path = home.path("../run/marquee/line-3.sock");
    let mut first = Piped::render(&home, "json");
    eventually("the socket", || socket("line-3").connect());
    let since = || socket("line-3").get("/v1/consoles")["consoles"][0]["since"].clone();
    let first_since = since();
    let mut second = Piped::render(&home, "json");
    second.next_line().unwrap();
    second.signal(Signal::TERM);
    assert!(second.wait_exit().success());
    assert_eq!(since(), first_since, "the second console neither took nor removed it");
    // Killed, it leaves the file; the next board replaces it.
    first.signal(Signal::KILL);
    first.wait_exit();
    assert!(path.exists() && socket("line-3").connect().is_none());
    let mut third = Piped::render(&home, "json");
    eventually("the socket again", || socket("line-3").connect());
    home.rename_over("marquee.yaml", board("Line 4"));
    eventually("the socket of the new title", || socket("line-4").connect());
    assert!(!path.exists(), "the old title's socket is gone");
    third.signal(Signal::TERM);
    assert!(third.wait_exit().success());
    assert!(!home.path("../run/marquee/line-4.sock").exists(), "a socket goes with its board");
}

#[test]
fn alertmanager_s_own_payload_is_understood() {
    let program = ["/usr/bin/prometheus-alertmanager", "/usr/bin/alertmanager"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    let Some(program) = program else {
        skip("alertmanager_s_own_payload_is_understood", "prometheus-alertmanager is not installed");
        return;
    };
    let board = served("items:\n  - {id: a, text: One, level: info}\n");
    let receiver = format!(
        "route:\n  receiver: board\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1h\nreceivers:\n  \
         - name: board\n    webhook_configs:\n      - url: http://127.0.0.1:{}/v1/alertmanager\n        send_resolved: true\n",
        board.port
    );
    let config = board.home.write("alertmanager.yml", receiver);
    let port = free_port();
    let storage = board.home.path("alertmanager");
    let mut child = Command::new(program)
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.path={}", storage.display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let alertmanager = At::Port(port);
    eventually("Alertmanager", || alertmanager.connect().filter(|_| alertmanager.ask("GET", "/-/ready").status == 200));
    let mut alert = json!([{
        "labels": {"alertname": "OilLow", "severity": "critical", "machine": "press-7"},
        "annotations": {"summary": "Oil is low on press 7"},
    }]);
    let send = |alert: &Value| {
        alertmanager.send("POST", "/api/v2/alerts", "Content-Type: application/json\r\n", alert.to_string().as_bytes())
    };
    assert_eq!(send(&alert).status, 200);
    let told = |level: &str| {
        let board = board.at.get("/v1/board");
        let items = board["items"].as_array().unwrap().clone();
        items.into_iter().find(|item| item["text"] == "Oil is low on press 7" && item["level"] == level)
    };
    let item = eventually("the alert on the board", || told("critical"));
    let id = item["id"].as_str().unwrap().to_owned();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id} is a fingerprint");
    assert_eq!(item["values"]["machine"], "press-7");
    alert[0]["startsAt"] = json!("2020-01-01T00:00:00Z");
    alert[0]["endsAt"] = json!("2020-01-02T00:00:00Z");
    assert_eq!(send(&alert).status, 200);
    let healthy = eventually("the alert resolved", || told("healthy"));
    assert_eq!(healthy["id"], id.as_str());
    child.kill().unwrap();
    child.wait().unwrap();
}
