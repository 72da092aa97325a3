//! `memory:`: this machine's memory, as Linux tells it in `/proc/meminfo`.
//!
//! Used is what programs hold; caches that the kernel gives back on demand
//! count as free. Deliberately the machine's, not a container's, memory.

use std::path::Path;

use super::disk::values;
use super::load::read_proc;
use super::{BadTarget, Check, Fault, Measured, Measuring};

struct Memory;

/// The check of `memory:`.
///
/// # Errors
/// Where something follows the colon.
pub(super) fn build(target: &str) -> Result<Box<dyn Check>, BadTarget> {
    match target.strip_prefix("memory:").map(str::trim) {
        Some("") => Ok(Box::new(Memory)),
        _ => Err(BadTarget("memory: takes nothing after the colon".into())),
    }
}

impl Check for Memory {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(std::future::ready(look(Path::new("/proc/meminfo"))))
    }
}

fn look(path: &Path) -> Result<Measured, Fault> {
    let text = read_proc(path)?;
    let usage = usage(&text).ok_or_else(|| Fault(format!("{}: tells no MemTotal and MemAvailable", path.display())))?;
    Ok(Measured {
        values: values(usage.used, usage.free, usage.percent),
        bytes: text.len() as u64,
        ..Measured::default()
    })
}

#[derive(Debug, PartialEq)]
struct Usage {
    used: u64,
    free: u64,
    percent: f64,
}

/// What `/proc/meminfo` tells; `None` where the lines are missing.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn usage(text: &str) -> Option<Usage> {
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        number.checked_mul(1024)
    };
    let total = bytes("MemTotal").filter(|total| *total > 0)?;
    // Kernels before 3.14 have no MemAvailable; this sum is what `free` told then.
    let free = bytes("MemAvailable").or_else(|| Some(bytes("MemFree")? + bytes("Buffers")? + bytes("Cached")?))?;
    let free = free.min(total);
    let used = total - free;
    Some(Usage { used, free, percent: used as f64 * 100.0 / total as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read() {
        let new = "MemTotal:       8000 kB\nMemFree:         500 kB\nMemAvailable:   2000 kB\nSwapTotal: 0 kB\n";
        let old = "MemTotal:       8000 kB\nMemFree: 500 kB\nBuffers: 500 kB\nCached: 1000 kB\n";
        let odd = "MemTotal: 8000 kB\nMemAvailable: 9000 kB\n";
        for (text, expected) in [
            (new, Some((6000, 2000, 75.0))),
            (old, Some((6000, 2000, 75.0))),
            (odd, Some((0, 8000, 0.0))),
            ("", None),
            ("MemTotal: 0 kB\nMemAvailable: 0 kB", None),
            ("MemTotal: x kB\nMemAvailable: 1 kB", None),
            ("MemTotal: 8000 kB", None),
            ("MemTotal: 99999999999999999 kB\nMemAvailable: 1 kB", None),
        ] {
            let expected = expected.map(|(used, free, percent)| Usage { used: used << 10, free: free << 10, percent });
            assert_eq!(usage(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn this_machine_has_memory() {
        let measured = build("memory:").unwrap().measure().await.unwrap();
        let names: Vec<_> = measured.values.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["used", "free", "percent"]);
        assert!(build("memory:all").is_err());
    }
}
