//! A Redis server by its URL: how a connection to it is made, from the program's runtime or the store's.
//!
//! Straight to the server that the URL names, or to the primary that its sentinels know at the time. What is
//! given is a connection on which the server has answered once. Deliberately no retry and no connection that
//! is kept: that is `line.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisConnectionInfo,
    RedisError, ServerErrorKind, TlsCertificates,
};
use tokio::time::timeout;

use super::lookout::Lookout;
use super::sentinels::Wanted;
use super::words;
use crate::config::timing::STORE_OPERATION;
use crate::config::{Endpoint, Sentinels};

/// How long a connection may take with login and TLS: a server further away than this is no help to a board.
pub(in crate::coordination) const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// How long one question may take.
pub(in crate::coordination) const ANSWER_WITHIN: Duration = Duration::from_millis(STORE_OPERATION.as_millis());

/// How long the server's machine may leave what was sent unconfirmed before the system gives the connection up:
/// a way that was cut is noticed by then (reliability, Tred).
#[cfg(target_os = "linux")]
const UNCONFIRMED_FOR: Duration = Duration::from_millis(800);

/// Where a server is and how it is spoken to. Clones are the same server: when one of them leaves it for another
/// primary, all do.
#[derive(Clone)]
pub(in crate::coordination) struct Server {
    way: Way,
    address: String,
    encrypted: bool,
    secrets: Vec<String>,
    moves: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Way {
    Straight(Box<Client>),
    Sentinels(Arc<Wanted>),
}

/// A connection to ask on.
pub(in crate::coordination) struct Reached {
    pub(super) connection: MultiplexedConnection,
    /// Which run of the server it leads to, where the server tells.
    pub(super) run: Option<String>,
    /// How often the server had been left for another when this was made.
    pub(super) moves: u64,
}

/// What a server says of itself as soon as it is reached, where it tells.
pub(super) struct Greeted {
    pub(super) connection: MultiplexedConnection,
    pub(super) run: Option<String>,
    pub(super) role: Option<Role>,
}

/// A server's place among its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It takes writes.
    Primary,
    /// It follows its primary, and passes on what is published there.
    Replica,
    /// It would, but does not reach its primary: what it has is old, and nothing new comes.
    CutOff,
}

impl Server {
    /// The server of `url`, which is not asked yet. `trusted` (PEM) replaces the certificates this machine trusts.
    ///
    /// # Errors
    /// Where the URL names no server; never with the URL's own words.
    pub(in crate::coordination) fn new(url: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let told = |error: RedisError| error.to_string();
        if let Some(sentinels) = Sentinels::of(url) {
            let sentinels = sentinels?;
            let encrypted = sentinels.tls;
            let wanted = Wanted::new(sentinels, trusted).map_err(told)?;
            let (address, secrets) = (wanted.address(), secrets(wanted.login()));
            return Ok(Self::by(Way::Sentinels(Arc::new(wanted)), address, encrypted, secrets));
        }
        let parsed = redis::parse_redis_url(url).ok_or("this is no URL of a Redis server")?;
        let info = parsed.into_connection_info().map_err(told)?;
        let login = info.redis_settings().clone().set_skip_set_lib_name();
        let secrets = secrets(&login);
        let (at, encrypted) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (Endpoint { host: host.clone(), port: *port }, false),
            ConnectionAddr::TcpTls { host, port, .. } => (Endpoint { host: host.clone(), port: *port }, true),
            _ => return Err("this is no server with a host and a port".into()),
        };
        let client = open(info.set_redis_settings(login), trusted.as_deref()).map_err(told)?;
        Ok(Self::by(Way::Straight(Box::new(client)), at.to_string(), encrypted, secrets))
    }

    fn by(way: Way, address: String, encrypted: bool, secrets: Vec<String>) -> Self {
        Self { way, address, encrypted, secrets, moves: Arc::default() }
    }

    /// Where it is, without secrets.
    pub(in crate::coordination) fn address(&self) -> &str {
        &self.address
    }

    /// A connection to ask on.
    ///
    /// A frozen server's machine still takes connections, and what is sent on them: whatever is written before
    /// the server has answered once may be done long after it was given up. So a question goes first that changes nothing.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(in crate::coordination) async fn connect(&self) -> Result<Reached, String> {
        let moves = self.moves();
        let connecting = async {
            let (connection, run) = match &self.way {
                Way::Straight(client) => {
                    let connecting = async {
                        let mut connection = connect(client).await?;
                        let run = info(&mut connection, "server").await?.as_deref().and_then(run_of);
                        Ok((connection, run))
                    };
                    connecting.await.map_err(|error| self.told(&error))?
                }
                Way::Sentinels(wanted) => {
                    let primary = wanted.connect().await.map_err(|why| self.veiled(why))?;
                    (primary.greeted.connection, primary.greeted.run)
                }
            };
            Ok(Reached { connection, run, moves })
        };
        self.bounded(connecting).await
    }

    /// A connection that hears `channel`, and who tells when it has to be left.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(in crate::coordination) async fn listen(&self, channel: &str) -> Result<(PubSub, Lookout), String> {
        let (client, lookout) = match &self.way {
            Way::Straight(client) => {
                let greeting = async { greet(client).await.map_err(|error| self.told(&error)) };
                let greeted = self.bounded(greeting).await?;
                if greeted.role == Some(Role::CutOff) {
                    return Err(words::CUT_OFF.into());
                }
                (Client::clone(client), Lookout::straight(Client::clone(client), greeted))
            }
            Way::Sentinels(wanted) => {
                let finding = async { wanted.connect().await.map_err(|why| self.veiled(why)) };
                let primary = self.bounded(finding).await?;
                let lookout = Lookout::by_sentinels(Arc::clone(wanted), primary.at, primary.greeted.run);
                (primary.client, lookout)
            }
        };
        let listening = async {
            let mut listener = client.get_async_pubsub().await?;
            listener.subscribe(channel).await?;
            Ok(listener)
        };
        let listener = self.bounded(async { listening.await.map_err(|error: RedisError| self.told(&error)) }).await?;
        Ok((listener, lookout))
    }

    async fn bounded<T>(&self, opening: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        timeout(CONNECT_WITHIN, opening).await.unwrap_or_else(|_| Err(self.silence().into()))
    }

    /// What is told of a server that has never answered.
    pub(in crate::coordination) fn silence(&self) -> &'static str {
        if self.encrypted { words::NO_ANSWER_OVER_TLS } else { words::NO_ANSWER }
    }

    /// How often it was left for another one.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }

    /// It is not the one that is meant any more: whatever leads there is of no use.
    pub(in crate::coordination) fn leave(&self) {
        self.moves.fetch_add(1, Ordering::AcqRel);
    }

    /// The error in plain words, without secrets.
    pub(in crate::coordination) fn told(&self, error: &RedisError) -> String {
        self.veiled(words::plain(error))
    }

    /// `text` without the words of the login: a server may repeat what it did not understand.
    fn veiled(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| text.replace(secret, "***"))
    }
}

