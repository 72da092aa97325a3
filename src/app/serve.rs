//! The HTTP face: starts it at the configured address and at the board's own socket, and moves it when those change.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::account::Account;
use super::clock::{Clock, raw_difference};
use super::cluster::Roster;
use super::desk::Counter;
use super::driver::Inbox;
use super::feed::Feed;
use super::socket::{Socket, socket_path};
use super::stage::Stage;
use crate::api::{self, Door, Faces};
use crate::buffer::Swap;
use crate::config::{Config, Secret};
use crate::frame::Role;
use crate::kernel::{Moment, Span};
use crate::metrics::Meters;
use crate::renderers::json::FrameLine;

/// A board thread that has not gone round for so long is stuck: it does so every second at rest.
const STUCK: Span = Span::from_secs(5);

/// Why an address is not served: everybody who reaches it could write.
pub(super) const NEEDS_TOKEN: &str = "is not loopback, so everybody who reaches it could write: set `token`";

/// What the HTTP face looks into.
pub(super) struct Behind {
    pub(super) clock: Clock,
    pub(super) meters: Arc<Meters>,
    pub(super) stage: Arc<Stage>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) account: Arc<Account>,
    pub(super) feed: Arc<Feed>,
    pub(super) roster: Arc<Roster>,
}

/// The server at its address and its socket.
pub(super) struct Server {
    runtime: Handle,
    tracker: TaskTracker,
    faces: Faces,
    counter: Arc<Counter>,
    token: Arc<Swap<Option<Secret>>>,
    at: Mutex<Places>,
}

/// Where it serves now, each with what ends it.
#[derive(Default)]
struct Places {
    address: Option<(SocketAddr, CancellationToken)>,
    socket: Option<(Socket, CancellationToken)>,
}

impl Server {
    pub(super) fn new(runtime: Handle, behind: Behind) -> Self {
        let Behind { clock, meters, stage, inbox, account, feed, roster } = behind;
        let (drawn, shown, playing) = (Arc::clone(&stage), Arc::clone(&stage), stage);
        let (scraped, answered, refused, filtered) =
            (Arc::clone(&meters), Arc::clone(&meters), Arc::clone(&meters), meters);
        let role = move || playing.newest().as_ref().as_ref().map_or(Role::Alone, |frame| frame.role);
        let counter = Arc::new(Counter::new(Arc::clone(&inbox), clock, account, (feed, roster), Arc::new(role)));
        let token: Arc<Swap<Option<Secret>>> = Arc::default();
        let asked = Arc::clone(&token);
        let ahead = raw_difference();
        // A board thread that has yet to go round is as young as this.
        let began = clock.now();
        let faces = Faces {
            alive: Arc::new(move || {
                let moved = Moment::from_unix_millis(inbox.heartbeat()).max(began);
                clock.now().since(moved) < STUCK
            }),
            ready: Arc::new(move || match drawn.newest().as_ref() {
                None => Err("nothing has been drawn yet".into()),
                Some(_) if !drawn.has_drawn() => Err("nothing has been drawn yet".into()),
                Some(frame) if frame.is_fallback() && frame.notice.is_some() => {
                    Err("no board is loaded: the config can't be used".into())
                }
                Some(_) => Ok(()),
            }),
            metrics: Arc::new(move || {
                scraped.clock_difference(raw_difference() - ahead);
                scraped.render()
            }),
            frame: Arc::new(move || {
                let newest = shown.newest();
                newest.as_ref().as_ref().and_then(|frame| serde_json::to_value(FrameLine::from(frame)).ok())
            }),
            answered: Arc::new(move |code| answered.answered(code)),
            refused: Arc::new(move |()| refused.connection_refused()),
            filtered: Arc::new(move |()| filtered.text_filtered()),
            now: Arc::new(move || clock.now()),
            token: Arc::new(move || asked.load().as_ref().clone()),
            desk: counter.clone(),
        };
        Self { runtime, tracker: TaskTracker::new(), faces, counter, token, at: Mutex::default() }
    }

    /// Serves as a config says from now on; `listen` wins over its address.
    ///
    /// # Errors
    /// Where the address can't be listened at: which, and why.
    pub(super) fn take_up(&self, config: &Config, listen: Option<SocketAddr>) -> Result<(), String> {
        self.counter.rename(config.console.as_deref());
        // The token first: nobody may come in at a new address with the old one, or with none.
        self.token.store(config.token.clone());
        self.listen_at_socket(&config.title);
        self.listen(listen.or(config.listen))
    }

    /// Serves at `address` from now on; `None`: nowhere.
    ///
    /// # Errors
    /// Where the address can't be listened at: which, and why.
    pub(super) fn listen(&self, address: Option<SocketAddr>) -> Result<(), String> {
        let mut at = self.at();
        if at.address.as_ref().map(|(now, _)| *now) == address {
            return Ok(());
        }
        if let Some((_, stop)) = at.address.take() {
            stop.cancel();
        }
        let Some(address) = address else { return Ok(()) };
        if !address.ip().is_loopback() && self.token.load().is_none() {
            return Err(format!("listen: {address} {NEEDS_TOKEN}"));
        }
        let refused = |why: std::io::Error| format!("listen: nothing can be served at {address}: {why}");
        let listener = std::net::TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let _entered = self.runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(refused)?;
        info!(%address, "serving");
        at.address = Some((address, self.serve(Door::Tcp(listener))));
        Ok(())
    }

    /// Serves at the socket of the board called `title` from now on. The board
    /// is well without it, so trouble is told in the log alone.
    fn listen_at_socket(&self, title: &str) {
        let path = socket_path(title, &|name| std::env::var_os(name));
        let mut at = self.at();
        if at.socket.as_ref().is_some_and(|(socket, _)| socket.path() == path) {
            return;
        }
        if let Some((_, stop)) = at.socket.take() {
            stop.cancel();
        }
        let _entered = self.runtime.enter();
        let bound = Socket::bind(&path).and_then(|bound| {
            let listener = |(socket, listener)| Ok((socket, tokio::net::UnixListener::from_std(listener)?));
            bound.map(listener).transpose().map_err(|why: std::io::Error| why.to_string())
        });
        match bound {
            Ok(Some((socket, listener))) => at.socket = Some((socket, self.serve(Door::Unix(listener)))),
            Ok(None) => info!(socket = %path.display(), "another console of this board answers at its socket"),
            Err(why) => warn!("the commands can't find this board: {why}"),
        }
    }

    fn serve(&self, door: Door) -> CancellationToken {
        let stop = CancellationToken::new();
        self.tracker.spawn_on(api::serve(door, self.faces.clone(), stop.clone()), &self.runtime);
        stop
    }

    /// Serves no more, and waits until nobody is answered any more.
    pub(super) async fn close(&self) {
        let Places { address, socket } = std::mem::take(&mut *self.at());
        let stops = [address.map(|(_, stop)| stop), socket.map(|(_, stop)| stop)];
        stops.into_iter().flatten().for_each(|stop| stop.cancel());
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn at(&self) -> MutexGuard<'_, Places> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
