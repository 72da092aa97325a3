//! The desk: answers the HTTP face from the board thread and the account of runs.
//!
//! What the kernel knows is looked at between two of its rounds, by a visit that
//! is short; telling it in JSON happens on the I/O threads.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::account::{Account, End, Record};
use super::acknowledge::acknowledge;
use super::clock::Clock;
use super::cluster::Roster;
use super::driver::Inbox;
use super::feed::Feed;
use super::flow;
use super::seen::{Seen, Times, see, tell_run};
use crate::api::{Answer, Board, ConsoleWire, Consoles, Desk, HourWire, ItemWire, Refused, RunWire, Update};
use crate::config::Settings;
use crate::coordination::Presence;
use crate::frame::{Role, Safe};
use crate::kernel::board::{ItemId, PushRefused, Source, UNNAMED_MAX};
use crate::kernel::plans::PlanSpec;
use crate::kernel::{Input, Kernel, Moment, Outcome, Push, RunId, Span};
use crate::renderers::json::rfc3339;

/// The board thread goes round in milliseconds; when it has not answered after so long, it is stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// Updates that are taken in one visit: a quarter of a millisecond of the board thread's time.
const UPDATES_A_VISIT: usize = 256;

/// The desk of one program.
pub(super) struct Counter {
    inbox: Arc<Inbox>,
    clock: Clock,
    account: Arc<Account>,
    feed: Arc<Feed>,
    roster: Arc<Roster>,
}

impl Counter {
    pub(super) fn new(
        inbox: Arc<Inbox>,
        clock: Clock,
        account: Arc<Account>,
        (feed, roster): (Arc<Feed>, Arc<Roster>),
    ) -> Self {
        Self { inbox, clock, account, feed, roster }
    }

    /// Looks at the kernel between two of its rounds, or does something there.
    async fn visit<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Kernel, Moment) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let (answer, answered) = oneshot::channel();
        let sent = self.inbox.visit(move |kernel, now| {
            // Whoever has gone away is not answered, and nothing is done for them any more.
            if !answer.is_closed() {
                let _ = answer.send(look(kernel, now));
            }
        });
        sent.map_err(|_| Refused::Busy("the board has more to do than it can; ask again in a moment".into()))?;
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            _ => Err(Refused::Busy("the board's thread does not answer".into())),
        }
    }

    /// Changes something, where this console leads.
    async fn as_leader<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Kernel, Moment) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let leader = self.roster.leader();
        let changed = self.visit(move |kernel, now| {
            leads(kernel, leader.as_ref())?;
            change(kernel, now)
        });
        changed.await?
    }

    /// What is seen of items, in JSON's words.
    fn tell(&self, seen: Vec<Seen>) -> Vec<ItemWire> {
        let times = Times::of(self.clock);
        let last = self.account.last(seen.iter().map(|seen| &seen.id));
        seen.into_iter().zip(last).map(|(seen, last)| seen.tell(times, last.as_deref())).collect()
    }

    async fn seen(&self, id: ItemId) -> Result<ItemWire, Refused> {
        let asked = id.clone();
        let seen = self.visit(move |kernel, _| see(kernel, &asked)).await?;
        let mut told = self.tell(seen.into_iter().collect());
        told.pop().ok_or_else(|| no_item(&id))
    }

    fn known_run(&self, text: &str) -> Result<RunId, Refused> {
        let run = text.parse::<RunId>().ok().filter(|run| run.to_string() == text);
        run.filter(|run| self.account.find(*run).is_some()).ok_or_else(|| {
            let text = Safe::line(text);
            Refused::Missing(format!("there is no run `{text}`, or it ended too long ago"))
        })
    }

    async fn end(&self, run: RunId) -> Result<Arc<Record>, Refused> {
        match self.account.end_of(run) {
            Some(End::Past(record)) => Ok(record),
            Some(End::Coming(record)) => {
                record.await.map_err(|_| Refused::Busy("the program ends before the run does".into()))
            }
            None => Err(Refused::Missing(format!("there is no run `{run}`, or it ended too long ago"))),
        }
    }

    fn tell_run(&self, record: &Record) -> RunWire {
        tell_run(record, Times::of(self.clock))
    }
}

