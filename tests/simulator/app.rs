//! One console's process: the real kernel and the real protocol, and between them the glue of an app, simplified.
//!
//! Everything it knows is its own clock's time and what comes in; what it wants goes out as [`Action`]s.

use std::collections::BTreeMap;
use std::sync::Arc;

use marquee::config::LeaseConfig;
use marquee::config::timing::{BEAT, HORIZON, LEAD_TIME, STORE_OPERATION};
use marquee::coordination::election::{Answer, Ask, Candidate, Event, Missed};
use marquee::coordination::link::{Head, Ignored, Listener, Message, Reference, Said};
use marquee::coordination::{Console, Elector, Token};
use marquee::frame::Safe;
use marquee::kernel::beat::{Fence, Mapping, Mark, Role, Sample};
use marquee::kernel::board::{ItemId, Level};
use marquee::kernel::{
    BoardSnapshot, Concern, Current, Ended, Input, Kernel, Moment, Outcome, Output, Report, RunId, Snapshot, Span,
};

use crate::breaks::Break;
use crate::etcd::{EtcdOp, EtcdReply, Told};
use crate::plant;
use crate::redis::{RedisOp, RedisReply};

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
    Turn(Option<ItemId>),
    /// It asks the plant.
    Starts(ItemId),
    Notice(Option<String>),
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Etcd(Result<EtcdReply, Missed>),
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
}

/// The process.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) kernel: Kernel,
    pub(crate) console: Console,
    reference: Reference,
    /// The last beat was heard on the clock that all follow.
    pub(crate) exact: bool,
    name: String,
    process: String,
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
    shown: Option<Option<ItemId>>,
}

impl App {
    pub(crate) fn new(now: Moment, name: usize, boot: u64, seed: u64, breaks: Option<Break>) -> Self {
        let process = format!("{name}-{boot}");
        let candidate = Candidate::new(now, LeaseConfig::DEFAULT, seed);
        let listener = Listener::new(now, plant::BOARD, &process);
        let mut app = Self {
            kernel: begun(now),
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
        app.console.elect(now, Event::Admitted(true));
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
        let wakes = [self.console.next_wake(now), self.kernel.next_wake(), calls, runs, beat, fetch, sample];
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
                _ => self.etcd(now, Call::Ask(ask), EtcdOp::Ask(ask)),
            }
        }
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
        if self.role.replace(role) != Some(role) {
            self.note(Note::Role(role));
            self.kernel.handle(now, Input::Role(told));
        }
        let leads = match self.breaks {
            Some(Break::NoDeadline) => self.leads_for_ever(role),
            _ => self.console.may_speak(now),
        };
        if leads != self.leads {
            if self.breaks == Some(Break::StartsAnew) && self.leads.is_none() {
                self.kernel = begun(now);
                self.kernel.handle(now, Input::Role(told));
            }
            self.leads = leads;
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
        let shown = self.kernel.marquee().turn().map(|_| self.kernel.current().item);
        if shown != self.shown {
            self.shown.clone_from(&shown);
            if let Some(item) = shown {
                self.note(Note::Turn(item));
            }
        }
        changed
    }

    fn line(&self, now: Moment, token: Token, said: Said) -> String {
        let (clock, mapping) = self.reference.speaks();
        let head = Head {
            board: plant::BOARD.into(),
            console: Safe::line(&self.name),
            boot: self.process.clone(),
            token,
            at: now,
            clock: clock.to_owned(),
        };
        Message { head, said }.on_clock(|moment| mapping.to_reference(moment)).write()
    }

    /// Says the beat, the news and, where it has changed, the board.
    fn speak(&mut self, now: Moment, token: Token, handover: bool) {
        self.beat_at = now + BEAT;
        let mut beat = self.kernel.beat(HORIZON);
        beat.seq = beat.seq.max(self.seq_floor);
        let (seq, mark) = (beat.seq, beat.mark);
        self.number += 1;
        self.note(Note::Speaks(token, self.number));
        let line = self.line(now, token, Said::Beat { number: self.number, consoles: 1, handover, beat });
        let news = self.kernel.news(self.news_touched);
        self.news_touched = self.kernel.board().touched();
        let news = (!news.is_empty()).then(|| self.line(now, token, Said::News(news)));
        let board = (self.said_board != Some((token, mark)) && self.board_at <= now).then(|| {
            (self.said_board, self.board_at) = (Some((token, mark)), now + BEAT);
            self.line(now, token, Said::Board { mark, mirror: self.kernel.mirror() })
        });
        if self.redis_fails {
            self.etcd(now, Call::Put, EtcdOp::Frame(token, line.clone()));
            if let Some(news) = news.clone() {
                self.etcd(now, Call::Put, EtcdOp::Frame(token, news));
            }
            if let Some(board) = board.clone() {
                self.etcd(now, Call::Put, EtcdOp::Board(token, board));
            }
        }
        if self.waits_for(|call| matches!(call, Call::Beat | Call::Claim(_))) && self.redis_fails {
            return;
        }
        if self.claimed == Some(token) {
            if let Some(news) = news {
                self.redis(now, Call::Put, RedisOp::News(token, news));
            }
            if let Some(board) = board {
                self.redis(now, Call::Put, RedisOp::Board(token, board));
            }
            self.redis(now, Call::Beat, RedisOp::Publish(token, seq, self.number, line));
        } else {
            self.redis(now, Call::Claim(token), RedisOp::Claim(token));
        }
    }

