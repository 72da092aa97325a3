//! Who is there: I12, that nobody stands for the lead under a name that is another's; and what each console lists.

use marquee::coordination::Presence;

use super::Check;
use crate::clock::SECOND;

/// The record of a process that died without a guardian is there for so long, from when etcd has begun all leases anew
/// if it has: its lease, ten times a leader's and
/// what was granted beyond that, and a list that is two seconds old.
const REMEMBERED: u64 = 36 * SECOND;

/// A list is never older than this, and tells of a role that is as old: two seconds from one to the next, and as
/// much as it takes to tell.
const LISTED: u64 = 3 * SECOND;

/// One console of those that have to be well.
#[derive(Debug)]
pub(crate) struct Living {
    pub(crate) console: usize,
    pub(crate) name: String,
    pub(crate) process: String,
}

impl Check {
    pub(super) fn named(&mut self, t: u64, console: usize, named: bool) {
        let watched = &mut self.consoles[console];
        if std::mem::replace(&mut watched.named, named) != named {
            watched.named_since = t;
        }
    }

    pub(super) fn campaigns(&mut self, t: u64, console: usize) {
        if !self.consoles[console].named {
            self.fail(t, Some(console), "I12", "it stands for the lead without a name of its own");
        }
    }

    pub(super) fn lists(&mut self, t: u64, console: usize, records: Vec<Presence>) {
        let watched = &mut self.consoles[console];
        (watched.listed, watched.listed_at) = (records, t);
    }

    /// Whether its name is its own.
    pub(crate) fn is_named(&self, console: usize) -> bool {
        self.consoles[console].named
    }

    /// I10 of membership: each of these lists each of these, in its right role, and nobody who is long gone.
    pub(crate) fn company(&mut self, t: u64, core: &[Living]) {
        let why = core.iter().find_map(|looks| Some((looks.console, self.mislisted(t, looks, core)?)));
        if let Some((console, why)) = why {
            self.fail(t, Some(console), "I10", &why);
        }
    }

    fn mislisted(&self, t: u64, looks: &Living, core: &[Living]) -> Option<String> {
        let Some(watched) = self.consoles.get(looks.console).filter(|watched| t < watched.listed_at + LISTED) else {
            return Some("it does not know any more who is there".into());
        };
        for Living { console, name, process } in core {
            let other = &self.consoles[*console];
            let named = other.named && t > other.named_since + LISTED;
            let Some(record) = watched.listed.iter().find(|record| record.console == *name) else {
                if named {
                    return Some(format!("it lists nobody called {name}"));
                }
                continue;
            };
            let settled = t > other.role_since + LISTED;
            let role = other.role.map_or("", |role| role.word());
            if named && record.boot != *process {
                return Some(format!("it takes {} for {name}", record.boot));
            }
            if named && settled && record.role != role {
                return Some(format!("it takes {name} for a {}, which is a {role}", record.role));
            }
        }
        let over = |died: &u64| t > (*died).max(self.extended_at) + REMEMBERED;
        let gone = |record: &&Presence| self.deaths.get(&record.boot).is_some_and(over);
        watched.listed.iter().find(gone).map(|record| format!("it lists {}, who is long gone", record.boot))
    }
}
