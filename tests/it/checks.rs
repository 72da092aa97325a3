//! Real checks through the whole program: the answer of a service becomes a level and a text on the board.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::support::clock::eventually;
use crate::support::servers::{HttpServer, Reply, SilentServer, free_port};
use crate::support::{Piped, Pty, TempHome, skip};

/// A board of one item.
fn watching(item: &str) -> TempHome {
    TempHome::with_config(&format!("title: Checks\ninterval: 60s\ncluster: none\nitems:\n  - {item}\n"))
}

/// Waits until the board says this text at this level.
#[track_caller]
fn says(run: &mut Piped, level: &str, wanted: &str) {
    run.line_where(&format!("at {level} that says {wanted:?}"), |line| {
        line.contains(&format!("\"level\":\"{level}\"")) && line.contains(wanted)
    });
}

#[test]
fn an_http_service_is_judged_by_its_answer() {
    let status = Arc::new(AtomicU16::new(200));
    let answers = Arc::clone(&status);
    let server = HttpServer::start(move |_| Reply {
        status: answers.load(Ordering::SeqCst),
        body: "{\"version\":\"2.4.1\",\"queue\":{\"depth\":7}}".into(),
    });
    let home = watching(&format!(
        "{{id: api, check: '{}/health', text: 'API {{body.version}} queue {{body.queue.depth}}', every: 100ms, levels: {{critical: status != 200, info: body.queue.depth > 5}}}}",
        server.url()
    ));
    let mut run = Piped::render(&home, "json");
    says(&mut run, "info", "API 2.4.1 queue 7");
    status.store(503, Ordering::SeqCst);
    says(&mut run, "critical", "API 2.4.1");
    status.store(200, Ordering::SeqCst);
    says(&mut run, "info", "API 2.4.1");
    server.wait_for_count(server.count() + 2);
    drop(server);
}

#[test]
fn a_service_that_never_answers_is_named() {
    let silent = SilentServer::start();
    let home = watching(&format!("{{id: mute, check: 'http://{}/', every: 300ms, timeout: 100ms}}", silent.address()));
    let mut run = Piped::render(&home, "json");
    let line = run.line_where("with a verdict", |line| {
        line.contains("\"level\":\"critical\"") || (line.contains("\"level\":\"unknown\"") && line.contains("time"))
    });
    assert!(line.contains("\"item\":\"mute\""), "{line}");
}

#[test]
fn one_run_at_a_time_however_slow_the_service() {
    let slow = HttpServer::start(|_| {
        // An answer that takes many periods, without a sleep: it waits for a port that never speaks.
        let silent = SilentServer::start();
        let mut stream = std::net::TcpStream::connect(silent.address()).unwrap();
        let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(1)));
        let _ = std::io::Read::read(&mut stream, &mut [0]);
        Reply { status: 200, body: "{}".into() }
    });
    let home = watching(&format!("{{id: slow, check: '{}/', every: 50ms, timeout: 5s}}", slow.url()));
    let pty = Pty::board(&home);
    slow.wait_for_count(3);
    let elapsed = pty.started().elapsed().as_secs_f64();
    assert!(elapsed >= 2.0, "three runs of a second each began within {elapsed} s");
    pty.quit();
}

#[test]
fn a_port_is_watched() {
    let port = free_port();
    let home = watching(&format!("{{id: port, check: 'tcp://127.0.0.1:{port}', every: 100ms}}"));
    let mut run = Piped::render(&home, "json");
    let line = run.line_where("of an alarm", |line| line.contains("refused"));
    assert!(line.contains("critical") || line.contains("unknown"), "{line}");
    let _server = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    says(&mut run, "healthy", "TCP");
}

#[test]
fn a_file_is_watched() {
    let home = TempHome::new();
    let path = home.write("batch.txt", "Batch 17 done\nsecond line\n");
    home.write(
        "marquee.yaml",
        format!(
            "title: File\ninterval: 60s\ncluster: none\nitems:\n  - {{id: batch, check: 'file:{}', every: 100ms}}\n",
            path.display()
        ),
    );
    let mut run = Piped::render(&home, "json");
    says(&mut run, "healthy", "Batch 17 done");
    home.write("batch.txt", "Batch 18 done\n");
    says(&mut run, "healthy", "Batch 18 done");
}

