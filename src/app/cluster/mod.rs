//! The cluster: this console among the others, from its first config to its end.
//!
//! One task plays this console's part (`lock.rs` on one machine, `lease.rs` over etcd); what it decides
//! reaches the kernel as inputs, and what the kernel shows reaches the others as lines. The protocol is
//! coordination's; here is only who carries what to whom.

#[cfg(feature = "etcd")]
mod ask;
mod deadline;
#[cfg(feature = "etcd")]
mod guard;
#[cfg(feature = "etcd")]
mod happened;
#[cfg(feature = "etcd")]
mod lease;
mod lock;
#[cfg(feature = "etcd")]
mod member;
mod onlooker;
mod opener;
mod part;
#[cfg(feature = "etcd")]
mod resume;
mod roster;
#[cfg(feature = "etcd")]
mod store;
#[cfg(feature = "etcd")]
mod trouble;
mod whole;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use self::opener::Opener;
use self::part::{Identity, LEAD_ON_MACHINE, Part};
pub(super) use self::roster::{Company, Roster};
use super::clock::Clock;
use super::driver::Inbox;
use super::keep::Shelf;
use super::socket::socket_path;
use crate::config::{ClusterConfig, Config};
use crate::coordination::election::local::{self as election, Candidate, Contested};
use crate::coordination::link::local as link;
use crate::coordination::link::{Listener, Reference, machine};
use crate::coordination::{Console, Elector};
use crate::frame::{Role, Safe};
use crate::kernel::beat::Mapping;
use crate::kernel::{Concern, Input};
use crate::metrics::Meters;

/// What the cluster needs of the program.
#[derive(Clone)]
pub(super) struct Needs {
    pub(super) clock: Clock,
    pub(super) inbox: Arc<Inbox>,
    pub(super) meters: Arc<Meters>,
    pub(super) roster: Arc<Roster>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) runtime: Handle,
    /// The board changed.
    pub(super) changes: Arc<Notify>,
}

/// The place of this console among the others, once a config says who they are.
pub(super) struct Cluster {
    needs: Needs,
    stop: CancellationToken,
    tracker: TaskTracker,
    joined: Mutex<bool>,
}

impl Cluster {
    /// Alone, until a config says otherwise.
    pub(super) fn new(needs: Needs) -> Arc<Self> {
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (over, roster) = (stop.clone(), Arc::clone(&needs.roster));
        let looking = async move { _ = over.run_until_cancelled_owned(onlooker::look_around(roster)).await };
        tracker.spawn_on(looking, &needs.runtime);
        Arc::new(Self { needs, stop, tracker, joined: Mutex::default() })
    }

    /// Whether a config has said who the others are.
    pub(super) fn has_joined(&self) -> bool {
        *self.joined()
    }

    /// Joins the others as `config` says; `tell`: to the kernel, what it has to hear before its first board.
    ///
    /// All of it is told before the task starts that plays this console's part: that one tells a role only where
    /// it changes, and what is told after it would stand for ever.
    pub(super) fn join(&self, config: &Config, tell: &dyn Fn(Input)) {
        *self.joined() = true;
        let who = identity(config);
        match &config.cluster {
            ClusterConfig::None => self.alone(config).into_iter().for_each(tell),
            ClusterConfig::Local => self.local(config, who, tell),
            #[cfg(feature = "etcd")]
            ClusterConfig::Etcd(etcd) => self.among_machines(config, etcd, who, tell),
            #[cfg(not(feature = "etcd"))]
            ClusterConfig::Etcd(_) => {
                let why = "this program was built without etcd, so this console leads nobody and follows nobody";
                let mut inputs = self.alone(config);
                inputs.push(Input::Notice(Concern::Sync, Some(why.into())));
                inputs.into_iter().for_each(tell);
            }
        }
    }

    fn alone(&self, config: &Config) -> Vec<Input> {
        let mut inputs = self.opener(config).now();
        inputs.push(Input::Role(Role::Alone));
        inputs
    }

    fn local(&self, config: &Config, who: Identity, tell: &dyn Fn(Input)) {
        let socket = socket_path(&config.title, &|name| std::env::var_os(name));
        let candidate = Candidate::new(election::beside(&socket), Some(&who.name));
        let opener = self.opener(config);
        let (first, mut inputs) = match candidate.try_lead(0) {
            Ok(Contested::Leads(held)) => {
                let found = opener.open(true);
                let known = found.fence;
                // A runtime folder does not outlive the machine's restart, the state does: fences go on from it.
                let held = if known < held.fence() {
                    Some(held)
                } else {
                    drop(held);
                    match candidate.try_lead(known) {
                        Ok(Contested::Leads(held)) => Some(held),
                        _ => None,
                    }
                };
                (held, found.inputs)
            }
            Ok(Contested::Held { .. }) => (None, Vec::new()),
            Err(why) => {
                let why = format!("the other consoles of this machine can't be found: {why}");
                warn!("{why}");
                let mut inputs = opener.now();
                inputs.push(Input::Notice(Concern::Sync, Some(Safe::line(&why).shared())));
                inputs.push(Input::Role(Role::Alone));
                return inputs.into_iter().for_each(tell);
            }
        };
        let now = self.needs.clock.now();
        let reference = match machine::boot_id() {
            Some(name) => {
                let apart = i128::from(machine::monotonic().as_nanos()) - i128::from(now.unix_nanos());
                let apart = i64::try_from(apart).unwrap_or_default();
                Reference::new(&who.boot).on_machine(&name, Mapping::fixed(apart))
            }
            None => Reference::new(&who.boot),
        };
        let console = Console::new(Elector::Lock(None), Listener::new(now, &who.board, &who.boot));
        let part = self.part(console, reference, who, LEAD_ON_MACHINE);
        let ways = lock::Local {
            candidate,
            socket: link::beside(&socket),
            runtime: self.needs.runtime.clone(),
            changes: Arc::clone(&self.needs.changes),
            wanted: self.needs.roster.hear_wanted(),
            stop: self.stop.clone(),
            opener,
        };
        // The first look at the lock decides what the first board is: a leader's must not begin as a follower's.
        inputs.push(Input::Role(first.as_ref().map_or(Role::Follower(crate::frame::Fence(0)), |held| {
            Role::Leader(crate::coordination::Token { epoch: 1, rev: held.fence() }.fence())
        })));
        let lock = lock::Lock::new(part, ways);
        inputs.into_iter().for_each(tell);
        self.tracker.spawn_on(lock.run(first), &self.needs.runtime);
    }

