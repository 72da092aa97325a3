//! A process's record among the others, who else it lists, and what its guardian knows.

use marquee::coordination::Presence;
use marquee::coordination::election::{Candidate, Event};
use marquee::coordination::member::{Reply, Request};
use marquee::kernel::{Moment, Span};

use super::{App, Call, Note};
use crate::breaks::Break;
use crate::etcd::EtcdOp;

/// How often it looks who is there; a leader of the program does so.
const LIST_EVERY: Span = Span::from_secs(2);

impl App {
    /// What it says of itself.
    pub(super) fn presence(&self, now: Moment, lease: i64) -> Presence {
        let (offset, bound) = self.reference.error(now);
        Presence {
            console: self.name.clone(),
            boot: self.process.clone(),
            machine: self.machine.clone(),
            process: self.number_of_process,
            lease,
            version: "1".into(),
            role: self.role.map_or("follower", |role| role.word()).into(),
            since_ms: now.unix_millis(),
            offset_us: offset / 1_000,
            bound_us: bound.as_nanos() / 1_000,
            seen_ms: now.unix_millis(),
            // The way around a Redis that one console alone does not hear is tried with real servers.
            deaf: false,
        }
    }

    /// Asks what its record needs, and who else is there.
    pub(super) fn belong(&mut self, now: Moment) {
        if self.leaves {
            return;
        }
        if let Some(request) = self.member.poll(now) {
            let record =
                if let Request::Announce(lease) = request { self.presence(now, lease).write() } else { String::new() };
            self.etcd(now, Call::Member, EtcdOp::Member(request, self.name.clone(), record));
        }
        if self.list_at <= now {
            self.list_at = now + LIST_EVERY;
            self.etcd(now, Call::List, EtcdOp::Members);
        }
    }

    /// Takes the answer to what its record needed; `None`: there was none.
    pub(super) fn belongs(&mut self, now: Moment, reply: Option<Reply>) {
        match reply {
            Some(Reply::Announced) => self.note(Note::Named(true)),
            Some(Reply::Taken(_)) => self.note(Note::Named(false)),
            _ => {}
        }
        // There is one console on each machine: every other process of its name has ended.
        let own = self.number_of_process;
        let admitted = self.member.answered(now, reply, |process| process != own);
        if let Some(admitted) = admitted.filter(|_| self.breaks != Some(Break::IgnoresName)) {
            self.console.elect(now, Event::Admitted(admitted));
        }
    }

    /// Takes the list of all records.
    pub(super) fn listed(&mut self, records: &[String]) {
        let records = records.iter().filter_map(|said| Presence::read(said)).collect();
        self.note(Note::Lists(records));
    }

    /// Tells its guardian which leases to give back.
    pub(super) fn guard(&mut self) {
        if self.leaves {
            return;
        }
        let record = self.member.lease().filter(|_| self.breaks != Some(Break::ForgetsRecord));
        self.guarded = self.console.candidate().and_then(Candidate::lease).into_iter().chain(record).collect();
    }
}
