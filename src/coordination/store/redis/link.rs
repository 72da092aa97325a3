//! The store's line to its server, from a thread that may wait.
//!
//! A runtime of the store's own, which runs only while something is asked: the keeper's thread has no other.
//! Deliberately nothing else: bounds and connections are the line's.

use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::coordination::redis::line::{Failure, Line, Several};
use crate::coordination::redis::server::Server;

/// A line, and what it runs on.
pub(super) struct Link {
    line: Line,
    /// `None` while this is dropped.
    runtime: Option<Runtime>,
}

impl Link {
    /// A link to the server of `url`, which is not asked yet. `trusted` (PEM) replaces the certificates this machine trusts.
    pub(super) fn new(url: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let line = Line::new(Server::new(url, trusted)?);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        Ok(Self { line, runtime: Some(runtime) })
    }

    /// Where the server is, without secrets.
    pub(super) fn address(&self) -> &str {
        self.line.server().address()
    }

    /// Asks within the usual bounds, to which `bytes` that are sent add their time.
    pub(super) fn ask<T>(
        &mut self,
        bytes: usize,
        question: impl AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(closed()) };
        runtime.block_on(self.line.ask(bytes, &Several(question)))
    }

    /// Asks: connecting and answering together take `all` at most.
    pub(super) fn ask_within<T>(
        &mut self,
        all: Duration,
        question: impl AsyncFn(&mut MultiplexedConnection) -> Result<T, RedisError>,
    ) -> Result<T, Failure> {
        let Some(runtime) = &self.runtime else { return Err(closed()) };
        // A drop takes the connection along, so that no late answer is taken for that of the next question.
        let asked = runtime.block_on(async { timeout(all, self.line.ask(0, &Several(question))).await });
        asked.unwrap_or_else(|_| Err(Failure::Told(self.line.server().silence().into())))
    }

    pub(super) fn failure(&self, error: &RedisError) -> Failure {
        self.line.failure(error)
    }
}

fn closed() -> Failure {
    Failure::Told("the connection is closed".into())
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A name that is still being resolved must not hold up the end of the program.
            runtime.shutdown_background();
        }
    }
}
