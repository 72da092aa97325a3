//! The HTTP face: starts it at the configured address, and moves it when that changes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::clock::Clock;
use super::driver::Inbox;
use super::stage::Stage;
use crate::api::{self, Faces};
use crate::kernel::{Moment, Span};
use crate::metrics::Meters;
use crate::renderers::json::FrameLine;

/// A board thread that has not gone round for so long is stuck: it does so every second at rest.
const STUCK: Span = Span::from_secs(5);

/// The server at its address.
pub(super) struct Server {
    runtime: Handle,
    faces: Faces,
    at: Mutex<Option<(SocketAddr, CancellationToken)>>,
}

impl Server {
    pub(super) fn new(
        runtime: Handle,
        clock: Clock,
        meters: Arc<Meters>,
        stage: Arc<Stage>,
        inbox: Arc<Inbox>,
    ) -> Self {
        let (drawn, shown) = (Arc::clone(&stage), stage);
        let (scraped, answered, refused) = (Arc::clone(&meters), Arc::clone(&meters), meters);
        let faces = Faces {
            alive: Arc::new(move || clock.now().since(Moment::from_unix_millis(inbox.heartbeat())) < STUCK),
            ready: Arc::new(move || match drawn.newest().as_ref() {
                None => Err("nothing has been drawn yet".into()),
                Some(_) if !drawn.has_drawn() => Err("nothing has been drawn yet".into()),
                Some(frame) if frame.is_fallback() && frame.notice.is_some() => {
                    Err("no board is loaded: the config can't be used".into())
                }
                Some(_) => Ok(()),
            }),
            metrics: Arc::new(move || scraped.render()),
            frame: Arc::new(move || {
                let newest = shown.newest();
                newest.as_ref().as_ref().and_then(|frame| serde_json::to_value(FrameLine::from(frame)).ok())
            }),
            answered: Arc::new(move |code| answered.answered(code)),
            refused: Arc::new(move |()| refused.connection_refused()),
        };
        Self { runtime, faces, at: Mutex::new(None) }
    }

    /// Serves at `address` from now on; `None`: nowhere.
    ///
    /// # Errors
    /// Where the address can't be listened at: which, and why.
    pub(super) fn listen(&self, address: Option<SocketAddr>) -> Result<(), String> {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.as_ref().map(|(now, _)| *now) == address {
            return Ok(());
        }
        if let Some((_, stop)) = at.take() {
            stop.cancel();
        }
        let Some(address) = address else { return Ok(()) };
        let refused = |why: std::io::Error| format!("listen: nothing can be served at {address}: {why}");
        let listener = std::net::TcpListener::bind(address).map_err(refused)?;
        listener.set_nonblocking(true).map_err(refused)?;
        let _entered = self.runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(refused)?;
        let stop = CancellationToken::new();
        *at = Some((address, stop.clone()));
        info!(%address, "serving");
        let faces = self.faces.clone();
        self.runtime.spawn(async move {
            if let Err(why) = api::serve(listener, faces, stop).await {
                warn!("the server broke off: {why}");
            }
        });
        Ok(())
    }

    /// Serves no more.
    pub(super) fn stop(&self) {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, stop)) = at {
            stop.cancel();
        }
    }
}
