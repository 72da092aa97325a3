//! Limits that the plans of one target host share.
//!
//! A host without rules has no limits and no entry here.

use std::collections::HashMap;
use std::sync::Arc;

use super::bucket::{Bucket, Limit};
use crate::kernel::{Moment, Span};

/// What a target host bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRules {
    /// The host, as the plans name it.
    pub host: Arc<str>,
    /// How often it may be asked; `None`: as often as the plans like.
    pub limit: Option<Limit>,
    /// How many runs may ask it at once; `None`: as many as the plans like.
    pub at_once: Option<usize>,
}

/// All hosts with rules.
#[derive(Debug, Default)]
pub(super) struct Hosts(HashMap<Arc<str>, Host>);

#[derive(Debug, Default)]
struct Host {
    bucket: Option<Bucket>,
    at_once: Option<usize>,
    in_flight: usize,
    /// Places of plans that wait for a run of this host to end.
    waiting: Vec<usize>,
}

/// Why a host can't be asked now.
pub(super) enum Busy {
    /// There is a token after so long.
    For(Span),
    /// So many ask it that the plan has to wait for one of them; it is called then.
    UntilOneEnds,
}

impl Hosts {
    /// Takes up other rules. Tokens and runs in flight stay as they are.
    pub(super) fn change(&mut self, now: Moment, rules: &[HostRules]) {
        let mut old = std::mem::take(&mut self.0);
        for rule in rules {
            let mut host = old.remove(&rule.host).unwrap_or_default();
            host.at_once = rule.at_once;
            match (&host.bucket, rule.limit) {
                (Some(bucket), Some(limit)) => bucket.change(now, limit),
                (_, limit) => host.bucket = limit.map(|limit| Bucket::new(now, limit)),
            }
            host.waiting.clear();
            self.0.insert(Arc::clone(&rule.host), host);
        }
    }

    /// Counts a run in, where the host bears one more.
    pub(super) fn enter(&mut self, hosts: &[Arc<str>], now: Moment, place: usize) -> Result<(), Busy> {
        if self.0.is_empty() {
            return Ok(());
        }
        for host in hosts {
            let Some(host) = self.0.get_mut(host) else { continue };
            if host.at_once.is_some_and(|most| host.in_flight >= most) {
                host.waiting.push(place);
                return Err(Busy::UntilOneEnds);
            }
        }
        // Of a plan with several hosts, a token of the first may be spent where the second has
        // none: it asks less often than it might, never more.
        for bucket in hosts.iter().filter_map(|host| self.0.get(host)?.bucket.as_ref()) {
            bucket.take(now).map_err(Busy::For)?;
        }
        self.enter_anyway(hosts);
        Ok(())
    }

    /// Counts a run in that somebody asked for out of turn: no limit stands against that.
    pub(super) fn enter_anyway(&mut self, hosts: &[Arc<str>]) {
        for host in hosts {
            if let Some(host) = self.0.get_mut(host) {
                host.in_flight += 1;
            }
        }
    }

    /// Counts a run out; the places that may try again now.
    pub(super) fn leave(&mut self, hosts: &[Arc<str>]) -> Vec<usize> {
        let mut freed = Vec::new();
        for host in hosts {
            if let Some(host) = self.0.get_mut(host) {
                host.in_flight = host.in_flight.saturating_sub(1);
                freed.append(&mut host.waiting);
            }
        }
        freed
    }
}
