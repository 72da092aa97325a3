//! What an answer of the elector or the store means for a candidate.
//!
//! Deliberately no word of when to ask again but after a failure; the rest of time is `candidate.rs`.

use super::{Candidate, LOOK_EVERY, LOOK_SELDOM, Place, RETRY};
use crate::coordination::Token;
use crate::coordination::election::lease::Lease;
use crate::coordination::election::{Answer, Ask, Holder, Missed};
use crate::kernel::{Moment, Span};

impl Candidate {
    pub(super) fn answered_to(&mut self, now: Moment, ask: Ask, sent: Moment, answer: Result<Answer, Missed>) {
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
            // Whether it was done has to be read back, and not by what was asked before.
            (Place::Campaigns, Err(Missed::Unknown)) => self.doubt(now),
            (Place::Dates { .. }, Ok(Answer::Stored(epoch))) => {
                let to = epoch.max(self.highest.epoch).max(self.epoch.unwrap_or(0)).saturating_add(1);
                self.ask(Ask::Raise { from: self.epoch, to: to.min(Token::EPOCH_MAX) });
            }
            (Place::Dates { rev }, Ok(Answer::Raised(true))) => {
                if let Ask::Raise { to, .. } = ask {
                    self.epoch = Some(to);
                    self.claim(Token { epoch: to, rev });
                }
            }
            // What is there now is read back before the next try.
            (Place::Dates { .. }, Ok(Answer::Raised(false)) | Err(_)) => {
                self.since = now;
                self.look_at = if matches!(ask, Ask::Raise { .. }) { now } else { now + RETRY };
            }
            (Place::Claims(_), Ok(Answer::Fenced(stored))) => self.outranked(now, stored),
            // A store that can't be asked fences nobody: each of its writes is a claim too, once it is back.
            (Place::Claims(token), Ok(Answer::Claimed) | Err(_)) => {
                self.place = Place::Confirms(token);
                self.doubt(now);
            }
            (Place::Grants | Place::Campaigns, _) => self.step_down(now, true),
            _ => {}
        }
    }

    fn granted(&mut self, now: Moment, sent: Moment, id: i64, ttl: Span) {
        let lease = Lease::granted(id, self.numbers, sent, ttl);
        self.lease = Some(lease);
        // The name may have been found to be another's meanwhile.
        if lease.may_act(now) && self.admitted {
            self.place = Place::Campaigns;
            self.ask(Ask::Campaign(id));
        } else {
            self.step_down(now, true);
        }
    }

    /// The key is ours: what comes next is the claim, or an epoch before it where the old one will not do.
    fn won(&mut self, now: Moment, rev: u64, epoch: Option<u64>) {
        self.since = now;
        (self.holder, self.is_vacant, self.campaign_at) = (None, false, None);
        self.epoch = epoch;
        if let Some(token) = epoch.map(|epoch| Token { epoch, rev }).filter(|token| *token > self.highest) {
            self.claim(token);
        } else {
            self.place = Place::Dates { rev };
            self.ask(Ask::StoredEpoch);
        }
    }

    fn claim(&mut self, token: Token) {
        self.place = Place::Claims(token);
        self.ask(Ask::Claim(token));
    }

    fn beaten(&mut self, now: Moment, holder: Option<Holder>, epoch: Option<u64>) {
        match holder {
            // The first try was done although nobody heard of it.
            Some(holder) if self.is_ours(Some(&holder)) => self.won(now, holder.rev, epoch),
            holder => {
                self.epoch = epoch;
                self.step_down(now, true);
                self.sees(now, holder);
            }
        }
    }

    fn renewed(&mut self, now: Moment, id: i64, sent: Moment, answer: &Result<Answer, Missed>) {
        let Some(lease) = self.lease.as_mut().filter(|lease| lease.id == id) else { return };
        match answer {
            Ok(Answer::Alive(ttl)) if ttl.is_zero() => {
                self.step_down(now, false);
                self.look_at = now;
            }
            Ok(Answer::Alive(ttl)) => {
                lease.renewed(sent, *ttl);
                if let Place::Suspended(token) = self.place
                    && self.may_act(now)
                {
                    self.place = Place::Confirms(token);
                    self.doubt(now);
                }
            }
            _ => lease.missed(now),
        }
    }

    fn looked(&mut self, now: Moment, sent: Moment, answer: Result<Answer, Missed>) {
        self.looking = false;
        if sent < self.since {
            self.look_at = now;
            return;
        }
        let Ok(Answer::Seen { holder, epoch }) = answer else {
            self.look_at = now + RETRY;
            return;
        };
        let settled = matches!(self.place, Place::Watches | Place::Leads(_)) && self.is_told();
        self.look_at = now + if settled { LOOK_SELDOM } else { LOOK_EVERY };
        self.epoch = epoch;
        let own = match self.place {
            Place::Resigned | Place::Grants => return,
            Place::Watches => return self.sees(now, holder),
            Place::Campaigns => return self.read_back(now, holder, epoch),
            Place::Dates { rev } => rev,
            Place::Claims(token) | Place::Confirms(token) | Place::Leads(token) | Place::Suspended(token) => token.rev,
        };
        let Some(holder) = holder.as_ref().filter(|holder| self.is_ours(Some(holder))) else {
            self.step_down(now, true);
            return self.sees(now, holder);
        };
        match self.place {
            _ if holder.rev != own => self.won(now, holder.rev, epoch),
            Place::Dates { .. } if self.asked.is_none() => self.won(now, holder.rev, epoch),
            // Another history, or an epoch that somebody took away: the key is ours, the token is not.
            Place::Confirms(token) | Place::Leads(token) if epoch != Some(token.epoch) => {
                self.won(now, holder.rev, epoch);
            }
            Place::Confirms(token) if self.may_act(now) => {
                self.place = Place::Leads(token);
                if self.is_told() {
                    self.look_at = now + LOOK_SELDOM;
                }
            }
            Place::Confirms(token) => self.place = Place::Suspended(token),
            _ => {}
        }
    }

    /// Whether a campaign of unknown outcome was done.
    fn read_back(&mut self, now: Moment, holder: Option<Holder>, epoch: Option<u64>) {
        if self.asked.is_some() {
            return;
        }
        match (holder, self.lease()) {
            (None, Some(lease)) if self.admitted => self.ask(Ask::Campaign(lease)),
            (holder, _) => self.beaten(now, holder, epoch),
        }
    }
}
