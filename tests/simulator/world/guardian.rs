//! The end of a process, and its guardian, which gives back what the process held.
//!
//! What a guardian may take: the leases of its own dead process and no other (I11); and as long as nothing hinders
//! it, all of them, and soon.

use std::time::Duration;

use marquee::coordination::election::Ask;
use marquee::coordination::etcd::ATTEMPT;
use marquee::coordination::etcd::guardian::{BETWEEN, TRIES, WITHIN};

use super::{Due, World};
use crate::breaks::Break;
use crate::clock::MS;
use crate::etcd::EtcdOp;
use crate::network::{Server, Way};

/// A guardian that nothing hinders is done after so long: one try that is answered.
const SOON: u64 = 500 * MS;

/// The guardian of a process that has ended.
#[derive(Debug)]
pub(super) struct Guardian {
    console: usize,
    boot: u64,
    name: String,
    died: u64,
    leases: Vec<i64>,
    tries: u32,
    /// Something stood in its way, or it was looked at and is done.
    excused: bool,
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl World {
    /// Ends a process at once; `guarded`: its guardian lives.
    pub(crate) fn crash(&mut self, console: usize, guarded: bool) {
        let machine = &mut self.machines[console];
        let Some(app) = machine.app.take() else { return };
        let boot = machine.boot;
        machine.paused = false;
        machine.boot += 1;
        self.check.died(self.t, console, &app.process);
        if guarded {
            let (name, leases, died) = (app.name, app.guarded, self.t);
            let excused = !self.is_free(console);
            self.guardians.push(Guardian { console, boot, name, died, leases, tries: 0, excused });
            self.at(died + MS, Due::Guard(self.guardians.len() - 1));
        }
    }

    /// A guardian tries once more, with all that is left.
    pub(crate) fn guard(&mut self, number: usize) {
        let guardian = &mut self.guardians[number];
        if guardian.tries >= TRIES || guardian.leases.is_empty() || self.t > guardian.died + nanos(WITHIN) {
            return;
        }
        guardian.tries += 1;
        let (console, mut leases) = (guardian.console, guardian.leases.clone());
        if self.breaks == Some(Break::GuardsName) {
            leases.extend(self.etcd.named(&guardian.name));
        }
        for lease in leases {
            let arrival = self.network.arrives(self.t, (console, Server::Etcd, Way::There), &mut self.chance);
            if let Some(t) = arrival.filter(|_| !self.machines[console].repeats) {
                self.at(t, Due::GiveBack(number, lease));
            }
        }
        self.at(self.t + nanos(ATTEMPT) + nanos(BETWEEN), Due::Guard(number));
    }

    /// Its try is at etcd.
    pub(crate) fn give_back(&mut self, number: usize, lease: i64) {
        let console = self.guardians[number].console;
        if let Some(owner) = self.etcd.owner(lease).filter(|owner| self.lives(*owner) && self.etcd.serves) {
            let why = format!("the guardian of console {console} ends a lease of {owner:?}, who lives");
            self.check.fail(self.t, Some(console), "I11", &why);
        }
        let op = EtcdOp::Ask(Ask::Revoke(lease), String::new());
        let answer = self.etcd.handle(self.t, (console, 0), op);
        self.etcd_tells();
        let lost = self.chance.permille(self.loses);
        if answer.is_some() && !lost {
            let back = self.network.arrives(self.t, (console, Server::Etcd, Way::Back), &mut self.chance);
            if let Some(t) = back {
                self.at(t, Due::GivenBack(number, lease));
            }
        }
    }

    pub(crate) fn given_back(&mut self, number: usize, lease: i64) {
        self.guardians[number].leases.retain(|left| *left != lease);
    }

    /// Whether nothing hinders a guardian here.
    fn is_free(&self, console: usize) -> bool {
        let whole = self.etcd.serves && self.loses == 0 && !self.machines[console].repeats;
        whole && !self.network.is_bad(console, Server::Etcd)
    }

    /// Whether this is the process that runs on its machine now.
    fn lives(&self, (console, boot): (usize, u64)) -> bool {
        self.machines[console].app.is_some() && self.machines[console].boot == boot
    }

    /// Looks whether anything is left of those whose guardians had a free way to etcd all the time.
    pub(super) fn guardians_are_done(&mut self) {
        for number in 0..self.guardians.len() {
            let Guardian { console, boot, died, excused, .. } = self.guardians[number];
            if excused {
                continue;
            }
            if !self.is_free(console) {
                self.guardians[number].excused = true;
            } else if self.t > died + SOON {
                self.guardians[number].excused = true;
                if self.etcd.holding().any(|lease| self.etcd.owner(lease) == Some((console, boot))) {
                    self.check.fail(self.t, Some(console), "I11", "what a dead console held outlives its guardian");
                }
            }
        }
    }
}
