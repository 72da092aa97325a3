//! The world of one seed: its machines, servers and ways, and the queue of what happens next.

mod guardian;
mod servers;

use std::collections::BTreeMap;

use marquee::coordination::election::Answer;
use marquee::kernel::Moment;
use marquee::kernel::board::Level;

use crate::app::{Action, App, Reply};
use crate::breaks::Break;
use crate::chance::Chance;
use crate::check::Check;
use crate::clock::{Clock, MS, SECOND};
use crate::etcd::{Etcd, EtcdOp, EtcdReply, Told};
use crate::faults::Fault;
use crate::network::{Network, Server, Way};
use crate::redis::{Redis, RedisOp};
use guardian::Guardian;

/// How often the checker looks at what time alone can break, and broken streams are tried again.
const TICK: u64 = 100 * MS;

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
    /// A guardian tries, its try arrives, and it hears so.
    Guard(usize),
    GiveBack(usize, i64),
    GivenBack(usize, i64),
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside every other")]
pub(crate) struct Machine {
    pub(crate) clock: Clock,
    pub(crate) app: Option<App>,
    pub(crate) boot: u64,
    /// The number of its console's name.
    pub(crate) name: usize,
    /// Something on its way to etcd answers in its place.
    pub(crate) repeats: bool,
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
    pub(crate) fn new(clock: Clock, name: usize) -> Self {
        Self { clock, name, ..Self::default() }
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
    guardians: Vec<Guardian>,
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
            guardians: Vec::new(),
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

    /// Lets happen what is no fault.
    pub(crate) fn does(&mut self, due: Due) {
        match due {
            Due::Wake(console) => self.wake(console),
            Due::ToEtcd(console, boot, id, op) => self.at_etcd(console, boot, id, op),
            Due::ToRedis(console, boot, id, op) => self.at_redis(console, boot, id, op),
            Due::To(console, boot, letter) => self.letter(console, boot, letter),
            // What it could not give back itself, its guardian does.
            Due::Gone(console, boot) if self.machines[console].boot == boot => self.crash(console, true),
            Due::Guard(number) => self.guard(number),
            Due::GiveBack(number, lease) => self.give_back(number, lease),
            Due::GivenBack(number, lease) => self.given_back(number, lease),
            Due::Gone(..) | Due::Tick | Due::Fault(_) | Due::NextFault | Due::Mend => {}
        }
    }

    /// Looks at what the servers hold.
    pub(crate) fn check_kept(&mut self) {
        for text in self.etcd.texts().chain(self.redis.texts()) {
            self.check.says(self.t, None, text);
        }
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
        machine.app =
            Some(App::new(now, (console, machine.name), machine.boot, seed ^ (machine.boot << 32), self.breaks));
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
                Action::Note(note) => self.check.note(self.t, console, note, locked),
                Action::Etcd(id, op) => {
                    self.check.says(self.t, Some(console), op.text());
                    if let Some(t) = self.sends(console, Server::Etcd) {
                        self.at(t, Due::ToEtcd(console, boot, id, op));
                    }
                }
                Action::Redis(id, op) => {
                    self.check.says(self.t, Some(console), op.text());
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

    pub(crate) fn quit(&mut self, console: usize) {
        if self.machines[console].paused {
            return;
        }
        self.with(console, App::quit);
        self.machines[console].quits = true;
        let boot = self.machines[console].boot;
        self.at(self.t + 50 * MS, Due::Gone(console, boot));
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
        self.guardians_are_done();
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