fn secrets(login: &RedisConnectionInfo) -> Vec<String> {
    let secrets = [login.password(), login.username()].into_iter().flatten();
    secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect()
}

/// The server at this place, which is not asked yet.
pub(super) fn open(info: ConnectionInfo, trusted: Option<&[u8]>) -> Result<Client, RedisError> {
    // A beat's last packet must not wait for the answer to the one before it.
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(UNCONFIRMED_FOR);
    let info = info.set_tcp_settings(settings);
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

/// Bounded by whoever calls.
pub(super) async fn connect(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    // The bounds here are ours; the library's would be a second, different set.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Connects, and hears who is there. Bounded by whoever calls.
pub(super) async fn greet(client: &Client) -> Result<Greeted, RedisError> {
    let mut connection = connect(client).await?;
    let mut other = connection.clone();
    let (server, role) = tokio::join!(info(&mut connection, "server"), role(&mut other));
    Ok(Greeted { connection, run: server?.as_deref().and_then(run_of), role: role? })
}

/// The server's place among its replicas.
pub(super) async fn role(connection: &mut MultiplexedConnection) -> Result<Option<Role>, RedisError> {
    Ok(info(connection, "replication").await?.as_deref().and_then(role_of))
}

/// What the server says of itself; `None`: it answered, but does not tell now, or not this user.
async fn info(connection: &mut MultiplexedConnection, about: &str) -> Result<Option<String>, RedisError> {
    match redis::cmd("INFO").arg(about).query_async(connection).await {
        Ok(info) => Ok(Some(info)),
        // Whom the server does not know it shows the door at a long question, in words that tell nothing.
        Err(error) if is_broken(&error) || words::asks_for_login(&error) => Err(error),
        Err(_) => Ok(None),
    }
}

/// The value of a line of `info`.
fn said<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Which run of the server `info` is of: another one after each restart or change of server.
pub(super) fn run_of(info: &str) -> Option<String> {
    said(info, "run_id").map(str::to_owned)
}

fn role_of(info: &str) -> Option<Role> {
    match said(info, "role")? {
        "master" => Some(Role::Primary),
        "slave" if said(info, "master_link_status") == Some("up") => Some(Role::Replica),
        "slave" => Some(Role::CutOff),
        _ => None,
    }
}

/// Whether the connection is of no use any more, whatever the server thinks of the question. One to a server
/// that has become a replica is among them: its name may lead to the new primary by now.
pub(in crate::coordination) fn is_broken(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => true,
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_which_run_and_what_part_it_plays() {
        for (info, run, role) in [
            ("# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n", Some("abc"), None),
            ("# Replication\r\nrole:master\r\nconnected_slaves:0\r\n", None, Some(Role::Primary)),
            ("role:slave\r\nmaster_link_status:up\r\n", None, Some(Role::Replica)),
            ("role:slave\r\nmaster_link_status:down\r\n", None, Some(Role::CutOff)),
            ("role:slave\r\n", None, Some(Role::CutOff)),
            ("role:sentinel\r\n", None, None),
            ("", None, None),
        ] {
            assert_eq!((run_of(info).as_deref(), role_of(info)), (run, role), "{info:?}");
        }
    }
}
