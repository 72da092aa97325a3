//! Which server is meant: the one that a URL names, or the primary that sentinels know at the time.
//!
//! Sentinels are asked at each new connection, so that a connection which broke leads to whoever is the
//! primary by then. They are asked almost at once, for at a start there is no time to wait for one that
//! is down; the first that leads to a primary counts. Deliberately no listening to what sentinels
//! announce: a primary that was replaced refuses writes or closes its connections, and both drop ours.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, TlsCertificates,
};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::{Endpoint, Secret, Sentinels};
use crate::coordination::redis::words;

/// How long one sentinel may take, and the server that it names after that: each of the usual three has
/// its whole time within that of a connection.
const ASK_WITHIN: Duration = Duration::from_millis(350);
const GREET_WITHIN: Duration = Duration::from_millis(500);

/// So much later than the one before it the next sentinel is asked: one that is well has answered by then.
const STAGGER: Duration = Duration::from_millis(50);

/// The longest host that a sentinel is believed: what DNS can carry.
const HOST_BYTES_MAX: usize = 253;

/// What kept a question from being answered.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Nobody answered in time.
    Silent,
    /// What the server or the way to it said.
    Said(RedisError),
    /// The same in words, of several.
    Told(String),
}

/// A server, and who logs in.
pub(super) struct Server {
    way: Way,
    address: String,
    encrypted: bool,
    secrets: Vec<String>,
}

enum Way {
    Straight(Box<Client>),
    Sentinels(Arc<Wanted>),
}

impl Server {
    /// The server of `url`, which is not asked yet. `trusted` replaces the certificates this machine trusts.
    pub(super) fn new(url: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        if let Some(sentinels) = Sentinels::of(url) {
            return Self::of_sentinels(sentinels?, trusted);
        }
        let parsed = redis::parse_redis_url(url).ok_or("this is no URL of a Redis server")?;
        let info = parsed.into_connection_info().map_err(|error| error.to_string())?;
        let login = info.redis_settings().clone().set_skip_set_lib_name();
        let secrets = secrets(&login);
        let (at, encrypted) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (Endpoint { host: host.clone(), port: *port }, false),
            ConnectionAddr::TcpTls { host, port, .. } => (Endpoint { host: host.clone(), port: *port }, true),
            _ => return Err("this is no server with a host and a port".into()),
        };
        let client = open(info.set_redis_settings(login), trusted.as_deref()).map_err(|error| error.to_string())?;
        Ok(Self { way: Way::Straight(Box::new(client)), address: at.to_string(), encrypted, secrets })
    }

    fn of_sentinels(known: Sentinels, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let mut login = RedisConnectionInfo::default().set_db(known.database).set_skip_set_lib_name();
        if let Some(user) = &known.user {
            login = login.set_username(user);
        }
        if let Some(password) = &known.password {
            login = login.set_password(password.reveal());
        }
        let told: Vec<_> = known.endpoints.iter().map(ToString::to_string).collect();
        let address = format!("{} by its sentinels {}", known.name, told.join(", "));
        let nobody = RedisConnectionInfo::default().set_skip_set_lib_name();
        let sentinels = known.endpoints.iter().map(|at| reach(at, known.tls, nobody.clone(), trusted.as_deref()));
        let sentinels = sentinels.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        let (encrypted, secrets) = (known.tls, secrets(&login));
        Ok(Self {
            way: Way::Sentinels(Arc::new(Wanted { sentinels, known, login, trusted })),
            address,
            encrypted,
            secrets,
        })
    }

    /// Where it is, without secrets.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Whether it is asked over TLS.
    pub(super) const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// `text` without the words of the login: a server may repeat what it did not understand.
    pub(super) fn veiled(&self, mut text: String) -> String {
        for secret in &self.secrets {
            text = text.replace(secret, "***");
        }
        text
    }

    /// A new connection, with the login done. Bounded by whoever calls.
    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, Trouble> {
        match &self.way {
            Way::Straight(client) => connect(client).await.map_err(Trouble::Said),
            Way::Sentinels(wanted) => wanted.connect().await.map_err(Trouble::Told),
        }
    }
}

