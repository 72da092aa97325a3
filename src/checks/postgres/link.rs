//! A connection to a PostgreSQL server that can be dropped at any moment.
//!
//! The library wants its connection driven in a task of its own, which outlives
//! a dropped run, and reads an answer of any size. Here it is driven inside the
//! run alone, over a stream that counts: what is dropped is closed at once, and
//! a server that talks without end is cut off.

use std::error::Error as _;
use std::fmt::{self, Write as _};
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_util::TryStreamExt;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, Connection, NoTls};

use super::cell::Cell;
use crate::checks::counted::{Counted, Counter, TOO_LONG};
use crate::checks::net::plain_io;
use crate::frame::{Value, Values};

/// What a server may say in one run: a row has a few bytes, a long text some KiB.
const RUN_BYTES_MAX: u64 = 256 * 1024;

/// How long the server works on a query whose run is gone, in milliseconds. A
/// board asks what is known at once; ten seconds bound what it costs the server.
const STATEMENT_TIMEOUT_MS: u32 = 10_000;

/// From this version on a server can look whether we are still there, each so many milliseconds.
const WATCHING_VERSION: u32 = 14;
const WATCHED_EVERY_MS: u32 = 500;

type Driver = Connection<Counted<TcpStream>, NoTlsStream>;

/// A connection, and what moves its bytes.
pub(super) struct Link {
    client: Client,
    /// `None` once it has ended.
    connection: Option<Pin<Box<Driver>>>,
    counter: Arc<Counter>,
    version: String,
}

/// What went wrong with the server, in words without its address.
#[derive(Debug)]
pub(super) enum Error {
    /// The connection has ended before.
    Gone,
    /// The library's word.
    Told(tokio_postgres::Error),
}

impl Link {
    /// Logs in.
    pub(super) async fn log_in(stream: TcpStream, login: &Config) -> Result<Self, Error> {
        let counter = Arc::<Counter>::default();
        counter.allow(RUN_BYTES_MAX);
        let stream = Counted::new(stream, Arc::clone(&counter));
        let (client, connection) = login.connect_raw(stream, NoTls).await?;
        let version = connection.parameter("server_version").unwrap_or_default().to_owned();
        Ok(Self { client, connection: Some(Box::pin(connection)), counter, version })
    }

    /// Bytes that ever came in.
    pub(super) fn received(&self) -> u64 {
        self.counter.received()
    }

    /// Asks `query` while the bytes move. Beside the values: whether the connection is fit for more.
    pub(super) async fn ask(&mut self, query: &str) -> Result<(Values, bool), Error> {
        self.counter.allow(RUN_BYTES_MAX);
        let Some(connection) = &mut self.connection else { return Err(Error::Gone) };
        let mut conversation = pin!(converse(&self.client, &self.version, query));
        let ended = tokio::select! {
            biased;
            told = &mut conversation => return told,
            ended = connection => ended,
        };
        // What the server said last may still be on its way to the one who asked, who
        // waits for more until the connection is no more.
        self.connection = None;
        match (conversation.await, ended) {
            (Err(error), Err(why)) if error.is_closed() => Err(why.into()),
            (told, _) => told,
        }
    }
}

async fn converse(client: &Client, version: &str, query: &str) -> Result<(Values, bool), Error> {
    client.batch_execute(&opening(version)).await?;
    let asked = Instant::now();
    let no_parameters: [(&(dyn ToSql + Sync), Type); 0] = [];
    // The extended protocol takes one statement alone: none can end the transaction and go on.
    let mut rows = pin!(client.query_typed_raw(query, no_parameters).await?);
    let first = rows.try_next().await?;
    let latency = asked.elapsed();
    let value = match first {
        Some(row) if !row.is_empty() => row.try_get::<_, Cell>(0)?.0,
        _ => Value::Null,
    };
    let values = Values::new()
        .with("latency", Value::span(latency.into()))
        .with("value", value)
        .with("version", Value::text(version.split(' ').next().unwrap_or_default()));
    // Further rows are nobody's, and there may be any number of them.
    let whole = loop {
        match rows.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => break client.batch_execute("ROLLBACK").await.is_ok(),
            Err(_) => break false,
        }
    };
    Ok((values, whole))
}

/// What stands before each query. Local to the transaction, so that a pooler between us and the server is left clean.
fn opening(version: &str) -> String {
    let mut words = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}");
    let major = version.split(|it: char| !it.is_ascii_digit()).next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= WATCHING_VERSION) {
        // Writing to a text never fails.
        let _ = write!(words, "; SET LOCAL client_connection_check_interval = {WATCHED_EVERY_MS}");
    }
    words
}

impl Error {
    /// Whether the connection is gone, rather than the question refused.
    pub(super) fn means_gone(&self) -> bool {
        let Self::Told(error) = self else { return true };
        match error.code() {
            // What a server says to its clients while it stops.
            Some(code) => {
                [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
            }
            // An error of reading a value is ours, and has a cause of its own.
            None => self.is_closed() || io(error).is_some_and(|error| error.to_string() != TOO_LONG),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Gone => true,
            Self::Told(error) => error.is_closed(),
        }
    }
}

/// The error of the network that is behind one of the library.
fn io(error: &tokio_postgres::Error) -> Option<&std::io::Error> {
    error.source()?.downcast_ref()
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Told(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Told(error) if !error.is_closed() => error,
            _ => return f.write_str("closed without an answer"),
        };
        if let Some(told) = error.as_db_error() {
            let code = told.code();
            if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) {
                return write!(f, "user or password refused: {}", told.message());
            }
            if *code == SqlState::QUERY_CANCELED {
                return write!(f, "the query took longer than {} s", STATEMENT_TIMEOUT_MS / 1000);
            }
            return write!(f, "refused: {}", told.message());
        }
        if let Some(error) = io(error) {
            return f.write_str(&plain_io(error));
        }
        match error.source() {
            Some(why) => write!(f, "{why}"),
            None => write!(f, "no PostgreSQL answer: {error}"),
        }
    }
}
