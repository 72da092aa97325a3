//! The clock that all processes of one machine share.
//!
//! The monotonic clock of the system reads the same in every process, so for
//! `cluster: local` it is the reference itself, with an error of zero, and
//! nothing has to be measured. It is read here, against the house's rule that
//! the app alone reads clocks, because what is wanted is not the time but what
//! it is on the others' side: the counterpart of a Redis server's `TIME`.
//! Deliberately no wall clock.

use std::path::Path;

use rustix::time::{ClockId, clock_gettime};

use crate::kernel::Span;

/// A number of the system's own for each of its starts.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Names the time namespace; processes of two namespaces may read clocks that stand differently.
const TIME_NAMESPACE: &str = "/proc/self/ns/time";

/// The longest identity that is passed on: the system's own are 36 and about 17 letters.
const PART_BYTES_MAX: usize = 64;

/// What processes with the same [`monotonic`] clock have in common, and no others: this start of this
/// machine, and the time namespace. `None` where the system does not tell; then nothing is known to be shared.
#[must_use]
pub fn boot_id() -> Option<String> {
    let boot = std::fs::read_to_string(BOOT).ok()?;
    // A system without such namespaces has one clock for all.
    let namespace = match std::fs::read_link(Path::new(TIME_NAMESPACE)) {
        Ok(target) => target.to_str()?.to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(_) => return None,
    };
    identity(boot.trim(), &namespace)
}

fn identity(boot: &str, namespace: &str) -> Option<String> {
    let plain = |part: &str| part.len() <= PART_BYTES_MAX && part.chars().all(|c| c.is_ascii_graphic());
    let told = !boot.is_empty() && plain(boot) && plain(namespace);
    told.then(|| if namespace.is_empty() { boot.to_owned() } else { format!("{boot}/{namespace}") })
}

/// How long the machine has been running, without the time it slept: the same for all processes
/// with the same [`boot_id`], and never set.
#[must_use]
pub fn monotonic() -> Span {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(now.tv_sec), u64::try_from(now.tv_nsec));
    Span::from_secs(seconds.unwrap_or_default()) + Span::from_nanos(nanos.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_machine_is_the_same() {
        let id = boot_id().expect("this system tells");
        assert_eq!(boot_id().as_ref(), Some(&id));
        assert!(id.chars().all(|c| c.is_ascii_graphic()), "{id:?}");
        let other = std::process::Command::new("cat").arg(BOOT).output().unwrap();
        assert!(id.starts_with(String::from_utf8(other.stdout).unwrap().trim()), "{id}");
    }

    #[test]
    fn identities_are_told_apart() {
        let long = "x".repeat(PART_BYTES_MAX + 1);
        for (boot, namespace, expected) in [
            ("a-1", "time:[7]", Some("a-1/time:[7]")),
            ("a-1", "time:[8]", Some("a-1/time:[8]")),
            ("a-1", "", Some("a-1")),
            ("", "time:[7]", None),
            ("a 1", "time:[7]", None),
            ("a-1", "time\n", None),
            (&long, "", None),
            ("a-1", &long, None),
        ] {
            assert_eq!(identity(boot, namespace).as_deref(), expected);
        }
    }

    #[test]
    fn the_clock_is_the_system_s_and_another_process_reads_the_same() {
        let uptime = || {
            let answer = std::process::Command::new("cat").arg("/proc/uptime").output().unwrap();
            let text = String::from_utf8(answer.stdout).unwrap();
            let seconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
            Span::from_millis(std::time::Duration::from_secs_f64(seconds).as_millis().try_into().unwrap())
        };
        let (before, told, after) = (monotonic(), uptime(), monotonic());
        assert!(before <= after);
        // Uptime counts the time that the machine slept as well, and in hundredths.
        assert!(before <= told + Span::from_millis(10), "{before} {told} {after}");
    }
}
