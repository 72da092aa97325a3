//! `cluster: etcd://…`: many machines, led by whoever holds the lease.
//!
//! Carries the protocol's questions to etcd and its words to the store, or where that is down or not heard by
//! everybody to etcd too, and brings back what comes. What any of it means is the protocol's business.

mod voice;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ask::answer;
use super::guard::Guard;
use super::happened::Happened;
use super::member::{self, Membership};
use super::opener::Opener;
use super::part::{Part, Taken, Whole};
use super::roster::Wanted;
use super::store::StoreWay;
use super::trouble::Trouble;
use crate::config::LeaseConfig;
use crate::config::timing::BEAT;
use crate::coordination::Presence;
use crate::coordination::election::{Ask, Candidate, Event};
use crate::coordination::etcd::{Client, Watched};
use crate::coordination::link::{Detour, Favour};
use crate::kernel::beat::Role;
use crate::kernel::{Moment, Span};

/// The leader speaks at every change of the board, but not faster than this: a turn that is
/// decided then still reaches everybody well within the lead time, and a busy board does not flood a thin link.
const SPEAK_GAP: Span = Span::from_millis(50);

/// A follower that lacks the board asks for it at most this often.
const FETCH_EVERY: Span = Span::from_millis(500);

/// How often the leader counts the consoles.
const COUNT_EVERY: Span = Span::from_secs(2);

/// The same where a console has rung; many that lose the store at once ring at once.
const COUNT_GAP: Span = Span::from_millis(200);

/// How long the last words and the resignation may take together: the others wait for them.
const FAREWELL: Duration = Duration::from_millis(120);

/// What the task needs beside its part.
pub(super) struct Ways {
    pub(super) etcd: Client,
    pub(super) store: Option<StoreWay>,
    pub(super) guard: Guard,
    pub(super) numbers: LeaseConfig,
    pub(super) runtime: Handle,
    pub(super) tracker: TaskTracker,
    pub(super) stop: CancellationToken,
    /// Ends the tasks of this one, which still carry its last words after it was stopped.
    pub(super) ends: CancellationToken,
    pub(super) tell: mpsc::Sender<Happened>,
    pub(super) told: mpsc::Receiver<Happened>,
    /// Opens the store of who leads, where that is none that all share.
    pub(super) opener: Option<Opener>,
}

/// What a leader says over etcd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OverEtcd {
    Nothing,
    /// Whoever begins to listen there has to find the whole board first.
    Begins,
    Beats,
}

/// A console among many machines.
pub(super) struct Lease {
    part: Part,
    ways: Ways,
    trouble: Trouble,
    resumed: bool,
    /// The leader was heard over etcd last.
    by_etcd: bool,
    /// Whether this console needs to hear its leader over etcd.
    detour: Detour,
    /// Whether somebody needs to hear this one there.
    favour: Favour,
    /// What it says over etcd.
    over_etcd: OverEtcd,
    last_beat: Moment,
    /// Who was there when etcd was asked last.
    members: Vec<Presence>,
    next_beat: Moment,
    next_board: Moment,
    next_fetch: Moment,
    next_count: Moment,
    /// When the consoles were counted last.
    counted: Moment,
}

impl Lease {
    pub(super) fn new(part: Part, ways: Ways) -> Self {
        let now = part.now();
        Self {
            part,
            ways,
            trouble: Trouble::default(),
            resumed: false,
            by_etcd: false,
            detour: Detour::default(),
            favour: Favour::default(),
            over_etcd: OverEtcd::Nothing,
            last_beat: now,
            members: Vec::new(),
            next_beat: now,
            next_board: now,
            next_fetch: now,
            next_count: now,
            counted: now,
        }
    }