    fn part(&self, console: Console, reference: Reference, who: Identity, lead: crate::kernel::Span) -> Part {
        let Needs { clock, inbox, meters, roster, .. } = &self.needs;
        Part::new(console, reference, Arc::clone(roster), (*clock, Arc::clone(inbox), Arc::clone(meters)), who, lead)
    }

    fn opener(&self, config: &Config) -> Opener {
        Opener::new(config.clone(), self.needs.clone(), self.tracker.clone(), self.stop.clone())
    }

    /// Says the last words, gives the lead back, and ends.
    pub(super) async fn leave(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn joined(&self) -> MutexGuard<'_, bool> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "etcd")]
impl Cluster {
    fn among_machines(
        &self,
        config: &Config,
        etcd: &crate::config::EtcdConfig,
        who: Identity,
        to_kernel: &dyn Fn(Input),
    ) {
        use crate::coordination::election::Candidate;
        use crate::coordination::etcd::guardian::Guardian;
        use crate::coordination::etcd::{Client, Spec};

        let spec = Spec::of(etcd, &who.board);
        let client = match Client::new(&spec) {
            Ok(client) => client,
            Err(why) => {
                let mut inputs = self.alone(config);
                let why = format!("no leader can be found: {why}");
                inputs.push(Input::Notice(Concern::Sync, Some(Safe::line(&why).shared())));
                return inputs.into_iter().for_each(to_kernel);
            }
        };
        let mut inputs = vec![Input::Role(Role::Follower(crate::frame::Fence(0)))];
        let guardian = etcd.guardian.then(|| Guardian::start(&spec)).and_then(|started| {
            started
                .inspect_err(|why| {
                    let why =
                        format!("no guardian: {why}; where this process is killed, the others wait for its lease");
                    inputs.push(Input::Notice(Concern::Other, Some(Safe::line(&why).shared())));
                })
                .ok()
        });
        let now = self.needs.clock.now();
        let seed = crate::kernel::digest(who.boot.bytes());
        let elector = Elector::Lease(Candidate::new(now, etcd.lease, seed));
        let console = Console::new(elector, Listener::new(now, &who.board, &who.boot));
        let (tell, told) = tokio::sync::mpsc::channel(WAITING);
        let ends = CancellationToken::new();
        let way = self.store_way(config, &who.board, (&tell, &ends), &mut inputs);
        let part = self.part(console, Reference::new(&who.boot), who, crate::config::timing::LEAD_TIME);
        let ways = lease::Ways {
            etcd: client,
            store: way,
            guard: guard::Guard::new(guardian),
            numbers: etcd.lease,
            runtime: self.needs.runtime.clone(),
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
            ends,
            tell,
            told,
            opener: (!matches!(config.state, crate::config::StateConfig::Redis { .. })).then(|| self.opener(config)),
        };
        let lease = lease::Lease::new(part, ways);
        let wanted = self.needs.roster.hear_wanted();
        inputs.into_iter().for_each(to_kernel);
        self.tracker.spawn_on(lease.run(Arc::clone(&self.needs.changes), wanted), &self.needs.runtime);
    }

    fn store_way(
        &self,
        config: &Config,
        board: &str,
        (tell, ends): (&tokio::sync::mpsc::Sender<happened::Happened>, &CancellationToken),
        inputs: &mut Vec<Input>,
    ) -> Option<store::StoreWay> {
        let crate::config::StateConfig::Redis { url, .. } = &config.state else { return None };
        let tasks = store::Tasks {
            runtime: &self.needs.runtime,
            tracker: &self.tracker,
            stop: ends,
            tell,
            clock: self.needs.clock,
            meters: Arc::clone(&self.needs.meters),
        };
        let started = store::StoreWay::start(url.reveal(), board, &tasks);
        started
            .inspect_err(|why| {
                let why = format!("the store can't be used: {why}");
                inputs.push(Input::Notice(Concern::Store, Some(Safe::line(&why).shared())));
            })
            .ok()
    }
}

/// What may wait for this console's part: a second of everything that ever comes at once.
#[cfg(feature = "etcd")]
const WAITING: usize = 256;

fn identity(config: &Config) -> Identity {
    let name = config.console.clone().unwrap_or_else(super::desk::own_name);
    let began = Clock::start().now().unix_nanos();
    let boot = crate::kernel::digest(format!("{name} {} {began}", std::process::id()).bytes());
    Identity {
        name,
        board: crate::coordination::store::slug(&config.title),
        boot: format!("{:08x}", boot >> 32),
        machine: machine::boot_id().unwrap_or_default(),
    }
}
