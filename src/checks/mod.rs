//! Checks: how a watched thing is asked, one file per scheme.
//!
//! A check measures and says nothing of levels, texts or time tables: levels and
//! texts are `judge.rs`'s business, when to run is the kernel's. Every check ends
//! its I/O when its future is dropped: that is how a run is cancelled. How long
//! it may take is the caller's business too: the limits inside a check only keep
//! a forgotten limit from lasting for ever.

mod blocking;
mod child;
mod disk;
mod exec;
mod file;
mod judge;
mod load;
mod memory;
mod net;
mod perfdata;
mod steps;
mod systemd;
mod tcp;
mod words;

#[cfg(feature = "http")]
mod certificate;
#[cfg(any(feature = "modbus", feature = "postgres", feature = "redis"))]
mod counted;
#[cfg(feature = "dns")]
mod dns;
#[cfg(feature = "http")]
mod etcd;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "modbus")]
mod modbus;
#[cfg(feature = "mqtt")]
mod mqtt;
#[cfg(any(
    feature = "dns",
    feature = "http",
    feature = "modbus",
    feature = "mqtt",
    feature = "ping",
    feature = "postgres"
))]
mod peer_url;
#[cfg(feature = "ping")]
mod ping;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "http")]
mod prometheus;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "http", feature = "redis"))]
mod tls;
#[cfg(any(feature = "http", feature = "dns"))]
mod turns;

#[cfg(test)]
mod servers_tests;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

pub use judge::Judge;
pub use steps::{StepAccount, StepOutcome};

use crate::config::CheckConfig;
use crate::frame::{Level, Span, Values};

/// A measurement on its way.
pub type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Measured, Fault>> + Send + 'a>>;

/// One way to ask a watched thing, already aimed at its target.
pub trait Check: Send + Sync {
    /// Asks once. Dropping the future closes every socket and kills every child at once.
    fn measure(&self) -> Measuring<'_>;
}

/// What one asking measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The values, under the names of the scheme's table.
    pub values: Values,
    /// The check's own verdict, where it has one (`exec:`).
    pub level: Option<Level>,
    /// Bytes that came in.
    pub bytes: u64,
    /// Of a plan: what its steps did, in the order of the file.
    pub steps: Vec<StepAccount>,
    /// Of a plan: what it had to go on without, in words; the other values stand.
    pub degraded: Option<Fault>,
}

/// Why nothing could be measured, in words for an operator: "connection refused".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub String);

