//! Faults of the console's own machine: its disk is full, its terminal goes, it starves.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::consoles::{Notes, Scenario};
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan};

pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "starvation",
        number: "24a",
        fault: "eight busy processes for 15 s",
        expected: "0 failovers, longest silence <= 2.4 s",
        run: starvation,
    },
    Scenario {
        name: "disk",
        number: "25a",
        fault: "the leader's state folder is full",
        expected: "keeps running, told",
        run: disk,
    },
    Scenario {
        name: "terminal",
        number: "25b",
        fault: "the leader's terminal goes (HUP)",
        expected: "exit <= 1 s, new leader at once",
        run: terminal,
    },
];

const EVERYBODY: [usize; 3] = [0, 1, 2];

/// Processes that only compute; gone with it.
struct Busy(Vec<Child>);

impl Busy {
    fn start(count: usize) -> Self {
        let one = |_| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap()
        };
        Self((0..count).map(one).collect())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn starvation(notes: &mut Notes) -> Option<()> {
    let hall = Hall::start(&Plan::default())?;
    let (roles, since) = (hall.roles(), now());
    let busy = Busy::start(8);
    hall.watch(&EVERYBODY, since, 30);
    drop(busy);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    notes.promised("longest silence of the channel", hall.assert_one_voice(since), 2400);
    Some(())
}

fn disk(notes: &mut Notes) -> Option<()> {
    let mut hall = Hall::prepare(&Plan { redis: false, more: "state: file\n", ..Plan::default() })?;
    let states: Vec<_> = hall.seats.iter().map(|seat| seat.home.state()).collect();
    for state in &states {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(state).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            notes.1 = Some("no right to mount".into());
            unmount(&states);
            return None;
        }
    }
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        for seat in &mut hall.seats {
            seat.sit();
        }
        let leader = hall.settled();
        let (roles, since) = (hall.roles(), now());
        // Whatever fits is taken, so that not a byte more does.
        let _ = std::fs::write(states[leader].join("more"), vec![0; 128 * 1024]);
        let told = hall.line(leader, since, "the full disk to be told", |line| line.notice.is_some());
        notes.time("told after", told.at - since);
        hall.watch(&EVERYBODY, now(), 8);
        assert_eq!(hall.roles(), roles, "{}", hall.report());
        hall.assert_unbroken(&EVERYBODY, since);
        let _ = std::fs::remove_file(states[leader].join("more"));
        hall.settled();
        hall.close();
    }));
    drop(hall.seats.drain(..));
    unmount(&states);
    ran.map_err(std::panic::resume_unwind).ok()
}

fn unmount(states: &[std::path::PathBuf]) {
    for state in states {
        let _ = Command::new("umount").arg("-l").arg(state).output();
    }
}

fn terminal(notes: &mut Notes) -> Option<()> {
    let mut hall = Hall::start(&Plan::default())?;
    let (old, since) = (hall.leader(), now());
    hall.seats[old].signal(Signal::HUP);
    let (_, led) = hall.successor(old, since);
    notes.promised("new leader after", led - since, 1000);
    hall.seats[old].reap()?;
    notes.promised("gone after", now() - since, 1000);
    hall.watch(&hall.others(old), now(), 4);
    hall.assert_unbroken(&hall.others(old), since);
    assert!(hall.assert_one_voice(since) < Duration::from_secs(2));
    Some(())
}
