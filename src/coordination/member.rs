//! Membership: one console's record among the others, on a lease of its own, as a state machine.
//!
//! Apart from the leader's lease, which has to be renewed four times as often. A name belongs to one
//! console at a time: whoever finds its own taken may not campaign, and says so. One question is out at a time;
//! a record is never in a hurry. Deliberately no network, no clock, and no word on who leads.

use super::Presence;
use crate::kernel::{Moment, Span};

/// The record lives ten times as long as a leader's lease: a follower on a thin link renews it seldom, and
/// where a console dies its guardian takes it away at once.
const LEASES: u64 = 10;

/// Renewals within the life of the record.
const RENEWALS: u64 = 3;

/// How soon after its first telling the record is told again: the clock is locked by then, and the first
/// could say nothing of it.
const SETTLED: Span = Span::from_secs(2);

/// How soon is tried again what failed.
const AGAIN: Span = Span::from_millis(500);

/// A question for the elector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// A lease of so long for the record.
    Grant(Span),
    /// More time for it.
    KeepAlive(i64),
    /// To tell the record, bound to this lease, unless its name is bound to another.
    Announce(i64),
    /// The end of the lease of a process of this machine that died under the same name.
    Clear(i64),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A lease of so long.
    Granted(i64, Span),
    /// The lease lives so long from now on; zero: it is gone.
    Alive(Span),
    /// The record is there.
    Announced,
    /// The name is bound to another lease, with this record.
    Taken(String),
    /// The lease has ended.
    Cleared,
}

/// The record of one console.
#[derive(Debug)]
pub struct Member {
    machine: String,
    life: Span,
    lease: Option<i64>,
    pause: Span,
    /// When it is asked for a lease, or the one that it has is renewed.
    renew_at: Moment,
    tell_at: Moment,
    settled_at: Moment,
    /// There is more to tell than was told when it was told last.
    news: bool,
    dead: Option<i64>,
    asked: Option<Request>,
}

impl Member {
    /// The record of a console on `machine` (empty: unknown) where a leader's lease lasts `ttl`.
    #[must_use]
    pub fn new(now: Moment, machine: &str, ttl: Span) -> Self {
        Self {
            machine: machine.to_owned(),
            life: ttl * LEASES,
            lease: None,
            pause: ttl,
            renew_at: now,
            tell_at: now,
            settled_at: now,
            news: false,
            dead: None,
            asked: None,
        }
    }

    /// The lease that the record hangs on.
    #[must_use]
    pub const fn lease(&self) -> Option<i64> {
        self.lease
    }

    /// The next question; it is to be answered, be it by a failure.
    pub fn poll(&mut self, now: Moment) -> Option<Request> {
        if self.asked.is_none() {
            self.asked = match (self.lease, self.dead) {
                (_, Some(dead)) => Some(Request::Clear(dead)),
                (None, _) => (self.renew_at <= now).then_some(Request::Grant(self.life)),
                (Some(lease), _) if self.renew_at <= now => Some(Request::KeepAlive(lease)),
                (Some(lease), _) => (self.tell_at <= now).then_some(Request::Announce(lease)),
            };
            self.news &= !matches!(self.asked, Some(Request::Announce(_)));
            return self.asked;
        }
        None
    }

