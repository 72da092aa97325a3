//! The HTTP face: starts it at the configured address and at the board's own socket, and moves it when those change.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use super::account::Account;
use super::answers::Answers;
use super::clock::{Clock, raw_difference};
use super::cluster::Roster;
use super::desk::{Counter, own_name};
use super::driver::Inbox;
use super::feed::Feed;
use super::socket::socket_path;
use super::stage::Stage;
use crate::api::{self, Door, Faces};
use crate::buffer::Swap;
use crate::config::{Config, Secret};
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
    roster: Arc<Roster>,
    token: Arc<Swap<Option<Secret>>>,
    /// Where it serves now, with what ends it.
    address: Mutex<Option<(SocketAddr, CancellationToken)>>,
    answers: Arc<Answers>,
    stop: CancellationToken,
}

impl Server {
    pub(super) fn new(runtime: Handle, behind: Behind) -> Self {
        let Behind { clock, meters, stage, inbox, account, feed, roster } = behind;
        let (drawn, shown) = (Arc::clone(&stage), stage);
        let (scraped, answered, refused, filtered) =
            (Arc::clone(&meters), Arc::clone(&meters), Arc::clone(&meters), meters);
        let counter = Arc::new(Counter::new(Arc::clone(&inbox), clock, account, (feed, Arc::clone(&roster))));
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
            desk: counter,
        };
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (within, by, on) = (tracker.clone(), faces.clone(), runtime.clone());
        let answers = Answers::new(runtime.clone(), Box::new(move |door| serve(door, &by, &within, &on)));
        tracker.spawn_on(Arc::clone(&answers).keep(roster.roles(), stop.clone()), &runtime);
        Self { runtime, tracker, faces, roster, token, address: Mutex::default(), answers, stop }
    }

    /// Serves as a config says from now on; `listen` wins over its address.
    ///
    /// # Errors
    /// Where the address can't be listened at: which, and why.
    pub(super) fn take_up(&self, config: &Config, listen: Option<SocketAddr>) -> Result<(), String> {
        self.roster.rename(config.console.clone().unwrap_or_else(own_name));
        // The token first: nobody may come in at a new address with the old one, or with none.
        self.token.store(config.token.clone());
        self.answers.at(&socket_path(&config.title, &|name| std::env::var_os(name)));
        self.listen(listen.or(config.listen))
    }

    /// Serves at `address` from now on; `None`: nowhere.
    ///
    /// # Errors
    /// Where the address can't be listened at: which, and why.
    pub(super) fn listen(&self, address: Option<SocketAddr>) -> Result<(), String> {
        let mut at = self.address();
        if at.as_ref().map(|(now, _)| *now) == address {
            return Ok(());
        }
        if let Some((_, stop)) = at.take() {
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
        *at = Some((address, serve(Door::Tcp(listener), &self.faces, &self.tracker, &self.runtime)));
        Ok(())
    }

    /// Serves no more, and waits until nobody is answered any more.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.answers.close();
        if let Some((_, stop)) = self.address().take() {
            stop.cancel();
        }
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn address(&self) -> MutexGuard<'_, Option<(SocketAddr, CancellationToken)>> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers at a door until the token is cancelled.
fn serve(door: Door, faces: &Faces, tracker: &TaskTracker, runtime: &Handle) -> CancellationToken {
    let stop = CancellationToken::new();
    tracker.spawn_on(api::serve(door, faces.clone(), stop.clone()), runtime);
    stop
}
