//! What a running process costs and holds, read from `/proc`.

use std::fs;
use std::time::Duration;

/// Resident memory, in MiB.
pub(crate) fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a live process has a size");
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}

/// Processor time that all threads together have used, to the nanosecond.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let nanos = tasks.filter_map(|task| -> Option<u64> {
        let counted = fs::read_to_string(task.path().join("schedstat")).ok()?;
        counted.split_whitespace().next()?.parse().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) children: usize,
}

impl Held {
    pub(crate) fn by(pid: u32) -> Self {
        let count = |folder: &str| fs::read_dir(format!("/proc/{pid}/{folder}")).unwrap().count();
        Self { descriptors: count("fd"), threads: count("task"), children: children(pid) }
    }

    pub(crate) fn is_within(self, other: Self) -> bool {
        self.descriptors <= other.descriptors && self.threads <= other.threads && self.children <= other.children
    }
}

/// How many children a process has, those that are not yet reaped included.
pub(crate) fn children(pid: u32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    tasks.map(|task| of(task).split_whitespace().count()).sum()
}
