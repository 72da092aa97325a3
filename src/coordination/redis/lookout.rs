//! Whether the server that is listened to is still the one that is meant.
//!
//! A server that was replaced may go on answering and say nothing of it. One that the sentinels have left
//! may be cut off from them alone, and what is published reaches its successor; so they are asked now and
//! then, and what most of them say counts where that server agrees. Where there are none the server itself
//! is asked for its role. Deliberately no answer to silence: a server that says nothing at all is noticed by
//! whoever listens, much sooner.

use std::sync::Arc;
use std::time::Duration;

use redis::Client;
use redis::aio::MultiplexedConnection;
use tokio::time::{sleep, timeout};

use super::sentinels::{GREET_WITHIN, Wanted};
use super::server::{ANSWER_WITHIN, CONNECT_WITHIN, Greeted, Role, greet, role};
use super::words;
use crate::config::Endpoint;

/// How often is looked: sooner than a console without beats goes on alone (8 s), and by less than 200 bytes a second.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Who looks, for one connection.
pub(in crate::coordination) struct Lookout(Way);

enum Way {
    Straight(Box<Straight>),
    Sentinels(Named),
}

/// A server that was reached without sentinels.
struct Straight {
    client: Client,
    /// To ask on: who listens on a connection can't ask there.
    connection: Option<MultiplexedConnection>,
    run: Option<String>,
    role: Option<Role>,
}

/// A primary that the sentinels named.
struct Named {
    wanted: Arc<Wanted>,
    at: Endpoint,
    run: Option<String>,
    /// To each sentinel, while there is one.
    connections: Vec<Option<MultiplexedConnection>>,
}

impl Lookout {
    pub(super) fn straight(client: Client, greeted: Greeted) -> Self {
        let Greeted { connection, run, role } = greeted;
        Self(Way::Straight(Box::new(Straight { client, connection: Some(connection), run, role })))
    }

    pub(super) fn by_sentinels(wanted: Arc<Wanted>, at: Endpoint, run: Option<String>) -> Self {
        let connections = (0..wanted.count()).map(|_| None).collect();
        Self(Way::Sentinels(Named { wanted, at, run, connections }))
    }

    /// Waits until the server has to be left; why, in words.
    pub(in crate::coordination) async fn until_left(mut self) -> String {
        loop {
            sleep(LOOK_EVERY).await;
            let left = match &mut self.0 {
                Way::Straight(straight) => straight.look().await.map(str::to_owned),
                Way::Sentinels(named) => named.look().await,
            };
            if let Some(why) = left {
                return why;
            }
        }
    }
}

impl Straight {
    async fn look(&mut self) -> Option<&'static str> {
        let now = if let Some(mut connection) = self.connection.take() {
            let role = timeout(ANSWER_WITHIN, role(&mut connection)).await.ok()?.ok()?;
            self.connection = Some(connection);
            role
        } else {
            let greeted = timeout(CONNECT_WITHIN, greet(&self.client)).await.ok()?.ok()?;
            if self.run.is_some() && greeted.run.is_some() && greeted.run != self.run {
                return Some("its name leads to another server now");
            }
            self.connection = Some(greeted.connection);
            greeted.role
        };
        match (self.role, now) {
            (Some(Role::Primary), Some(Role::Replica)) => Some("it is a replica now"),
            (_, Some(Role::CutOff)) => Some(words::CUT_OFF),
            _ => None,
        }
    }
}

impl Named {
    async fn look(&mut self) -> Option<String> {
        let other = self.elsewhere().await?;
        let primary = timeout(GREET_WITHIN, self.wanted.greet(&other)).await.ok()?.ok()?;
        if primary.greeted.run.is_some() && primary.greeted.run == self.run {
            // The same server by another name.
            self.at = other;
            return None;
        }
        let why = format!("the sentinels name another primary now, {other}");
        self.wanted.prefer(Some(other));
        Some(why)
    }

    /// The other server that most of the sentinels name.
    async fn elsewhere(&mut self) -> Option<Endpoint> {
        let mut named = Vec::new();
        for place in 0..self.connections.len() {
            let kept = self.connections[place].take();
            let Some((at, connection)) = self.wanted.named_by(place, kept).await else { continue };
            self.connections[place] = Some(connection);
            named.extend(at);
            if let Some(at) = named_by_most(&named, self.connections.len()) {
                return Some(at.clone()).filter(|at| *at != self.at);
            }
        }
        None
    }
}

/// The server that more than half of all sentinels name: one that was cut off with the server before must not
/// lead back to it.
fn named_by_most(named: &[Endpoint], all: usize) -> Option<&Endpoint> {
    named.iter().find(|at| named.iter().filter(|other| other == at).count() * 2 > all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_more_than_half_of_all_sentinels_name_counts() {
        for (named, all, most) in [
            (&[1][..], 1, Some(1)),
            (&[1], 2, None),
            (&[1, 2], 3, None),
            (&[2, 1, 2], 3, Some(2)),
            (&[1, 2, 3], 3, None),
            (&[2, 2], 4, None),
            (&[2, 2, 1, 2], 5, Some(2)),
            (&[], 3, None),
        ] {
            let at = |port: &u16| Endpoint { host: "a".into(), port: *port };
            let named: Vec<_> = named.iter().map(at).collect();
            assert_eq!(named_by_most(&named, all).map(|at| at.port), most, "{named:?} of {all}");
        }
    }
}
