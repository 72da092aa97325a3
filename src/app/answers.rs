//! Which console of a machine answers at the board's own socket: whoever leads, and where nobody of them does
//! whoever was first. When it ends, however it ends, another takes its place within a second.
//!
//! Deliberately no agreement among the consoles: the file system decides, by one lock while somebody looks and
//! by putting a socket in the place of another in one step, so that there is no moment without one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::socket::{Claim, Socket};
use crate::api::Door;
use crate::frame::Role;

/// How often is looked whether somebody answers: a connection costs both sides less than a tenth of a millisecond.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How soon is tried again while another console looks.
const AGAIN: Duration = Duration::from_millis(10);

/// Answers at a door until the token is cancelled.
pub(super) type Serve = Box<dyn Fn(Door) -> CancellationToken + Send + Sync>;

/// This console's part in answering.
pub(super) struct Answers {
    runtime: Handle,
    serve: Serve,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Where the board's socket lies; `None`: no config has named the board yet.
    path: Option<PathBuf>,
    /// Our own socket there, with what ends answering at it.
    held: Option<(Socket, CancellationToken)>,
    /// Why nobody can answer, as it was logged last.
    told: Option<String>,
}

/// What came of looking.
#[derive(Debug, PartialEq, Eq)]
enum Looked {
    /// Somebody answers, or nobody can.
    Settled,
    /// Another console looks at this very moment.
    Busy,
}

impl Answers {
    pub(super) fn new(runtime: Handle, serve: Serve) -> Arc<Self> {
        Arc::new(Self { runtime, serve, state: Mutex::default() })
    }

    /// The board's socket lies at `path` from now on. The board is well without it, so trouble is told in the
    /// log alone.
    pub(super) fn at(&self, path: &Path) {
        let mut state = self.state();
        if state.path.as_deref() != Some(path) {
            state.leave();
            *state = State { path: Some(path.to_owned()), ..State::default() };
            self.look(&mut state, Claim::Free);
        }
    }

    /// Looks after the socket, in whatever role, until it is stopped.
    pub(super) async fn keep(self: Arc<Self>, mut roles: watch::Receiver<Role>, stop: CancellationToken) {
        let mut before = Role::Alone;
        loop {
            let role = *roles.borrow_and_update();
            let claim = match role {
                Role::Leader(_) => Claim::Over,
                // Its leader may be stopped and hold the socket without answering; one that is well takes it back.
                Role::Local(_) if before.word() != role.word() => Claim::Over,
                Role::Local(_) | Role::Follower(_) | Role::Alone => Claim::Free,
            };
            let looked = self.look(&mut self.state(), claim);
            if looked == Looked::Settled {
                before = role;
            }
            let pause = if looked == Looked::Settled { LOOK_EVERY } else { AGAIN };
            tokio::select! {
                () = stop.cancelled() => return,
                changed = roles.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Answers there no more.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.leave();
        state.path = None;
    }

    fn look(&self, state: &mut State, claim: Claim) -> Looked {
        let Some(path) = state.path.clone() else { return Looked::Settled };
        if state.held.as_ref().is_some_and(|(socket, _)| socket.is_in_place()) {
            return Looked::Settled;
        }
        if state.held.is_some() {
            state.leave();
            info!(socket = %path.display(), "another console of this board answers at its socket from now on");
        }
        let _entered = self.runtime.enter();
        let bound = Socket::bind(&path, claim).map(|bound| {
            let listener = |(socket, listener)| Ok((socket, tokio::net::UnixListener::from_std(listener)?));
            bound.and_then(|bound| bound.map(listener).transpose().map_err(|why: std::io::Error| why.to_string()))
        });
        let told = match bound {
            None => return Looked::Busy,
            Some(Ok(Some((socket, listener)))) => {
                info!(socket = %path.display(), "answering at the board's socket");
                state.held = Some((socket, (self.serve)(Door::Unix(listener))));
                None
            }
            Some(Ok(None)) => None,
            Some(Err(why)) => Some(format!("the commands can't find this board: {why}")),
        };
        if let Some(told) = told.as_ref().filter(|told| state.told.as_ref() != Some(told)) {
            warn!("{told}");
        }
        state.told = told;
        Looked::Settled
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave(&mut self) {
        if let Some((_, stop)) = self.held.take() {
            stop.cancel();
        }
    }
}
