//! A connection on which each question has its bound, and no answer is taken for another question's.
//!
//! The library's own reconnecting connection can hold a caller up for seconds while it backs off. Here a
//! question takes the connection out and puts it back when it was answered. So one that is late, failed or
//! dropped takes the connection with it, and the next makes a new one. Deliberately no retry but one, over a
//! fresh connection, for a server that was restarted between two questions: who retries and when is the
//! caller's part.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisError, ScriptInvocation};
use tokio::time::timeout;

use super::server::{ANSWER_WITHIN, Reached, Server, is_broken, run_of};
use super::words;

/// What a line carries at least: 8 Mbit/s. A large board gets so much more time.
const BYTES_PER_MILLISECOND: usize = 1_000;

/// How a question went wrong.
#[derive(Debug)]
pub(in crate::coordination) enum Failure {
    /// The key holds another kind of value than ours.
    Foreign,
    /// Everything else, in words.
    Told(String),
}

/// What can be asked, and asked again.
pub(in crate::coordination) trait Question<T> {
    /// Asks, without a bound.
    fn put(&self, connection: &mut MultiplexedConnection) -> impl Future<Output = Result<T, RedisError>>;
}

impl<T: FromRedisValue> Question<T> for Cmd {
    async fn put(&self, connection: &mut MultiplexedConnection) -> Result<T, RedisError> {
        self.query_async(connection).await
    }
}

impl<T: FromRedisValue> Question<T> for ScriptInvocation<'_> {
    async fn put(&self, connection: &mut MultiplexedConnection) -> Result<T, RedisError> {
        self.invoke_async(connection).await
    }
}

/// Several questions that are one: within one bound, and over one connection.
pub(in crate::coordination) struct Several<F>(pub(in crate::coordination) F);

impl<T, F: AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>> Question<T> for Several<F> {
    async fn put(&self, connection: &mut MultiplexedConnection) -> Result<T, RedisError> {
        (self.0)(connection).await
    }
}

/// A server, and the connection to it while there is one.
pub(in crate::coordination) struct Line {
    server: Server,
    kept: Option<Reached>,
}

impl Line {
    pub(in crate::coordination) fn new(server: Server) -> Self {
        Self { server, kept: None }
    }

    pub(in crate::coordination) fn server(&self) -> &Server {
        &self.server
    }

    /// Asks; `bytes` that are sent or expected add their time to the bound.
    pub(in crate::coordination) async fn ask<T, Q: Question<T>>(
        &mut self,
        bytes: usize,
        question: &Q,
    ) -> Result<T, Failure> {
        let within = ANSWER_WITHIN + Duration::from_millis((bytes / BYTES_PER_MILLISECOND) as u64);
        if let Some(mut kept) = self.take() {
            match timeout(within, question.put(&mut kept.connection)).await {
                // The question is on its way; asking again now would put two of them before a server that thaws.
                Err(_) => return Err(Failure::Told(words::NO_ANSWER.into())),
                Ok(Err(error)) if is_broken(&error) => {}
                Ok(answered) => {
                    self.kept = Some(kept);
                    return answered.map_err(|error| self.failure(&error));
                }
            }
        }
        let mut fresh = self.server.connect().await.map_err(Failure::Told)?;
        let answered = timeout(within, question.put(&mut fresh.connection)).await;
        let answered = answered.map_err(|_| Failure::Told(words::NO_ANSWER.into()))?;
        if !answered.as_ref().is_err_and(is_broken) {
            self.kept = Some(fresh);
        }
        answered.map_err(|error| self.failure(&error))
    }

    /// Which run of the server answers on this connection, asked once per connection where it tells.
    pub(in crate::coordination) async fn identity(&mut self) -> Result<Option<String>, Failure> {
        self.kept = self.take();
        if let Some(identity) = self.kept.as_ref().and_then(|kept| kept.run.clone()) {
            return Ok(Some(identity));
        }
        let info: String = self.ask(0, redis::cmd("INFO").arg("server")).await?;
        let identity = run_of(&info);
        if let Some(kept) = &mut self.kept {
            kept.run.clone_from(&identity);
        }
        Ok(identity)
    }

    /// The connection out of its place, unless it leads to a server that was left.
    fn take(&mut self) -> Option<Reached> {
        let moves = self.server.moves();
        self.kept.take().filter(|kept| kept.moves == moves)
    }

    /// The error as one of a question.
    pub(in crate::coordination) fn failure(&self, error: &RedisError) -> Failure {
        if words::is_foreign(error) { Failure::Foreign } else { Failure::Told(self.server.told(error)) }
    }
}
