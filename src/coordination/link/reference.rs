//! Which clock consoles agree on, and how this one's own clock maps to it.
//!
//! Three ways, best first: the one clock of a machine, where all consoles are on it; the store's
//! clock, disciplined by the servo; and without either the leader's own, estimated from when its
//! beats arrive. The last knows only one direction, so it is late by the shortest way a beat took.
//! A pure state machine, like the servo itself.

use super::wire::Head;
use crate::kernel::beat::{Mapping, Sample, Servo};
use crate::kernel::{Moment, Span};

/// Arrivals that are remembered: half a minute of beats.
const ARRIVALS: usize = 64;

/// Nothing is heard before it was said. Two clocks that follow one server may be so far apart: more the servo
/// takes for another clock, and so does everybody else.
const EARLY_AT_MOST: i64 = 128_000_000;

/// What is heard so much later than it was said was held up on its way; if all of it is, for long, the leader's
/// clock is another one. Later than that a word would come too late for the turn that it has just decided.
const LATE_FROM: i64 = 250_000_000;

/// What is heard so much later was not on its way all the time: a store gives up after 0.3 s, and a connection that
/// stands still after 0.8 s. It piled up while this process slept, or its clock is another one.
const LATE_AT_MOST: i64 = 2_000_000_000;

/// Another clock is believed when it was heard of for so long. What piled up comes all at once.
const CONFIRMED_AFTER: Span = Span::from_millis(250);

/// Where it may as well have been the way, all that was heard has to be late for so long.
const LATE_FOR: Span = Span::from_secs(2);

/// Who has not heard the server's time for so long is on a slow way itself, and blames no leader for it. Four
/// samples of a quiet clock.
const SAMPLED_WITHIN: Span = Span::from_secs(4);

/// As much of a server's name as tells it from the one before it; every beat carries it.
const SERVER_CHARACTERS: usize = 8;

/// How far off a clock may be that is known by arrivals alone: the way of a beat over a bad line.
const ONE_WAY_BOUND: Span = Span::from_millis(70);

/// This console's idea of the reference.
#[derive(Debug)]
pub struct Reference {
    /// The name of this process's own clock.
    own: String,
    /// The clock of the machine, where that is the reference.
    machine: Option<(String, Mapping)>,
    /// The server whose clock the servo follows.
    server: Option<String>,
    servo: Servo,
    /// When the server told the time last.
    sampled: Option<Moment>,
    /// The clock that was heard of last and is none of ours, with how far ahead it seemed at each arrival.
    foreign: String,
    arrivals: Vec<i64>,
    next: usize,
    /// How far ahead of ours a clock seems that does not fit what we know, and since when.
    doubted: Option<(i64, Moment)>,
    /// That of the leader is gone by, although its name is the server's.
    strays: bool,
}

impl Reference {
    /// Of the process called `boot`, on its own clock until it knows better.
    #[must_use]
    pub fn new(boot: &str) -> Self {
        Self {
            own: format!("console:{boot}"),
            machine: None,
            server: None,
            servo: Servo::new(),
            sampled: None,
            foreign: String::new(),
            arrivals: Vec::with_capacity(ARRIVALS),
            next: 0,
            doubted: None,
            strays: false,
        }
    }

    /// All consoles are on one machine, whose clock is called `name`.
    #[must_use]
    pub fn on_machine(mut self, name: &str, mapping: Mapping) -> Self {
        self.machine = Some((format!("machine:{name}"), mapping));
        self
    }

    /// A server tells the time from now on; another than before begins anew.
    pub fn follow(&mut self, server: &str) {
        let name = format!("server:{}", server.get(..SERVER_CHARACTERS).unwrap_or(server));
        if self.server.as_ref() != Some(&name) {
            self.server = Some(name);
            self.servo.restart();
        }
    }

    /// Takes a sample of the server's clock, and says when the next is due.
    pub fn sample(&mut self, sample: Sample) -> Moment {
        let received = sample.received;
        self.sampled = Some(received);
        self.servo.hear(sample);
        self.servo.next_sample(received)
    }

    /// The clock to speak on: its name, and how to get there from our own.
    #[must_use]
    pub fn speaks(&self) -> (&str, Mapping) {
        if let Some((name, mapping)) = &self.machine {
            return (name, *mapping);
        }
        match &self.server {
            Some(name) if self.servo.is_locked() => (name, self.servo.mapping()),
            _ => (&self.own, Mapping::fixed(0)),
        }
    }