    /// Says its last word and gives the lead back.
    pub(crate) fn quit(&mut self, now: Moment) {
        if let Some(token) = self.leads {
            self.speak(now, token, true);
        }
        self.console.elect(now, Event::Resign);
        self.settle(now);
    }

    fn note(&mut self, note: Note) {
        self.actions.push(Action::Note(note));
    }

    fn call(&mut self, now: Moment, what: Call, within: Span) -> u64 {
        self.called += 1;
        self.calls.insert(self.called, Pending { sent: now, until: now + within, what });
        self.called
    }

    fn etcd(&mut self, now: Moment, what: Call, op: EtcdOp) {
        let id = self.call(now, what, LeaseConfig::DEFAULT.attempt);
        self.actions.push(Action::Etcd(id, op));
    }

    fn redis(&mut self, now: Moment, what: Call, op: RedisOp) {
        let id = self.call(now, what, STORE_OPERATION);
        self.actions.push(Action::Redis(id, op));
    }

    /// A call was not answered in time.
    fn missed(&mut self, now: Moment, id: u64) {
        let Some(call) = self.calls.remove(&id) else { return };
        self.failed(now, call.what, call.sent, Missed::Unknown);
    }

    fn failed(&mut self, now: Moment, what: Call, sent: Moment, missed: Missed) {
        match what {
            Call::Ask(ask @ Ask::StoredEpoch) => self.elected(now, ask, sent, Ok(Answer::Stored(0))),
            Call::Ask(ask @ Ask::Claim(_)) => {
                self.redis_fails = true;
                self.elected(now, ask, sent, Ok(Answer::Claimed));
            }
            Call::Ask(ask) => self.elected(now, ask, sent, Err(missed)),
            Call::Beat | Call::Claim(_) => {
                let was = std::mem::replace(&mut self.redis_fails, true);
                (self.claimed, self.said_board) = (None, None);
                if !was {
                    // The same again by the other way, and at once.
                    self.beat_at = now;
                }
            }
            Call::Time => {
                self.sample_at = self.sample_at.max(now + Span::from_millis(100));
                self.redis_fails |= self.leads.is_none();
            }
            Call::Put | Call::Fetch | Call::State => {}
        }
    }

    fn elected(&mut self, now: Moment, ask: Ask, sent: Moment, answer: Result<Answer, Missed>) {
        let sent = if self.breaks == Some(Break::CountsFromAnswer) { now } else { sent };
        self.console.elect(now, Event::Answered { ask, sent, answer });
    }

    /// Takes an answer.
    pub(crate) fn answered(&mut self, now: Moment, id: u64, reply: Reply) {
        let Some(Pending { sent, what, .. }) = self.calls.remove(&id) else { return };
        match (what, reply) {
            (what, Reply::Redis(RedisReply::Refused)) => self.failed(now, what, sent, Missed::Failed),
            (Call::Ask(ask), Reply::Etcd(Ok(EtcdReply::Answer(answer)))) => self.elected(now, ask, sent, Ok(answer)),
            (what, Reply::Etcd(Err(missed))) => self.failed(now, what, sent, missed),
            (Call::Ask(ask), Reply::Redis(RedisReply::Epoch(epoch))) => {
                self.elected(now, ask, sent, Ok(Answer::Stored(epoch)));
            }
            (Call::Ask(ask @ Ask::Claim(token)), Reply::Redis(RedisReply::Claimed(seq, frame))) => {
                self.has_claimed(now, token, seq, frame);
                self.elected(now, ask, sent, Ok(Answer::Claimed));
            }
            (Call::Ask(ask), Reply::Redis(RedisReply::Stale(token))) => {
                self.elected(now, ask, sent, Ok(Answer::Fenced(token)));
            }
            (Call::Claim(token), Reply::Redis(RedisReply::Claimed(seq, frame))) => {
                self.has_claimed(now, token, seq, frame);
                self.beat_at = now;
            }
            (_, Reply::Redis(RedisReply::Stale(token))) => self.console.elect(now, Event::Outranked(token)),
            (Call::Beat, Reply::Redis(_)) => self.redis_fails = false,
            (Call::Time, Reply::Redis(RedisReply::Time(run, reading))) => {
                self.reference.follow(&run.to_string());
                let reference = Moment::from_unix_nanos(reading);
                self.sample_at = self.reference.sample(Sample { sent, reference, received: now });
                if self.leads.is_none() {
                    self.redis_fails = false;
                }
            }
            (Call::Fetch | Call::State, Reply::Redis(RedisReply::Text(Some(line))))
            | (Call::Fetch, Reply::Etcd(Ok(EtcdReply::Text(Some(line))))) => self.read(now, &line),
            _ => {}
        }
        self.step(now);
    }

