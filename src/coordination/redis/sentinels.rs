//! The primary that sentinels know at the time.
//!
//! Sentinels are asked at each new connection, so that a connection which broke leads to whoever is the
//! primary by then. They are asked almost at once, for at a start there is no time to wait for one that
//! is down; the first that leads to a primary counts. Deliberately no listening to what sentinels
//! announce: a primary that was replaced refuses writes or closes its connections, which drops ours, and
//! for one that does neither there is `lookout.rs`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::server::{Greeted, Role, connect, greet, open};
use super::words;
use crate::config::{Endpoint, Secret, Sentinels};

/// How long one sentinel may take, and the server that it names after that: each of the usual three has
/// its whole time within that of a connection.
const ASK_WITHIN: Duration = Duration::from_millis(350);
pub(super) const GREET_WITHIN: Duration = Duration::from_millis(500);

/// How long the preferred primary is waited for where another one is there: well within a connection's time.
const PREFER_WITHIN: Duration = Duration::from_millis(600);

/// So much later than the one before it the next sentinel is asked: one that is well has answered by then.
const STAGGER: Duration = Duration::from_millis(50);

/// The longest host that a sentinel is believed: what DNS can carry.
const HOST_BYTES_MAX: usize = 253;

/// A server that sentinels know.
pub(super) struct Wanted {
    sentinels: Vec<Client>,
    known: Sentinels,
    login: RedisConnectionInfo,
    trusted: Option<Vec<u8>>,
    /// Where most of the sentinels led when another server was left: one that was cut off with that one may
    /// still lead there.
    preferred: Mutex<Option<Endpoint>>,
}

/// A server that sentinels name, and that says itself that it is the primary.
pub(super) struct Primary {
    pub(super) at: Endpoint,
    pub(super) client: Client,
    pub(super) greeted: Greeted,
}

/// How far the way by one sentinel led; the furthest tells most.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Miss {
    /// To no answer of the sentinel.
    Sentinel(String),
    /// To a sentinel that does not know the server.
    Unknown,
    /// To a server that is no primary one can work with.
    Primary(String, String),
}

impl Wanted {
    /// What `known` says; nobody is asked yet. `trusted` (PEM) replaces the certificates this machine trusts.
    pub(super) fn new(known: Sentinels, trusted: Option<Vec<u8>>) -> Result<Self, RedisError> {
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        let mut login = nobody.clone().set_db(known.database);
        if let Some(user) = &known.user {
            login = login.set_username(user);
        }
        if let Some(password) = &known.password {
            login = login.set_password(password.reveal());
        }
        let sentinels = known.endpoints.iter().map(|at| reach(at, known.tls, nobody.clone(), trusted.as_deref()));
        let sentinels = sentinels.collect::<Result<_, _>>()?;
        Ok(Self { sentinels, known, login, trusted, preferred: Mutex::default() })
    }

    /// Who is asked for what, without secrets.
    pub(super) fn address(&self) -> String {
        let told: Vec<_> = self.known.endpoints.iter().map(ToString::to_string).collect();
        format!("{} by its sentinels {}", self.known.name, told.join(", "))
    }

    /// How the server is logged in to.
    pub(super) fn login(&self) -> &RedisConnectionInfo {
        &self.login
    }

    /// How many sentinels there are.
    pub(super) fn count(&self) -> usize {
        self.sentinels.len()
    }

