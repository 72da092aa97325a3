//! One console's process: the real kernel and the real protocol, and between them the glue of an app, simplified.
//!
//! Everything it knows is its own clock's time and what comes in; what it wants goes out as [`Action`]s.

mod calls;
mod member;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use marquee::config::LeaseConfig;
use marquee::config::timing::{BEAT, LEAD_TIME};
use marquee::coordination::election::{Ask, Candidate, Event};
use marquee::coordination::link::{Ignored, Listener, Reference};
use marquee::coordination::member::Member;
use marquee::coordination::{Console, Elector, Presence, Token};
use marquee::kernel::beat::{Fence, Mark, Role};
use marquee::kernel::board::{ItemId, Level};
use marquee::kernel::{Concern, Ended, Input, Kernel, Moment, Outcome, Output, Report, RunId, Span};

use crate::breaks::Break;
use crate::etcd::{EtcdOp, EtcdReply, Refusal};
use crate::plant;
use crate::redis::{RedisOp, RedisReply};
use crate::voice::Voice;

/// What it wants done.
#[derive(Debug)]
pub(crate) enum Action {
    Etcd(u64, EtcdOp),
    Redis(u64, RedisOp),
    /// What an observer of this process may write down.
    Note(Note),
}

/// What is worth an event of the log.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Note {
    Role(Role),
    /// It begins to lead, or goes on.
    Leads(Token),
    /// It leads no more, or not for now.
    Silent,
    /// It says a beat.
    Speaks(Token, u64),
    /// It takes a beat for true.
    Takes(Token, u64),
    Ignores(Ignored),
    /// It shows another item from now on.
    Turn(ItemId),
    /// It asks the plant.
    Starts(ItemId),
    Notice(Option<String>),
    /// A line of its log.
    Logs(String),
    /// Its name is its own, or another's.
    Named(bool),
    /// It stands for the lead.
    Campaigns,
    /// It knows that these are there.
    Lists(Vec<Presence>),
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Etcd(Result<EtcdReply, Refusal>),
    Redis(RedisReply),
}

#[derive(Debug)]
struct Pending {
    sent: Moment,
    until: Moment,
    what: Call,
}

#[derive(Clone, Debug)]
enum Call {
    Ask(Ask),
    /// A claim that no candidate asked for: Redis is back.
    Claim(Token),
    Beat,
    Put,
    Fetch,
    State,
    Time,
    Member,
    List,
}

/// The process.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside every other")]
pub(crate) struct App {
    pub(crate) kernel: Kernel,
    pub(crate) console: Console,
    reference: Reference,
    /// The last beat was heard on the clock that all follow.
    pub(crate) exact: bool,
    member: Member,
    list_at: Moment,
    /// What its guardian gives back when it dies.
    pub(crate) guarded: Vec<i64>,
    /// It gives back what it holds, and its guardian what it can't.
    leaves: bool,
    pub(crate) name: String,
    pub(crate) process: String,
    machine: String,
    number_of_process: u32,
    voice: &'static Voice,
    /// What it logged last of etcd, and of Redis.
    logged: [Option<String>; 2],
    breaks: Option<Break>,
    calls: BTreeMap<u64, Pending>,
    called: u64,
    pub(crate) actions: Vec<Action>,
    runs: BTreeMap<(Moment, RunId), ItemId>,
    role: Option<Role>,
    notice: Option<String>,
    leads: Option<Token>,
    number: u64,
    beat_at: Moment,
    /// The turn's number that Redis kept before us: ours go on from there.
    seq_floor: u64,
    /// It has followed, or gone on from what was kept.
    resumed: bool,
    claimed: Option<Token>,
    redis_fails: bool,
    said_board: Option<(Token, Mark)>,
    board_at: Moment,
    news_touched: u64,
    heard_mark: Option<Mark>,
    /// The last beat came by etcd.
    by_etcd: bool,
    fetch_at: Moment,
    sample_at: Moment,
    shown: Option<ItemId>,
}

