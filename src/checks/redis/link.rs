//! A connection to a Redis server that can be dropped at any moment.
//!
//! The library usually drives a connection in a task of its own, which outlives
//! a dropped run, and reads an answer of any size. Here the connection is driven
//! inside the run alone, over a stream that counts: what is dropped is closed at
//! once, and a server that talks without end is cut off.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::checks::counted::{Counted, Counter};
use crate::checks::net::{Address, plain_io};
use crate::checks::{Fault, tls};

/// What a server may say between two questions of ours. INFO, the longest
/// answer, has some 6 KiB, and some 100 KiB on a server with thousands of databases.
const RUN_BYTES_MAX: u64 = 1 << 20;

/// A plain or an encrypted stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;
type Conversation<'a, T> = Pin<Box<dyn Future<Output = Result<T, RedisError>> + Send + 'a>>;

/// A connection, and what moves its bytes.
pub(super) struct Link {
    connection: MultiplexedConnection,
    driver: Driver,
    counter: Arc<Counter>,
}

impl Link {
    /// Logs in and chooses the database.
    pub(super) async fn log_in(stream: Box<dyn Stream>, login: &RedisConnectionInfo) -> Result<Self, RedisError> {
        let counter = Arc::<Counter>::default();
        counter.allow(RUN_BYTES_MAX);
        let stream = Counted::new(stream, Arc::clone(&counter));
        // How long a run may last is its caller's business; the library's half a second is not.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let (connection, driver) = MultiplexedConnection::new_with_config(login, stream, config).await?;
        Ok(Self { connection, driver: Box::pin(driver), counter })
    }

    /// Bytes that ever came in.
    pub(super) fn received(&self) -> u64 {
        self.counter.received()
    }

    /// Asks and answers while the bytes move.
    pub(super) async fn converse<'a, T>(
        &'a mut self,
        ask: impl FnOnce(&'a mut MultiplexedConnection) -> Conversation<'a, T>,
    ) -> Result<T, RedisError> {
        self.counter.allow(RUN_BYTES_MAX);
        let mut conversation = pin!(ask(&mut self.connection));
        tokio::select! {
            biased;
            answer = &mut conversation => answer,
            // The stream has ended; what it said last is already under way to the one who asked.
            () = &mut self.driver => conversation.await,
        }
    }
}

/// The stream itself, encrypted where that is asked for.
pub(super) async fn open(stream: TcpStream, address: &Address, encrypted: bool) -> Result<Box<dyn Stream>, Fault> {
    if !encrypted {
        return Ok(Box::new(stream));
    }
    let config = trusted().clone().map_err(Fault)?;
    shake_hands(stream, address, config).await
}

async fn shake_hands(
    stream: TcpStream,
    address: &Address,
    config: Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, Fault> {
    let fault = |why: String| Fault(format!("{why} ({address})"));
    let name = ServerName::try_from(address.host().to_owned()).map_err(|_| fault("no name for TLS".into()))?;
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(e) => Err(fault(tls::cause(&e).map_or_else(|| plain_io(&e), tls::plain))),
    }
}

/// TLS with the certificates that the machine trusts, read once.
fn trusted() -> &'static Result<Arc<ClientConfig>, String> {
    static TRUSTED: OnceLock<Result<Arc<ClientConfig>, String>> = OnceLock::new();
    TRUSTED.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(|| "there are none".into(), ToString::to_string);
            return Err(format!("no TLS on this machine: no certificate is trusted: {why}"));
        }
        tls::install_provider();
        Ok(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    })
}
