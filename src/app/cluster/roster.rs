//! Who is there: what this console tells of itself, and what it knows of the others.
//!
//! Read by the board thread for the picture and by the desk for `/v1/consoles`; written by the
//! cluster's tasks alone. Whatever a viewer would see of a change wakes the board thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::deadline::Deadline;
use crate::app::clock::Clock;
use crate::app::driver::Inbox;
use crate::buffer::Swap;
use crate::coordination::Presence;
use crate::frame::{Apart, Peer, Role, Safe, Span};
use crate::kernel::Input;

/// What the picture says of the others.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::app) struct Company {
    /// How many consoles there are, this one included.
    pub(in crate::app) consoles: u32,
    /// The console that this one follows, or heard last.
    pub(in crate::app) leader: Option<Safe>,
    /// How wrong the shared clock may be here; `None`: there is nobody to share it with.
    pub(in crate::app) bound: Option<Span>,
    /// How this console is not in sync with the others.
    pub(in crate::app) apart: Option<Apart>,
    /// All consoles, as long as somebody looks at them.
    pub(in crate::app) peers: Arc<Vec<Peer>>,
}

/// Bounds below this differ by nothing that matters, in microseconds.
const FINE_US: u64 = 2_000;

/// Somebody wants to know who is there.
pub(super) type Wanted = oneshot::Sender<Vec<Presence>>;

/// The roster.
pub(in crate::app) struct Roster {
    clock: Clock,
    inbox: Arc<Inbox>,
    own: Swap<Presence>,
    changed: Notify,
    /// The bound of the clock that the others were told of at once, in microseconds.
    told_bound: AtomicU64,
    role: watch::Sender<Role>,
    company: Mutex<Company>,
    /// How often the company became another one for a viewer.
    changes: AtomicU64,
    /// Until when it may be shown that this console leads.
    pub(in crate::app) deadline: Deadline,
    looked_at: watch::Sender<bool>,
    wanted: Swap<Option<mpsc::UnboundedSender<Wanted>>>,
}

impl Roster {
    /// A console called `name`, alone until it is told otherwise.
    pub(in crate::app) fn new(clock: Clock, inbox: Arc<Inbox>, name: String) -> Arc<Self> {
        let own = Presence {
            console: name,
            version: env!("CARGO_PKG_VERSION").into(),
            role: Role::Alone.word().into(),
            since_ms: clock.wall().unix_millis(),
            ..Presence::default()
        };
        let company = Company { consoles: 1, leader: None, bound: None, apart: None, peers: Arc::default() };
        Arc::new(Self {
            clock,
            inbox,
            own: Swap::new(own),
            changed: Notify::new(),
            told_bound: AtomicU64::new(0),
            role: watch::Sender::new(Role::Alone),
            company: Mutex::new(company),
            changes: AtomicU64::new(0),
            deadline: Deadline::default(),
            looked_at: watch::Sender::new(false),
            wanted: Swap::default(),
        })
    }

    /// For the picture.
    pub(in crate::app) fn company(&self) -> Company {
        self.held().clone()
    }

    /// Grows whenever a viewer would see another company.
    pub(in crate::app) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The console that this one follows.
    pub(in crate::app) fn leader(&self) -> Option<Safe> {
        self.held().leader.clone().filter(|_| self.role.borrow().follows())
    }

    /// What this console tells of itself.
    pub(super) fn own(&self) -> Presence {
        self.own.load().as_ref().clone()
    }

    /// Follows the role that this console plays.
    pub(in crate::app) fn roles(&self) -> watch::Receiver<Role> {
        self.role.subscribe()
    }

    /// The config's name of a console that has nobody to tell it to; among others a name is for life.
    pub(in crate::app) fn rename(&self, name: String) {
        let own = self.own();
        if self.wanted.load().is_none() && own.console != name {
            self.own.store(Presence { console: name, ..own });
        }
    }

    /// Everybody, this console included, as far as is known within a moment.
    pub(in crate::app) async fn everybody(&self) -> Vec<Presence> {
        let asked = async {
            let wanted = self.wanted.load().as_ref().clone()?;
            let (answer, answered) = oneshot::channel();
            wanted.send(answer).ok()?;
            answered.await.ok()
        };
        asked.await.unwrap_or_else(|| vec![Presence { seen_ms: self.clock.wall().unix_millis(), ..self.own() }])
    }

    /// Somebody looks at the consoles from now on, or no more.
    pub(in crate::app) fn look(&self, looks: bool) {
        self.looked_at.send_replace(looks);
    }

    /// Follows whether somebody looks.
    pub(super) fn looks(&self) -> watch::Receiver<bool> {
        self.looked_at.subscribe()
    }

    pub(super) fn hear_wanted(&self) -> mpsc::UnboundedReceiver<Wanted> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.wanted.store(Some(sender));
        receiver
    }

    pub(super) fn tell_own(&self, own: Presence, role: Role) {
        let told = self.told_bound.load(Ordering::Relaxed);
        let (less, more) = (own.bound_us.min(told), own.bound_us.max(told));
        // A clock that has just been found is news like a role; what it is off by from day to day is not.
        let clock = more > less.saturating_mul(10).saturating_add(FINE_US);
        if clock {
            self.told_bound.store(own.bound_us, Ordering::Relaxed);
        }
        let known = self.own.load();
        let changed = clock || known.role != own.role || known.deaf != own.deaf;
        self.own.store(own);
        if changed {
            self.changed.notify_one();
        }
        self.role.send_if_modified(|known| std::mem::replace(known, role).word() != role.word());
    }

    /// Waits until this console has something to tell of itself: another role, a clock of another quality, or that
    /// it does not hear its leader.
    #[cfg(feature = "etcd")]
    pub(super) async fn own_changed(&self) {
        self.changed.notified().await;
    }

    /// Who was heard last, how wrong the clock may be, and how this console is not in sync.
    pub(super) fn tell_step(&self, leader: Option<&Safe>, bound: Option<Span>, apart: Option<Apart>) {
        self.tell(|company| {
            if company.leader.as_ref() != leader {
                company.leader = leader.cloned();
            }
            (company.bound, company.apart) = (bound, apart);
        });
    }

    pub(super) fn tell_consoles(&self, consoles: u32) {
        self.tell(|company| company.consoles = consoles.max(1));
    }

    pub(super) fn consoles(&self) -> u32 {
        self.held().consoles
    }

    /// All consoles, for whoever looks; empty: nobody does.
    pub(super) fn tell_peers(&self, peers: Vec<Peer>) {
        self.tell(|company| {
            if *company.peers != peers {
                company.peers = Arc::new(peers);
            }
        });
    }

    fn tell(&self, change: impl FnOnce(&mut Company)) {
        let mut company = self.held();
        let before = company.clone();
        change(&mut company);
        // The bound trembles all the time; the next frame is soon enough to tell it.
        let bound = before.bound.is_some() == company.bound.is_some();
        let same = Company { bound: company.bound, ..before } == *company && bound;
        drop(company);
        if !same {
            self.changes.fetch_add(1, Ordering::Release);
            // A flooded board thread composes a frame soon enough.
            let _ = self.inbox.send(Input::Wake);
        }
    }

    fn held(&self) -> MutexGuard<'_, Company> {
        self.company.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
