//! A connection to a Redis server on which nothing ever waits long.
//!
//! The library's own reconnecting connection can hold a caller up for seconds
//! while it backs off. Here each question is asked within a bound of its own, a
//! connection that failed is dropped, and the next question makes a new one.
//! Deliberately no retry but one, over a fresh connection, for a server that was
//! restarted between two questions: who retries and when is the keeper's part.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError,
    ServerErrorKind, TlsCertificates,
};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::coordination::redis::words;

/// How long a connection may take with login and TLS: a server further away than this is no help to a board.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// How long one question may take. A healthy server answers within 4 ms even when it writes each
/// command to its disk; at 300 ms the lease's margin still holds (reliability, Tred).
const ANSWER_WITHIN: Duration = Duration::from_millis(300);

/// What a line carries at least: 8 Mbit/s. A large board gets so much more time.
const BYTES_PER_MILLISECOND: usize = 1_000;

/// How a question went wrong.
#[derive(Debug)]
pub(super) enum Failure {
    /// The key holds another kind of value than ours.
    Foreign,
    /// Everything else, in words.
    Told(String),
}

/// A server, and the connection to it while there is one.
pub(super) struct Link {
    client: Client,
    address: String,
    encrypted: bool,
    secrets: Vec<String>,
    /// `None` while this is dropped.
    runtime: Option<Runtime>,
    connection: Option<MultiplexedConnection>,
}

impl Link {
    /// A link to the server of `url`, which is not asked yet. `trusted` replaces the certificates this machine trusts.
    pub(super) fn new(url: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let parsed = redis::parse_redis_url(url).ok_or("this is no URL of a Redis server")?;
        let info = parsed.into_connection_info().map_err(|error| error.to_string())?;
        let login = info.redis_settings().clone().set_skip_set_lib_name();
        let secrets = [login.password(), login.username()].into_iter().flatten();
        let secrets = secrets.filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
        let encrypted = matches!(info.addr(), ConnectionAddr::TcpTls { .. });
        let (address, client) = open(info.set_redis_settings(login), trusted)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        Ok(Self { client, address, encrypted, secrets, runtime: Some(runtime), connection: None })
    }

    /// Where the server is, without secrets.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Asks within the usual bounds, to which `bytes` that are sent add their time.
    pub(super) fn ask<T>(
        &mut self,
        bytes: usize,
        question: &impl AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        let more = Duration::from_millis((bytes / BYTES_PER_MILLISECOND) as u64);
        self.ask_within(CONNECT_WITHIN + 2 * (ANSWER_WITHIN + more), ANSWER_WITHIN + more, question)
    }

    /// Asks: connecting and answering together take `all` at most, each answer `answer`.
    pub(super) fn ask_within<T>(
        &mut self,
        all: Duration,
        answer: Duration,
        question: &impl AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(Failure::Told("the connection is closed".into())) };
        let first = self.connection.is_none();
        let (client, kept) = (&self.client, &mut self.connection);
        let asked = runtime.block_on(async {
            // A drop takes the connection along, so that no late answer is taken for that of the next question.
            timeout(all, converse(client, kept.take(), answer, question)).await.unwrap_or(Err(None))
        });
        match asked {
            Ok((connection, answered)) => {
                self.connection = Some(connection);
                answered.map_err(|error| self.failure(&error))
            }
            Err(Some(error)) => Err(self.failure(&error)),
            Err(None) if self.encrypted && first => Err(Failure::Told(words::NO_ANSWER_OVER_TLS.into())),
            Err(None) => Err(Failure::Told(words::NO_ANSWER.into())),
        }
    }

    pub(super) fn failure(&self, error: &RedisError) -> Failure {
        if words::is_foreign(error) {
            return Failure::Foreign;
        }
        let mut told = words::plain(error);
        // A server may repeat the words of a command that it did not understand.
        for secret in &self.secrets {
            told = told.replace(secret, "***");
        }
        Failure::Told(told)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.connection = None;
        if let Some(runtime) = self.runtime.take() {
            // A name that is still being resolved must not hold up the end of the program.
            runtime.shutdown_background();
        }
    }
}

fn open(info: ConnectionInfo, trusted: Option<Vec<u8>>) -> Result<(String, Client), String> {
    let told = |error: RedisError| error.to_string();
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
    let client = match trusted.filter(|_| encrypted) {
        Some(root_cert) => {
            Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
        }
        None => Client::open(info),
    };
    client.map(|client| (address, client)).map_err(told)
}

type Conversed<T> = Result<(MultiplexedConnection, Result<T, RedisError>), Option<RedisError>>;

/// `Err(None)`: no answer in time.
async fn converse<T>(
    client: &Client,
    kept: Option<MultiplexedConnection>,
    within: Duration,
    question: &impl AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>,
) -> Conversed<T> {
    if let Some(mut connection) = kept {
        match timeout(within, question(&mut connection)).await {
            Err(_) => return Err(None),
            Ok(Err(error)) if is_broken(&error) => {}
            Ok(answered) => return Ok((connection, answered)),
        }
    }
    let mut connection = timeout(CONNECT_WITHIN, connect(client)).await.map_err(|_| None)?.map_err(Some)?;
    match timeout(within, question(&mut connection)).await {
        Err(_) => Err(None),
        Ok(Err(error)) if is_broken(&error) => Err(Some(error)),
        Ok(answered) => Ok((connection, answered)),
    }
}

async fn connect(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    // The bounds here are ours; the library's would be a second, different set.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Whether the connection is of no use any more, whatever the server thinks of the question. One to a server
/// that has become a replica is among them: its name may lead to the new primary by now.
fn is_broken(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => true,
        ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::UnexpectedReturnType => false,
        _ => true,
    }
}
