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

/// A leader whose clock has the same name as ours but stands so far off has found another reference
/// than we have, or not yet: its beats then tell more than the servo.
const PLAUSIBLE: Span = Span::from_secs(2);

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
    /// The clock that was heard of last and is none of ours, with how far ahead it seemed at each arrival.
    foreign: String,
    arrivals: Vec<i64>,
    next: usize,
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
            foreign: String::new(),
            arrivals: Vec::with_capacity(ARRIVALS),
            next: 0,
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

    /// How to get to the clock that a message speaks on, which arrived at `now`.
    pub fn hears(&mut self, now: Moment, head: &Head) -> Mapping {
        let (name, mapping) = self.speaks();
        if name == head.clock {
            let spoken = mapping.to_local(head.at);
            let off = if spoken > now { spoken.since(now) } else { now.since(spoken) };
            if off < PLAUSIBLE {
                return mapping;
            }
        }
        self.arrived(now, head)
    }

    fn arrived(&mut self, now: Moment, head: &Head) -> Mapping {
        if self.foreign != head.clock {
            self.foreign.clone_from(&head.clock);
            self.arrivals.clear();
            self.next = 0;
        }
        let ahead = i128::from(head.at.unix_nanos()) - i128::from(now.unix_nanos());
        let ahead = i64::try_from(ahead).unwrap_or(if ahead > 0 { i64::MAX } else { i64::MIN });
        // A clock that was set is another clock from then on.
        let jumped = self.arrivals.last().is_some_and(|last| last.abs_diff(ahead) > PLAUSIBLE.as_nanos());
        if jumped {
            self.arrivals.clear();
            self.next = 0;
        }
        if self.arrivals.len() < ARRIVALS {
            self.arrivals.push(ahead);
        } else {
            self.arrivals[self.next] = ahead;
            self.next = (self.next + 1) % ARRIVALS;
        }
        // Every beat arrives late, never early: the one that seemed furthest ahead was late the least.
        Mapping::fixed(self.arrivals.iter().copied().max().unwrap_or(0))
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
        match self.arrivals.iter().copied().max() {
            Some(ahead) => (ahead, ONE_WAY_BOUND),
            None => (0, Span::ZERO),
        }
    }
}
