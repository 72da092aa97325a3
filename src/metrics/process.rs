//! The process's own numbers, under the names that every Prometheus client uses.
//!
//! Read from `/proc` at each scrape. Where there is no `/proc` the families are
//! absent: a missing number is honest, a 0 is not.

use std::fs;

use super::exposition::{family, sample};
use super::table::{
    Metric, PROCESS_CPU, PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_RESIDENT, PROCESS_START, PROCESS_THREADS,
};

/// Writes all families whose numbers can be read.
pub(super) fn write(out: &mut String) {
    let read = |file: &str| fs::read_to_string(format!("/proc/{file}")).unwrap_or_default();
    let (stat, status) = (read("self/stat"), read("self/status"));
    let ticks = ticks_per_second();
    let open = fs::read_dir("/proc/self/fd").ok().map(|entries| {
        // The folder being read is itself one open descriptor.
        to_f64(u64::try_from(entries.count().saturating_sub(1)).unwrap_or(u64::MAX))
    });
    let numbers: [(&Metric, Option<f64>); 6] = [
        (&PROCESS_CPU, cpu_ticks(&stat).map(|used| used / ticks)),
        (&PROCESS_RESIDENT, named(&status, "VmRSS:").map(|kib| kib * 1024.0)),
        (&PROCESS_OPEN_FDS, open),
        (&PROCESS_MAX_FDS, max_fds(&read("self/limits"))),
        (&PROCESS_THREADS, named(&status, "Threads:")),
        (&PROCESS_START, started(&stat, &read("stat"), ticks)),
    ];
    for (metric, number) in numbers {
        if let Some(number) = number {
            family(out, metric);
            sample(out, metric, &[], number);
            out.push('\n');
        }
    }
}

/// The unit of times in `/proc/self/stat`.
fn ticks_per_second() -> f64 {
    to_f64(rustix::param::clock_ticks_per_second().max(1))
}

/// The fields of `/proc/self/stat` from the third on. The second is the
/// program's name in brackets, which may itself hold blanks and brackets.
fn fields(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace()
}

/// User and system time together.
fn cpu_ticks(stat: &str) -> Option<f64> {
    // Fields 14 and 15 of proc(5).
    let mut times = fields(stat).skip(11).map(|field| field.parse::<u64>().ok());
    Some(to_f64(times.next()?? + times.next()??))
}

/// The start in seconds since the epoch: the boot's, and the ticks from there on.
fn started(stat: &str, machine: &str, ticks: f64) -> Option<f64> {
    // Field 22 of proc(5).
    let since_boot: u64 = fields(stat).nth(19)?.parse().ok()?;
    Some(named(machine, "btime ")? + to_f64(since_boot) / ticks)
}

/// The soft limit of open files.
fn max_fds(limits: &str) -> Option<f64> {
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_ascii_whitespace().next()?;
    soft.parse().ok().map(to_f64)
}

/// The number on the line that begins with `name`.
fn named(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok().map(to_f64)
}

#[expect(clippy::cast_precision_loss, reason = "the exposition format knows floating point alone; exact up to 2^53")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b) S 1 42 42 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 3 0 1000 1 1 1";

    #[test]
    fn fields_are_found_behind_any_name() {
        assert_eq!(cpu_ticks(STAT), Some(300.0));
        assert_eq!(started(STAT, "cpu 1 2\nbtime 1700000000\n", 100.0), Some(1_700_000_010.0));
        assert_eq!(named("VmHWM:\t 9 kB\nVmRSS:\t  2048 kB\n", "VmRSS:"), Some(2048.0));
        assert_eq!(max_fds("Max open files            1024                 4096      files\n"), Some(1024.0));
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        for broken in ["", "42", "42 (x", "42 (x) S 1", "42 (x) S a b c d e f g h i j k l m n o p q r s t"] {
            assert_eq!((cpu_ticks(broken), started(broken, "", 100.0)), (None, None), "{broken:?}");
        }
        assert_eq!(max_fds("Max open files unlimited unlimited files"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_them_all() {
        let mut out = String::new();
        write(&mut out);
        for metric in super::super::TABLE.iter().filter(|metric| metric.name.starts_with("process_")) {
            let line = out.lines().find_map(|line| line.strip_prefix(metric.name)?.strip_prefix(' '));
            let number: f64 = line.expect(metric.name).parse().expect("a number");
            let may_be_nought = metric.name == "process_cpu_seconds_total";
            assert!(number > 0.0 || may_be_nought, "{} {number}", metric.name);
        }
    }
}
