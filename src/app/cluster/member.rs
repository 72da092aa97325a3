//! Membership: carries the questions of this console's record to etcd, and takes the record away at the end.
//!
//! When what is asked is decided in [`Member`]; which processes of this machine live is seen here.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::happened::Happened;
use super::part::Identity;
use super::roster::Roster;
use crate::app::clock::Clock;
use crate::coordination::Presence;
use crate::coordination::etcd::{Announced, Client, Failure};
use crate::coordination::member::{Member, Reply, Request};
use crate::kernel::Span;

/// Who belongs.
pub(super) struct Membership {
    pub(super) etcd: Client,
    pub(super) roster: Arc<Roster>,
    pub(super) clock: Clock,
    pub(super) who: Identity,
    /// The leader's lease.
    pub(super) ttl: Span,
}

/// Keeps the record as long as the program runs, and takes it away with it; whether it is gone.
pub(super) async fn belong(membership: Membership, tell: mpsc::Sender<Happened>, stop: CancellationToken) -> bool {
    let mut member = Member::new(membership.clock.now(), &membership.who.machine, membership.ttl);
    stop.run_until_cancelled(membership.keep(&mut member, &tell)).await;
    match member.lease() {
        // Where this fails the record ends by its guardian, or by itself.
        Some(lease) => membership.etcd.revoke(lease).await.is_ok(),
        None => true,
    }
}

impl Membership {
    async fn keep(&self, member: &mut Member, tell: &mpsc::Sender<Happened>) {
        let mut rung = false;
        loop {
            while let Some(request) = member.poll(self.clock.now()) {
                let reply = self.put(request, &mut rung).await.ok();
                let granted = if let Some(Reply::Granted(lease, _)) = reply { Some(lease) } else { None };
                let admitted = member.answered(self.clock.now(), reply, is_gone);
                // Nobody is told any more once the program ends.
                if let Some(lease) = granted {
                    let _ = tell.send(Happened::Belongs(lease)).await;
                }
                if let Some(admitted) = admitted {
                    let _ = tell.send(Happened::Admitted(admitted)).await;
                }
                if admitted == Some(false) {
                    let why = format!(
                        "another console is called {} already, so this one can't lead: give it a name of its own by `console`",
                        self.who.name
                    );
                    let _ = tell.send(Happened::Odd(why)).await;
                }
            }
            let Some(wake) = member.next_wake() else { continue };
            tokio::select! {
                () = tokio::time::sleep(self.clock.until(wake)) => {}
                () = self.roster.own_changed() => member.changed(self.clock.now()),
            }
        }
    }

    /// Puts a question to etcd. Where a record is the first to say that this console does not hear its leader, that
    /// one is rung as well: it looks at the records by itself, but later.
    async fn put(&self, request: Request, rung: &mut bool) -> Result<Reply, Failure> {
        Ok(match request {
            Request::Grant(life) => {
                let granted = self.etcd.grant(life.into()).await?;
                Reply::Granted(granted.lease, granted.ttl.into())
            }
            Request::KeepAlive(lease) => Reply::Alive(self.etcd.keep_alive(lease).await?.into()),
            Request::Announce(lease) => {
                let own = Presence { lease, ..self.roster.own() };
                match self.etcd.announce(lease, &self.who.name, &own.write()).await? {
                    Announced::Done => {
                        if own.deaf && !*rung {
                            let _ = self.etcd.ring(lease, &self.who.name).await;
                        }
                        *rung = own.deaf;
                        Reply::Announced
                    }
                    Announced::Taken(said) => Reply::Taken(said),
                }
            }
            Request::Clear(lease) => self.etcd.revoke(lease).await.map(|()| Reply::Cleared)?,
        })
    }
}

/// Whether there is no such process on this machine.
fn is_gone(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}
