//! One candidate for the lead: grant, campaign, claim, confirm, lead, and stand down in time.
//!
//! The rules are those of the protocol: a leader acts only as long as its last acknowledged renewal,
//! counted from when that was *sent*, is younger than the lease less the margin; an unknown outcome is
//! read back and never assumed; whoever doubts falls silent first and asks then. Deliberately no
//! network, no store and no clock. What an answer means is in `answers.rs`.

mod answers;

use std::collections::VecDeque;

use super::lease::Lease;
use super::{Ask, Event, Holder, Standing};
use crate::config::LeaseConfig;
use crate::coordination::Token;
use crate::kernel::{Moment, Span};

/// Without a watch that is known to work, who leads is looked up this often (reliability 2.3.10).
const LOOK_EVERY: Span = Span::from_millis(500);

/// With a watch that works, this often: against what nobody thought of.
const LOOK_SELDOM: Span = Span::from_secs(30);

/// How long a candidate waits after a question that failed.
const RETRY: Span = Span::from_millis(250);

/// Candidates that hear of a vacancy at once wait up to so long, each its own time.
const JITTER_MAX: Span = Span::from_millis(50);

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Watches,
    Grants,
    Campaigns,
    /// It has won, and needs an epoch.
    Dates {
        rev: u64,
    },
    Claims(Token),
    Confirms(Token),
    Leads(Token),
    Suspended(Token),
    Resigned,
}

/// A candidate.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, true or not beside every other")]
pub struct Candidate {
    numbers: LeaseConfig,
    place: Place,
    lease: Option<Lease>,
    admitted: bool,
    /// Who leads, where it is not us; `None` with `is_vacant`: nobody does.
    holder: Option<Holder>,
    is_vacant: bool,
    campaign_at: Option<Moment>,
    epoch: Option<u64>,
    /// The highest token that the store, a frame or the key of a leader has shown: ours must be above it.
    highest: Token,
    watching: bool,
    deaf: bool,
    /// When it last heard from the elector.
    answered: Option<Moment>,
    look_at: Moment,
    looking: bool,
    asked: Option<Ask>,
    /// When it last won, doubted or stood down: what was looked up before is of another time.
    since: Moment,
    seed: u64,
    asks: VecDeque<Ask>,
}

impl Candidate {
    /// A candidate that knows nothing yet. `seed` scatters the candidates.
    #[must_use]
    pub const fn new(now: Moment, numbers: LeaseConfig, seed: u64) -> Self {
        Self {
            numbers,
            place: Place::Watches,
            lease: None,
            admitted: false,
            holder: None,
            is_vacant: false,
            campaign_at: None,
            epoch: None,
            highest: Token { epoch: 0, rev: 0 },
            watching: false,
            deaf: false,
            answered: None,
            look_at: now,
            looking: false,
            asked: None,
            since: now,
            seed,
            asks: VecDeque::new(),
        }
    }

    /// Where it stands at `now`: nobody leads past the deadline, whoever woke too late.
    #[must_use]
    pub fn standing(&self, now: Moment) -> Standing {
        match self.place {
            Place::Leads(token) if self.may_act(now) => Standing::Leads(token),
            Place::Leads(token) | Place::Suspended(token) => Standing::Suspended(token),
            Place::Watches | Place::Resigned => Standing::Follows(self.holder.clone()),
            Place::Grants | Place::Campaigns | Place::Dates { .. } | Place::Claims(_) | Place::Confirms(_) => {
                Standing::Rises
            }
        }
    }

    /// The token to speak with at `now`; `None`: it has to be silent.
    #[must_use]
    pub fn may_speak(&self, now: Moment) -> Option<Token> {
        if let Standing::Leads(token) = self.standing(now) { Some(token) } else { None }
    }

    /// When it last heard from the elector; `None`: never.
    #[must_use]
    pub const fn answered(&self) -> Option<Moment> {
        self.answered
    }

    /// The lease that a leadership is bound to.
    #[must_use]
    pub fn lease(&self) -> Option<i64> {
        self.lease.map(|lease| lease.id)
    }

