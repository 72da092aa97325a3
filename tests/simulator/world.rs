//! The world of one seed: its machines, servers and ways, and the queue of what happens next.

use std::collections::BTreeMap;

use marquee::coordination::election::{Answer, Ask, Candidate};
use marquee::kernel::Moment;
use marquee::kernel::board::Level;

use crate::app::{Action, App, Note, Reply};
use crate::breaks::Break;
use crate::chance::Chance;
use crate::check::Check;
use crate::clock::{Clock, MS, SECOND};
use crate::etcd::{Etcd, EtcdOp, EtcdReply, Told};
use crate::faults::Fault;
use crate::network::{Network, Server, Way};
use crate::redis::{Redis, RedisOp, RedisReply};

/// How often the checker looks at what time alone can break, and broken streams are tried again.
const TICK: u64 = 100 * MS;

/// A guardian has so many tries to give the lease back, 100 ms apart.
const GUARDIAN_TRIES: u64 = 10;

/// What happens next.
#[derive(Debug)]
pub(crate) enum Due {
    Tick,
    Wake(usize),
    Fault(Fault),
    NextFault,
    Mend,
    ToEtcd(usize, u64, u64, EtcdOp),
    ToRedis(usize, u64, u64, RedisOp),
    To(usize, u64, Letter),
    Gone(usize, u64),
}

/// What arrives at a process.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    Answer(u64, Reply),
    Line(String),
    Watch(Told),
    WatchLost,
    Watching,
    Subscribed,
}

/// A machine with its console.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) clock: Clock,
    pub(crate) app: Option<App>,
    pub(crate) boot: u64,
    pub(crate) paused: bool,
    /// It has said its last word.
    pub(crate) quits: bool,
    /// It is to be frozen for so long before it hears of its next renewal.
    pub(crate) freezes: Option<u64>,
    stash: Vec<Letter>,
    wake: u64,
    watches: bool,
    listens: bool,
}

impl Machine {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) t: u64,
    pub(crate) chance: Chance,
    seed: u64,
    queue: BTreeMap<(u64, u64), Due>,
    queued: u64,
    pub(crate) machines: Vec<Machine>,
    pub(crate) network: Network,
    pub(crate) etcd: Etcd,
    pub(crate) redis: Redis,
    pub(crate) saved: Option<crate::redis::Kept>,
    pub(crate) check: Check,
    pub(crate) loses: u64,
    breaks: Option<Break>,
}

impl World {
    pub(crate) fn new(
        seed: u64,
        machines: Vec<Machine>,
        network: Network,
        chance: Chance,
        breaks: Option<Break>,
    ) -> Self {
        let mut redis = Redis::new();
        redis.fences = breaks != Some(Break::NoFence);
        let check = Check::new(machines.len());
        Self {
            t: 0,
            chance,
            seed,
            queue: BTreeMap::new(),
            queued: 0,
            machines,
            network,
            etcd: Etcd::new(),
            redis,
            saved: None,
            check,
            loses: 0,
            breaks,
        }
    }

    pub(crate) fn at(&mut self, t: u64, due: Due) {
        self.queued += 1;
        self.queue.insert((t.max(self.t), self.queued), due);
    }