    /// Plays its part until it is stopped.
    pub(super) async fn run(mut self, changes: Arc<Notify>, mut wanted: mpsc::UnboundedReceiver<Wanted>) {
        let ends = self.ways.ends.clone().drop_guard();
        let watching = watch(self.ways.etcd.clone(), self.ways.tell.clone());
        self.spawn(watching);
        let membership = Membership {
            etcd: self.ways.etcd.clone(),
            roster: Arc::clone(&self.part.roster),
            clock: self.part.clock,
            who: self.part.who.clone(),
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
                () = changes.notified() => Some(Happened::Changed),
                Some(wanted) = wanted.recv() => Some(Happened::Wanted(wanted)),
                () = sleep(wake.since(now).into()) => None,
            };
            match happened {
                Some(happened) => self.take(happened).await,
                None => self.part.console.elect(self.part.now(), Event::Wake),
            }
            self.settle().await;
        }
        let resigned = self.close().await;
        let left = matches!(timeout(FAREWELL, leaving).await, Ok(Ok(true)));
        // What could not be given back here is given back by the guardian.
        if resigned && left {
            self.ways.guard.close();
        }
        drop(ends);
    }

    async fn take(&mut self, happened: Happened) {
        let now = self.part.now();
        match happened {
            Happened::Answered { ask, sent, answer } => {
                self.part.console.elect(now, Event::Answered { ask, sent, answer });
            }
            Happened::Watched(watched) => self.watched(now, watched).await,
            Happened::Text(text, stored) => self.hear(&text, stored, false).await,
            Happened::Outranked(token) => {
                self.part.meters.write_fenced();
                self.part.console.elect(now, Event::Outranked(token));
            }
            // Whoever does not lead writes nothing: what went wrong with it before is over.
            Happened::Store(trouble) => {
                let trouble = trouble.filter(|_| self.leads());
                self.trouble.note_writing(&self.part, trouble);
            }
            Happened::Hearing(trouble) => {
                self.detour.listens(trouble.is_none());
                self.trouble.note_hearing(&self.part, trouble);
            }
            Happened::Etcd(trouble) => self.trouble.note_etcd(trouble),
            Happened::Held { beat, board } => {
                if !std::mem::replace(&mut self.resumed, true) {
                    self.part.resume(beat.as_deref(), board.as_deref());
                }
            }
            Happened::Found { seq, board } => {
                if !std::mem::replace(&mut self.resumed, true) {
                    self.part.take_in(seq, board.as_deref());
                }
                (self.next_beat, self.next_board) = (now, now);
            }
            Happened::Sampled(server, sample, next) => {
                self.part.reference.follow(&server);
                // Whoever asked may have ended.
                let _ = next.send(self.part.reference.sample(sample));
            }
            Happened::Odd(why) => self.part.note_odd(now, &why),
            Happened::Belongs(lease) => self.ways.guard.belongs(lease),
            Happened::Admitted(admitted) => self.part.console.elect(now, Event::Admitted(admitted)),
            Happened::Members(members) => {
                self.part.roster.tell_consoles(u32::try_from(members.len()).unwrap_or(u32::MAX));
                if self.leads() && members.iter().any(|other| other.deaf && other.boot != self.part.who.boot) {
                    self.favour.asked(now);
                }
                self.members = members;
            }
            Happened::Wanted(wanted) => self.list(Some(wanted)),
            Happened::Changed => self.next_beat = self.next_beat.min(now.max(self.last_beat + SPEAK_GAP)),
        }
    }

    async fn watched(&mut self, now: Moment, watched: Watched) {
        let event = match watched {
            Watched::Leader(holder, _) => Event::Watched(holder),
            Watched::Restarted => {
                self.part.console.elect(now, Event::Watching(false));
                Event::Watching(true)
            }
            Watched::Frame(text) => return self.hear(&text, false, true).await,
            Watched::Board => {
                self.by_etcd = true;
                return self.fetch(now);
            }
            Watched::Deaf => {
                self.next_count = self.next_count.min(now.max(self.counted + COUNT_GAP));
                return;
            }
            Watched::Foreign(why) => return self.part.note_odd(now, &why),
        };
        self.part.console.elect(now, event);
    }

    async fn hear(&mut self, text: &str, stored: bool, by_etcd: bool) {
        let taken = self.part.take(text, stored).await;
        if matches!(taken, Taken::Heard | Taken::Behind) && !stored {
            (self.resumed, self.by_etcd) = (true, by_etcd);
        }
        if matches!(taken, Taken::Heard | Taken::Behind | Taken::Again) && !stored {
            if by_etcd {
                self.detour.heard_there();
            } else {
                self.detour.heard(self.part.now());
            }
        }
        if taken == Taken::Behind {
            self.fetch(self.part.now());
        }
    }

    /// Asks for the whole board.
    fn fetch(&mut self, now: Moment) {
        if now < self.next_fetch || !matches!(self.part.role(), Role::Follower(_)) {
            return;
        }
        self.next_fetch = now + FETCH_EVERY;
        match &self.ways.store {
            // A leader that does not reach the store keeps its board where it says its beats.
            Some(store) if self.trouble.hearing.is_none() && !self.by_etcd => store.ask_board(),
            _ => {
                let (etcd, tell) = (self.ways.etcd.clone(), self.ways.tell.clone());
                self.spawn(async move {
                    if let Ok(Some(board)) = etcd.board().await {
                        let _ = tell.send(Happened::Text(board, true)).await;
                    }
                });
            }
        }
    }

    fn leads(&self) -> bool {
        matches!(self.part.role(), Role::Leader(_))
    }

    async fn settle(&mut self) {
        let now = self.part.now();
        self.go_round(now);
        let changed = self.part.settle(now);
        if changed && !self.leads() {
            self.trouble.note_writing(&self.part, None);
        }
        while let Some(ask) = self.part.console.poll() {
            self.carry(ask);
        }
        self.ways.guard.hold(self.part.console.candidate().and_then(Candidate::lease));
        let Some(token) = self.part.console.may_speak(now) else { return };
        if changed {
            (self.next_beat, self.next_board, self.next_count) = (now, now, now);
            self.over_etcd = OverEtcd::Nothing;
            if let Some(opener) = &self.ways.opener {
                opener.later(!self.resumed);
            }
        }
        if self.next_count <= now {
            (self.counted, self.next_count) = (now, now + COUNT_EVERY);
            self.list(None);
        }
        self.open_detour(now);
        if self.next_beat <= now {
            (self.last_beat, self.next_beat) = (now, now + BEAT);
            let begins = self.over_etcd == OverEtcd::Begins;
            let whole = match (begins, self.next_board <= now) {
                (true, _) => Whole::Always,
                (false, true) => Whole::Changed,
                (false, false) => Whole::No,
            };
            if let Some(spoken) = self.part.speak(token, whole, false).await {
                if begins {
                    self.over_etcd = OverEtcd::Beats;
                }
                self.say(token, spoken);
            }
        }
    }

    /// Where the leader is not heard over the store: asks to be told over etcd, and says so.
    fn go_round(&mut self, now: Moment) {
        if self.ways.store.is_none() {
            return;
        }
        if let Some(silence) = self.part.console.misses(now) {
            self.detour.misses(silence);
        }
        self.part.deaf = self.detour.is_needed();
        let in_step = matches!(self.part.role(), Role::Follower(_)) && self.part.console.apart(now).is_none();
        self.trouble.note_detour(&self.part, self.detour.is_taken() && in_step);
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
            let (answer, trouble) = answer(&etcd, ask, numbers, &who).await;
            // A lease that is given back may be gone already, and nobody waits for that.
            if !matches!(ask, Ask::Revoke(_)) {
                let _ = tell.send(Happened::Etcd(trouble)).await;
            }
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
        let stop = self.ways.ends.clone();
        let task = async move { _ = stop.run_until_cancelled_owned(task).await };
        self.ways.tracker.spawn_on(task, &self.ways.runtime);
    }
}

async fn watch(etcd: Client, tell: mpsc::Sender<Happened>) {
    let mut watch = etcd.watch();
    while tell.send(Happened::Watched(watch.next().await)).await.is_ok() {}
}
