//! The lease of a leader in etcd: its four numbers, and what has to hold among them.
//!
//! Deliberately pure: how a lease is held is the election's business, how its keys are read that of
//! `cluster.rs`. What does not hold is told with its values, for a bare "invalid" leaves an operator guessing.

use super::duration::duration_text;
use super::timing::{
    ATTEMPTS_PER_RENEWAL, CLOCK_RATE_PERCENT, LEASE_ATTEMPT, LEASE_MARGIN, LEASE_PART_MIN, LEASE_TTL, LEASE_TTL_MAX,
    LEASE_TTL_MIN, PAUSE, RENEWALS_PER_LEASE, STORE_OPERATION,
};
use crate::kernel::Span;

/// How a leader's place is held: the numbers of `lease:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseConfig {
    /// How long the place is kept without a renewal; whole seconds, as etcd counts them.
    pub ttl: Span,
    /// From one renewal to the next.
    pub renew: Span,
    /// How long one try at one endpoint may take.
    pub attempt: Span,
    /// How long before the lease's end the leader stops acting.
    pub margin: Span,
}

/// Something that does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// The keys that it is about, the one most likely meant first.
    pub(super) keys: &'static [&'static str],
    /// What, with its values.
    pub(super) message: String,
    /// What to change.
    pub(super) help: String,
}

impl Default for LeaseConfig {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl LeaseConfig {
    /// The lease of a config that says nothing of it.
    pub const DEFAULT: Self = Self {
        ttl: LEASE_TTL,
        renew: Span::from_nanos(LEASE_TTL.as_nanos() / RENEWALS_PER_LEASE),
        attempt: LEASE_ATTEMPT,
        margin: LEASE_MARGIN,
    };

    /// The period of renewals where none is written.
    #[must_use]
    pub fn renew_of(ttl: Span) -> Span {
        ttl / RENEWALS_PER_LEASE
    }

    /// How long after the sending of the last renewal that was answered the leader may act.
    #[must_use]
    pub const fn deadline(&self) -> Span {
        self.ttl.saturating_sub(self.margin)
    }

    /// Whether a lease of these numbers keeps its promise.
    ///
    /// # Errors
    /// Each rule that does not hold, with its values and what to change.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let broken = self.broken();
        if broken.is_empty() {
            return Ok(());
        }
        Err(broken.into_iter().map(|Broken { message, help, .. }| format!("{message}; {help}")).collect())
    }

    /// The rules that do not hold.
    pub(super) fn broken(&self) -> Vec<Broken> {
        if let Some(broken) = self.bad_ttl() {
            // What follows from a life that no lease can have is no news.
            return vec![broken];
        }
        self.short_margin().into_iter().chain(self.late_renewal()).collect()
    }

    fn bad_ttl(&self) -> Option<Broken> {
        let told = duration_text(self.ttl);
        let message = if self.ttl < LEASE_TTL_MIN || self.ttl > LEASE_TTL_MAX {
            let (min, max) = (duration_text(LEASE_TTL_MIN), duration_text(LEASE_TTL_MAX));
            format!("`{told}` is out of range: `ttl` is {min} to {max}")
        } else if self.ttl == Span::from_secs(self.ttl.as_secs()) {
            return None;
        } else {
            format!("`{told}` is no whole number of seconds, and etcd counts a lease in those")
        };
        let help = format!("write for example `ttl: {}`", duration_text(LEASE_TTL));
        Some(Broken { keys: &["ttl"], message, help })
    }

    /// The next leader may speak when the lease ends: until then this one has to be silent, by whatever clock.
    fn short_margin(&self) -> Option<Broken> {
        let least = self.ttl * CLOCK_RATE_PERCENT / 100 + PAUSE + STORE_OPERATION;
        if self.margin >= least {
            return None;
        }
        let message = format!(
            "margin >= {CLOCK_RATE_PERCENT} % of ttl + {} + {} does not hold: {} < {CLOCK_RATE_PERCENT} % of {} + {} + {} = {}",
            exact(PAUSE),
            exact(STORE_OPERATION),
            exact(self.margin),
            exact(self.ttl),
            exact(PAUSE),
            exact(STORE_OPERATION),
            exact(least),
        );
        Some(Broken { keys: &["margin", "ttl"], message, help: format!("write `margin: {}`", duration_text(least)) })
    }

    /// Each endpoint has to get its try between one renewal and the deadline.
    fn late_renewal(&self) -> Option<Broken> {
        let tries = self.attempt * ATTEMPTS_PER_RENEWAL;
        if self.margin < self.ttl && self.renew + tries <= self.deadline() {
            return None;
        }
        let message = format!(
            "renew + {ATTEMPTS_PER_RENEWAL} x attempt <= ttl - margin does not hold: \
             {} + {ATTEMPTS_PER_RENEWAL} x {} = {} > {} - {} = {}",
            exact(self.renew),
            exact(self.attempt),
            exact(self.renew + tries),
            exact(self.ttl),
            exact(self.margin),
            exact(self.deadline()),
        );
        let room = self.deadline().saturating_sub(self.renew) / ATTEMPTS_PER_RENEWAL;
        let shorter = Span::from_millis(room.as_millis());
        let shorter = (shorter >= LEASE_PART_MIN).then(|| format!("`attempt: {}` or less", duration_text(shorter)));
        let longer = self.longer().map(|ttl| format!("`ttl: {}` or more", duration_text(ttl)));
        let ways: Vec<String> = shorter.into_iter().chain(longer).collect();
        let help = if ways.is_empty() {
            "write a shorter `renew` or `margin`".to_owned()
        } else {
            format!("write {}", ways.join(", or "))
        };
        let keys: &[&str] = if self.renew > tries {
            &["renew", "attempt", "ttl", "margin"]
        } else {
            &["attempt", "renew", "ttl", "margin"]
        };
        Some(Broken { keys, message, help })
    }

