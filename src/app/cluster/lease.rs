//! `cluster: etcd://…`: many machines, led by whoever holds the lease.
//!
//! Carries the protocol's questions to etcd and its words to the store, or where that is down to etcd
//! too, and brings back what comes. What any of it means is the protocol's business.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::member::{self, Membership};
use super::opener::Opener;
use super::part::{Part, Spoken, Taken, Whole};
use super::roster::Wanted;
use super::store::StoreWay;
use crate::config::LeaseConfig;
use crate::config::timing::BEAT;
use crate::coordination::election::{Answer, Ask, Event, Holder, Missed};
use crate::coordination::etcd::guardian::Guardian;
use crate::coordination::etcd::{Campaigned, Client, Failure, Seen, Watched};
use crate::coordination::{Presence, Token};
use crate::frame::Safe;
use crate::kernel::beat::{Role, Sample};
use crate::kernel::{Concern, Input, Moment, Span};

/// The leader speaks at every frame, but not faster than this: nobody reads faster.
const SPEAK_GAP: Span = Span::from_millis(20);

/// The whole board is kept for newcomers at most this often.
const BOARD_EVERY: Span = Span::from_secs(1);

/// A follower that lacks the board asks for it at most this often.
const FETCH_EVERY: Span = Span::from_millis(500);

/// How often the leader counts the consoles.
const COUNT_EVERY: Span = Span::from_secs(2);

/// How long the last words and the resignation may take together: the others wait for them.
const FAREWELL: Duration = Duration::from_millis(120);

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
    /// How listening at the store goes.
    Hearing(Option<String>),
    /// What the store held when it was claimed.
    Held { beat: Option<String>, board: Option<String> },
    /// The server of this name told the time.
    Sampled(String, Sample),
    /// Something odd that an operator should know.
    Odd(String),
    /// Whether this console's name is its own.
    Admitted(bool),
    /// All consoles.
    Members(Vec<Presence>),
    /// Somebody wants to know all consoles.
    Wanted(Wanted),
    /// A frame says something new.
    Frame,
}

/// What the task needs beside its part.
pub(super) struct Ways {
    pub(super) etcd: Client,
    pub(super) store: Option<StoreWay>,
    pub(super) guardian: Option<Guardian>,
    pub(super) numbers: LeaseConfig,
    pub(super) runtime: Handle,
    pub(super) tracker: TaskTracker,
    pub(super) stop: CancellationToken,
    pub(super) tell: mpsc::Sender<Happened>,
    pub(super) told: mpsc::Receiver<Happened>,
    /// Opens the store of who leads, where that is none that all share.
    pub(super) opener: Option<Opener>,
}

/// A console among many machines.
pub(super) struct Lease {
    part: Part,
    ways: Ways,
    /// What is wrong with writing, and with listening.
    store: [Option<String>; 2],
    guarded: Option<i64>,
    resumed: bool,
    /// Who was there when etcd was asked last.
    members: Vec<Presence>,
    next_beat: Moment,
    next_board: Moment,
    next_fetch: Moment,
    next_count: Moment,
}

impl Lease {
    pub(super) fn new(part: Part, ways: Ways) -> Self {
        let now = part.now();
        Self {
            part,
            ways,
            store: [None, None],
            guarded: None,
            resumed: false,
            members: Vec::new(),
            next_beat: now,
            next_board: now,
            next_fetch: now,
            next_count: now,
        }
    }

