//! A connection on which each question has its bound, and no answer is taken for another question's.
//!
//! A question takes the connection out and puts it back when it was answered.
//! So one that is late, failed or dropped takes the connection with it, and the
//! next makes a new one. Deliberately no retry but one, over a fresh
//! connection, for a server that was restarted between two questions.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisError, ScriptInvocation};
use tokio::time::timeout;

use crate::coordination::redis::server::{Server, is_broken, run_of};
use crate::coordination::redis::words;

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

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Question<'a> {
    Command(&'a Cmd),
    Script(&'a ScriptInvocation<'a>),
}

impl Question<'_> {
    async fn put<T: FromRedisValue>(self, connection: &mut MultiplexedConnection) -> Result<T, RedisError> {
        match self {
            Question::Command(command) => command.query_async(connection).await,
            Question::Script(call) => call.invoke_async(connection).await,
        }
    }
}

/// A server, and the connection to it while there is one.
pub(super) struct Line {
    server: Server,
    kept: Option<Connected>,
}

struct Connected {
    connection: MultiplexedConnection,
    /// Which run of the server it leads to, where the server tells.
    identity: Option<String>,
}

impl Line {
    pub(super) fn new(server: Server) -> Self {
        Self { server, kept: None }
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Asks; `bytes` that are sent or expected add their time to the bound.
    pub(super) async fn ask<T: FromRedisValue>(&mut self, bytes: usize, question: Question<'_>) -> Result<T, Failure> {
        let within = ANSWER_WITHIN + Duration::from_millis((bytes / BYTES_PER_MILLISECOND) as u64);
        if let Some(mut kept) = self.kept.take() {
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
        let (connection, identity) = self.server.connect().await.map_err(Failure::Told)?;
        let mut fresh = Connected { connection, identity };
        let answered = timeout(within, question.put(&mut fresh.connection)).await;
        let answered = answered.map_err(|_| Failure::Told(words::NO_ANSWER.into()))?;
        if !answered.as_ref().is_err_and(is_broken) {
            self.kept = Some(fresh);
        }
        answered.map_err(|error| self.failure(&error))
    }

    /// Which run of the server answers on this connection, asked once per connection where it tells.
    pub(super) async fn identity(&mut self) -> Result<Option<String>, Failure> {
        if let Some(identity) = self.kept.as_ref().and_then(|kept| kept.identity.clone()) {
            return Ok(Some(identity));
        }
        let info: String = self.ask(0, Question::Command(redis::cmd("INFO").arg("server"))).await?;
        let identity = run_of(&info);
        if let Some(kept) = &mut self.kept {
            kept.identity.clone_from(&identity);
        }
        Ok(identity)
    }

    fn failure(&self, error: &RedisError) -> Failure {
        if words::is_foreign(error) { Failure::Foreign } else { Failure::Told(self.server.told(error)) }
    }
}