impl Desk for Counter {
    fn board(&self) -> Answer<'_, Board> {
        Box::pin(async {
            let (title, version, role, seen) = self
                .visit(|kernel, _| {
                    let items = kernel.board().items().iter().enumerate();
                    let seen: Vec<Seen> = items.map(|(place, item)| Seen::of(kernel, place, item)).collect();
                    (Safe::of(kernel.title()), kernel.board().version(), kernel.role().word(), seen)
                })
                .await?;
            Ok(Board { title, version, role, items: self.tell(seen) })
        })
    }

    fn item(&self, id: ItemId) -> Answer<'_, ItemWire> {
        Box::pin(self.seen(id))
    }

    fn put(&self, update: Update) -> Answer<'_, (bool, ItemWire)> {
        Box::pin(async {
            let id = update.id.clone();
            let taken = self.as_leader(move |kernel, now| {
                let id = update.id.clone();
                let is_new = push(kernel, now, update)?;
                Ok((is_new, see(kernel, &id)))
            });
            let (is_new, seen) = taken.await?;
            let told = self.tell(seen.into_iter().collect()).pop();
            told.map(|item| (is_new, item)).ok_or_else(|| no_item(&id))
        })
    }

    fn push(&self, updates: Vec<Update>) -> Answer<'_, Vec<(usize, String)>> {
        Box::pin(async {
            let mut refused = Vec::new();
            let mut updates = updates.into_iter().enumerate();
            loop {
                let some: Vec<(usize, Update)> = updates.by_ref().take(UPDATES_A_VISIT).collect();
                if some.is_empty() {
                    return Ok(refused);
                }
                let taken = self.as_leader(move |kernel, now| {
                    let each = some.into_iter().map(|(place, update)| (place, push(kernel, now, update)));
                    Ok(each.filter_map(|(place, taken)| Some((place, taken.err()?.into_words()))).collect::<Vec<_>>())
                });
                refused.extend(taken.await?);
            }
        })
    }

    fn remove(&self, id: ItemId) -> Answer<'_, ()> {
        Box::pin(self.removed(id))
    }

    fn acknowledge(&self, id: ItemId, known: bool) -> Answer<'_, ItemWire> {
        Box::pin(async move {
            let leader = self.roster.leader();
            let asked = id.clone();
            let acknowledged = self.visit(move |kernel, now| {
                acknowledge((&mut *kernel, now), &asked, known, "api", leader.as_ref())?;
                Ok(see(kernel, &asked))
            });
            let seen = acknowledged.await??;
            self.tell(seen.into_iter().collect()).pop().ok_or_else(|| no_item(&id))
        })
    }

    fn plan(&self, id: ItemId) -> Answer<'_, Settings> {
        Box::pin(async move { self.visit(move |kernel, _| plan_of(kernel, &id).map(flow::settings)).await? })
    }

    fn tune(&self, id: ItemId, present: Settings, wanted: Settings) -> Answer<'_, Settings> {
        Box::pin(async move {
            let tuned = self.as_leader(move |kernel, now| {
                let plan = plan_of(kernel, &id)?;
                if flow::settings(plan) != present {
                    return Err(Refused::Conflict(format!(
                        "the plan of {id} was changed at the same moment; ask again"
                    )));
                }
                let plan = flow::paced(&wanted, Arc::clone(&plan.hosts));
                kernel.handle(now, Input::Tune(id.clone(), Box::new(plan)));
                plan_of(kernel, &id).map(flow::settings)
            });
            tuned.await
        })
    }

    fn run(&self, id: ItemId) -> Answer<'_, String> {
        Box::pin(async move {
            let account = Arc::clone(&self.account);
            let run = self.as_leader(move |kernel, now| {
                let place = kernel.board().place(&id).ok_or_else(|| no_item(&id))?;
                plan_of(kernel, &id)?;
                kernel.handle(now, Input::RunNow(id.clone()));
                let (_, run) = kernel.seat(place);
                let run = run.ok_or_else(|| Refused::Busy(format!("{id} can't run at this moment")))?;
                // It starts in the board's next round; who asks for it before must find it.
                account.started(run, &id, now, Span::ZERO);
                Ok(run)
            });
            run.await.map(|run| run.to_string())
        })
    }

    fn end_of(&self, run: String) -> Answer<'_, RunWire> {
        Box::pin(async move { Ok(self.tell_run(&*self.end(self.known_run(&run)?).await?)) })
    }

    fn cancel(&self, run: String) -> Answer<'_, RunWire> {
        Box::pin(async move {
            let run = self.known_run(&run)?;
            let ended = |record: &Record| {
                let outcome = record.outcome.map_or("ended", Outcome::word);
                Refused::Conflict(format!("{run} has ended: {outcome}"))
            };
            if let Some(End::Past(record)) = self.account.end_of(run) {
                return Err(ended(&record));
            }
            self.visit(move |kernel, now| kernel.handle(now, Input::Cancel(run))).await?;
            let Ok(record) = tokio::time::timeout(PATIENCE, self.end(run)).await else {
                return Err(Refused::Busy(format!("{run} was cancelled, but has not ended yet")));
            };
            let record = record?;
            // It may have come to its own end in that very moment.
            if record.outcome == Some(Outcome::Cancelled) { Ok(self.tell_run(&record)) } else { Err(ended(&record)) }
        })
    }

    fn find_run(&self, run: &str) -> Result<RunWire, Refused> {
        let run = self.known_run(run)?;
        let record = self.account.find(run).ok_or_else(|| Refused::Missing(format!("there is no run `{run}`")))?;
        let ran = if record.outcome.is_none() { self.clock.now().since(record.started) } else { record.ran };
        Ok(self.tell_run(&Record { ran, ..record }))
    }

    fn hour(&self, id: ItemId) -> Answer<'_, HourWire> {
        Box::pin(async move {
            self.seen(id.clone()).await?;
            let hour = self.account.hour(&id, self.clock.now());
            let millis = |place: usize| hour.percentiles.map(|spans| spans[place].as_secs_f64() * 1e3);
            let round = |millis: f64| (millis * 1e3).round() / 1e3;
            let [p50_ms, p95_ms, p99_ms] = [0, 1, 2].map(|place| millis(place).map(round));
            Ok(HourWire { item: id.to_string(), runs: hour.runs, p50_ms, p95_ms, p99_ms })
        })
    }

    fn consoles(&self) -> Answer<'_, Consoles> {
        Box::pin(async {
            let everybody = self.roster.everybody().await;
            let leads = |present: &&Presence| matches!(present.role.as_str(), "leader" | "alone");
            // One that was killed may still be listed for a while: the newest leadership counts.
            let since = |present: &&Presence| i128::from(present.since_ms) * 1_000 + i128::from(present.offset_us);
            let leader = everybody.iter().filter(leads).max_by_key(since);
            let leader = leader.map(|present| Safe::line(&present.console));
            let consoles = everybody.iter().map(told).collect();
            Ok(Consoles { leader: leader.or_else(|| self.roster.leader()), consoles })
        })
    }

    fn frames(&self) -> Option<tokio::sync::mpsc::Receiver<Arc<str>>> {
        self.feed.follow()
    }
}

