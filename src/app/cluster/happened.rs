//! What the tasks of a console among many machines tell the one that plays its part.

use tokio::sync::oneshot;

use super::roster::Wanted;
use crate::coordination::election::{Answer, Ask, Missed};
use crate::coordination::etcd::Watched;
use crate::coordination::{Presence, Token};
use crate::kernel::Moment;
use crate::kernel::beat::Sample;

/// What the tasks tell.
pub(super) enum Happened {
    /// The elector or the store answered.
    Answered { ask: Ask, sent: Moment, answer: Result<Answer, Missed> },
    /// A change in etcd.
    Watched(Watched),
    /// A line of a leader; true: one that was kept, and may be old.
    Text(String, bool),
    /// A write was refused in favour of this one.
    Outranked(Token),
    /// How writing to the store goes: its trouble, or none.
    Store(Option<String>),
    /// How asking etcd goes: its trouble, or none.
    Etcd(Option<String>),
    /// How listening at the store goes.
    Hearing(Option<String>),
    /// What the store held when it was claimed.
    Held { beat: Option<String>, board: Option<String> },
    /// What the store held when it was claimed at last, long after this console began to lead.
    Found { seq: u64, board: Option<String> },
    /// The server of this name told the time; answered with when to ask it next.
    Sampled(String, Sample, oneshot::Sender<Moment>),
    /// Something odd that an operator should know.
    Odd(String),
    /// The lease on which this console's record hangs.
    Belongs(i64),
    /// Whether this console's name is its own.
    Admitted(bool),
    /// All consoles.
    Members(Vec<Presence>),
    /// Somebody wants to know all consoles.
    Wanted(Wanted),
    /// The board changed.
    Changed,
}