    /// Plays its part until it is stopped.
    pub(super) async fn run(mut self, frames: Arc<Notify>, mut wanted: mpsc::UnboundedReceiver<Wanted>) {
        let watching = watch(self.ways.etcd.clone(), self.ways.tell.clone());
        self.spawn(watching);
        let membership = Membership {
            etcd: self.ways.etcd.clone(),
            roster: Arc::clone(&self.part.roster),
            name: self.part.who().name.clone(),
            machine: self.part.who().machine.clone(),
            ttl: self.ways.numbers.ttl,
        };
        let leaving = self
            .ways
            .tracker
            .spawn_on(member::belong(membership, self.ways.tell.clone(), self.ways.stop.clone()), &self.ways.runtime);
        self.settle().await;
        loop {
            let now = self.part.now();
            let wake = self.part.console.next_wake(now).map_or(now + BEAT, |console| console.min(now + BEAT));
            let wake = if self.part.console.may_speak(now).is_some() { wake.min(self.next_beat) } else { wake };
            let happened = tokio::select! {
                biased;
                () = self.ways.stop.cancelled() => break,
                Some(happened) = self.ways.told.recv() => Some(happened),
                () = frames.notified() => Some(Happened::Frame),
                Some(wanted) = wanted.recv() => Some(Happened::Wanted(wanted)),
                () = sleep(wake.since(now).into()) => None,
            };
            match happened {
                Some(happened) => self.take(happened).await,
                None => self.part.console.elect(self.part.now(), Event::Wake),
            }
            self.settle().await;
        }
        self.close().await;
        let _ = timeout(FAREWELL, leaving).await;
    }

    async fn take(&mut self, happened: Happened) {
        let now = self.part.now();
        match happened {
            Happened::Answered { ask, sent, answer } => {
                self.part.console.elect(now, Event::Answered { ask, sent, answer });
            }
            Happened::Watched(watched) => self.watched(now, watched).await,
            Happened::Text(text, stored) => self.hear(&text, stored).await,
            Happened::Outranked(token) => {
                self.part.meters.write_fenced();
                self.part.console.elect(now, Event::Outranked(token));
            }
            // Of writing nobody hears but who leads.
            Happened::Store(trouble) => {
                self.note_store(0, trouble.filter(|_| matches!(self.part.role(), Role::Leader(_))))
            }
            Happened::Hearing(trouble) => self.note_store(1, trouble),
            Happened::Held { beat, board } => {
                if !std::mem::replace(&mut self.resumed, true) {
                    self.part.resume(beat.as_deref(), board.as_deref());
                }
            }
            Happened::Sampled(server, sample) => {
                self.part.reference.follow(&server);
                self.part.reference.sample(sample);
            }
            Happened::Odd(why) => self.part.note_odd(now, &why),
            Happened::Admitted(admitted) => self.part.console.elect(now, Event::Admitted(admitted)),
            Happened::Members(members) => {
                self.part.roster.tell_consoles(u32::try_from(members.len()).unwrap_or(u32::MAX));
                self.members = members;
            }
            Happened::Wanted(wanted) => self.list(Some(wanted)),
            Happened::Frame => self.next_beat = self.next_beat.min(now + SPEAK_GAP),
        }
    }

    async fn watched(&mut self, now: Moment, watched: Watched) {
        let event = match watched {
            Watched::Leader(holder, _) => Event::Watched(holder.map(translated)),
            Watched::Restarted => {
                self.part.console.elect(now, Event::Watching(false));
                Event::Watching(true)
            }
            Watched::Frame(text) => return self.hear(&text, false).await,
            Watched::Board => return self.fetch(now),
            Watched::Members => return,
            Watched::Foreign(why) => return self.part.note_odd(now, &why),
        };
        self.part.console.elect(now, event);
    }

    async fn hear(&mut self, text: &str, stored: bool) {
        if self.part.take(text, stored).await == Taken::Behind {
            self.fetch(self.part.now());
        } else if matches!(self.part.role(), Role::Follower(_)) {
            self.resumed = true;
        }
    }

    /// Asks for the whole board.
    fn fetch(&mut self, now: Moment) {
        if now < self.next_fetch || !matches!(self.part.role(), Role::Follower(_)) {
            return;
        }
        self.next_fetch = now + FETCH_EVERY;
        match &self.ways.store {
            Some(store) if self.store[1].is_none() => store.ask_board(),
            _ => {
                let (etcd, tell) = (self.ways.etcd.clone(), self.ways.tell.clone());
                self.spawn(async move {
                    if let Ok(Some(board)) = etcd.board().await {
                        let _ = tell.send(Happened::Text(board, false)).await;
                    }
                });
            }
        }
    }

