//! A connection to a Redis server on which nothing ever waits long.
//!
//! The library's own reconnecting connection can hold a caller up for seconds
//! while it backs off. Here each question is asked within a bound of its own, a
//! connection that failed is dropped, and the next question makes a new one.
//! Deliberately no retry but one, over a fresh connection, for a server that was
//! restarted between two questions: who retries and when is the keeper's part.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::server::{Server, Trouble};
use crate::config::timing::STORE_OPERATION;
use crate::coordination::redis::words;

/// How long a connection may take with login and TLS: a server further away than this is no help to a board.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// How long one question may take.
const ANSWER_WITHIN: Duration = Duration::from_millis(STORE_OPERATION.as_millis());

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
    server: Server,
    /// `None` while this is dropped.
    runtime: Option<Runtime>,
    connection: Option<MultiplexedConnection>,
}

impl Link {
    /// A link to the server of `url`, which is not asked yet. `trusted` replaces the certificates this machine trusts.
    pub(super) fn new(url: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let server = Server::new(url, trusted)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        Ok(Self { server, runtime: Some(runtime), connection: None })
    }

    /// Where the server is, without secrets.
    pub(super) fn address(&self) -> &str {
        self.server.address()
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
        let (server, kept) = (&self.server, &mut self.connection);
        let asked = runtime.block_on(async {
            // A drop takes the connection along, so that no late answer is taken for that of the next question.
            timeout(all, converse(server, kept.take(), answer, question)).await.unwrap_or(Err(Trouble::Silent))
        });
        match asked {
            Ok((connection, answered)) => {
                self.connection = Some(connection);
                answered.map_err(|error| self.failure(&error))
            }
            Err(Trouble::Said(error)) => Err(self.failure(&error)),
            Err(Trouble::Told(why)) => Err(Failure::Told(self.server.veiled(why))),
            Err(Trouble::Silent) if self.server.is_encrypted() && first => {
                Err(Failure::Told(words::NO_ANSWER_OVER_TLS.into()))
            }
            Err(Trouble::Silent) => Err(Failure::Told(words::NO_ANSWER.into())),
        }
    }

    pub(super) fn failure(&self, error: &RedisError) -> Failure {
        if words::is_foreign(error) {
            return Failure::Foreign;
        }
        Failure::Told(self.server.veiled(words::plain(error)))
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

type Conversed<T> = Result<(MultiplexedConnection, Result<T, RedisError>), Trouble>;

async fn converse<T>(
    server: &Server,
    kept: Option<MultiplexedConnection>,
    within: Duration,
    question: &impl AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>,
) -> Conversed<T> {
    if let Some(mut connection) = kept {
        match timeout(within, question(&mut connection)).await {
            Err(_) => return Err(Trouble::Silent),
            Ok(Err(error)) if is_broken(&error) => {}
            Ok(answered) => return Ok((connection, answered)),
        }
    }
    let mut connection = timeout(CONNECT_WITHIN, server.connect()).await.map_err(|_| Trouble::Silent)??;
    match timeout(within, question(&mut connection)).await {
        Err(_) => Err(Trouble::Silent),
        Ok(Err(error)) if is_broken(&error) => Err(Trouble::Said(error)),
        Ok(answered) => Ok((connection, answered)),
    }
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