    /// The shortest life that the other three allow.
    fn longer(&self) -> Option<Span> {
        let follows = self.renew == Self::renew_of(self.ttl);
        (LEASE_TTL_MIN.as_secs()..=LEASE_TTL_MAX.as_secs()).map(Span::from_secs).find(|ttl| {
            let renew = if follows { Self::renew_of(*ttl) } else { self.renew };
            self.margin < *ttl && renew + self.attempt * ATTEMPTS_PER_RENEWAL <= ttl.saturating_sub(self.margin)
        })
    }
}

/// A span with its fraction, as sums are told: `2.4s`, `750ms`.
fn exact(span: Span) -> String {
    let millis = span.as_millis();
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let told = format!("{}.{:03}", millis / 1_000, millis % 1_000);
    format!("{}s", told.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::parse_duration;

    fn lease(ttl: u64, renew: u64, attempt: u64, margin: u64) -> LeaseConfig {
        let [ttl, renew, attempt, margin] = [ttl, renew, attempt, margin].map(Span::from_millis);
        LeaseConfig { ttl, renew, attempt, margin }
    }

    #[test]
    fn what_does_not_hold_is_told_with_its_values_and_what_to_change() {
        for (lease, told) in [
            (LeaseConfig::DEFAULT, &[][..]),
            (lease(2_000, 500, 200, 600), &[]),
            (lease(1_000, 250, 50, 520), &[]),
            (
                lease(3_000, 750, 1_000, 600),
                &["renew + 4 x attempt <= ttl - margin does not hold: 750ms + 4 x 1s = 4.75s > 3s - 600ms = 2.4s; \
                   write `attempt: 412ms` or less, or `ttl: 7s` or more"],
            ),
            (
                lease(3_000, 2_500, 400, 600),
                &["renew + 4 x attempt <= ttl - margin does not hold: 2.5s + 4 x 400ms = 4.1s > 3s - 600ms = 2.4s; \
                   write `ttl: 5s` or more"],
            ),
            (
                lease(10_000, 2_500, 400, 600),
                &["margin >= 2 % of ttl + 200ms + 300ms does not hold: 600ms < 2 % of 10s + 200ms + 300ms = 700ms; \
                   write `margin: 700ms`"],
            ),
            (
                lease(1_000, 250, 400, 100),
                &[
                    "margin >= 2 % of ttl + 200ms + 300ms does not hold: 100ms < 2 % of 1s + 200ms + 300ms = 520ms; \
                     write `margin: 520ms`",
                    "renew + 4 x attempt <= ttl - margin does not hold: 250ms + 4 x 400ms = 1.85s > 1s - 100ms = 900ms; \
                     write `attempt: 162ms` or less, or `ttl: 3s` or more",
                ],
            ),
            (
                lease(3_000, 750, 60_000, 60_000),
                &["renew + 4 x attempt <= ttl - margin does not hold: 750ms + 4 x 60s = 240.75s > 3s - 60s = 0ms; \
                   write a shorter `renew` or `margin`"],
            ),
            (lease(900, 225, 10, 600), &["`900ms` is out of range: `ttl` is 1s to 1m; write for example `ttl: 3s`"]),
            (lease(61_000, 225, 10, 600), &["`1m1s` is out of range: `ttl` is 1s to 1m; write for example `ttl: 3s`"]),
            (
                lease(2_500, 625, 10, 600),
                &["`2s500ms` is no whole number of seconds, and etcd counts a lease in those; \
                   write for example `ttl: 3s`"],
            ),
        ] {
            assert_eq!(lease.check().err().unwrap_or_default(), told, "{lease:?}");
        }
        assert_eq!(LeaseConfig::DEFAULT.deadline(), Span::from_millis(2_400));
        assert_eq!(LeaseConfig::DEFAULT.renew, LeaseConfig::renew_of(LEASE_TTL));
    }

    /// Does what a help says, its `n`-th way.
    fn mended(lease: LeaseConfig, help: &str, way: usize) -> Option<LeaseConfig> {
        let (key, value) = help.split('`').skip(1).step_by(2).nth(way)?.split_once(": ")?;
        let span = parse_duration(value).unwrap();
        let follows = lease.renew == LeaseConfig::renew_of(lease.ttl);
        Some(match key {
            "attempt" => LeaseConfig { attempt: span, ..lease },
            "margin" => LeaseConfig { margin: span, ..lease },
            _ => LeaseConfig {
                ttl: span,
                renew: if follows { LeaseConfig::renew_of(span) } else { lease.renew },
                ..lease
            },
        })
    }

    proptest! {
        #[test]
        fn what_is_proposed_mends_what_is_told(
            ttl in 1_u64..=60, renew in 10_u64..20_000, follows: bool, attempt in 10_u64..10_000, margin in 10_u64..5_000,
        ) {
            let renew = if follows { ttl * 250 } else { renew };
            let lease = lease(ttl * 1_000, renew, attempt, margin);
            for Broken { keys, help, .. } in lease.broken() {
                for mended in (0..2).filter_map(|way| mended(lease, &help, way)) {
                    prop_assert!(mended.broken().iter().all(|still| still.keys != keys), "{help}: {mended:?}");
                }
            }
            if lease.broken().is_empty() {
                prop_assert!(lease.renew + lease.attempt * 4 + lease.margin <= lease.ttl);
                prop_assert!(lease.margin >= Span::from_millis(500 + ttl * 20));
            }
        }
    }
}
