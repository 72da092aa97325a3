//! The guardian with real processes: this test's own program is the console and the guardian.

use std::io::{BufReader, Read as _};
use std::process::ChildStdout;

use rustix::process::{Pid, Signal, kill_process};

use super::super::tests::cluster::{Etcd, eventually};
use super::super::tests::spec;
use super::super::{Announced, Campaigned};
use super::*;

/// What makes a test of this program a console, with its spec and leases, as JSON.
const CONSOLE: &str = "MARQUEE_TEST_CONSOLE";

/// What makes a test of this program a guardian: as a second filter it finds no test.
const MARK: &str = "guardian-of-a-test";

/// A lease of a minute, with the leader's key bound to it.
fn lead(client: &Client) -> i64 {
    wait(async {
        let lease = client.grant(Duration::from_mins(1)).await.unwrap().lease;
        assert!(matches!(client.campaign(lease, "a").await, Ok(Campaigned::Won { .. })));
        lease
    })
}

/// A lease of a minute, with this console's record bound to it.
fn belong(client: &Client) -> i64 {
    wait(async {
        let lease = client.grant(Duration::from_mins(1)).await.unwrap().lease;
        assert_eq!(client.announce(lease, "hall-1", "a").await, Ok(Announced::Done));
        lease
    })
}

/// Waits until nobody leads: well before the minute is over, or it would not be by the guardian.
fn wait_for_nobody(client: &Client) {
    eventually(|| wait(client.leader()).ok().filter(|seen| seen.holder.is_none()));
}

fn wait<T>(asked: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(asked)
}

fn guardian(spec: &Spec) -> Guardian {
    let name = "coordination::etcd::guardian::tests::acts_as_a_guardian";
    Guardian::start_as(spec, Path::new(MYSELF), &["--exact", name, MARK, "--nocapture"]).unwrap()
}

/// Whether the process waits for its parent alone, or is gone.
fn is_over(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('Z'))
}

#[test]
fn acts_as_a_guardian() {
    if std::env::args().any(|argument| argument == MARK) {
        let _ = main();
    }
}

#[test]
fn acts_as_a_console() {
    let Ok(given) = std::env::var(CONSOLE) else { return };
    let (spec, leases): (Spec, [i64; 2]) = serde_json::from_str(&given).unwrap();
    let mut guardian = guardian(&spec);
    guardian.tell(&[1]).unwrap();
    guardian.tell(&leases).unwrap();
    let _ = writeln!(io::stdout(), "\nguarded by {}", guardian.child.id());
    // Until it is killed, or its test is gone.
    let _ = io::stdin().read(&mut [0]);
}

/// A process of a console that leads, and its guardian's process.
fn console(spec: &Spec, leases: [i64; 2]) -> (Child, u32) {
    let mut command = Command::new(MYSELF);
    command.args(["--exact", "coordination::etcd::guardian::tests::acts_as_a_console", "--nocapture"]);
    command.env(CONSOLE, serde_json::to_string(&(spec, leases)).unwrap());
    let mut console = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(console.stdout.take().unwrap()).lines();
    let pid = |lines: &mut io::Lines<BufReader<ChildStdout>>| loop {
        let line = lines.next().unwrap().unwrap();
        if let Some((_, pid)) = line.split_once("guarded by ") {
            break pid.parse().unwrap();
        }
    };
    let guardian = pid(&mut lines);
    (console, guardian)
}

#[test]
fn a_killed_console_gives_its_leases_back() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let spec = Spec { login: Some(("board".into(), "canary".into())), ..spec(&etcd) };
    let client = Client::new(&spec).unwrap();
    let leases = [lead(&client), belong(&client)];
    let (mut console, guardian) = console(&spec, leases);
    let shown = |file: &str| std::fs::read_to_string(format!("/proc/{guardian}/{file}")).unwrap_or_default();
    // In a session of its own, and deaf to what ends other programs.
    let session = |stat: String| stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(3)?.parse().ok());
    eventually(|| (session(shown("stat")) == Some(guardian)).then_some(()));
    let deaf = (1 << 14) | (1 << 1) | 1;
    let caught = |status: String| {
        let (_, rest) = status.split_once("SigCgt:")?;
        u64::from_str_radix(rest.lines().next()?.trim(), 16).ok()
    };
    eventually(|| caught(shown("status")).filter(|caught| caught & deaf == deaf));
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        kill_process(Pid::from_raw(guardian.cast_signed()).unwrap(), signal).unwrap();
    }
    for secret in ["canary", CONSOLE] {
        assert!(!shown("cmdline").contains(secret) && !shown("environ").contains(secret), "{secret}");
    }
    assert!(!is_over(guardian));
    console.kill().unwrap();
    console.wait().unwrap();
    wait_for_nobody(&client);
    eventually(|| wait(client.members()).ok().filter(Vec::is_empty));
    eventually(|| is_over(guardian).then_some(()));
}

#[test]
fn a_console_that_ends_well_gives_nothing_back() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let spec = spec(&etcd);
    let client = Client::new(&spec).unwrap();
    let lease = lead(&client);
    for told in [&[&[lease][..], &[]][..], &[&[lease, 1]]] {
        let mut guardian = guardian(&spec);
        let pid = guardian.child.id();
        for leases in told {
            guardian.tell(leases).unwrap();
        }
        guardian.close();
        eventually(|| is_over(pid).then_some(()));
        assert!(wait(client.keep_alive(lease)).unwrap() > Duration::ZERO);
    }
}

#[test]
fn a_cluster_that_hangs_for_a_moment_is_asked_again() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let spec = spec(&etcd);
    let client = Client::new(&spec).unwrap();
    let lease = lead(&client);
    let mut guardian = guardian(&spec);
    guardian.tell(&[lease]).unwrap();
    etcd.signal(0, Signal::STOP);
    drop(guardian);
    etcd.signal(0, Signal::CONT);
    wait_for_nobody(&client);
}

#[test]
fn a_guardian_that_is_stopped_or_gone_holds_nobody_up() {
    let unreachable = Spec {
        endpoints: vec![("127.0.0.1".into(), 1)],
        tls: false,
        login: None,
        attempt: super::super::ATTEMPT,
        board: "line-3".into(),
        trusted: None,
    };
    let mut guardian = guardian(&unreachable);
    let pid = Pid::from_child(&guardian.child);
    kill_process(pid, Signal::STOP).unwrap();
    let full = (0..1_000_000).find_map(|lease| guardian.tell(&[lease]).err()).unwrap();
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    guardian.child.kill().unwrap();
    guardian.child.wait().unwrap();
    assert_eq!(guardian.tell(&[1]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    let missing = Guardian::start_as(&unreachable, Path::new("/nowhere/marquee"), &[]);
    assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
}