    fn note_store(&mut self, which: usize, trouble: Option<String>) {
        if self.store[which] != trouble {
            let before = self.store.iter().flatten().next().cloned();
            self.store[which] = trouble;
            let now = self.store.iter().flatten().next().cloned();
            if before != now {
                if let Some(why) = &now {
                    warn!("{why}");
                } else {
                    info!("the store answers again");
                }
                self.part.meters.store_written(now.is_none());
                self.part.give(Input::Notice(Concern::Store, now.map(|why| Safe::line(&why).shared())));
            }
        }
    }

    async fn settle(&mut self) {
        let now = self.part.now();
        let changed = self.part.settle(now);
        while let Some(ask) = self.part.console.poll() {
            self.carry(ask);
        }
        let lease = self.part.console.candidate().and_then(|candidate| candidate.lease());
        if self.guarded != lease
            && let Some(guardian) = &mut self.ways.guardian
        {
            self.guarded = lease;
            if let Err(why) = guardian.tell(lease.unwrap_or(0)) {
                warn!("the guardian does not listen: {why}");
                self.ways.guardian = None;
            }
        }
        let Some(token) = self.part.console.may_speak(now) else {
            if changed {
                self.note_store(0, None);
            }
            return;
        };
        if changed {
            (self.next_beat, self.next_board, self.next_count) = (now, now, now);
            if let Some(opener) = &self.ways.opener {
                opener.later(!self.resumed);
            }
        }
        if self.next_count <= now {
            self.next_count = now + COUNT_EVERY;
            self.list(None);
        }
        if self.next_beat <= now {
            self.next_beat = now + BEAT;
            let whole = if self.next_board <= now { Whole::Changed } else { Whole::No };
            if let Some(spoken) = self.part.speak(token, whole, false).await {
                self.say(token, spoken);
            }
        }
    }

    /// Says it over the store; where that is none or down, over etcd.
    fn say(&mut self, token: Token, spoken: Spoken) {
        let now = self.part.now();
        // The board may have thought for long: whoever may not speak any more says nothing.
        if self.part.console.may_speak(now) != Some(token) {
            return;
        }
        if spoken.board.is_some() {
            self.next_board = now + BOARD_EVERY;
        }
        if self.ways.store.is_none() || self.store[0].is_some() {
            let (etcd, beat, board) = (self.ways.etcd.clone(), spoken.beat.clone(), spoken.board.clone());
            self.spawn(async move {
                if let Some(board) = board {
                    let _ = etcd.put_board(token.rev, &board).await;
                }
                // What is lost is said again with the next beat; who leads no more hears it from the watch.
                let _ = etcd.put_frame(token.rev, &beat).await;
            });
        }
        if let Some(store) = &self.ways.store {
            store.say(spoken);
        }
    }

    fn carry(&self, ask: Ask) {
        let sent = self.part.now();
        let (etcd, numbers) = (self.ways.etcd.clone(), self.ways.numbers);
        let who = self.part.presence(sent).write();
        match (ask, &self.ways.store) {
            (Ask::Claim(token), Some(store)) => return store.claim(token, sent, !self.resumed),
            (Ask::StoredEpoch, Some(store)) => return store.ask_epoch(sent),
            _ => {}
        }
        let tell = self.ways.tell.clone();
        self.spawn(async move {
            let answer = answer(&etcd, ask, numbers, &who).await;
            let _ = tell.send(Happened::Answered { ask, sent, answer }).await;
        });
    }

