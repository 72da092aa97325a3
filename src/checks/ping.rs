//! `ping://HOST`: whether a host answers an ICMP echo, and how long that takes.
//!
//! The unprivileged socket of the system is used where this user may have one
//! (`net.ipv4.ping_group_range`), else a raw one where this program may
//! (`CAP_NET_RAW`). Deliberately no `ping` program is run: it would need the
//! same right. One echo a run: a lost one is what `retries` and `confirm` are for.

mod echo;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use self::echo::{Echo, Family};
use super::net::{Address, plain_io};
use super::peer_url::{PeerUrl, bad};
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring};
use crate::frame::{Value, Values};

/// Room for an answer: ours has 64 bytes, behind a header of at most 60.
const ANSWER_BYTES_MAX: usize = 1500;

/// Stands where an address has its port: ICMP has none.
const NO_PORT: u16 = 1;

struct Ping {
    host: Address,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let url = PeerUrl::parse(target, &[])?.without_login()?;
    if !url.path.is_empty() {
        return Err(bad("nothing stands behind the HOST"));
    }
    let host = url.address(NO_PORT)?;
    if host.to_string() != format!("{}:{NO_PORT}", url.authority) {
        return Err(bad("a ping has no port"));
    }
    Ok(Box::new(Ping { host }))
}

impl Check for Ping {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            // The first address is the one that the system's programs would use.
            let address = self.host.resolve().await.map_err(|fault| self.without_port(&fault))?[0].ip();
            let fault = |why: &str| Fault(format!("{why} ({})", self.host.host()));
            let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
            let (socket, raw) = open(family).map_err(|e| fault(&refusal(&e)))?;
            let cut = |e: io::Error| fault(&plain_io(&e));
            socket.connect(SocketAddr::new(address, 0)).await.map_err(cut)?;
            let echo = Echo::new(family);
            let started = Instant::now();
            socket.send(&echo.request()).await.map_err(cut)?;
            let mut answer = [0; ANSWER_BYTES_MAX];
            loop {
                let length = socket.recv(&mut answer).await.map_err(cut)?;
                if echo.is_answered_by(&answer[..length], raw) {
                    let values = Values::new().with("latency", Value::span(started.elapsed().into()));
                    return Ok(Measured { values, bytes: length as u64, ..Measured::default() });
                }
            }
        })
    }
}

impl Ping {
    /// The words of a look-up, without the port that stands for none.
    fn without_port(&self, fault: &Fault) -> Fault {
        Fault(fault.0.replace(&self.host.to_string(), self.host.host()))
    }
}

/// A socket for echoes, and whether it is a raw one.
fn open(family: Family) -> io::Result<(UdpSocket, bool)> {
    match open_as(family, SocketType::DGRAM) {
        Ok(socket) => Ok((socket, false)),
        // What keeps from the raw one too is told in the words of the first.
        Err(why) => open_as(family, SocketType::RAW).map(|socket| (socket, true)).map_err(|_| why),
    }
}

fn open_as(family: Family, kind: SocketType) -> io::Result<UdpSocket> {
    let (domain, protocol) = match family {
        Family::V4 => (AddressFamily::INET, ipproto::ICMP),
        Family::V6 => (AddressFamily::INET6, ipproto::ICMPV6),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket: OwnedFd = socket_with(domain, kind, flags, Some(protocol))?;
    // Whatever the protocol, such a socket connects, sends and receives as one of UDP does.
    UdpSocket::from_std(socket.into())
}

/// Why there is no socket, and what is to be mended.
fn refusal(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "ping is not permitted: net.ipv4.ping_group_range must hold a group of this user".into()
        }
        _ if error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error()) => {
            "this machine does not speak that version of IP".into()
        }
        _ => plain_io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::servers_tests::{PATIENCE, skip};

    fn check(target: &str) -> Box<dyn Check> {
        build(&CheckTarget { scheme: "ping", target }).unwrap()
    }

    #[test]
    fn targets_are_a_host_alone() {
        for good in ["ping://10.0.0.7", "ping://press-7.plant/", "ping://[::1]"] {
            assert!(build(&CheckTarget { scheme: "ping", target: good }).is_ok(), "{good}");
        }
        for bad in
            ["ping://", "ping://h:80", "ping://[::1]:80", "ping://::1", "ping://u@h", "ping://h/x", "ping://h?x=1"]
        {
            assert!(build(&CheckTarget { scheme: "ping", target: bad }).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn this_machine_answers_where_that_is_permitted() {
        for (host, family) in [("127.0.0.1", Family::V4), ("[::1]", Family::V6)] {
            let measured = tokio::time::timeout(PATIENCE, check(&format!("ping://{host}")).measure()).await.unwrap();
            match (measured, open(family)) {
                (Ok(measured), _) => {
                    assert!(matches!(measured.values.get("latency"), Some(Value::Number(..))));
                    assert!(measured.bytes > 0);
                }
                (Err(fault), Err(_)) => {
                    assert!(fault.0.contains("not permitted") || fault.0.contains("version of IP"), "{fault}");
                    skip("ping", &format!("{host}: {fault}"));
                }
                (Err(fault), Ok(_)) => {
                    assert!(fault.0.contains("network unreachable") || fault.0.contains("address"), "{fault}");
                    skip("ping", &format!("{host}: {fault}"));
                }
            }
        }
    }

    #[tokio::test]
    async fn names_without_an_address_are_told_without_a_port() {
        let fault = check("ping://no-such-host.invalid").measure().await.unwrap_err();
        assert!(fault.0.ends_with("(no-such-host.invalid)"), "{fault}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = refusal(&io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(told.contains("net.ipv4.ping_group_range"), "{told}");
    }
}