impl App {
    /// The `boot`th process on a machine, of a console called `name`.
    pub(crate) fn new(
        now: Moment,
        (machine, name): (usize, usize),
        boot: u64,
        seed: u64,
        breaks: Option<Break>,
    ) -> Self {
        let process = format!("{machine}-{boot}");
        let machine = format!("machine-{machine}");
        let voice = Voice::of(breaks);
        let candidate = Candidate::new(now, LeaseConfig::DEFAULT, seed);
        let listener = Listener::new(now, plant::BOARD, &process);
        let mut app = Self {
            kernel: begun(now, voice),
            member: Member::new(now, &machine, LeaseConfig::DEFAULT.ttl),
            list_at: now,
            guarded: Vec::new(),
            leaves: false,
            machine,
            number_of_process: u32::try_from(boot).unwrap_or(0),
            voice,
            logged: [None, None],
            console: Console::new(Elector::Lease(candidate), listener),
            reference: Reference::new(&process),
            exact: false,
            name: format!("console-{name}"),
            process,
            breaks,
            calls: BTreeMap::new(),
            called: 0,
            actions: Vec::new(),
            runs: BTreeMap::new(),
            role: None,
            notice: None,
            leads: None,
            number: 0,
            beat_at: now,
            seq_floor: 0,
            resumed: false,
            claimed: None,
            redis_fails: false,
            said_board: None,
            board_at: now,
            news_touched: 0,
            heard_mark: None,
            by_etcd: false,
            fetch_at: now,
            sample_at: now,
            shown: None,
        };
        if breaks == Some(Break::IgnoresName) {
            app.console.elect(now, Event::Admitted(true));
        }
        app.step(now);
        app
    }

    /// When it wants to be woken.
    pub(crate) fn next_wake(&self, now: Moment) -> Option<Moment> {
        let calls = self.calls.values().map(|call| call.until).min();
        let runs = self.runs.keys().next().map(|(at, _)| *at);
        let beat = self.leads.map(|_| self.beat_at);
        let fetch = self.wants_board().then_some(self.fetch_at);
        let sample = (!self.waits_for(|call| matches!(call, Call::Time))).then_some(self.sample_at);
        let belongs = |at: Option<Moment>| at.filter(|_| !self.leaves);
        let (list, member) = (belongs(Some(self.list_at)), belongs(self.member.next_wake()));
        let wakes =
            [self.console.next_wake(now), self.kernel.next_wake(), calls, runs, beat, fetch, sample, list, member];
        wakes.into_iter().flatten().min()
    }

    fn waits_for(&self, is: impl Fn(&Call) -> bool) -> bool {
        self.calls.values().any(|call| is(&call.what))
    }

    fn wants_board(&self) -> bool {
        matches!(self.role, Some(Role::Follower(_)))
            && self.heard_mark.is_some_and(|mark| mark != self.kernel.mark())
            && !self.waits_for(|call| matches!(call, Call::Fetch))
    }