#[test]
fn this_machine_is_watched() {
    let home = TempHome::with_config(
        "title: Machine\ninterval: 200ms\ncluster: none\nitems:\n  - {id: memory, check: 'memory:', every: 1s}\n  - {id: disk, check: 'disk:/', every: 1s}\n  - {id: load, check: 'load:', every: 1s}\n",
    );
    let mut run = Piped::render(&home, "json");
    for (id, wanted) in [("memory", "used"), ("disk", "used"), ("load", "load ")] {
        run.line_where(id, |line| line.contains(&format!("\"item\":\"{id}\"")) && line.contains(wanted));
    }
}

#[test]
fn a_monitoring_plugin_s_exit_code_is_its_level() {
    let dummy = std::path::Path::new("/usr/lib/nagios/plugins/check_dummy");
    if !dummy.exists() {
        return skip("a_monitoring_plugin_s_exit_code_is_its_level", "monitoring-plugins-basic is not installed");
    }
    for (code, level) in [(0, "healthy"), (1, "warning"), (2, "critical"), (3, "unknown")] {
        let home = watching(&format!("{{id: dummy, check: 'exec:{} {code} spoken', every: 1s}}", dummy.display()));
        let mut run = Piped::render(&home, "json");
        says(&mut run, level, "spoken");
    }
}

#[test]
fn a_plugin_that_overstays_is_killed_with_all_its_children() {
    let home = TempHome::new();
    let check = home.plugin("family.sh", "sleep 3600 &\necho $! > child\nwait\n");
    home.write(
        "marquee.yaml",
        format!("title: Family\ninterval: 60s\ncluster: none\nitems:\n  - {{id: family, check: '{check}', every: 1h, timeout: 300ms}}\n"),
    );
    let mut run = Piped::render(&home, "json");
    run.line_where("that names the time-out", |line| {
        line.contains("\"item\":\"family\"") && !line.contains("\"text\":\"\"") && line.contains("time")
    });
    let child = eventually("the child's number", || {
        std::fs::read_to_string(home.path("child")).ok().filter(|text| text.ends_with('\n'))
    });
    let process = format!("/proc/{}/stat", child.trim());
    eventually("the child to be gone", || {
        let stat = std::fs::read_to_string(&process).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

/// A Redis of its own, in memory, that goes with the test.
struct Redis {
    server: Child,
    port: u16,
}

impl Redis {
    fn start(port: u16) -> Option<Self> {
        let server = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        eventually("Redis to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Some(Self { server, port })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_redis_is_watched_through_its_death_and_return() {
    let Some(redis) = Redis::start(free_port()) else {
        return skip("a_redis_is_watched_through_its_death_and_return", "redis-server is not installed");
    };
    let port = redis.port;
    let home = watching(&format!(
        "{{id: cache, check: 'redis://127.0.0.1:{port}', text: 'Redis {{version}} is {{role}}', every: 200ms, timeout: 1s}}"
    ));
    let mut run = Piped::render(&home, "json");
    says(&mut run, "healthy", "is master");
    drop(redis);
    run.line_where("of an alarm", |line| line.contains("critical") || line.contains("unknown"));
    let _redis = Redis::start(port).unwrap();
    says(&mut run, "healthy", "is master");
}

#[test]
fn secrets_are_shown_nowhere() {
    let canary = "canary-4711-secret";
    let home = TempHome::new();
    home.write("token", canary);
    let port = free_port();
    home.write(
        "marquee.yaml",
        format!(
            "title: Secret\ninterval: 60s\ncluster: none\nitems:\n  - {{id: api, check: 'redis://user:${{file:{}}}@127.0.0.1:{port}', every: 100ms}}\n",
            home.path("token").display()
        ),
    );
    let mut pty = Pty::board(&home);
    pty.wait_for_text("api");
    pty.wait_for_clock_moves(1);
    pty.send("\r");
    pty.wait_for_clock_moves(2);
    pty.send("\x1b");
    let written = String::from_utf8_lossy(&pty.raw()).into_owned();
    assert!(!written.contains(canary), "the secret is on the screen");
    pty.quit();
    for (path, content) in home.state_files() {
        assert!(!String::from_utf8_lossy(&content).contains(canary), "the secret is in {}", path.display());
    }
}
