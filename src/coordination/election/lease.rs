//! A lease of our own, and how long its holder may act by it.
//!
//! The deadline counts from when the last acknowledged renewal was *sent*, never from when its answer
//! came: the answer may have been on its way for as long as the lease lives.

use crate::config::LeaseConfig;
use crate::kernel::{Moment, Span};

/// A renewal that failed is tried again this soon: each counts.
const RENEW_AGAIN: Span = Span::from_millis(50);

/// A lease that the elector granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    pub(super) id: i64,
    numbers: LeaseConfig,
    until: Moment,
    renew_at: Moment,
    renewing: bool,
}

impl Lease {
    /// What was granted for `ttl` to a question that was sent at `sent`. The time that counts is the
    /// granted one, which may be more than was asked.
    pub(super) fn granted(id: i64, numbers: LeaseConfig, sent: Moment, ttl: Span) -> Self {
        let until = sent + ttl.saturating_sub(numbers.margin);
        Self { id, numbers, until, renew_at: sent + numbers.renew, renewing: false }
    }

    /// Whether its holder may act at `now`.
    pub(super) fn may_act(&self, now: Moment) -> bool {
        now < self.until
    }

    /// When its holder has to be silent if it is not renewed.
    pub(super) const fn until(&self) -> Moment {
        self.until
    }

    /// When it is to be renewed; `None`: that is under way.
    pub(super) fn renew_at(&self) -> Option<Moment> {
        (!self.renewing).then_some(self.renew_at)
    }

    /// Whether it is time to renew it, told once.
    pub(super) fn is_due(&mut self, now: Moment) -> bool {
        let due = self.renew_at().is_some_and(|at| at <= now);
        self.renewing |= due;
        due
    }

    /// It lives for `ttl` from `sent`. A late answer never takes away what a later question won.
    pub(super) fn renewed(&mut self, sent: Moment, ttl: Span) {
        self.renewing = false;
        self.until = self.until.max(sent + ttl.saturating_sub(self.numbers.margin));
        self.renew_at = sent + self.numbers.renew;
    }

    /// Nobody knows whether it was renewed.
    pub(super) fn missed(&mut self, now: Moment) {
        self.renewing = false;
        self.renew_at = now + RENEW_AGAIN;
    }
}