impl Fault {
    /// The fault of a run that was cut off by its own limit.
    #[must_use]
    pub fn timed_out(limit: Span) -> Self {
        Self(format!("timed out: no answer within {limit}"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::error::Error for Fault {}

/// A target that no check can be aimed at; found when the config is loaded.
///
/// Its words never repeat the target: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadTarget(pub String);

impl fmt::Display for BadTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::error::Error for BadTarget {}

/// What a check is aimed at.
#[derive(Clone, Copy)]
pub(crate) struct CheckTarget<'a> {
    /// The scheme's name in the table of `config::schemes`.
    pub(crate) scheme: &'a str,
    /// The whole of `check:`, secrets expanded.
    pub(crate) target: &'a str,
}

impl<'a> CheckTarget<'a> {
    /// What follows the scheme: after `://` of a URL, after the colon of the others.
    pub(crate) fn rest(&self) -> &'a str {
        let rest = self.target.strip_prefix(self.scheme).and_then(|rest| rest.strip_prefix(':'));
        let rest = rest.unwrap_or(self.target);
        rest.strip_prefix("//").unwrap_or(rest)
    }
}

type Builder = fn(&CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget>;

/// How the check of each scheme is built, one line per scheme. Building aims and does no I/O.
const BUILDERS: &[(&str, Builder)] = &[
    #[cfg(feature = "http")]
    ("http", http::build),
    #[cfg(feature = "http")]
    ("https", http::build),
    ("tcp", tcp::build),
    ("exec", |target| exec::build(target.target)),
    ("file", |target| file::build(target.target)),
    ("disk", |target| disk::build(target.target)),
    ("memory", |target| memory::build(target.target)),
    ("load", |target| load::build(target.target)),
    ("systemd", |target| systemd::build(target.target)),
    #[cfg(feature = "redis")]
    ("redis", redis::build),
    #[cfg(feature = "redis")]
    ("rediss", redis::build),
    #[cfg(feature = "dns")]
    ("dns", dns::build),
    #[cfg(feature = "ping")]
    ("ping", ping::build),
    #[cfg(feature = "postgres")]
    ("postgres", postgres::build),
    #[cfg(feature = "http")]
    ("etcd", etcd::build),
    #[cfg(feature = "http")]
    ("prometheus", prometheus::build),
    #[cfg(feature = "mqtt")]
    ("mqtt", mqtt::build),
    #[cfg(feature = "modbus")]
    ("modbus", modbus::build),
];

/// Builds the check of an item.
///
/// # Errors
/// Where the target names nothing that can be asked, or this build has no such check.
pub fn build(config: &CheckConfig) -> Result<Box<dyn Check>, BadTarget> {
    if !config.steps.is_empty() {
        return steps::build(config);
    }
    aim(&CheckTarget { scheme: config.scheme, target: config.target.reveal() })
}

/// Whether a check can be aimed at `target`, the whole of `check:`. Does no I/O.
///
/// # Errors
/// Why not; what is to be written instead.
pub fn validate_target(scheme: &str, target: &str) -> Result<(), BadTarget> {
    aim(&CheckTarget { scheme, target }).map(drop)
}

fn aim(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let line = BUILDERS.iter().find(|(scheme, _)| *scheme == target.scheme);
    let Some((_, builder)) = line else {
        return Err(BadTarget(format!("this build has no `{}` checks", target.scheme)));
    };
    builder(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::schemes::SCHEMES;

    #[test]
    #[cfg(all(
        feature = "dns",
        feature = "http",
        feature = "modbus",
        feature = "mqtt",
        feature = "ping",
        feature = "postgres",
        feature = "redis"
    ))]
    fn every_scheme_has_one_builder_and_every_builder_a_scheme() {
        for scheme in SCHEMES {
            let builders = BUILDERS.iter().filter(|(name, _)| *name == scheme.name).count();
            assert_eq!(builders, 1, "{}", scheme.name);
        }
        for (name, _) in BUILDERS {
            assert!(SCHEMES.iter().any(|scheme| scheme.name == *name), "{name} is in no table of schemes");
        }
    }

    #[test]
    fn a_bad_target_is_told_without_repeating_it() {
        for (scheme, target, part) in [
            ("tcp", "tcp://", "HOST:PORT"),
            ("tcp", "tcp://secret", "port"),
            ("tcp", "tcp://secret:99999", "port"),
            ("gopher", "gopher://secret", "no `gopher` checks"),
            #[cfg(feature = "http")]
            ("http", "http://", "HOST"),
            #[cfg(feature = "http")]
            ("http", "http://u:secret@h:99999/", "port"),
            #[cfg(feature = "redis")]
            ("redis", "redis://u:secret@", "HOST"),
            #[cfg(feature = "redis")]
            ("redis", "redis://:secret@h/?tll=x", "`tll`"),
        ] {
            let Err(BadTarget(why)) = validate_target(scheme, target) else { panic!("{target} is accepted") };
            assert!(why.contains(part), "{target}: {why}");
            assert!(!why.contains("secret"), "{target}: {why}");
        }
    }

    #[test]
    fn good_targets_are_aimed_at_without_io() {
        for (scheme, target) in [
            ("tcp", "tcp://no-such-host.invalid:80"),
            ("tcp", "tcp://[::1]:80"),
            #[cfg(feature = "http")]
            ("http", "http://no-such-host.invalid/health?x=1"),
            #[cfg(feature = "http")]
            ("https", "https://u:p@no-such-host.invalid:8443/"),
            #[cfg(feature = "redis")]
            ("redis", "redis://no-such-host.invalid"),
            #[cfg(feature = "redis")]
            ("rediss", "rediss://u:p%40@[::1]:6380/3?ttl=line%203"),
        ] {
            assert_eq!(validate_target(scheme, target), Ok(()), "{target}");
        }
    }
}