    /// From now on other primaries than this one are taken only where no sentinel leads here.
    pub(super) fn prefer(&self, at: Option<Endpoint>) {
        *self.preferred.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    fn preferred(&self) -> Option<Endpoint> {
        self.preferred.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connects to the primary, by whichever sentinel leads there first.
    pub(super) async fn connect(self: &Arc<Self>) -> Result<Primary, String> {
        let preferred = self.preferred();
        let patience = Instant::now() + PREFER_WITHIN;
        let mut waiting = 0..self.sentinels.len();
        let mut tries = JoinSet::new();
        let (mut second, mut furthest) = (None, None);
        loop {
            if let Some(place) = waiting.next() {
                let wanted = Arc::clone(self);
                tries.spawn(async move { wanted.by(place).await });
            }
            let next = tries.join_next();
            let ended = match (waiting.is_empty(), &second) {
                (true, None) => next.await,
                (true, Some(_)) => timeout_at(patience, next).await.unwrap_or(None),
                (false, _) => match timeout(STAGGER, next).await {
                    Ok(ended) => ended,
                    Err(_) if second.is_some() && Instant::now() >= patience => None,
                    Err(_) => continue,
                },
            };
            match ended {
                Some(Ok(Ok(primary))) if preferred.as_ref().is_none_or(|at| *at == primary.at) => return Ok(primary),
                Some(Ok(Ok(primary))) => second = Some(primary),
                Some(Ok(Err(miss))) => furthest = furthest.max(Some(miss)),
                Some(Err(_)) => {}
                None => break,
            }
        }
        let primary = second.ok_or_else(|| self.told(furthest))?;
        self.prefer(None);
        Ok(primary)
    }

    /// Connects to the primary that one sentinel names.
    async fn by(&self, place: usize) -> Result<Primary, Miss> {
        let asking = async { self.ask(&mut connect(&self.sentinels[place]).await?).await };
        let named = match timeout(ASK_WITHIN, asking).await {
            Ok(Ok(named)) => named.ok_or(Miss::Unknown)?,
            Ok(Err(error)) => return Err(Miss::Sentinel(words::plain(&error))),
            Err(_) => return Err(Miss::Sentinel(words::NO_ANSWER.into())),
        };
        let Some(at) = believed(&named.0, &named.1) else {
            return Err(Miss::Sentinel("it names a server that can't be one".into()));
        };
        match timeout(GREET_WITHIN, self.greet(&at)).await {
            Ok(greeted) => greeted.map_err(|why| Miss::Primary(at.to_string(), why)),
            Err(_) => Err(Miss::Primary(at.to_string(), words::NO_ANSWER.into())),
        }
    }

    /// Connects to a server, where that is a primary: a sentinel that has just come back, or that is cut
    /// off, may name the one before. Bounded by whoever calls.
    pub(super) async fn greet(&self, at: &Endpoint) -> Result<Primary, String> {
        let plain = |error: RedisError| words::plain(&error);
        let client = reach(at, self.known.tls, self.login.clone(), self.trusted.as_deref()).map_err(plain)?;
        let greeted = greet(&client).await.map_err(plain)?;
        match greeted.role {
            Some(Role::Primary) => Ok(Primary { at: at.clone(), client, greeted }),
            Some(Role::Replica | Role::CutOff) => Err("it is a replica".into()),
            None => Err("it does not tell whether it is one; let this user ask for INFO".into()),
        }
    }

    /// What one sentinel calls the server's address, over `kept` where there is such a connection; and the
    /// connection, where it answered.
    pub(super) async fn named_by(
        &self,
        place: usize,
        kept: Option<MultiplexedConnection>,
    ) -> Option<(Option<Endpoint>, MultiplexedConnection)> {
        let asking = async {
            let mut connection = match kept {
                Some(kept) => kept,
                None => connect(&self.sentinels[place]).await?,
            };
            let named = self.ask(&mut connection).await?;
            Ok((named.and_then(|(host, port)| believed(&host, &port)), connection))
        };
        timeout(ASK_WITHIN, asking).await.ok()?.map_err(|_: RedisError| ()).ok()
    }

    /// What a sentinel calls the server's address.
    async fn ask(&self, connection: &mut MultiplexedConnection) -> Result<Option<(String, String)>, RedisError> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.known.name);
        match (question.query_async(connection).await, self.auth()) {
            // Most sentinels ask for no login, and refuse one that nobody asked for.
            (Err(error), Some(auth)) if words::asks_for_login(&error) => {
                auth.query_async::<()>(connection).await?;
                question.query_async(connection).await
            }
            (answered, _) => answered,
        }
    }

    fn auth(&self) -> Option<Cmd> {
        let mut auth = redis::cmd("AUTH");
        if let Some(user) = &self.known.user {
            auth.arg(user);
        }
        auth.arg(self.known.password.as_ref().map(Secret::reveal)?);
        Some(auth)
    }

    fn told(&self, furthest: Option<Miss>) -> String {
        match furthest {
            Some(Miss::Primary(at, why)) => format!("the primary that the sentinels name, {at}: {why}"),
            Some(Miss::Unknown) => format!("the sentinels know no server called {}", self.known.name),
            Some(Miss::Sentinel(why)) => format!("no sentinel answers: {why}"),
            None => "no sentinel was asked".into(),
        }
    }
}

fn reach(at: &Endpoint, tls: bool, login: RedisConnectionInfo, trusted: Option<&[u8]>) -> Result<Client, RedisError> {
    let (host, port) = (at.host.clone(), at.port);
    let address = if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    open(address.into_connection_info()?.set_redis_settings(login), trusted)
}

/// An address that a sentinel names, where it can be one.
fn believed(host: &str, port: &str) -> Option<Endpoint> {
    let plain = !host.is_empty()
        && host.len() <= HOST_BYTES_MAX
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte));
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    plain.then(|| Endpoint { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_sentinel_names_is_believed_where_it_can_be_a_server() {
        let long = "h".repeat(254);
        for (host, port, told) in [
            ("10.0.0.7", "6379", Some("10.0.0.7:6379")),
            ("fe80::1", "1", Some("[fe80::1]:1")),
            ("redis-0.plant", "65535", Some("redis-0.plant:65535")),
            ("", "6379", None),
            ("a\u{1b}[31m", "6379", None),
            ("a b", "6379", None),
            ("a", "0", None),
            ("a", "x", None),
            ("a", "70000", None),
            (&long, "1", None),
        ] {
            assert_eq!(believed(host, port).map(|at| at.to_string()).as_deref(), told, "{host:?}:{port}");
        }
    }

    #[test]
    fn the_furthest_miss_tells_most() {
        let primary = || Miss::Primary("a:1".into(), "connection refused".into());
        let sentinel = || Miss::Sentinel("connection refused".into());
        assert!(sentinel() < Miss::Unknown && Miss::Unknown < primary());
        assert_eq!(Some(sentinel()).max(None), Some(sentinel()));
    }
}