/// A console in JSON's words.
#[expect(clippy::cast_precision_loss, reason = "microseconds of an offset need no more than 53 bits")]
fn told(present: &Presence) -> ConsoleWire {
    let moment = |ms: u64| rfc3339(Moment::from_unix_millis(ms));
    ConsoleWire {
        name: Safe::line(&present.console),
        role: Safe::line(&present.role),
        since: moment(present.since_ms),
        version: Safe::line(&present.version),
        offset_ms: present.offset_us as f64 / 1e3,
        bound_ms: present.bound_us as f64 / 1e3,
        last_seen: moment(present.seen_ms),
    }
}

impl Counter {
    async fn removed(&self, id: ItemId) -> Result<(), Refused> {
        let removed = self.as_leader(move |kernel, now| {
            if !kernel.board().is_removable(&id).ok_or_else(|| no_item(&id))? {
                let why = format!("{id} is an item of the config; only one that was pushed can go");
                return Err(Refused::Conflict(why));
            }
            kernel.handle(now, Input::Remove(id));
            Ok(())
        });
        removed.await
    }
}

/// What a follower took would be gone with the leader's next board.
pub(super) fn leads(kernel: &Kernel, leader: Option<&Safe>) -> Result<(), Refused> {
    match (kernel.role(), leader) {
        (Role::Alone | Role::Leader(_), _) => Ok(()),
        (Role::Local(_), _) => {
            let why =
                "this console has lost the others and goes on alone: what it took would be gone when they come back";
            Err(Refused::Busy(why.into()))
        }
        (Role::Follower(_), Some(leader)) => {
            Err(Refused::Busy(format!("this console follows {leader}, which leads this board: ask there")))
        }
        (Role::Follower(_), None) => Err(Refused::Busy("nobody leads this board yet: ask again in a moment".into())),
    }
}

/// The plan of the item called `id`, with the settings in force.
fn plan_of<'k>(kernel: &'k Kernel, id: &ItemId) -> Result<&'k PlanSpec, Refused> {
    match &kernel.board().get(id).ok_or_else(|| no_item(id))?.spec.source {
        Source::Plan(plan) => Ok(plan),
        _ => Err(Refused::Conflict(format!("{id} has no plan that could run: it is pushed or fixed"))),
    }
}

pub(super) fn no_item(id: &ItemId) -> Refused {
    Refused::Missing(format!("there is no item `{id}`"))
}

/// Gives an update to the kernel; true: as a new item.
fn push(kernel: &mut Kernel, now: Moment, update: Update) -> Result<bool, Refused> {
    let Update { id, level, text, ttl, values, filtered } = update;
    let admitted = kernel.board().admits(&id);
    let why = |refused| {
        Refused::Conflict(match refused {
            PushRefused::NotPushed => {
                format!("{id} is measured by its plan or fixed by the config; it takes no pushes")
            }
            PushRefused::Full => {
                format!("the board has {UNNAMED_MAX} items already that its config does not name; take some away first")
            }
        })
    };
    let admitted = admitted.map_err(why);
    let sampled = kernel.stats().pushes_sampled;
    // A refused one goes there too: the kernel counts it.
    kernel.handle(now, Input::Push(Push { item: id, level, text, ttl, values, filtered }));
    if admitted.is_ok() && kernel.stats().pushes_sampled > sampled {
        let why = "far more updates come than usual, so only some are taken, and this one was not";
        return Err(Refused::Flooded(why.into()));
    }
    admitted
}

/// This console's name where the config gives it none: the host, and its terminal or process.
pub(super) fn own_name() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let terminal = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok();
    let terminal = terminal.map(|name| name.to_string_lossy().trim_start_matches("/dev/").to_owned());
    let place = terminal.unwrap_or_else(|| std::process::id().to_string());
    format!("{host}:{place}")
}