    fn has_claimed(&mut self, now: Moment, token: Token, seq: u64, frame: Option<String>) {
        (self.claimed, self.redis_fails) = (Some(token), false);
        self.seq_floor = self.seq_floor.max(seq);
        if !std::mem::replace(&mut self.resumed, true) {
            self.resume(now, frame);
        }
    }

    /// Who leads without ever having followed goes on from what the leader before it said last.
    fn resume(&mut self, now: Moment, frame: Option<String>) {
        let Some(message) = frame.and_then(|frame| Message::read(&frame).ok()) else { return };
        let Some(mapping) = self.reference.reads(&message.head) else { return };
        let Said::Beat { beat, .. } = message.on_clock(|moment| mapping.to_local(moment)).said else { return };
        let Some(turn) = beat.turns.iter().rev().find(|turn| turn.show_at <= now) else { return };
        let current =
            Current { seq: beat.seq, item: turn.item.clone(), show_at: turn.show_at, dwell: turn.dwell, fence: 0 };
        self.kernel.handle(now, Input::Snapshot(Box::new(Snapshot { current, board: BoardSnapshot::default() })));
    }

    /// The subscription is new: what was said before is read.
    pub(crate) fn subscribed(&mut self, now: Moment) {
        self.redis(now, Call::State, RedisOp::GetState);
        self.step(now);
    }

    /// Takes what the watch told; `None`: the watch is broken.
    pub(crate) fn watched(&mut self, now: Moment, told: Option<Told>) {
        match told {
            Some(Told::Leader(holder)) => self.console.elect(now, Event::Watched(holder)),
            Some(Told::Frame(line)) => self.heard(now, &line, true),
            None => self.console.elect(now, Event::Watching(false)),
        }
        self.step(now);
    }

    pub(crate) fn watching(&mut self, now: Moment) {
        self.console.elect(now, Event::Watching(true));
        self.step(now);
    }

    /// Takes a line from a channel.
    pub(crate) fn hears(&mut self, now: Moment, line: &str) {
        self.heard(now, line, false);
        self.step(now);
    }

    /// Takes what a store has kept.
    fn read(&mut self, now: Moment, line: &str) {
        let Ok(message) = Message::read(line) else { return };
        let known = self.reference.reads(&message.head);
        // Turns need the clock; when news were measured is told well enough by one that is about right.
        let is_beat = matches!(message.said, Said::Beat { .. });
        let Some(mapping) = known.or((!is_beat).then(Mapping::default)) else { return };
        let message = message.on_clock(|moment| mapping.to_local(moment));
        self.takes(now, message, self.by_etcd);
    }

    /// Takes what a channel says now.
    fn heard(&mut self, now: Moment, line: &str, by_etcd: bool) {
        let Ok(message) = Message::read(line) else { return };
        let Some(mapping) = self.reference.hears(now, &message.head) else { return };
        self.exact = self.reference.is_shared(&message.head) && message.head.clock.starts_with("server:");
        let on_arrival = self.breaks == Some(Break::ShowsOnArrival);
        let late = if on_arrival { now.since(mapping.to_local(message.head.at)) } else { Span::ZERO };
        let message = message.on_clock(|moment| mapping.to_local(moment) + late);
        self.takes(now, message, by_etcd);
    }

    fn takes(&mut self, now: Moment, message: Message, by_etcd: bool) {
        if let Err(ignored) = self.console.hear(now, &message) {
            let takes = self.breaks == Some(Break::TakesDeposed) && matches!(ignored, Ignored::Deposed(_));
            if ignored != Ignored::Own && ignored != Ignored::Old {
                self.note(Note::Ignores(ignored));
            }
            if !takes {
                return;
            }
        }
        self.acts_as(now);
        match message.said {
            Said::Beat { number, beat, .. } => {
                self.note(Note::Takes(message.head.token, number));
                self.resumed = true;
                (self.heard_mark, self.by_etcd) = (Some(beat.mark), by_etcd);
                self.kernel.handle(now, Input::Beat(Box::new(beat)));
            }
            Said::Board { mirror, .. } => self.kernel.handle(now, Input::Mirror(Box::new(mirror))),
            Said::News(items) => self.kernel.handle(now, Input::News(items)),
            // Who is there is no matter of the protocol.
            Said::Consoles(_) => {}
        }
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
fn begun(now: Moment) -> Kernel {
    let mut kernel = Kernel::new(now, "Line 3", "System initializing…");
    kernel.handle(now, Input::Role(Role::Follower(Fence(0))));
    kernel.handle(now, Input::Lead(LEAD_TIME));
    kernel.handle(now, Input::Board(Box::new(plant::board())));
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
