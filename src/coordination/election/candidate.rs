//! One candidate for the lead: grant, campaign, claim, confirm, lead, and stand down in time.
//!
//! The rules are those of the protocol: a leader acts only as long as its last acknowledged renewal,
//! counted from when that was *sent*, is younger than the lease less the margin; an unknown outcome is
//! read back and never assumed; whoever doubts falls silent first and asks then. Deliberately no
//! network, no store and no clock.

use std::collections::VecDeque;

use super::{Answer, Ask, Event, Holder, Missed, Standing};
use crate::config::LeaseConfig;
use crate::coordination::Token;
use crate::kernel::{Moment, Span};

/// Without a watch that is known to work, who leads is looked up this often (reliability 2.3.10).
const LOOK_EVERY: Span = Span::from_millis(500);

/// With a watch that works, this often: against what nobody thought of.
const LOOK_SELDOM: Span = Span::from_secs(5);

/// How long a candidate waits after a question that failed.
const RETRY: Span = Span::from_millis(250);

/// A renewal that failed is tried again this soon: each counts.
const RENEW_AGAIN: Span = Span::from_millis(50);

/// Candidates that hear of a vacancy at once wait up to so long, each its own time.
const JITTER_MAX: Span = Span::from_millis(50);

/// A lease of our own.
#[derive(Clone, Copy, Debug)]
struct Lease {
    id: i64,
    /// Until when a leader may act by it.
    until: Moment,
    renew_at: Moment,
    renewing: bool,
}

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
    /// The highest token that the store or a frame has shown: our epoch must not be below.
    highest: Token,
    watching: bool,
    /// When it last heard from the elector.
    answered: Option<Moment>,
    look_at: Moment,
    looking: bool,
    asked: Option<Ask>,
    /// When it heard that it had won: what was looked up before is of another time.
    won_at: Moment,
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
            answered: None,
            look_at: now,
            looking: false,
            asked: None,
            won_at: now,
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

    /// The token of who leads, as far as the elector has told.
    #[must_use]
    pub fn elected(&self) -> Option<Token> {
        let rev = self.holder.as_ref()?.rev;
        self.epoch.map(|epoch| Token { epoch, rev })
    }

    /// The lease that a leadership is bound to.
    #[must_use]
    pub fn lease(&self) -> Option<i64> {
        self.lease.map(|lease| lease.id)
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
        let renew = self.lease.filter(|lease| !lease.renewing).map(|lease| lease.renew_at);
        let deadline = self.lease.filter(|_| matches!(self.place, Place::Leads(_))).map(|lease| lease.until);
        let campaign = self.campaign_at.filter(|_| self.place == Place::Watches);
        [look, renew, deadline, campaign].into_iter().flatten().min()
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Moment, event: Event) {
        if self.place == Place::Resigned {
            return;
        }
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
            Event::Admitted(admitted) => {
                self.admitted = admitted;
                self.stand(now);
            }
            Event::Outranked(token) => self.outranked(now, token),
            Event::Resign => self.resign(),
        }
        self.wake(now);
    }

    fn wake(&mut self, now: Moment) {
        if let Place::Leads(token) = self.place
            && !self.may_act(now)
        {
            self.place = Place::Suspended(token);
        }
        if let Some(lease) = self.lease.as_mut().filter(|lease| !lease.renewing && lease.renew_at <= now) {
            lease.renewing = true;
            self.asks.push_back(Ask::KeepAlive(lease.id));
        }
        if self.place == Place::Watches && self.campaign_at.is_some_and(|at| at <= now) {
            self.campaign_at = None;
            self.place = Place::Grants;
            self.ask(Ask::Grant);
        }
        if !self.looking && self.look_at <= now && self.place != Place::Resigned {
            self.look();
        }
    }

    fn may_act(&self, now: Moment) -> bool {
        self.lease.is_some_and(|lease| now < lease.until)
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

    fn answered_to(&mut self, now: Moment, ask: Ask, sent: Moment, answer: Result<Answer, Missed>) {
        if answer.is_ok() && !matches!(ask, Ask::StoredEpoch | Ask::Claim(_)) {
            self.answered = Some(now);
        }
        match ask {
            Ask::KeepAlive(id) => return self.renewed(now, id, sent, &answer),
            Ask::Look => return self.looked(now, sent, answer),
            // What comes back to a question that is not ours any more changes nothing, but leaves no lease behind.
            _ if self.asked != Some(ask) => {
                if let Ok(Answer::Granted { lease, .. }) = answer {
                    self.asks.push_back(Ask::Revoke(lease));
                }
                return;
            }
            _ => self.asked = None,
        }
        match (self.place, answer) {
            (Place::Grants, Ok(Answer::Granted { lease, ttl })) => self.granted(now, sent, lease, ttl),
            (Place::Campaigns, Ok(Answer::Won { rev, epoch })) => self.won(now, rev, epoch),
            (Place::Campaigns, Ok(Answer::Seen { holder, epoch })) => self.beaten(now, holder, epoch),
            // Whether it was done has to be read back.
            (Place::Campaigns, Err(Missed::Unknown)) => self.look(),
            (Place::Dates { .. }, Ok(Answer::Stored(epoch))) => {
                let to = epoch.max(self.highest.epoch) + 1;
                self.ask(Ask::Raise { from: self.epoch, to });
            }
            (Place::Dates { rev }, Ok(Answer::Raised(true))) => {
                if let Ask::Raise { to, .. } = ask {
                    self.epoch = Some(to);
                    self.claim(Token { epoch: to, rev });
                }
            }
            (Place::Dates { .. }, Ok(Answer::Raised(false)) | Err(_)) => {
                self.look_at = if matches!(ask, Ask::Raise { .. }) { now } else { now + RETRY };
            }
            (Place::Claims(token), Ok(Answer::Claimed)) => {
                self.place = Place::Confirms(token);
                self.look_at = now;
            }
            (Place::Claims(_), Ok(Answer::Fenced(stored))) => self.outranked(now, stored),
            (Place::Claims(token), Err(_)) => self.claim(token),
            (Place::Grants | Place::Campaigns, _) => self.step_down(now, self.lease.is_some()),
            _ => {}
        }
    }

    fn granted(&mut self, now: Moment, sent: Moment, id: i64, ttl: Span) {
        let until = sent + ttl.saturating_sub(self.numbers.margin);
        self.lease = Some(Lease { id, until, renew_at: sent + self.numbers.renew, renewing: false });
        if now < until {
            self.place = Place::Campaigns;
            self.ask(Ask::Campaign(id));
        } else {
            self.step_down(now, true);
        }
    }

    fn won(&mut self, now: Moment, rev: u64, epoch: Option<u64>) {
        if self.place == Place::Campaigns {
            self.won_at = now;
        }
        self.holder = None;
        self.is_vacant = false;
        self.epoch = epoch;
        match epoch.filter(|epoch| Token { epoch: *epoch, rev } >= self.highest) {
            Some(epoch) => self.claim(Token { epoch, rev }),
            None => {
                self.place = Place::Dates { rev };
                self.ask(Ask::StoredEpoch);
            }
        }
    }

    fn claim(&mut self, token: Token) {
        self.place = Place::Claims(token);
        self.ask(Ask::Claim(token));
    }

    fn beaten(&mut self, now: Moment, holder: Option<Holder>, epoch: Option<u64>) {
        match holder {
            // The first try was done although nobody heard of it.
            Some(holder) if self.lease() == Some(holder.lease) => self.won(now, holder.rev, epoch),
            holder => {
                self.epoch = epoch;
                self.step_down(now, true);
                self.sees(now, holder);
            }
        }
    }

    fn renewed(&mut self, now: Moment, id: i64, sent: Moment, answer: &Result<Answer, Missed>) {
        let Some(lease) = self.lease.as_mut().filter(|lease| lease.id == id) else { return };
        lease.renewing = false;
        match answer {
            Ok(Answer::Alive(ttl)) if ttl.is_zero() => self.step_down(now, false),
            Ok(Answer::Alive(ttl)) => {
                lease.until = lease.until.max(sent + ttl.saturating_sub(self.numbers.margin));
                lease.renew_at = sent + self.numbers.renew;
                if let Place::Suspended(token) = self.place
                    && self.may_act(now)
                {
                    self.place = Place::Confirms(token);
                    self.look_at = now;
                }
            }
            _ => lease.renew_at = now + RENEW_AGAIN,
        }
    }

    fn looked(&mut self, now: Moment, sent: Moment, answer: Result<Answer, Missed>) {
        self.looking = false;
        if sent < self.won_at && !matches!(self.place, Place::Watches | Place::Grants) {
            self.look_at = now;
            return;
        }
        let settled = matches!(self.place, Place::Watches | Place::Leads(_)) && self.watching;
        self.look_at = now + if settled { LOOK_SELDOM } else { LOOK_EVERY };
        let Ok(Answer::Seen { holder, epoch }) = answer else {
            self.look_at = now + RETRY.min(LOOK_EVERY);
            return;
        };
        let ours = holder.as_ref().is_some_and(|holder| self.lease() == Some(holder.lease));
        let rev = holder.as_ref().map_or(0, |holder| holder.rev);
        self.epoch = epoch;
        match self.place {
            Place::Campaigns if self.asked.is_none() && ours => self.won(now, rev, epoch),
            Place::Campaigns if self.asked.is_none() && holder.is_none() => {
                if let Some(lease) = self.lease() {
                    self.ask(Ask::Campaign(lease));
                }
            }
            Place::Dates { rev: own } if ours && rev == own => {
                if self.asked.is_none() {
                    self.won(now, rev, epoch);
                }
            }
            Place::Confirms(token) if ours && rev == token.rev && epoch == Some(token.epoch) => {
                if self.may_act(now) {
                    self.place = Place::Leads(token);
                } else {
                    self.place = Place::Suspended(token);
                }
            }
            // Another history, or an epoch that somebody took away: the key is ours, the token is not.
            Place::Confirms(token) | Place::Leads(token) if ours && rev == token.rev => {
                if epoch != Some(token.epoch) {
                    self.won(now, rev, epoch);
                }
            }
            _ => self.sees(now, holder),
        }
    }

    /// Takes up what the watch told, which may be older than what is known: who leads falls silent and looks.
    fn watched(&mut self, now: Moment, holder: Option<Holder>) {
        if self.place == Place::Watches {
            return self.sees(now, holder);
        }
        let ours = holder.as_ref().is_some_and(|holder| self.lease() == Some(holder.lease));
        if !ours {
            if let Place::Leads(token) = self.place {
                self.place = Place::Confirms(token);
            }
            self.look_at = now;
        }
    }

    /// Takes up who leads, as a look told it.
    fn sees(&mut self, now: Moment, holder: Option<Holder>) {
        let ours = holder.as_ref().is_some_and(|holder| self.lease() == Some(holder.lease));
        match self.place {
            Place::Watches => {
                self.is_vacant = holder.is_none();
                self.holder = holder;
                self.stand(now);
            }
            Place::Grants | Place::Campaigns | Place::Resigned => {}
            _ if ours => {}
            _ => {
                self.step_down(now, true);
                self.sees(now, holder);
            }
        }
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
        let own = match self.place {
            Place::Claims(own) | Place::Confirms(own) | Place::Leads(own) | Place::Suspended(own) => own,
            _ => return,
        };
        if token > own {
            // If the key is still ours this is another history, and the next epoch comes after it.
            self.place = Place::Dates { rev: own.rev };
            self.asked = None;
            self.look_at = now;
        }
    }

    fn step_down(&mut self, now: Moment, lives: bool) {
        if let Some(lease) = self.lease.take()
            && lives
        {
            self.asks.push_back(Ask::Revoke(lease.id));
        }
        self.place = Place::Watches;
        self.asked = None;
        (self.holder, self.is_vacant, self.campaign_at) = (None, false, None);
        self.look_at = now + RETRY;
    }

    fn resign(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.asks.push_back(Ask::Revoke(lease.id));
        }
        self.place = Place::Resigned;
    }
}
