//! What the checks over a network share: an address, a connection, and plain words for its faults.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};

use super::{BadTarget, Fault};

/// A host and a port, as the config names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    host: String,
    port: u16,
}

impl Address {
    #[cfg(feature = "redis")]
    pub(super) const fn new(host: String, port: u16) -> Self {
        Self { host, port }
    }

    /// Reads `HOST:PORT`; an IPv6 address stands in brackets.
    pub(super) fn parse(text: &str) -> Result<Self, BadTarget> {
        let bad = |why: &str| BadTarget(format!("{why}; it is written HOST:PORT, such as 10.0.0.7:502 or [::1]:502"));
        if text.is_empty() {
            return Err(bad("the host is missing"));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or_else(|| bad("the bracket is not closed"))?,
            None => text.rsplit_once(':').map_or((text, ""), |(host, _)| (host, &text[host.len()..])),
        };
        let port = port.strip_prefix(':').filter(|port| !port.is_empty()).ok_or_else(|| bad("the port is missing"))?;
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|port| digits && *port > 0);
        let port = port.ok_or_else(|| bad("the port is no number from 1 to 65535"))?;
        let literal = text.starts_with('[');
        let v6 = host.parse::<std::net::Ipv6Addr>().is_ok();
        let name = !host.is_empty() && host.chars().all(|letter| letter.is_alphanumeric() || "-._".contains(letter));
        match (literal, v6, name) {
            (true, true, _) | (false, false, true) => Ok(Self { host: host.into(), port }),
            (false, true, _) => Err(bad("an IPv6 address stands in brackets")),
            _ => Err(bad("the host is no name and no address")),
        }
    }

    /// The host alone.
    #[cfg(any(feature = "redis", feature = "mqtt", feature = "ping"))]
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[cfg(feature = "mqtt")]
    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// The addresses of the host, in the order the system tries them; at least one.
    pub(super) async fn resolve(&self) -> Result<Vec<SocketAddr>, Fault> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<_> = found.map_err(|e| self.fault(plain_lookup(&e.to_string())))?.collect();
        if found.is_empty() { Err(self.fault("name without an address")) } else { Ok(found) }
    }

    /// What went wrong, with this address behind it.
    pub(super) fn fault(&self, why: impl fmt::Display) -> Fault {
        Fault(format!("{why} ({self})"))
    }

    /// Connects to the first of the host's addresses that accepts.
    pub(super) async fn connect(&self) -> Result<TcpStream, Fault> {
        let mut last = None;
        for address in self.resolve().await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(e) => last = Some(e),
            }
        }
        Err(self.fault(last.map_or_else(|| "name without an address".into(), |e| plain_io(&e))))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Why a name has no address. The system tells both cases with one kind of error.
pub(super) fn plain_lookup(error: &str) -> &'static str {
    if error.contains("emporary failure") { "no name server answers" } else { "name not found" }
}

/// An error of the network as an operator says it.
pub(super) fn plain_io(error: &io::Error) -> String {
    let error = innermost(error);
    let plain = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset",
        io::ErrorKind::ConnectionAborted => "connection aborted",
        io::ErrorKind::TimedOut => "timed out",
        io::ErrorKind::HostUnreachable => "no route to host",
        io::ErrorKind::NetworkUnreachable => "network unreachable",
        io::ErrorKind::NetworkDown => "network down",
        io::ErrorKind::PermissionDenied => "not permitted",
        io::ErrorKind::UnexpectedEof => "closed without an answer",
        io::ErrorKind::BrokenPipe | io::ErrorKind::NotConnected => "connection closed",
        _ => return error.to_string(),
    };
    plain.into()
}

/// The error of the system below those of the libraries, which wrap it in its own kind.
pub(super) fn innermost(error: &io::Error) -> &io::Error {
    let below = error.get_ref().and_then(|it| (it as &(dyn Error + 'static)).downcast_ref::<io::Error>());
    below.map_or(error, innermost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_told() {
        for good in ["localhost:80", "10.0.0.7:502", "[::1]:65535", "press-7.plant.example:1", "a_b:22"] {
            assert_eq!(Address::parse(good).map(|it| it.to_string()), Ok(good.to_owned()));
        }
        for (bad, part) in [
            ("", "host is missing"),
            ("host", "port is missing"),
            ("host:", "port is missing"),
            ("host:0", "1 to 65535"),
            ("host:65536", "1 to 65535"),
            ("host:+80", "1 to 65535"),
            ("host:80/path", "1 to 65535"),
            (":80", "no name"),
            ("ho st:80", "no name"),
            ("user@host:80", "no name"),
            ("::1:80", "brackets"),
            ("[::1]", "port is missing"),
            ("[::1", "not closed"),
            ("[host]:80", "no name"),
            ("a:b:80", "no name"),
        ] {
            let Err(BadTarget(why)) = Address::parse(bad) else { panic!("{bad} is accepted") };
            assert!(why.contains(part), "{bad}: {why}");
        }
    }

    #[tokio::test]
    async fn what_does_not_accept_is_named() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        assert!(address.connect().await.is_ok());
        drop(listener);
        let fault = address.connect().await.unwrap_err();
        assert_eq!(fault, Fault(format!("connection refused ({address})")));
    }

    #[test]
    fn lookups_that_fail_are_told_apart() {
        assert_eq!(plain_lookup("failed to lookup: Temporary failure in name resolution"), "no name server answers");
        assert_eq!(plain_lookup("failed to lookup: Name or service not known"), "name not found");
    }
}
