//! Consoles in step while things break: the faults of the plant against the real program, a real etcd of
//! three members and a real Redis.
//!
//! A scenario asserts what comes out: who leads, what is shown, what is told. Its times are noted, and
//! judged by `tests/faults` alone, which runs the same scenarios and more on a release build.

mod election;
mod machine;
mod servers;

use std::time::Duration;

use crate::support::hall::{Hall, Plan};

/// What a scenario measured, by name; and what it must be at most, where that is promised.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Vec<Note>);

/// One figure.
pub(crate) struct Note {
    pub(crate) name: &'static str,
    pub(crate) value: Duration,
    pub(crate) most: Option<Duration>,
}

impl Notes {
    /// Notes a time that nothing is promised of.
    pub(crate) fn time(&mut self, name: &'static str, value: Duration) {
        self.0.push(Note { name, value, most: None });
    }

    /// Notes a time that is promised to be no longer than so many milliseconds.
    pub(crate) fn promised(&mut self, name: &'static str, value: Duration, most: u64) {
        self.0.push(Note { name, value, most: Some(Duration::from_millis(most)) });
    }
}

/// A fault and what is expected of it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Its number in the list of faults, or a word.
    pub(crate) number: &'static str,
    pub(crate) fault: &'static str,
    pub(crate) expected: &'static str,
    /// `None`: it can't be run on this machine.
    pub(crate) run: fn(&mut Notes) -> Option<()>,
}

/// Makes a test of each scenario, and a list of all.
macro_rules! scenarios {
    ($($number:literal $name:ident in $room:ident, $fault:literal, $expected:literal;)*) => {
        /// All scenarios that need no privilege.
        pub(crate) const ALL: &[Scenario] = &[$(Scenario {
            name: stringify!($name), number: $number, fault: $fault, expected: $expected, run: $room::$name,
        }),*];
        #[cfg(test)]
        mod tests {
            $(#[test]
            fn $name() {
                super::run(stringify!($name), super::$room::$name);
            })*
        }
    };
}

scenarios! {
    "1" a_killed_leader_is_followed_at_once in election, "kill -9 of the leader", "new leader <= 200 ms, 0 skipped";
    "2" a_lost_machine_is_followed_after_its_lease in election, "kill -9 of guardian and leader", "new leader <= 3.6 s, 0 skipped";
    "3" a_leader_that_quits_hands_over in election, "kill -TERM of the leader", "exit 0, new leader <= 100 ms";
    "10" a_dead_leader_of_etcd_changes_no_console in servers, "kill -9 of etcd's leader", "0 console failovers, beat gap <= 2.4 s";
    "local" ten_consoles_of_one_machine_measure_once in machine, "kill -9 of the leader of ten, cluster local", "one leads on, plans run once";
}

/// Runs a scenario as a test, and prints its figures for whoever asks for them.
#[cfg(test)]
fn run(name: &str, scenario: fn(&mut Notes) -> Option<()>) {
    let mut notes = Notes::default();
    // Where a server is missing, that was told already.
    let _ = scenario(&mut notes);
    for note in notes.0 {
        println!("figure {name}: {} {:.1} ms", note.name, note.value.as_secs_f64() * 1e3);
    }
}

/// Three consoles with etcd of three and Redis, one leading.
fn hall() -> Option<Hall> {
    Hall::start(&Plan::default())
}