    /// What is next, and goes to the time at which it happens; `None`: nothing before `end`.
    pub(crate) fn next(&mut self, end: u64) -> Option<Due> {
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= end)?;
        let ((t, _), due) = entry.remove_entry();
        self.t = t;
        Some(due)
    }

    /// Whatever was to go wrong yet does not.
    pub(crate) fn forget_faults(&mut self) {
        self.queue.retain(|_, due| !matches!(due, Due::Fault(_) | Due::NextFault));
    }

    pub(crate) fn now(&self, console: usize) -> Moment {
        self.machines[console].clock.reads(self.t)
    }

    pub(crate) fn boot(&mut self, console: usize) {
        let now = self.now(console);
        let seed = self.seed.wrapping_mul(31).wrapping_add(console as u64);
        let machine = &mut self.machines[console];
        machine.boot += 1;
        (machine.paused, machine.quits, machine.watches, machine.listens) = (false, false, false, false);
        machine.stash.clear();
        machine.app = Some(App::new(now, console, machine.boot, seed ^ (machine.boot << 32), self.breaks));
        self.check.booted(self.t, console);
        self.after(console);
    }

    /// Lets a console's process do something, now.
    pub(crate) fn with(&mut self, console: usize, act: impl FnOnce(&mut App, Moment)) {
        let now = self.now(console);
        let Some(app) = self.machines[console].app.as_mut() else { return };
        act(app, now);
        self.after(console);
    }

    /// Carries away what a process wants, and notes when it wants to be woken.
    fn after(&mut self, console: usize) {
        let now = self.now(console);
        let Some(app) = self.machines[console].app.as_mut() else { return };
        let actions = std::mem::take(&mut app.actions);
        let locked = app.exact;
        let wake = app.next_wake(now);
        let boot = self.machines[console].boot;
        for action in actions {
            match action {
                Action::Note(note) => self.noted(console, note, locked),
                Action::Etcd(id, op) => {
                    if let Some(t) = self.sends(console, Server::Etcd) {
                        self.at(t, Due::ToEtcd(console, boot, id, op));
                    }
                }
                Action::Redis(id, op) => {
                    if let Some(t) = self.sends(console, Server::Redis) {
                        self.at(t, Due::ToRedis(console, boot, id, op));
                    }
                }
            }
        }
        let machine = &mut self.machines[console];
        let wake = wake.map_or(u64::MAX, |moment| machine.clock.when(moment).max(self.t + 1_000));
        if std::mem::replace(&mut machine.wake, wake) != wake && wake != u64::MAX {
            self.at(wake, Due::Wake(console));
        }
    }

    fn noted(&mut self, console: usize, note: Note, locked: bool) {
        self.check.note(self.t, console, note, locked);
    }

    fn sends(&mut self, console: usize, server: Server) -> Option<u64> {
        self.network.arrives(self.t, (console, server, Way::There), &mut self.chance)
    }

    fn answers(&mut self, console: usize, boot: u64, server: Server, id: u64, reply: Reply) {
        let lost = self.chance.permille(self.loses);
        let arrival = self.network.arrives(self.t, (console, server, Way::Back), &mut self.chance);
        if let Some(t) = arrival.filter(|_| !lost) {
            self.at(t, Due::To(console, boot, Letter::Answer(id, reply)));
        }
    }

    pub(crate) fn wake(&mut self, console: usize) {
        let machine = &mut self.machines[console];
        if machine.wake == self.t && !machine.paused {
            machine.wake = u64::MAX;
            self.with(console, App::step);
        }
    }

    pub(crate) fn letter(&mut self, console: usize, boot: u64, letter: Letter) {
        let machine = &mut self.machines[console];
        if machine.boot != boot || machine.app.is_none() {
            return;
        }
        if let Letter::Answer(_, Reply::Etcd(Ok(EtcdReply::Answer(Answer::Alive(_))))) = letter
            && let Some(long) = machine.freezes.take().filter(|_| !machine.paused)
        {
            self.freeze(console, long);
        }
        let machine = &mut self.machines[console];
        if machine.paused {
            machine.stash.push(letter);
            return;
        }
        self.with(console, |app, now| match letter {
            Letter::Answer(id, reply) => app.answered(now, id, reply),
            Letter::Line(line) => app.hears(now, &line),
            Letter::Watch(told) => app.watched(now, Some(told)),
            Letter::WatchLost => app.watched(now, None),
            Letter::Watching => app.watching(now),
            Letter::Subscribed => app.subscribed(now),
        });
    }

    pub(crate) fn pause(&mut self, console: usize) {
        if self.machines[console].app.is_some() {
            self.machines[console].paused = true;
            self.check.paused(self.t, console, true);
        }
    }

    fn freeze(&mut self, console: usize, long: u64) {
        self.pause(console);
        self.at(self.t + long, Due::Fault(Fault::Resume(console)));
        for way in [Way::There, Way::Back] {
            self.at(self.t, Due::Fault(Fault::Cut(console, Server::Etcd, way)));
            self.at(self.t + long + 3 * SECOND, Due::Fault(Fault::Heal(console, Server::Etcd, way)));
        }
    }

    pub(crate) fn resume(&mut self, console: usize) {
        if !std::mem::take(&mut self.machines[console].paused) {
            return;
        }
        self.check.paused(self.t, console, false);
        let boot = self.machines[console].boot;
        for letter in std::mem::take(&mut self.machines[console].stash) {
            self.letter(console, boot, letter);
        }
        self.with(console, App::step);
    }

    pub(crate) fn crash(&mut self, console: usize, guarded: bool) {
        let machine = &mut self.machines[console];
        let Some(app) = machine.app.take() else { return };
        machine.paused = false;
        machine.boot += 1;
        let lease = app.console.candidate().and_then(Candidate::lease);
        self.check.died(self.t, console);
        if let Some(lease) = lease.filter(|_| guarded) {
            for attempt in 0..GUARDIAN_TRIES {
                let t = self.t + (1 + attempt * 100) * MS;
                if let Some(arrival) = self.network.arrives(t, (console, Server::Etcd, Way::There), &mut self.chance) {
                    let op = EtcdOp::Ask(Ask::Revoke(lease));
                    self.at(arrival, Due::ToEtcd(console, 0, 0, op));
                    break;
                }
            }
        }
    }

    pub(crate) fn quit(&mut self, console: usize) {
        if self.machines[console].paused {
            return;
        }
        self.with(console, App::quit);
        self.machines[console].quits = true;
        let boot = self.machines[console].boot;
        self.at(self.t + 50 * MS, Due::Gone(console, boot));
    }

    pub(crate) fn to_etcd(&mut self, console: usize, boot: u64, id: u64, op: EtcdOp) {
        let reply = self.etcd.handle(self.t, op);
        self.etcd_tells();
        if let Some(reply) = reply {
            self.answers(console, boot, Server::Etcd, id, Reply::Etcd(reply));
        }
    }

    /// Carries what etcd's watch tells to those who watch.
    pub(crate) fn etcd_tells(&mut self) {
        for told in std::mem::take(&mut self.etcd.told) {
            if let Told::Leader(holder) = &told {
                self.check.log(self.t, None, format!("etcd: the leader is {holder:?}"));
            }
            for console in 0..self.machines.len() {
                let Machine { boot, watches: true, .. } = self.machines[console] else { continue };
                match self.network.streams(self.t, console, Server::Etcd, &mut self.chance) {
                    Some(t) => self.at(t, Due::To(console, boot, Letter::Watch(told.clone()))),
                    None => self.break_watch(console),
                }
            }
        }
    }

    pub(crate) fn break_watch(&mut self, console: usize) {
        if std::mem::take(&mut self.machines[console].watches) {
            let boot = self.machines[console].boot;
            self.at(self.t + 500 * MS, Due::To(console, boot, Letter::WatchLost));
        }
    }

    pub(crate) fn to_redis(&mut self, console: usize, boot: u64, id: u64, op: RedisOp) {
        let written = match &op {
            RedisOp::Publish(token, _, number, _) => Some((*token, *number)),
            RedisOp::Claim(token) => Some((*token, 0)),
            _ => None,
        };
        let reply = self.redis.handle(self.t, op);
        match (written, &reply) {
            (Some((token, number)), Some(RedisReply::Done)) => self.check.accepts(self.t, console, token, number),
            (Some((token, _)), Some(RedisReply::Claimed(..))) => self.check.claims(token),
            _ => {}
        }
        for line in std::mem::take(&mut self.redis.told) {
            for listener in 0..self.machines.len() {
                let Machine { boot, listens: true, .. } = self.machines[listener] else { continue };
                if self.chance.permille(self.loses) {
                    continue;
                }
                if let Some(t) = self.network.streams(self.t, listener, Server::Redis, &mut self.chance) {
                    self.at(t, Due::To(listener, boot, Letter::Line(line.clone())));
                }
            }
        }
        if let Some(reply) = reply {
            self.answers(console, boot, Server::Redis, id, Reply::Redis(reply));
        }
    }

    /// What happens by itself, again and again.
    pub(crate) fn tick(&mut self) {
        self.etcd.expire(self.t);
        self.etcd_tells();
        for console in 0..self.machines.len() {
            if self.machines[console].app.is_none() {
                continue;
            }
            let boot = self.machines[console].boot;
            if !self.machines[console].watches && self.etcd.serves && !self.network.is_cut(console, Server::Etcd) {
                self.machines[console].watches = true;
                let told = Told::Leader(self.etcd.leader().cloned());
                for letter in [Letter::Watching, Letter::Watch(told)] {
                    if let Some(t) = self.network.streams(self.t, console, Server::Etcd, &mut self.chance) {
                        self.at(t, Due::To(console, boot, letter));
                    }
                }
            }
            let up = self.redis.health == crate::redis::Health::Well && !self.network.is_cut(console, Server::Redis);
            if up && !self.machines[console].listens {
                let t = self.network.streams(self.t, console, Server::Redis, &mut self.chance).unwrap_or(self.t);
                self.at(t, Due::To(console, boot, Letter::Subscribed));
            }
            self.machines[console].listens = up;
        }
        self.check.tick(self.t);
        self.at(self.t + TICK, Due::Tick);
    }

    /// Somebody pushes to whoever leads.
    pub(crate) fn alarm(&mut self, calls: bool) {
        let level = if calls { Level::Critical } else { Level::Info };
        for (console, _) in self.check.leaders() {
            self.with(console, |app, now| app.pushed(now, level));
        }
    }

    /// After how long a whole second of it is left.
    pub(crate) const fn seconds(&self) -> u64 {
        self.t / SECOND
    }
}
