//! The election by an etcd cluster, as far as it is input and output.
//!
//! All keys of a board are under `/marquee/v1/BOARD/`: `leader` (bound to the
//! holder's lease), `epoch` (a number without a lease), `members/CONSOLE` (bound
//! to each console's lease), `frame` and `board` (the beat's second way, while
//! there is no Redis or somebody does not hear it), `deaf` (rung when a member says
//! so). A leader's token is the `create_revision` of `leader`.
//!
//! Deliberately no protocol: who campaigns, when a lease is renewed, and when a
//! leader falls silent is decided elsewhere, on a clock that is not in here.
//! Nothing found under the keys is trusted: each value is bounded, and what can't
//! be one of ours is told instead of used.

mod calls;
pub mod guardian;
mod publish;
mod transport;
mod watch;
mod wire;
mod words;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::transport::Transport;
pub use self::watch::{Watch, Watched};
#[cfg(feature = "config")]
use crate::config::EtcdConfig;
pub use crate::coordination::election::Holder;

/// How long one try may take. Three endpoints then answer, or fail to, within half of a lease's
/// time to renew (reliability, Trpc).
pub const ATTEMPT: Duration = Duration::from_millis(400);

/// The largest frame that is put or believed.
pub const FRAME_BYTES_MAX: usize = crate::coordination::link::BEAT_BYTES_MAX;

/// The largest board that is put or believed: below the 1.5 MiB that etcd takes unless told otherwise.
pub const BOARD_BYTES_MAX: usize = 1024 * 1024;

/// As much as is kept of what a console says of itself; ours is a tenth of it.
pub const VALUE_BYTES_MAX: usize = 1024;

/// Which cluster, and for which board. It is written out, with its secrets, for the guardian's ears alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Hosts and ports; an IPv6 address without its brackets.
    pub endpoints: Vec<(String, u16)>,
    /// Whether TLS is spoken. There is never a plain connection where it is.
    pub tls: bool,
    /// User and password.
    pub login: Option<(String, String)>,
    /// How long one try may take; [`ATTEMPT`] unless a test knows better.
    pub attempt: Duration,
    /// The board's slug.
    pub board: String,
    /// Certificates (PEM) to trust instead of those that the machine trusts.
    pub trusted: Option<Vec<u8>>,
}

#[cfg(feature = "config")]
impl Spec {
    /// What `config` says, for the board called `board`.
    #[must_use]
    pub fn of(config: &EtcdConfig, board: &str) -> Self {
        Self {
            endpoints: config.endpoints.iter().map(|endpoint| (endpoint.host.clone(), endpoint.port)).collect(),
            tls: config.tls,
            login: config.user.clone().zip(config.password.as_ref().map(|password| password.reveal().to_owned())),
            attempt: config.lease.attempt.into(),
            board: board.to_owned(),
            trusted: None,
        }
    }
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = f.debug_struct("Spec");
        told.field("endpoints", &self.endpoints).field("tls", &self.tls).field("board", &self.board);
        told.finish_non_exhaustive()
    }
}

/// Why a question has no answer, in words that name the endpoints and what is to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer in time: what was asked for may have happened all the same.
    Unknown(String),
    /// It was answered with a no: what was asked for did not happen.
    Refused(String),
    /// Nobody was reached: what was asked for did not happen.
    Unreachable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(words) | Self::Refused(words) | Self::Unreachable(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Failure {}

/// A lease as it was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Its number; never 0.
    pub lease: i64,
    /// How long it lives after each renewal, which may be longer than what was asked for.
    pub ttl: Duration,
}

/// What a campaign came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Campaigned {
    /// The key is bound to our lease.
    Won {
        /// The key's `create_revision`.
        rev: u64,
        /// The cluster's epoch; `None` where there is none, or none that can be read.
        epoch: Option<u64>,
    },
    /// Somebody else holds it; the epoch is as above.
    Held(Holder, Option<u64>),
}

/// What a linearizable look shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who leads.
    pub holder: Option<Holder>,
    /// The cluster's epoch; `None` where there is none, or none that can be read.
    pub epoch: Option<u64>,
    /// The cluster's revision at that moment.
    pub revision: u64,
}

/// What became of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// The name is bound to our lease.
    Done,
    /// Another console has this name, and says this of itself.
    Taken(String),
}

/// What a member of the cluster says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its version, such as `3.4.23`.
    pub version: String,
    /// Bytes of its database.
    pub size: u64,
    /// Whether it knows a leader of the cluster.
    pub has_leader: bool,
    /// Its alarms and other troubles, in its own words.
    pub troubles: Vec<String>,
}

/// A cluster, as one board sees it. Clones share connections, login and the endpoint that works.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Transport,
    keys: Keys,
    /// The newest revision that any answer told.
    revision: AtomicU64,
}

/// The names of a board's keys.
struct Keys {
    prefix: String,
    leader: String,
    epoch: String,
    members: String,
    frame: String,
    board: String,
    deaf: String,
}

impl Client {
    /// A client for the cluster and board of `spec`, which is not asked yet.
    ///
    /// # Errors
    /// Where no endpoint is named, one can't be one, or this machine has no TLS.
    pub fn new(spec: &Spec) -> Result<Self, String> {
        let prefix = format!("/marquee/v1/{}/", spec.board);
        let key = |name: &str| format!("{prefix}{name}");
        let keys = Keys {
            leader: key("leader"),
            epoch: key("epoch"),
            members: key("members/"),
            frame: key("frame"),
            board: key("board"),
            deaf: key("deaf"),
            prefix: prefix.clone(),
        };
        let transport = Transport::new(spec)?;
        Ok(Self { shared: Arc::new(Shared { transport, keys, revision: AtomicU64::new(0) }) })
    }

    /// What is told of an answer of this status and body to a question that was to `doing` etcd, as it is of
    /// those that come over the network: for whoever plays the cluster.
    #[must_use]
    pub fn refused(&self, doing: &str, status: u16, body: &[u8]) -> Failure {
        let transport = &self.shared.transport;
        transport.failure(doing, transport.preferred(), words::said(status, body))
    }

    /// The changes under this board's keys, from when it is first asked for the next.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(Arc::clone(&self.shared), watch::QUIET)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("keys", &self.shared.keys.prefix).finish_non_exhaustive()
    }
}

impl Shared {
    /// Remembers how far the cluster has come.
    fn note(&self, header: &wire::Header) {
        self.revision.fetch_max(header.revision, Ordering::Relaxed);
    }
}

impl Holder {
    fn of(pair: wire::Pair) -> Self {
        Self { rev: pair.create_revision, lease: pair.lease, value: value(pair.value) }
    }
}

/// What a console says of itself, as text of a bounded length.
fn value(mut bytes: Vec<u8>) -> String {
    bytes.truncate(VALUE_BYTES_MAX);
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The whole text of a value, unless it can't be one of ours.
fn text(key: &str, bytes: Vec<u8>, bytes_max: usize) -> Result<String, String> {
    if bytes.len() > bytes_max {
        return Err(format!("the key {key} in etcd holds {} bytes, which is not of marquee", bytes.len()));
    }
    String::from_utf8(bytes).map_err(|_| format!("the key {key} in etcd holds no text, which is not of marquee"))
}

#[cfg(test)]
mod tests;
