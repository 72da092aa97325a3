//! The candidate against an elector that is played by the test.

mod losing;
mod winning;

use super::*;
use crate::config::LeaseConfig;

pub(super) const START: Moment = Moment::from_unix_millis(1_000_000_000);

/// The lease that the elector grants unless a test says otherwise.
pub(super) const TTL: Span = Span::from_secs(3);

/// How long the way there and back takes together.
const ROUND_TRIP: Span = Span::from_millis(2);

/// A candidate, and what it has asked.
pub(super) struct Stage {
    pub(super) candidate: Candidate,
    pub(super) now: Moment,
    /// Questions that nobody has answered, and when they were sent.
    pub(super) asked: Vec<(Ask, Moment)>,
}

pub(super) fn ms(count: u64) -> Span {
    Span::from_millis(count)
}

pub(super) fn token(epoch: u64, rev: u64) -> Token {
    Token { epoch, rev }
}

pub(super) fn holder(rev: u64, lease: i64) -> Holder {
    Holder { rev, lease, value: "console".into() }
}

pub(super) fn seen(holder: Option<Holder>, epoch: Option<u64>) -> Result<Answer, Missed> {
    Ok(Answer::Seen { holder, epoch })
}

impl Stage {
    /// A candidate that may stand, and a watch that works.
    pub(super) fn new() -> Self {
        let candidate = Candidate::new(START, LeaseConfig::DEFAULT, 7);
        let mut stage = Self { candidate, now: START, asked: Vec::new() };
        stage.give(Event::Admitted(true));
        stage.give(Event::Watching(true));
        stage
    }

    /// One that leads with this token, by lease 1.
    pub(super) fn leading(rev: u64, epoch: u64) -> Self {
        let mut stage = Self::new();
        stage.answers(Ask::Look, seen(None, Some(epoch)));
        stage.granted(1, TTL);
        stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev, epoch: Some(epoch) }));
        stage.answers(Ask::Claim(token(epoch, rev)), Ok(Answer::Claimed));
        stage.answers(Ask::Look, seen(Some(holder(rev, 1)), Some(epoch)));
        assert_eq!(stage.speaks(), Some(token(epoch, rev)));
        stage
    }

    pub(super) fn give(&mut self, event: Event) {
        self.candidate.handle(self.now, event);
        while let Some(ask) = self.candidate.poll() {
            self.asked.push((ask, self.now));
        }
    }

    /// Lets time pass from one wake-up to the next.
    pub(super) fn pass(&mut self, span: Span) {
        let end = self.now + span;
        while let Some(wake) = self.candidate.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.give(Event::Wake);
        }
        self.now = end;
    }

    /// Passes until this is asked.
    pub(super) fn asks(&mut self, ask: Ask) -> Moment {
        for _ in 0..100 {
            if let Some(place) = self.asked.iter().position(|(known, _)| *known == ask) {
                return self.asked.remove(place).1;
            }
            let wake = self.candidate.next_wake().unwrap_or(self.now);
            self.now = self.now.max(wake);
            self.give(Event::Wake);
        }
        panic!("{ask:?} is not asked, but {:?}", self.asked);
    }

    /// Waits for a question and answers it one round trip later.
    pub(super) fn answers(&mut self, ask: Ask, answer: Result<Answer, Missed>) {
        let sent = self.asks(ask);
        self.now = self.now.max(sent + ROUND_TRIP);
        self.give(Event::Answered { ask, sent, answer });
    }

    pub(super) fn granted(&mut self, lease: i64, ttl: Span) {
        self.answers(Ask::Grant, Ok(Answer::Granted { lease, ttl }));
    }

    pub(super) fn speaks(&self) -> Option<Token> {
        self.candidate.may_speak(self.now)
    }

    pub(super) fn stands(&self) -> Standing {
        self.candidate.standing(self.now)
    }

    /// Whether this was asked and not answered; asked or not, it is forgotten.
    pub(super) fn has_asked(&mut self, ask: Ask) -> bool {
        let place = self.asked.iter().position(|(known, _)| *known == ask);
        place.map(|place| self.asked.remove(place)).is_some()
    }
}
