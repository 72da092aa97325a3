//! Which name servers are asked: one that is named, or those of this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::io::AsyncReadExt;

use crate::checks::Fault;
use crate::checks::net::Address;

/// The port of DNS.
pub(super) const PORT: u16 = 53;

/// Where a machine names its servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// As much of that file as is read; a real one has a few lines.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// As many servers as are asked in turn: the C library asks three.
const SERVERS_MAX: usize = 3;

/// The servers of a check.
pub(super) enum Servers {
    /// Those of this machine, read at each run: a network manager may change them at any time.
    Machine,
    /// One, by name or address.
    One(Address),
}

impl Servers {
    /// Their addresses, in the order in which they are asked.
    pub(super) async fn list(&self) -> Result<Vec<SocketAddr>, Fault> {
        match self {
            Self::One(address) => Ok(address.resolve().await?.into_iter().take(1).collect()),
            Self::Machine => Ok(read(&file().await)),
        }
    }
}

/// What the file says. A machine without one asks itself, as the C library does.
async fn file() -> String {
    let mut text = Vec::new();
    if let Ok(file) = tokio::fs::File::open(RESOLV_CONF).await {
        // What can't be read names no server.
        let _ = file.take(FILE_BYTES_MAX).read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn read(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let named = named.filter(|rest| rest.starts_with(char::is_whitespace));
    let addresses = named.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    let mut servers: Vec<_> = addresses.map(|address| SocketAddr::new(address, PORT)).take(SERVERS_MAX).collect();
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_of_a_machine_are_read() {
        let told = |text: &str| read(text).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        for (text, expected) in [
            (
                "# by hand\nsearch plant\nnameserver 10.0.0.1\n nameserver\tfe80::1 # second\n",
                "10.0.0.1:53 [fe80::1]:53",
            ),
            (
                "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4",
                "1.1.1.1:53 2.2.2.2:53 3.3.3.3:53",
            ),
            ("nameserver\nnameserver here\nnameservers 10.0.0.1\n;nameserver 10.0.0.1", "127.0.0.1:53"),
            ("", "127.0.0.1:53"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