    /// Asks who is there, and tells it to whoever wants to know: where etcd does not answer, who was there last.
    fn list(&self, wanted: Option<Wanted>) {
        let (etcd, tell) = (self.ways.etcd.clone(), self.ways.tell.clone());
        let (own, known) = (self.part.presence(self.part.now()), self.members.clone());
        self.spawn(async move {
            let read =
                |listed: Vec<(String, String)>| listed.iter().filter_map(|(_, said)| Presence::read(said)).collect();
            let listed: Option<Vec<Presence>> = etcd.members().await.ok().map(read);
            if let Some(listed) = &listed {
                let _ = tell.send(Happened::Members(listed.clone())).await;
            }
            if let Some(wanted) = wanted {
                let others = listed.unwrap_or(known).into_iter().filter(|other| other.boot != own.boot);
                // Whoever asked may have gone.
                let _ = wanted.send(std::iter::once(own.clone()).chain(others).collect());
            }
        });
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.ways.stop.clone();
        let task = async move { _ = stop.run_until_cancelled_owned(task).await };
        self.ways.tracker.spawn_on(task, &self.ways.runtime);
    }

    /// The last words, and the lease back, so that the next one need not wait for it.
    async fn close(&mut self) {
        let lease = self.part.console.candidate().and_then(|candidate| candidate.lease());
        let now = self.part.now();
        let farewell = async {
            if let Some(token) = self.part.console.may_speak(now)
                && let Some(spoken) = self.part.speak(token, Whole::Changed, true).await
            {
                if let (Some(store), None) = (&self.ways.store, &self.store[0]) {
                    let _ = store.say_last(spoken).await;
                } else {
                    let _ = self.ways.etcd.put_frame(token.rev, &spoken.beat).await;
                }
            }
            if let Some(lease) = lease {
                let _ = self.ways.etcd.revoke(lease).await;
            }
        };
        if timeout(FAREWELL, farewell).await.is_err() {
            info!("the others take over when the lease has run out");
        } else if let Some(guardian) = self.ways.guardian.take() {
            guardian.close();
        }
    }
}

async fn watch(etcd: Client, tell: mpsc::Sender<Happened>) {
    let mut watch = etcd.watch();
    while tell.send(Happened::Watched(watch.next().await)).await.is_ok() {}
}

/// Puts a question of the protocol to etcd.
async fn answer(etcd: &Client, ask: Ask, numbers: LeaseConfig, who: &str) -> Result<Answer, Missed> {
    let missed = |failure: Failure| match failure {
        Failure::Unknown(_) => Missed::Unknown,
        Failure::Refused(_) | Failure::Unreachable(_) => Missed::Failed,
    };
    match ask {
        Ask::Grant => {
            let granted = etcd.grant(numbers.ttl.into()).await.map_err(missed)?;
            Ok(Answer::Granted { lease: granted.lease, ttl: granted.ttl.into() })
        }
        Ask::KeepAlive(lease) => etcd.keep_alive(lease).await.map(|ttl| Answer::Alive(ttl.into())).map_err(missed),
        Ask::Campaign(lease) => Ok(match etcd.campaign(lease, who).await.map_err(missed)? {
            Campaigned::Won { rev, epoch } => Answer::Won { rev, epoch },
            Campaigned::Held(holder, epoch) => Answer::Seen { holder: Some(translated(holder)), epoch },
        }),
        Ask::Look => {
            let Seen { holder, epoch, .. } = etcd.leader().await.map_err(missed)?;
            Ok(Answer::Seen { holder: holder.map(translated), epoch })
        }
        Ask::Raise { from, to } => etcd.raise_epoch(from, to).await.map(Answer::Raised).map_err(missed),
        Ask::Revoke(lease) => etcd.revoke(lease).await.map(|()| Answer::Revoked).map_err(missed),
        // Without a store that all share there is no fence but etcd's own.
        Ask::StoredEpoch => Ok(Answer::Stored(0)),
        Ask::Claim(_) => Ok(Answer::Claimed),
    }
}

fn translated(holder: crate::coordination::etcd::Holder) -> Holder {
    Holder { rev: holder.rev, lease: holder.lease, value: holder.value }
}