    /// When it has to be silent as a leader unless its lease is renewed; `None`: it does not lead.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.lease.filter(|_| matches!(self.place, Place::Leads(_))).map(|lease| lease.until())
    }

    /// The next question; it is to be answered, be it by a failure.
    pub fn poll(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    /// When it wants to be woken.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        if self.place == Place::Resigned {
            return None;
        }
        let look = (!self.looking).then_some(self.look_at);
        let renew = self.lease.and_then(|lease| lease.renew_at());
        let deadline = self.deadline();
        let campaign = self.campaign_at.filter(|_| self.place == Place::Watches);
        [look, renew, deadline, campaign].into_iter().flatten().min()
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Moment, event: Event) {
        if self.place == Place::Resigned {
            return;
        }
        // Who woke past the deadline led no more before it heard this.
        self.suspend(now);
        match event {
            Event::Wake => {}
            Event::Answered { ask, sent, answer } => self.answered_to(now, ask, sent, answer),
            Event::Watched(holder) => self.watched(now, holder),
            Event::Watching(watching) => {
                if std::mem::replace(&mut self.watching, watching) != watching {
                    // Whatever happened in between was not told.
                    self.look_at = now;
                }
            }
            Event::Deaf(deaf) => {
                if !std::mem::replace(&mut self.deaf, deaf) && deaf {
                    self.look_at = self.look_at.min(now);
                }
            }
            Event::Admitted(admitted) => {
                self.admitted = admitted;
                self.stand(now);
            }
            Event::Outranked(token) => self.outranked(now, token),
            Event::Resign => return self.resign(),
        }
        self.wake(now);
    }

    fn wake(&mut self, now: Moment) {
        self.suspend(now);
        if let Some(lease) = self.lease.as_mut().filter(|lease| lease.renew_at().is_some())
            && lease.is_due(now)
        {
            self.asks.push_back(Ask::KeepAlive(lease.id));
        }
        if self.place == Place::Watches && self.campaign_at.is_some_and(|at| at <= now) {
            self.campaign_at = None;
            self.place = Place::Grants;
            self.ask(Ask::Grant);
        }
        if !self.looking && self.look_at <= now {
            self.look();
        }
    }

    fn suspend(&mut self, now: Moment) {
        if let Place::Leads(token) = self.place
            && !self.may_act(now)
        {
            self.place = Place::Suspended(token);
        }
    }

    /// Whether a change of who leads would be told without asking.
    const fn is_told(&self) -> bool {
        self.watching && !self.deaf
    }

    fn may_act(&self, now: Moment) -> bool {
        self.lease.is_some_and(|lease| lease.may_act(now))
    }

    fn ask(&mut self, ask: Ask) {
        self.asked = Some(ask);
        self.asks.push_back(ask);
    }

    fn look(&mut self) {
        if !std::mem::replace(&mut self.looking, true) {
            self.asks.push_back(Ask::Look);
        }
    }

    /// Looks as soon as it can; what was looked up until now counts no more.
    fn doubt(&mut self, now: Moment) {
        self.since = now;
        self.look_at = now;
    }

    /// Takes up what the watch told, which may be older than what is known: who leads falls silent and looks.
    fn watched(&mut self, now: Moment, holder: Option<Holder>) {
        if self.place == Place::Watches {
            return self.sees(now, holder);
        }
        if !self.is_ours(holder.as_ref()) {
            if let Place::Leads(token) = self.place {
                self.place = Place::Confirms(token);
            }
            self.doubt(now);
        }
    }

    /// Whether `holder` is this console, by the lease that it has now.
    fn is_ours(&self, holder: Option<&Holder>) -> bool {
        holder.is_some_and(|holder| self.lease() == Some(holder.lease))
    }

    /// Takes up who leads, as one who does not.
    fn sees(&mut self, now: Moment, holder: Option<Holder>) {
        if let Some((holder, epoch)) = holder.as_ref().zip(self.epoch) {
            // An etcd that was restored counts the same revisions once more.
            self.highest = self.highest.max(Token { epoch, rev: holder.rev });
        }
        self.is_vacant = holder.is_none();
        self.holder = holder;
        self.stand(now);
    }

    /// Stands for the lead where nobody has it.
    fn stand(&mut self, now: Moment) {
        if !self.admitted || !self.is_vacant {
            self.campaign_at = None;
        } else if self.campaign_at.is_none() {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.campaign_at = Some(now + Span::from_nanos((self.seed >> 16) % JITTER_MAX.as_nanos()));
        }
    }

    fn outranked(&mut self, now: Moment, token: Token) {
        self.highest = self.highest.max(token);
        let (Place::Claims(own) | Place::Confirms(own) | Place::Leads(own) | Place::Suspended(own)) = self.place else {
            return;
        };
        if token > own {
            let claimed = matches!(self.place, Place::Claims(_));
            // If the key is still ours this is another history, and the next epoch comes after it.
            self.place = Place::Dates { rev: own.rev };
            self.asked = None;
            self.doubt(now);
            if claimed {
                // A store that refuses whatever comes is not asked in a circle.
                self.look_at = now + RETRY;
            }
        }
    }

    /// Leads no more, or never did. A lease that may still live is given back.
    fn step_down(&mut self, now: Moment, lives: bool) {
        if let Some(lease) = self.lease.take()
            && lives
        {
            self.asks.push_back(Ask::Revoke(lease.id));
        }
        self.place = Place::Watches;
        self.asked = None;
        (self.holder, self.is_vacant, self.campaign_at) = (None, false, None);
        self.since = now;
        self.look_at = now + RETRY;
    }

    fn resign(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.asks.push_back(Ask::Revoke(lease.id));
        }
        self.place = Place::Resigned;
    }
}