    /// When it has a question; `None`: it waits for an answer.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let tell = self.lease.map_or(self.renew_at, |_| self.tell_at);
        self.asked.is_none().then(|| self.renew_at.min(tell))
    }

    /// There is something new to tell.
    pub fn changed(&mut self, now: Moment) {
        self.tell_at = self.tell_at.min(now);
        self.news = true;
    }

    /// Takes the answer to its question, `None` where there is none; `is_gone` tells whether a process of this
    /// machine has ended. Gives whether the console's name is its own, where that was told.
    pub fn answered(&mut self, now: Moment, reply: Option<Reply>, is_gone: impl FnOnce(u32) -> bool) -> Option<bool> {
        match (self.asked.take()?, reply) {
            (Request::Grant(_), Some(Reply::Granted(lease, life))) => {
                (self.lease, self.pause) = (Some(lease), life / RENEWALS);
                (self.renew_at, self.tell_at, self.settled_at) = (now + self.pause, now, now + SETTLED);
            }
            (Request::KeepAlive(_), Some(Reply::Alive(left))) if left.is_zero() => {
                (self.lease, self.renew_at) = (None, now);
            }
            (Request::KeepAlive(_), Some(Reply::Alive(_))) => self.renew_at = now + self.pause,
            (Request::Grant(_) | Request::KeepAlive(_), _) => self.renew_at = now + AGAIN,
            (Request::Announce(_), Some(Reply::Announced)) => {
                self.tell_at = match self.news {
                    // What changed while this was on its way is not in it.
                    true => now,
                    false if now < self.settled_at => self.settled_at,
                    // When it was seen last is told seldom: who is gone is known by the end of its lease.
                    false => now + self.pause * RENEWALS,
                };
                return Some(true);
            }
            (Request::Announce(_), Some(Reply::Taken(said))) => {
                self.tell_at = now + AGAIN;
                // The record of a process of this machine that was killed stands in its successor's way.
                let holder = Presence::read(&said)
                    .filter(|holder| !self.machine.is_empty() && holder.machine == self.machine && holder.lease != 0);
                self.dead = holder.filter(|holder| is_gone(holder.process)).map(|holder| holder.lease);
                return self.dead.is_none().then_some(false);
            }
            // Whatever is bound to a lease that is gone is refused: so the lease is looked at before the next try.
            (Request::Announce(_), _) => (self.renew_at, self.tell_at) = (self.renew_at.min(now + AGAIN), now + AGAIN),
            (Request::Clear(_), _) => self.dead = None,
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Span = Span::from_secs(3);
    const LIFE: Span = Span::from_secs(30);
    const START: Moment = Moment::EPOCH;

    fn living(_: u32) -> bool {
        false
    }

    /// A member that has asked for its lease, got number 7, and is about to tell its record.
    fn granted() -> Member {
        let mut member = Member::new(START, "plant", TTL);
        assert_eq!(member.poll(START), Some(Request::Grant(LIFE)));
        assert_eq!(member.answered(START, Some(Reply::Granted(7, LIFE)), living), None);
        assert_eq!((member.lease(), member.poll(START)), (Some(7), Some(Request::Announce(7))));
        member
    }

    fn record(machine: &str, lease: i64) -> Reply {
        let machine = machine.to_owned();
        Reply::Taken(Presence { machine, process: 9, lease, ..Presence::default() }.write())
    }

    #[test]
    fn a_record_is_told_told_again_once_settled_and_renewed() {
        let mut member = granted();
        assert_eq!(member.answered(START, Some(Reply::Announced), living), Some(true));
        assert_eq!((member.poll(START), member.next_wake()), (None, Some(START + SETTLED)));
        let settled = START + SETTLED;
        assert_eq!(member.poll(settled), Some(Request::Announce(7)));
        assert_eq!(member.answered(settled, Some(Reply::Announced), living), Some(true));
        // Until it is told again it is renewed alone.
        for renewal in 1..=3 {
            let renew = START + Span::from_secs(10) * renewal;
            assert_eq!(member.next_wake(), Some(renew));
            assert_eq!(member.poll(renew), Some(Request::KeepAlive(7)));
            assert_eq!(member.next_wake(), None, "one question is out");
            assert_eq!(member.answered(renew, Some(Reply::Alive(LIFE)), living), None);
            assert_eq!(member.poll(renew), None);
        }
        let renew = settled + LIFE;
        assert_eq!((member.next_wake(), member.poll(renew)), (Some(renew), Some(Request::Announce(7))));
        assert_eq!(member.answered(renew, Some(Reply::Announced), living), Some(true));
        member.changed(renew);
        assert_eq!(member.poll(renew), Some(Request::Announce(7)));
    }

    #[test]
    fn what_changes_while_the_record_is_told_is_told_behind_it() {
        let mut member = granted();
        member.changed(START);
        assert_eq!(member.poll(START), None);
        assert_eq!(member.answered(START, Some(Reply::Announced), living), Some(true));
        assert_eq!(member.poll(START), Some(Request::Announce(7)));
        assert_eq!(member.answered(START, Some(Reply::Announced), living), Some(true));
        assert_eq!(member.poll(START), None);
    }

    #[test]
    fn what_failed_is_tried_again_soon_and_a_lease_that_is_gone_is_replaced() {
        let mut member = granted();
        assert_eq!(member.answered(START, None, living), None);
        let again = START + AGAIN;
        assert_eq!((member.next_wake(), member.poll(again)), (Some(again), Some(Request::KeepAlive(7))));
        assert_eq!(member.answered(again, Some(Reply::Alive(Span::ZERO)), living), None);
        assert_eq!((member.lease(), member.poll(again)), (None, Some(Request::Grant(LIFE))));
        assert_eq!(member.answered(again, None, living), None);
        assert_eq!((member.poll(again), member.next_wake()), (None, Some(again + AGAIN)));
    }

    #[test]
    fn only_the_record_of_a_dead_process_of_this_machine_is_cleared() {
        for (machine, lease, gone, clears) in [
            ("plant", 4, true, true),
            ("plant", 4, false, false),
            ("plant", 0, true, false),
            ("elsewhere", 4, true, false),
            ("", 4, true, false),
        ] {
            let mut member = granted();
            let admitted = member.answered(START, Some(record(machine, lease)), |process| process == 9 && gone);
            assert_eq!(admitted, (!clears).then_some(false), "{machine} {lease} {gone}");
            let next = member.poll(START);
            assert_eq!(next, clears.then_some(Request::Clear(4)));
        }
        let mut unknown = granted();
        unknown.machine.clear();
        assert_eq!(unknown.answered(START, Some(record("", 4)), |_| true), Some(false));
        let mut taken = granted();
        assert_eq!(taken.answered(START, Some(Reply::Taken("garbage".into())), |_| true), Some(false));
        assert_eq!(taken.poll(START + AGAIN), Some(Request::Announce(7)));
    }

    #[test]
    fn a_cleared_name_is_told_at_the_next_try() {
        let mut member = granted();
        member.answered(START, Some(record("plant", 4)), |_| true);
        assert_eq!(member.poll(START), Some(Request::Clear(4)));
        assert_eq!(member.answered(START, Some(Reply::Cleared), living), None);
        assert_eq!(member.poll(START + AGAIN), Some(Request::Announce(7)));
    }
}
