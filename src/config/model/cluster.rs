//! Among which consoles a leader is elected, and by whom.

use std::fmt;

use super::Secret;
use crate::config::lease::LeaseConfig;

/// How consoles find their leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClusterConfig {
    /// There are no others.
    None,
    /// Among the consoles of this machine.
    Local,
    /// Among all that ask the same etcd.
    Etcd(EtcdConfig),
}

/// An etcd that elects, and how its lease is held.
#[derive(Clone, PartialEq, Eq)]
pub struct EtcdConfig {
    /// Its members' addresses, at least one, each once.
    pub endpoints: Vec<Endpoint>,
    /// Whether they are asked over TLS.
    pub tls: bool,
    /// Who logs in; `None`: nobody has to.
    pub user: Option<String>,
    /// With what: there is one where there is a user.
    pub password: Option<Secret>,
    /// Whether a child gives the lease back when this process is killed.
    pub guardian: bool,
    /// How the leader's place is held.
    pub lease: LeaseConfig,
    /// The URL without secrets, for messages.
    pub label: String,
}

impl fmt::Debug for EtcdConfig {
    /// Without what may hold an expanded secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdConfig")
            .field("label", &self.label)
            .field("tls", &self.tls)
            .field("guardian", &self.guardian)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name or an address, in small letters; an IPv6 address without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    /// `HOST:PORT`, an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
