//! The election: which console leads.
//!
//! [`Candidate`] is the protocol as a pure state machine: what happened goes in with its time, what is
//! to be asked of the elector comes out. It knows no network; who carries its questions to etcd, or
//! plays etcd in a simulation, answers with the moment at which the question was sent.

mod candidate;
mod lease;
pub mod local;
#[cfg(test)]
mod tests;

pub use candidate::Candidate;

use super::Token;
use crate::kernel::{Moment, Span};

/// Who leads, as the elector has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The revision that made it leader: in etcd the key's `create_revision`.
    pub rev: u64,
    /// The lease that its leadership is bound to; 0 where somebody put the key by hand, which never ends by itself.
    pub lease: i64,
    /// What it says of itself: text from outside, of bounded length.
    pub value: String,
}

/// A question for the elector or the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A new lease.
    Grant,
    /// More time for a lease.
    KeepAlive(i64),
    /// To lead, bound to this lease, unless somebody does.
    Campaign(i64),
    /// Who leads, and in which epoch; never from a member that lags behind.
    Look,
    /// The epoch that the store has seen last, 0 where there is none or it can't be asked.
    StoredEpoch,
    /// Another epoch in place of the one that is there; `None`: there is none.
    Raise {
        /// What is there.
        from: Option<u64>,
        /// What is to be there.
        to: u64,
    },
    /// The store's fence, before anything is said.
    Claim(Token),
    /// A lease's end.
    Revoke(i64),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A lease of so long.
    Granted {
        /// Its name.
        lease: i64,
        /// The time that was granted, which may be more than was asked.
        ttl: Span,
    },
    /// The lease lives so long from when this was asked; zero: it is gone.
    Alive(Span),
    /// The campaign is won.
    Won {
        /// The revision that made us leader.
        rev: u64,
        /// The epoch, where there is one.
        epoch: Option<u64>,
    },
    /// Who leads.
    Seen {
        /// The leader, if there is one.
        holder: Option<Holder>,
        /// The epoch, where there is one.
        epoch: Option<u64>,
    },
    /// The epoch that the store has.
    Stored(u64),
    /// Whether the epoch is as it was to be.
    Raised(bool),
    /// The store takes us for the leader, or can't be asked: then the claim comes before its next write.
    Claimed,
    /// The store knows a later leader.
    Fenced(Token),
    /// The lease has ended.
    Revoked,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// It may have been done or not.
    Unknown,
    /// It was refused, or never arrived.
    Failed,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A moment that `next_wake` named has come.
    Wake,
    /// A question was answered, or not.
    Answered {
        /// The question.
        ask: Ask,
        /// When it was sent first.
        sent: Moment,
        /// What came back.
        answer: Result<Answer, Missed>,
    },
    /// The watch told who leads now.
    Watched(Option<Holder>),
    /// Whether the watch is known to tell of every change.
    Watching(bool),
    /// Whether nobody is heard who leads: then the watch alone is not to be trusted.
    Deaf(bool),
    /// Whether this console's name is its own: one whose name is taken may not campaign.
    Admitted(bool),
    /// The store refused a write, or a frame was heard, of this higher token.
    Outranked(Token),
    /// This console is to lead no more.
    Resign,
}

/// Where a candidate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not lead; who does, where that is known.
    Follows(Option<Holder>),
    /// It is about to lead.
    Rises,
    /// It leads.
    Leads(Token),
    /// It led, and does not know whether it still may: it says nothing.
    Suspended(Token),
}
