//! A Redis server by its URL: how a connection to it is made, from the program's runtime.
//!
//! [`Server::connect`] and [`Server::listen`] are the only places of the link
//! that open a connection, so a server that is found another way changes these
//! alone. Deliberately no retry and no connection that is kept: that is their
//! callers' part.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError, ServerErrorKind,
    TlsCertificates,
};
use tokio::time::timeout;

use super::words;

/// How long a connection may take with login and TLS: a server further away than this is no help to a board.
pub(in crate::coordination) const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// Where a server is and how it is spoken to.
#[derive(Clone)]
pub(in crate::coordination) struct Server {
    client: Client,
    address: String,
    encrypted: bool,
    secrets: Vec<String>,
}

impl Server {
    /// The server of `url`, which is not asked yet. `trusted` replaces the certificates this machine trusts.
    ///
    /// # Errors
    /// Where the URL names no server; never with the URL's own words.
    pub(in crate::coordination) fn new(url: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let told = |error: RedisError| error.to_string();
        let parsed = redis::parse_redis_url(url).ok_or("this is no URL of a Redis server")?;
        let info = parsed.into_connection_info().map_err(told)?;
        let login = info.redis_settings().clone().set_skip_set_lib_name();
        let secrets = [login.password(), login.username()].into_iter().flatten();
        let secrets = secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
        let (host, port, encrypted) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (host, port, false),
            ConnectionAddr::TcpTls { host, port, .. } => (host, port, true),
            _ => return Err("this is no server with a host and a port".into()),
        };
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        if encrypted {
            // The library panics without a provider; the error says only that there is one already.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        // A frame's last packet must not wait for the answer to the one before it.
        let info = info.set_redis_settings(login).set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = match trusted.filter(|_| encrypted) {
            Some(root_cert) => {
                Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
            }
            None => Client::open(info),
        };
        Ok(Self { client: client.map_err(told)?, address, encrypted, secrets })
    }

    /// Where it is, without secrets.
    pub(in crate::coordination) fn address(&self) -> &str {
        &self.address
    }

    /// A connection to ask on, and the run of the server that it leads to, where the server tells.
    ///
    /// A frozen server's machine still takes connections, and what is sent on them: whatever is written before
    /// the server has answered once may be done long after it was given up. So a question goes first that changes nothing.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(in crate::coordination) async fn connect(&self) -> Result<(MultiplexedConnection, Option<String>), String> {
        // The bounds here are ours; the library's would be a second, different set.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let run = run_id(&mut connection).await?;
            Ok((connection, run))
        };
        self.bounded(timeout(CONNECT_WITHIN, connecting).await)
    }

    /// A connection that hears `channel`.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(in crate::coordination) async fn listen(&self, channel: &str) -> Result<PubSub, String> {
        let listening = async {
            let mut listener = self.client.get_async_pubsub().await?;
            listener.subscribe(channel).await?;
            Ok(listener)
        };
        self.bounded(timeout(CONNECT_WITHIN, listening).await)
    }

    fn bounded<T>(&self, opened: Result<Result<T, RedisError>, tokio::time::error::Elapsed>) -> Result<T, String> {
        match opened {
            Ok(opened) => opened.map_err(|error| self.told(&error)),
            Err(_) if self.encrypted => Err(words::NO_ANSWER_OVER_TLS.into()),
            Err(_) => Err(words::NO_ANSWER.into()),
        }
    }

    /// The error in plain words, without secrets.
    pub(in crate::coordination) fn told(&self, error: &RedisError) -> String {
        // A server may repeat the words of a command that it did not understand.
        self.secrets.iter().fold(words::plain(error), |told, secret| told.replace(secret, "***"))
    }
}

/// `None`: the server answered, but does not tell now, or not this user.
async fn run_id(connection: &mut MultiplexedConnection) -> Result<Option<String>, RedisError> {
    match redis::cmd("INFO").arg("server").query_async::<String>(connection).await {
        Ok(info) => Ok(run_of(&info)),
        // Whom the server does not know it shows the door at a long question, in words that tell nothing.
        Err(error) if is_broken(&error) || error.code() == Some("NOAUTH") => Err(error),
        Err(_) => Ok(None),
    }
}

/// Which run of the server `info` is of: another one after each restart or change of server.
pub(in crate::coordination) fn run_of(info: &str) -> Option<String> {
    info.lines().find_map(|line| line.strip_prefix("run_id:")).map(|id| id.trim().to_owned())
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
