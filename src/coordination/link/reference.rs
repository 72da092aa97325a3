//! Which clock consoles agree on, and how this one's own clock maps to it.
//!
//! Three ways, best first: the one clock of a machine, where all consoles are on it; the store's
//! clock, disciplined by the servo; and without either the leader's own, estimated from when its
//! beats arrive. The last knows only one direction, so it is late by the shortest way a beat took.
//! A pure state machine, like the servo itself.

use super::wire::Head;
use crate::config::timing::HORIZON;
use crate::kernel::beat::{Mapping, Sample, Servo};
use crate::kernel::{Moment, Span};

/// Arrivals that are remembered: half a minute of beats.
const ARRIVALS: usize = 64;

/// A leader whose clock has the same name as ours but stands so far off has found another reference
/// than we have, or not yet: its beats then tell more than the servo.
const PLAUSIBLE: Span = Span::from_secs(2);

/// Two words in a row that are behind by the same, within this, tell of a clock that was set back: half of a
/// beat, by which words that were held up catch up.
const SET_BACK_WITHIN: Span = Span::from_millis(250);

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
    /// How far ahead the last word seemed, where that was so far behind that its clock may have been set back.
    suspect: Option<i64>,
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
            suspect: None,
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
        let name = format!("server:{server}");
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
            // What was held up on its way is old, and its clock is right all the same.
            if spoken.since(now) < PLAUSIBLE && now.since(spoken) < HORIZON {
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
            self.suspect = None;
        }
        let ahead = i128::from(head.at.unix_nanos()) - i128::from(now.unix_nanos());
        let ahead = i64::try_from(ahead).unwrap_or(if ahead > 0 { i64::MAX } else { i64::MIN });
        // A clock that was set is another clock from then on. One that was set back differs from words that
        // were held up on their way by the next ones: those catch up, the clock stays as far behind.
        let known = self.arrivals.iter().copied().max();
        let behind = known.filter(|known| *known > ahead && known.abs_diff(ahead) > PLAUSIBLE.as_nanos());
        if let Some(known) = behind {
            let before = self.suspect.replace(ahead);
            if before.is_none_or(|before| before.abs_diff(ahead) > SET_BACK_WITHIN.as_nanos()) {
                return Mapping::fixed(known);
            }
        }
        self.suspect = None;
        if behind.is_some() || known.is_some_and(|known| known.abs_diff(ahead) > PLAUSIBLE.as_nanos()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::Token;
    use crate::frame::Safe;

    fn head(clock: &str, at: Moment) -> Head {
        Head {
            board: "hall".into(),
            console: Safe::line("hall-1"),
            boot: "1".into(),
            token: Token { epoch: 1, rev: 1 },
            at,
            clock: clock.into(),
        }
    }

    fn at(millis: u64) -> Moment {
        Moment::from_unix_nanos(1_000_000_000_000) + Span::from_millis(millis)
    }

    /// What a moment on the heard clock is on ours, as the word tells that arrived at `now`.
    fn local(reference: &mut Reference, now: Moment, clock: &str, spoken: Moment) -> i128 {
        let mapping = reference.hears(now, &head(clock, spoken));
        i128::from(mapping.to_local(spoken).unix_nanos()) - i128::from(spoken.unix_nanos())
    }

    #[test]
    fn words_that_were_held_up_move_no_clock() {
        let mut reference = Reference::new("2");
        reference.follow("redis");
        for number in 0..40 {
            let sent = at(number * 20);
            reference.sample(Sample { sent, reference: sent, received: sent });
        }
        assert_eq!(reference.speaks().0, "server:redis");
        for name in ["server:redis", "console:1"] {
            let mut now = 1_000;
            let step = local(&mut reference, at(now), name, at(now));
            assert_eq!(step, 0);
            // Nothing for five seconds, and then all of it at once.
            now += 5_000;
            for late in (0..=10).rev() {
                let spoken = at(now - late * 500);
                assert_eq!(local(&mut reference, at(now), name, spoken), 0, "{name} {late}");
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_is_known_by_its_second_word() {
        for apart in [-7_200_000_i64, -3_000, 3_000, 3_600_000] {
            let mut reference = Reference::new("2");
            let clock = |now: u64| at((10_000_000_i64 + i64::try_from(now).unwrap() + apart).unsigned_abs());
            local(&mut reference, at(0), "console:1", at(10_000_000));
            local(&mut reference, at(500), "console:1", clock(500));
            let mapping = reference.hears(at(1_000), &head("console:1", clock(1_000)));
            assert_eq!(mapping.to_local(clock(1_000)), at(1_000), "{apart}");
        }
    }
}
