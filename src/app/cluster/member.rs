//! Membership: this console's record in etcd, on a lease of its own.
//!
//! Apart from the leader's lease, which has to be renewed four times as often. A name belongs to one
//! console at a time: whoever finds its own taken may not campaign, and says so.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::happened::Happened;
use super::roster::Roster;
use crate::coordination::Presence;
use crate::coordination::etcd::{Announced, Client};
use crate::kernel::Span;

/// The record lives ten times as long as a leader's lease: a follower on a thin link renews it seldom, and
/// where a console dies its guardian takes it away at once.
const LEASES: u64 = 10;

/// Renewals within the life of the record.
const RENEWALS: u32 = 3;

/// How soon after its first telling the record is told again: the clock is locked by then, and the first
/// could say nothing of it.
const SETTLED: Duration = Duration::from_secs(2);

/// How soon is tried again what failed.
const AGAIN: Duration = Duration::from_millis(500);

/// Who belongs.
pub(super) struct Membership {
    pub(super) etcd: Client,
    pub(super) roster: Arc<Roster>,
    pub(super) name: String,
    pub(super) machine: String,
    /// The leader's lease.
    pub(super) ttl: Span,
}

/// Keeps the record as long as the program runs, and takes it away with it; whether it is gone.
pub(super) async fn belong(member: Membership, tell: mpsc::Sender<Happened>, stop: CancellationToken) -> bool {
    let mut lease = None;
    stop.run_until_cancelled(member.keep(&tell, &mut lease)).await;
    match lease {
        // Where this fails the record ends by its guardian, or by itself.
        Some(lease) => member.etcd.revoke(lease).await.is_ok(),
        None => true,
    }
}

impl Membership {
    async fn keep(&self, tell: &mpsc::Sender<Happened>, lease: &mut Option<i64>) {
        let ttl: Duration = (self.ttl * LEASES).into();
        loop {
            let Ok(granted) = self.etcd.grant(ttl).await else {
                sleep(AGAIN).await;
                continue;
            };
            *lease = Some(granted.lease);
            // Nobody is told any more once the program ends.
            let _ = tell.send(Happened::Belongs(granted.lease)).await;
            tokio::select! {
                () = self.renew(granted.lease, granted.ttl / RENEWALS) => {}
                () = self.keep_told(granted.lease, granted.ttl, tell) => {}
            }
        }
    }

    /// Renews the lease until it is gone.
    async fn renew(&self, lease: i64, pause: Duration) {
        loop {
            sleep(pause).await;
            if self.etcd.keep_alive(lease).await.is_ok_and(|left| left.is_zero()) {
                return;
            }
        }
    }

    /// Tells the record again and again, for its role, its clock error and when it was seen; and where it says that
    /// this console does not hear its leader, has that one look.
    async fn keep_told(&self, lease: i64, pause: Duration, tell: &mpsc::Sender<Happened>) {
        let settled = Instant::now() + SETTLED;
        let mut rung = false;
        loop {
            let own = Presence { lease, ..self.roster.own() };
            let told = self.tell(&own).await;
            if told == Ok(true) && own.deaf && !rung {
                // The leader looks by itself as well, a little later.
                let _ = self.etcd.ring(lease, &self.name).await;
            }
            rung = own.deaf;
            if let Ok(admitted) = told {
                let _ = tell.send(Happened::Admitted(admitted)).await;
            }
            if told == Ok(false) {
                let why = format!(
                    "another console is called {} already, so this one can't lead: give it a name of its own by `console`",
                    self.name
                );
                let _ = tell.send(Happened::Odd(why)).await;
            }
            let now = Instant::now();
            let next = if told != Ok(true) {
                now + AGAIN
            } else if now < settled {
                settled
            } else {
                now + pause
            };
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.roster.own_changed() => {}
            }
        }
    }

    /// Tells the record; false: the name is another's.
    async fn tell(&self, own: &Presence) -> Result<bool, ()> {
        match self.etcd.announce(own.lease, &self.name, &own.write()).await {
            Ok(Announced::Done) => Ok(true),
            Ok(Announced::Taken(said)) => {
                // The record of a process of this machine that was killed stands in its successor's way.
                let holder = Presence::read(&said).filter(|holder| {
                    !self.machine.is_empty()
                        && holder.machine == self.machine
                        && holder.lease != 0
                        && is_gone(holder.process)
                });
                if let Some(holder) = holder {
                    let _ = self.etcd.revoke(holder.lease).await;
                    return Err(());
                }
                Ok(false)
            }
            Err(_) => Err(()),
        }
    }
}

/// Whether there is no such process on this machine.
fn is_gone(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}
