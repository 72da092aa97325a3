//! `disk:`: the file system that holds a path, in the numbers of `df`.
//!
//! Deliberately no list of mounts: the engineer names the path that matters.

use std::path::{Path, PathBuf};

use rustix::fs::StatVfs;

use super::blocking::{Lane, path_of, plain};
use super::{BadTarget, Check, Fault, Measured, Measuring};
use crate::frame::{Value, Values};

struct Disk {
    path: PathBuf,
    lane: Lane,
}

/// The check of `disk:PATH`.
///
/// # Errors
/// Where there is no path.
pub(super) fn build(target: &str) -> Result<Box<dyn Check>, BadTarget> {
    Ok(Box::new(Disk { path: path_of(target, "disk:")?, lane: Lane::default() }))
}

impl Check for Disk {
    fn measure(&self) -> Measuring<'_> {
        let path = self.path.clone();
        Box::pin(self.lane.run(move || look(&path)))
    }
}

fn look(path: &Path) -> Result<Measured, Fault> {
    let fault = |why: &str| Fault(format!("{}: {why}", path.display()));
    let stat = rustix::fs::statvfs(path).map_err(|error| fault(&plain(&error.into())))?;
    let usage = usage(&stat).ok_or_else(|| fault("its file system has no size (is it a virtual one?)"))?;
    Ok(Measured { values: values(usage.used, usage.free, usage.percent), bytes: 0, ..Measured::default() })
}

/// The three values that disks and memory share.
pub(super) fn values(used: u64, free: u64, percent: f64) -> Values {
    Values::new()
        .with("used", Value::bytes(used))
        .with("free", Value::bytes(free))
        .with("percent", Value::percent(percent))
}

/// How full a file system is.
#[derive(Debug, PartialEq)]
struct Usage {
    used: u64,
    free: u64,
    percent: f64,
}

/// As `df` counts: free is what a user other than root may still take, and the
/// share is of used and free together, rounded up to a whole percent.
fn usage(stat: &StatVfs) -> Option<Usage> {
    let block = if stat.f_frsize == 0 { stat.f_bsize } else { stat.f_frsize };
    let used = stat.f_blocks.saturating_sub(stat.f_bfree);
    let whole = u128::from(used) + u128::from(stat.f_bavail);
    let percent = (u128::from(used) * 100).checked_div(whole).map(|down| {
        let up = u128::from((u128::from(used) * 100) % whole != 0);
        u32::try_from(down + up).unwrap_or(100)
    })?;
    Some(Usage {
        used: used.saturating_mul(block),
        free: stat.f_bavail.saturating_mul(block),
        percent: f64::from(percent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_counted_as_df_does() {
        // Blocks, free to root, free to others, as on a file system of 4 KiB blocks.
        for (blocks, bfree, bavail, expected) in [
            (1000, 1000, 950, Some((0, 950 << 12, 0.0))),
            (1000, 500, 450, Some((500 << 12, 450 << 12, 53.0))),
            (1000, 999, 999, Some((1 << 12, 999 << 12, 1.0))),
            (1000, 0, 0, Some((1000 << 12, 0, 100.0))),
            (1000, 50, 0, Some((950 << 12, 0, 100.0))),
            (0, 0, 0, None),
        ] {
            let mut stat = rustix::fs::statvfs("/").unwrap();
            (stat.f_frsize, stat.f_blocks, stat.f_bfree, stat.f_bavail) = (1 << 12, blocks, bfree, bavail);
            assert_eq!(usage(&stat), expected.map(|(used, free, percent)| Usage { used, free, percent }));
        }
    }

    #[tokio::test]
    async fn agrees_with_df() {
        let df = std::process::Command::new("df").args(["--output=pcent,size", "-B1", "/"]).output().unwrap();
        let told = String::from_utf8(df.stdout).unwrap();
        let percent: f64 = told.lines().nth(1).unwrap().split('%').next().unwrap().trim().parse().unwrap();
        let measured = build("disk:/").unwrap().measure().await.unwrap();
        let Some(Value::Number(ours, _)) = measured.values.get("percent") else { panic!("{measured:?}") };
        assert!((ours - percent).abs() <= 1.0, "df: {percent}, disk: {ours}");
    }

    #[tokio::test]
    async fn what_has_no_size_or_is_not_there_is_a_fault() {
        let gone = build("disk:/no/such/folder").unwrap().measure().await.unwrap_err();
        assert_eq!(gone.0, "/no/such/folder: not found");
        if Path::new("/proc/version").exists() {
            let fault = build("disk:/proc").unwrap().measure().await.unwrap_err();
            assert!(fault.0.contains("no size"), "{fault:?}");
        }
    }
}