fn secrets(login: &RedisConnectionInfo) -> Vec<String> {
    let secrets = [login.password(), login.username()].into_iter().flatten();
    secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect()
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

fn open(info: ConnectionInfo, trusted: Option<&[u8]>) -> Result<Client, RedisError> {
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Client::open(info);
    }
    // The library panics without a provider; the error says only that there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
    match trusted {
        Some(root) => {
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(root.to_vec()) })
        }
        None => Client::open(info),
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    // The bounds here are ours; the library's would be a second, different set.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// A server that sentinels know.
struct Wanted {
    sentinels: Vec<Client>,
    known: Sentinels,
    login: RedisConnectionInfo,
    trusted: Option<Vec<u8>>,
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
    /// Connects to the primary, by whichever sentinel leads there first.
    async fn connect(self: &Arc<Self>) -> Result<MultiplexedConnection, String> {
        let mut waiting = 0..self.sentinels.len();
        let mut tries = JoinSet::new();
        let mut furthest: Option<Miss> = None;
        loop {
            if let Some(place) = waiting.next() {
                let wanted = Arc::clone(self);
                tries.spawn(async move { wanted.by(place).await });
            }
            let ended = if waiting.is_empty() {
                tries.join_next().await
            } else {
                match timeout(STAGGER, tries.join_next()).await {
                    Ok(ended) => ended,
                    Err(_) => continue,
                }
            };
            match ended {
                Some(Ok(Ok(connection))) => return Ok(connection),
                Some(Ok(Err(miss))) => furthest = furthest.max(Some(miss)),
                Some(Err(_)) => {}
                None => return Err(self.told(furthest)),
            }
        }
    }

    /// Connects to the primary that one sentinel names.
    async fn by(&self, place: usize) -> Result<MultiplexedConnection, Miss> {
        let named = match timeout(ASK_WITHIN, self.ask(&self.sentinels[place])).await {
            Ok(Ok(named)) => named.ok_or(Miss::Unknown)?,
            Ok(Err(error)) => return Err(Miss::Sentinel(words::plain(&error))),
            Err(_) => return Err(Miss::Sentinel(words::NO_ANSWER.into())),
        };
        let Some(at) = believed(&named.0, &named.1) else {
            return Err(Miss::Sentinel("it names a server that can't be one".into()));
        };
        let greeted = timeout(GREET_WITHIN, self.greet(&at)).await;
        let why = match greeted {
            Ok(Ok(Some(connection))) => return Ok(connection),
            Ok(Ok(None)) => "it is a replica".into(),
            Ok(Err(error)) => words::plain(&error),
            Err(_) => words::NO_ANSWER.into(),
        };
        Err(Miss::Primary(at.to_string(), why))
    }

    /// Connects to a server; `None`: it is no primary. A sentinel that has just come back, or that is cut
    /// off, may name the one before.
    async fn greet(&self, at: &Endpoint) -> Result<Option<MultiplexedConnection>, RedisError> {
        let client = reach(at, self.known.tls, self.login.clone(), self.trusted.as_deref())?;
        let mut connection = connect(&client).await?;
        let role: String = redis::cmd("INFO").arg("replication").query_async(&mut connection).await?;
        Ok(role.lines().any(|line| line.trim() == "role:master").then_some(connection))
    }

    /// What a sentinel calls the server's address.
    async fn ask(&self, sentinel: &Client) -> Result<Option<(String, String)>, RedisError> {
        let mut connection = connect(sentinel).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.known.name);
        match (question.query_async(&mut connection).await, self.auth()) {
            // Most sentinels ask for no login, and refuse one that nobody asked for.
            (Err(error), Some(auth)) if words::asks_for_login(&error) => {
                auth.query_async::<()>(&mut connection).await?;
                question.query_async(&mut connection).await
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
