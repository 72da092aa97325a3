//! Faults that a control group brings: too little of a core, and no memory left.
//!
//! By the groups of version 1, which need root; where they are not, the rows are skipped and say so.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::consoles::{Notes, Scenario};
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan, Seat};

pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "quota",
        number: "24b",
        fault: "each console has a tenth of a core for 20 s",
        expected: "0 failovers, 0 skipped, longest silence <= 2.4 s",
        run: quota,
    },
    Scenario {
        name: "memory",
        number: "24c",
        fault: "the leader has 64 MiB for 10 s, then none is left in its group",
        expected: "no change, then killed by the kernel and followed as 1",
        run: memory,
    },
];

/// The file of a group that lists its processes, and takes one in.
const PROCESSES: &str = "cgroup.procs";
const EVERYBODY: [usize; 3] = [0, 1, 2];

/// A group of processes with a limit; gone with it, and its processes are back where all are.
struct Group(PathBuf);

impl Group {
    /// A group of `controller` with `limits`, and the process `pid` in it; `None` where there are no such groups,
    /// or no right to them.
    fn of(pid: u32, controller: &str, limits: &[(&str, &str)], notes: &mut Notes) -> Option<Self> {
        let group = Self(Path::new("/sys/fs/cgroup").join(controller).join(format!("marquee-{pid}")));
        let write = |(file, value): (&str, &str)| fs::write(group.0.join(file), value);
        let made = fs::create_dir(&group.0).and_then(|()| limits.iter().copied().try_for_each(write));
        if let Err(error) = made.and_then(|()| write((PROCESSES, &pid.to_string()))) {
            notes.1 = Some(format!("no control group of {controller}: {error}"));
            return None;
        }
        Some(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A group goes only when it is empty.
        for pid in fs::read_to_string(self.0.join(PROCESSES)).unwrap_or_default().lines() {
            let _ = fs::write(self.0.join("..").join(PROCESSES), pid);
        }
        let _ = fs::remove_dir(&self.0);
    }
}

fn quota(notes: &mut Notes) -> Option<()> {
    let hall = Hall::start(&Plan::default())?;
    let (roles, since) = (hall.roles(), now());
    let tenth = [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "10000")];
    let pids = hall.seats.iter().map(Seat::pid);
    let groups = pids.map(|pid| Group::of(pid, "cpu", &tenth, notes)).collect::<Option<Vec<_>>>()?;
    hall.watch(&EVERYBODY, since, 40);
    drop(groups);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    notes.promised("longest silence of the channel", hall.assert_one_voice(since), 2400);
    Some(())
}

fn memory(notes: &mut Notes) -> Option<()> {
    let mut hall = Hall::start(&Plan::default())?;
    let (old, roles, since) = (hall.leader(), hall.roles(), now());
    let others = hall.others(old);
    let group = Group::of(hall.seats[old].pid(), "memory", &[("memory.limit_in_bytes", "64M")], notes)?;
    hall.watch(&EVERYBODY, since, 20);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    // Beside it somebody takes whatever is there, and the kernel is to end the console for it.
    fs::write(format!("/proc/{}/oom_score_adj", hall.seats[old].pid()), "1000").unwrap();
    let words = format!("echo $$ > {}/{PROCESSES} && exec tail /dev/zero", group.0.display());
    let mut greedy = Command::new("/bin/sh");
    greedy.args(["-c", &words]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut greedy = greedy.spawn().unwrap();
    let killed = hall.seats[old].reap();
    let ended = now();
    let _ = greedy.kill();
    let _ = greedy.wait();
    assert_eq!(killed.and_then(|status| status.signal()), Some(9), "by the kernel");
    let (_, led) = hall.successor(old, ended);
    notes.promised("new leader after", led - ended, 200);
    hall.watch(&others, led, 4);
    hall.assert_unbroken(&others, since);
    Some(())
}
