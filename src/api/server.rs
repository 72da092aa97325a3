//! Who may connect, for how long, and how it ends.
//!
//! hyper is driven directly: `axum::serve` sets no timer, and without one hyper
//! cuts no slow client. Every connection lives in one [`JoinSet`] of this
//! function, so none outlives [`serve`].

use std::io;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::gate::Room;
use super::stall::Stalling;
use super::{Faces, routes};

/// What one client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How long the head of a request may take, from the end of the last answer
    /// on: this cuts slow senders and idle connections alike.
    pub head_time: Duration,
    /// How long the body of a request may take, all told.
    pub body_time: Duration,
    /// How large the body of a request may be.
    pub body_bytes: usize,
    /// How large a batch may be.
    pub batch_bytes: usize,
    /// How long an answer may lie unread before the connection is cut.
    pub stall_time: Duration,
    /// How many connections may be open at once.
    pub connections: usize,
}

impl Limits {
    /// Generous for any scraper or pusher, tight enough that a hundred stuck clients are gone in seconds.
    pub(super) const USUAL: Self = Self {
        head_time: Duration::from_secs(5),
        body_time: Duration::from_secs(10),
        body_bytes: 64 * 1024,
        batch_bytes: 1024 * 1024,
        stall_time: Duration::from_secs(10),
        connections: 128,
    };
}

/// The largest head of a request: no honest one comes near, and each connection may hold this much.
const HEAD_BYTES: usize = 32 * 1024;

/// How long answers that are under way may take once the stop has come. The
/// whole program has 100 ms for it.
const GRACE: Duration = Duration::from_millis(50);

/// The pause after the system refused a new connection, most often because the
/// process has no file descriptor left: long enough not to spin, short enough
/// not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where clients come in.
#[derive(Debug)]
pub enum Door {
    /// An address: writes show the token, where one is set.
    Tcp(TcpListener),
    /// A socket that only this user can open: its file's mode is the guard.
    Unix(UnixListener),
}

/// Who came in.
enum Client {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Door {
    async fn accept(&self) -> io::Result<Client> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, _)| Client::Tcp(stream)),
            Self::Unix(listener) => listener.accept().await.map(|(stream, _)| Client::Unix(stream)),
        }
    }
}

/// Answers at `door` until `stop`, and ends within 100 ms of it with every connection closed.
pub async fn serve(door: Door, faces: Faces, stop: CancellationToken) {
    serve_within(door, faces, stop, Limits::USUAL).await;
}

pub(super) async fn serve_within(door: Door, faces: Faces, stop: CancellationToken, limits: Limits) {
    debug!(?door, "the HTTP face listens");
    let refused = faces.refused.clone();
    let asks_token = matches!(door, Door::Tcp(_));
    let router = routes::router(Room::new(faces, limits, asks_token, stop.clone()));
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(ended) = open.join_next() => report(ended),
            accepted = door.accept() => match accepted {
                Ok(_) if open.len() >= limits.connections => refused(()),
                Ok(Client::Tcp(stream)) => match prepare(&stream, limits) {
                    Ok(()) => drop(open.spawn(converse(stream, router.clone(), stop.clone(), limits))),
                    Err(error) => debug!(%error, "a connection was gone before its first request"),
                },
                Ok(Client::Unix(stream)) => {
                    open.spawn(converse(stream, router.clone(), stop.clone(), limits));
                }
                Err(error) => {
                    warn!(%error, "the system refused a new connection to the HTTP face");
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    }
                }
            },
        }
    }
    // Nobody new from here on, then whoever is being answered, then whoever is left.
    drop(door);
    let answered = async { while open.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, answered).await;
    open.shutdown().await;
}

/// One connection from its first request to its end.
async fn converse<S>(stream: S, router: Router, stop: CancellationToken, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Stalling::new(stream, limits.stall_time)), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients that break off, dawdle or send rubbish are everyday life.
        debug!(%error, "a connection to the HTTP face ended badly");
    }
}

/// Small answers leave at once, and a client whose machine is gone is cut by the system itself.
fn prepare(stream: &TcpStream, limits: Limits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let stall = u32::try_from(limits.stall_time.as_millis()).unwrap_or(u32::MAX);
        rustix::net::sockopt::set_tcp_user_timeout(stream, stall)?;
    }
    Ok(())
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        // A panic ends its own connection and nothing else, but it must not end silently.
        warn!(%error, "answering a request failed inside the program");
    }
}