    /// How to get to the clock that a message speaks on which a leader said just now; `None`: it speaks on a
    /// clock that we do not know, or can't be the one we know, and another of its words has to confirm that first.
    pub fn hears(&mut self, now: Moment, head: &Head) -> Option<Mapping> {
        let ahead = i128::from(head.at.unix_nanos()) - i128::from(now.unix_nanos());
        let ahead = i64::try_from(ahead).unwrap_or(if ahead > 0 { i64::MAX } else { i64::MIN });
        let (name, mapping) = self.speaks();
        let shared = (name == head.clock).then_some(mapping);
        if shared.is_none() && self.foreign != head.clock {
            self.foreign.clone_from(&head.clock);
            self.arrivals.clear();
            self.doubted = None;
        }
        let expected = shared.map(|mapping| mapping.offset_nanos(now)).or_else(|| self.furthest());
        let early = expected.map(|expected| ahead.saturating_sub(expected));
        let known = |reference: &Self| shared.unwrap_or_else(|| Mapping::fixed(reference.furthest().unwrap_or(0)));
        if early.is_some_and(|early| (-LATE_FROM..=EARLY_AT_MOST).contains(&early)) {
            (self.doubted, self.strays) = (None, false);
            if shared.is_none() {
                self.arrived(ahead);
            }
            return Some(known(self));
        }
        let may_be_late = early.is_some_and(|early| (-LATE_AT_MOST..0).contains(&early));
        let (seemed, since) = self
            .doubted
            .filter(|(seemed, _)| seemed.abs_diff(ahead) < LATE_FROM.unsigned_abs())
            .unwrap_or((ahead, now));
        let seems = seemed.max(ahead);
        self.doubted = Some((seems, since));
        let hears_server = self.sampled.is_some_and(|sampled| now.since(sampled) < SAMPLED_WITHIN);
        let patience = if may_be_late { LATE_FOR } else { CONFIRMED_AFTER };
        let blames = !may_be_late || hears_server || shared.is_none();
        let confirmed = blames && now.since(since) >= patience;
        if confirmed && shared.is_none() {
            // A clock that was set is another clock from then on.
            self.begin(seems);
            self.doubted = None;
        }
        self.strays = confirmed && shared.is_some();
        match (confirmed, may_be_late) {
            (true, _) => Some(Mapping::fixed(seems)),
            (false, true) => Some(known(self)),
            (false, false) => None,
        }
    }

    /// How to get to the clock of a message that a store has kept, which is as old as it says; `None`: that clock
    /// is not known, or not yet.
    #[must_use]
    pub fn reads(&self, head: &Head) -> Option<Mapping> {
        let (name, mapping) = self.speaks();
        if name == head.clock {
            return Some(mapping);
        }
        self.furthest().filter(|_| self.foreign == head.clock).map(Mapping::fixed)
    }

    /// Whether the leader was heard of last on the very clock that this console has.
    #[must_use]
    pub fn is_shared(&self, head: &Head) -> bool {
        self.speaks().0 == head.clock && !self.strays
    }

    fn begin(&mut self, ahead: i64) {
        self.arrivals.clear();
        self.next = 0;
        self.arrived(ahead);
    }

    fn arrived(&mut self, ahead: i64) {
        if self.arrivals.len() < ARRIVALS {
            self.arrivals.push(ahead);
        } else {
            self.arrivals[self.next] = ahead;
            self.next = (self.next + 1) % ARRIVALS;
        }
    }

    /// Every beat arrives late, never early: the one that seemed furthest ahead was late the least.
    fn furthest(&self) -> Option<i64> {
        self.arrivals.iter().copied().max()
    }

    /// How far the reference is ahead of our own clock, and how wrong that may be; zeros for our own.
    #[must_use]
    pub fn error(&self, now: Moment) -> (i64, Span) {
        let (name, mapping) = self.speaks();
        if self.machine.is_some() {
            return (0, Span::ZERO);
        }
        if name != self.own {
            return (mapping.offset_nanos(now), self.servo.bound(now));
        }
        match self.furthest() {
            Some(ahead) => (ahead, ONE_WAY_BOUND),
            None => (0, Span::ZERO),
        }
    }
}
