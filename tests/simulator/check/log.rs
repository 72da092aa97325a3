//! The log of events: the last of them are told with a failure, all of them where a seed is replayed.
//!
//! I9 is checked here: whatever a console says, logs, publishes or lets a server keep comes by.

use std::fmt::Write as _;

use super::Check;
use crate::clock::MS;
use crate::voice::is_leak;

/// So many events are told of a failure.
const LAST: usize = 40;

/// One event.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) t: u64,
    pub(crate) console: Option<usize>,
    pub(crate) what: String,
}

impl Check {
    pub(crate) fn log(&mut self, t: u64, console: Option<usize>, what: String) {
        let event = Event { t, console, what };
        if self.verbose {
            println!("{}", line(&event));
        }
        if self.log.len() == LAST {
            self.log.pop_front();
        }
        let leaks = is_leak(&event.what);
        self.log.push_back(event);
        if leaks {
            self.fail(t, console, "I9", "a secret is told");
        }
    }

    /// Looks at a line that is too long for the log.
    pub(crate) fn says(&mut self, t: u64, console: Option<usize>, line: &str) {
        if is_leak(line) {
            self.log(t, console, line.to_owned());
        }
    }

    /// The first failure of a seed counts; those that follow from it do not.
    pub(crate) fn fail(&mut self, t: u64, console: Option<usize>, invariant: &str, why: &str) {
        if self.failure.is_none() {
            self.log(t, console, format!("{invariant} is broken: {why}"));
            let mut told = format!("{invariant}: {why}\n");
            for event in &self.log {
                let _ = writeln!(told, "{}", line(event));
            }
            self.failure = Some(told);
        }
    }
}

/// An event as a line of JSON.
fn line(event: &Event) -> String {
    let console = event.console.map_or("null".to_owned(), |console| console.to_string());
    let what = event.what.replace('\\', "\\\\").replace('"', "'");
    format!("{{\"ms\":{}.{:03},\"console\":{console},\"what\":\"{what}\"}}", event.t / MS, event.t % MS / 1_000)
}
