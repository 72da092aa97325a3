//! Who is there: what this console tells of itself, and what it knows of the others.
//!
//! Read by the board thread for the status line and by the desk for `/v1/consoles`; written by the
//! cluster's task alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use tokio::sync::{Notify, mpsc, oneshot};

use crate::buffer::Swap;
use crate::coordination::Presence;
use crate::frame::{Safe, Span};

/// What the status line says of the others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::app) struct Company {
    /// How many consoles there are, this one included.
    pub(in crate::app) consoles: u32,
    /// The console that this one follows.
    pub(in crate::app) leader: Option<Safe>,
    /// How wrong the shared clock may be here; `None`: there is nobody to share it with.
    pub(in crate::app) bound: Option<Span>,
}

/// Somebody wants to know who is there.
pub(super) type Wanted = oneshot::Sender<Vec<Presence>>;

/// The roster.
#[derive(Debug)]
pub(in crate::app) struct Roster {
    own: Swap<Presence>,
    changed: Notify,
    leader: Swap<Option<Safe>>,
    consoles: AtomicU32,
    /// Nanoseconds; the greatest number: there is none.
    bound: AtomicU64,
    wanted: Swap<Option<mpsc::UnboundedSender<Wanted>>>,
}

impl Roster {
    pub(in crate::app) fn new() -> Arc<Self> {
        Arc::new(Self {
            own: Swap::default(),
            changed: Notify::new(),
            leader: Swap::default(),
            consoles: AtomicU32::new(1),
            bound: AtomicU64::new(u64::MAX),
            wanted: Swap::default(),
        })
    }

    /// For the status line.
    pub(in crate::app) fn company(&self) -> Company {
        let bound = Some(self.bound.load(Ordering::Relaxed)).filter(|nanos| *nanos < u64::MAX);
        Company {
            consoles: self.consoles.load(Ordering::Relaxed),
            leader: self.leader.load().as_ref().clone(),
            bound: bound.map(Span::from_nanos),
        }
    }

    /// The console that this one follows.
    pub(in crate::app) fn leader(&self) -> Option<Safe> {
        self.leader.load().as_ref().clone()
    }

    /// What this console tells of itself.
    #[cfg(all(feature = "etcd", feature = "redis"))]
    pub(in crate::app) fn own(&self) -> Presence {
        self.own.load().as_ref().clone()
    }

    /// Everybody, this console included, as far as is known within a moment; `None`: it is alone.
    pub(in crate::app) async fn everybody(&self) -> Option<Vec<Presence>> {
        let wanted = self.wanted.load().as_ref().clone()?;
        let (answer, answered) = oneshot::channel();
        wanted.send(answer).ok()?;
        answered.await.ok()
    }

    pub(super) fn hear_wanted(&self) -> mpsc::UnboundedReceiver<Wanted> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.wanted.store(Some(sender));
        receiver
    }

    pub(super) fn tell_own(&self, own: Presence) {
        let changed = self.own.load().role != own.role;
        self.own.store(own);
        if changed {
            self.changed.notify_one();
        }
    }

    /// Waits until this console plays another role.
    #[cfg(all(feature = "etcd", feature = "redis"))]
    pub(super) async fn role_changed(&self) {
        self.changed.notified().await;
    }

    pub(super) fn tell_leader(&self, leader: Option<Safe>) {
        if *self.leader.load() != leader {
            self.leader.store(leader);
        }
    }

    pub(super) fn tell_consoles(&self, consoles: u32) {
        self.consoles.store(consoles.max(1), Ordering::Relaxed);
    }

    pub(super) fn consoles(&self) -> u32 {
        self.consoles.load(Ordering::Relaxed)
    }

    pub(super) fn tell_bound(&self, bound: Option<Span>) {
        self.bound.store(bound.map_or(u64::MAX, Span::as_nanos), Ordering::Relaxed);
    }
}
