//! `tcp://HOST:PORT`: whether a port accepts, and how long that takes.
//!
//! Deliberately nothing is sent: what a stranger's device makes of bytes it
//! does not expect is nobody's wish to learn.

use tokio::time::Instant;

use super::net::Address;
use super::{BadTarget, Check, CheckTarget, Measured, Measuring};
use crate::frame::{Span, Value, Values};

struct Tcp {
    address: Address,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let rest = target.rest();
    let address = Address::parse(rest.strip_suffix('/').unwrap_or(rest))?;
    Ok(Box::new(Tcp { address }))
}

impl Check for Tcp {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            let started = Instant::now();
            let stream = self.address.connect().await?;
            let latency = Span::from(started.elapsed());
            drop(stream);
            Ok(Measured { values: Values::new().with("latency", Value::span(latency)), ..Measured::default() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Fault;

    fn check(target: &str) -> Box<dyn Check> {
        build(&CheckTarget { scheme: "tcp", target }).unwrap()
    }

    #[tokio::test]
    async fn an_accepting_port_has_a_latency_and_a_closed_one_a_fault() {
        for host in ["127.0.0.1", "[::1]"] {
            // A machine without IPv6 has nothing to ask there.
            let Ok(listener) = tokio::net::TcpListener::bind(format!("{host}:0")).await else { continue };
            let port = listener.local_addr().unwrap().port();
            let check = check(&format!("tcp://{host}:{port}"));
            let measured = check.measure().await.unwrap();
            assert!(matches!(measured.values.get("latency"), Some(Value::Number(..))));
            drop(listener);
            assert_eq!(check.measure().await, Err(Fault(format!("connection refused ({host}:{port})"))));
        }
    }
}