    /// Does all that is due.
    pub(crate) fn step(&mut self, now: Moment) {
        let late: Vec<u64> = self.calls.iter().filter(|(_, call)| call.until <= now).map(|(id, _)| *id).collect();
        for id in late {
            self.missed(now, id);
        }
        while let Some(entry) = self.runs.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, run), item) = entry.remove_entry();
            self.kernel.handle(now, plant::measured(now, run, &item));
        }
        self.console.elect(now, Event::Wake);
        if self.kernel.next_wake().is_some_and(|at| at <= now) {
            self.kernel.handle(now, Input::Wake);
        }
        if self.sample_at <= now && !self.waits_for(|call| matches!(call, Call::Time)) {
            self.redis(now, Call::Time, RedisOp::Time);
        }
        self.belong(now);
        self.settle(now);
        if self.wants_board() && self.fetch_at <= now {
            self.fetch_at = now + BEAT;
            // A leader that speaks by etcd can't reach Redis: the board there is an old one.
            if self.by_etcd {
                self.etcd(now, Call::Fetch, EtcdOp::GetBoard);
            } else {
                self.redis(now, Call::Fetch, RedisOp::GetBoard);
            }
        }
    }

    /// Carries what one part says to the others until nothing is left to say.
    fn settle(&mut self, now: Moment) {
        self.acts_as(now);
        while let Some(ask) = self.console.poll() {
            match ask {
                Ask::StoredEpoch => self.redis(now, Call::Ask(ask), RedisOp::StoredEpoch),
                Ask::Claim(token) => self.redis(now, Call::Ask(ask), RedisOp::Claim(token)),
                _ => {
                    if matches!(ask, Ask::Campaign(_)) {
                        self.note(Note::Campaigns);
                    }
                    let own = self.presence(now, 0).write();
                    self.etcd(now, Call::Ask(ask), EtcdOp::Ask(ask, own));
                }
            }
        }
        self.guard();
        let changed = self.drain(now);
        if let Some(token) = self.leads
            && (changed || self.beat_at <= now)
        {
            self.speak(now, token, false);
        }
    }

    /// Takes up the part that the console plays.
    fn acts_as(&mut self, now: Moment) {
        let role = self.console.role(now);
        let told = if self.breaks == Some(Break::EveryoneRuns) { Role::Leader(role.fence()) } else { role };
        let before = self.role.replace(role);
        if before.map(Role::word) != Some(role.word()) && self.breaks != Some(Break::KeepsRole) {
            self.member.changed(now);
        }
        if before != Some(role) {
            self.note(Note::Role(role));
            self.kernel.handle(now, Input::Role(told));
        }
        let leads = match self.breaks {
            Some(Break::NoDeadline) => self.leads_for_ever(role),
            _ => self.console.may_speak(now),
        };
        if leads != self.leads {
            if self.breaks == Some(Break::StartsAnew) && self.leads.is_none() {
                self.kernel = begun(now, self.voice);
                self.kernel.handle(now, Input::Role(told));
            }
            self.leads = leads;
            self.resumed |= leads.is_some();
            self.note(leads.map_or(Note::Silent, Note::Leads));
            (self.beat_at, self.said_board, self.board_at) = (now, None, now);
            self.news_touched = self.kernel.board().touched();
        }
        let notice = if self.breaks == Some(Break::NoNotice) { None } else { self.console.notice(now) };
        if notice != self.notice {
            self.notice.clone_from(&notice);
            self.kernel.handle(now, Input::Notice(Concern::Sync, notice.as_deref().map(Arc::from)));
            self.note(Note::Notice(notice));
        }
    }

    fn leads_for_ever(&self, role: Role) -> Option<Token> {
        let token = self.console.candidate()?.may_speak(Moment::EPOCH);
        if matches!(role, Role::Leader(_) | Role::Local(_)) { token.or(self.leads) } else { None }
    }

    /// Does what the kernel wants; tells whether there is something new to say.
    fn drain(&mut self, now: Moment) -> bool {
        let mut changed = false;
        while let Some(output) = self.kernel.poll() {
            match output {
                Output::Start(start) => {
                    self.note(Note::Starts(start.item.clone()));
                    let took = Span::from_millis(5 + start.run.0 % 40);
                    self.runs.insert((now + took, start.run), start.item);
                }
                Output::Cancel(run) => {
                    self.runs.retain(|(_, known), _| *known != run);
                    self.kernel.handle(now, plant::ended(run, Outcome::Cancelled, None));
                }
                // A change of the board may have decided turns that nobody has heard of yet.
                Output::Frame | Output::Board => changed = true,
                Output::Turned { .. } | Output::Cycled(_) => {}
            }
        }
        let shown = self.kernel.current().item;
        if shown != self.shown {
            self.shown.clone_from(&shown);
            if let Some(item) = shown {
                self.note(Note::Turn(item));
            }
        }
        changed
    }

    /// Says its last word and gives the lead back.
    pub(crate) fn quit(&mut self, now: Moment) {
        if let Some(token) = self.leads {
            self.speak(now, token, true);
        }
        self.leaves = true;
        self.console.elect(now, Event::Resign);
        self.settle(now);
    }

    /// Logs what is wrong with a server, once; `None`: it is well.
    fn log(&mut self, server: usize, words: Option<String>) {
        if self.logged[server] != words {
            self.logged[server].clone_from(&words);
            self.actions.extend(words.map(|words| Action::Note(Note::Logs(words))));
        }
    }

    fn note(&mut self, note: Note) {
        self.actions.push(Action::Note(note));
    }

    /// Somebody pushes news of an item here.
    pub(crate) fn pushed(&mut self, now: Moment, level: Level) {
        self.kernel.handle(now, plant::push(now, level));
        self.step(now);
    }

    pub(crate) fn role(&self) -> Option<Role> {
        self.role
    }
}

/// A kernel as it is when a process begins.
fn begun(now: Moment, voice: &Voice) -> Kernel {
    let mut kernel = Kernel::new(now, "Line 3", "System initializing…");
    kernel.handle(now, Input::Role(Role::Follower(Fence(0))));
    kernel.handle(now, Input::Lead(LEAD_TIME));
    kernel.handle(now, Input::Board(Box::new(plant::board(voice))));
    kernel
}

/// What a run of the plant says.
pub(crate) fn report(level: Level, text: String) -> Report {
    Report { level, text: text.into(), values: Arc::default(), filtered: false }
}

/// The end of a run.
pub(crate) fn end(run: RunId, outcome: Outcome, report: Option<Report>) -> Ended {
    Ended { run, outcome, report, took: Span::from_millis(5), retries: 0, waited: Span::ZERO, bytes: 0 }
}
