//! `load:`: this machine's load average and its cores, as Linux tells them.
//!
//! The cores are the machine's, because the load is: what this process may use
//! of them is another number.

use std::io;
use std::path::Path;

use super::blocking::plain;
use super::{BadTarget, Check, Fault, Measured, Measuring};
use crate::frame::{Value, Values};

struct Load;

/// The check of `load:`.
///
/// # Errors
/// Where something follows the colon.
pub(super) fn build(target: &str) -> Result<Box<dyn Check>, BadTarget> {
    match target.strip_prefix("load:").map(str::trim) {
        Some("") => Ok(Box::new(Load)),
        _ => Err(BadTarget("load: takes nothing after the colon".into())),
    }
}

impl Check for Load {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(std::future::ready(look()))
    }
}

fn look() -> Result<Measured, Fault> {
    let path = Path::new("/proc/loadavg");
    let text = read_proc(path)?;
    let averages = averages(&text).ok_or_else(|| Fault(format!("{}: tells no load", path.display())))?;
    let mut values = Values::new();
    for (name, load) in ["load1", "load5", "load15"].into_iter().zip(averages) {
        values.set(name, Value::plain(load));
    }
    values.set("cores", Value::plain(f64::from(online_cores())));
    Ok(Measured { values, bytes: text.len() as u64, ..Measured::default() })
}

/// Reads a small file of `/proc`. Those come from memory and never wait, so no thread is needed.
pub(super) fn read_proc(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Fault(format!("works on Linux alone: there is no {} here", path.display())),
        _ => Fault(format!("{}: {}", path.display(), plain(&error))),
    })
}

/// The averages over 1, 5 and 15 minutes in `/proc/loadavg`.
fn averages(text: &str) -> Option<[f64; 3]> {
    let mut numbers = text.split_whitespace().map(|word| word.parse::<f64>().ok().filter(|load| load.is_finite()));
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

fn online_cores() -> u32 {
    let listed = std::fs::read_to_string("/sys/devices/system/cpu/online").ok().and_then(|ranges| cores(&ranges));
    // Where /sys is hidden, what this process may use is the best that is known.
    listed.unwrap_or_else(|| {
        std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1))
    })
}

/// How many cores a list such as `0-3,5` names.
fn cores(ranges: &str) -> Option<u32> {
    ranges.trim().split(',').try_fold(0_u32, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        sum.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loadavg_is_read() {
        for (text, expected) in [
            ("0.20 0.18 0.12 1/80 11206\n", Some([0.20, 0.18, 0.12])),
            ("128.00 64.50 3 9/9 1", Some([128.0, 64.5, 3.0])),
            ("0.20 0.18", None),
            ("a b c", None),
            ("nan inf 1", None),
            ("", None),
        ] {
            assert_eq!(averages(text), expected, "{text}");
        }
    }

    #[test]
    fn cores_are_counted() {
        for (list, expected) in [
            ("0\n", Some(1)),
            ("0-3", Some(4)),
            ("0-3,5,8-9\n", Some(7)),
            ("", None),
            ("3-0", None),
            ("x", None),
            ("0-4294967295", None),
        ] {
            assert_eq!(cores(list), expected, "{list}");
        }
    }

    #[tokio::test]
    async fn this_machine_has_a_load() {
        let measured = build("load:").unwrap().measure().await.unwrap();
        let names: Vec<_> = measured.values.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["load1", "load5", "load15", "cores"]);
        assert!(matches!(measured.values.get("cores"), Some(Value::Number(cores, _)) if *cores >= 1.0));
        assert!(build("load:1").is_err());
        assert!(read_proc(Path::new("/proc/no-such")).is_err_and(|fault| fault.0.contains("Linux alone")));
    }
}
