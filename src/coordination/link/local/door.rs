//! The socket's file, and letting in those who come to it.
//!
//! The file is put in place by a rename, so that at no moment nothing lies
//! there, and is left behind at the end: nobody answers at it then, and taking
//! it away could take a successor's.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::FOLLOWERS_MAX;
use crate::coordination::private::prepare;
use crate::coordination::store::StoreError;

/// The pause after the system refused a new connection, most often because the process has no file
/// descriptor left: long enough not to spin, short enough not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where followers come in.
#[derive(Debug)]
pub(super) struct Door {
    listener: UnixListener,
    /// How long those inside may take to end by themselves once the stop has come.
    grace: Duration,
}

/// Opens the door at `path`, for this user alone.
pub(super) fn open(path: &Path, runtime: &Handle, grace: Duration) -> Result<Door, StoreError> {
    if let Some(folder) = path.parent() {
        prepare(folder)?;
    }
    // As short as the path itself, whose length the system bounds; its own for each board, which has one leader; and
    // another name than the one by which the socket of the commands, opened at the same moment, is put in its place.
    let fresh = path.with_extension("next");
    is_socket(path)?;
    if is_socket(&fresh)? {
        // A leader was killed between making and renaming it.
        std::fs::remove_file(&fresh).map_err(|error| StoreError::new("remove", &fresh, &error))?;
    }
    let opened = || {
        let listener = StdListener::bind(&fresh)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let _entered = runtime.enter();
        let listener = UnixListener::from_std(listener)?;
        std::fs::rename(&fresh, path)?;
        Ok(Door { listener, grace })
    };
    opened().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::InvalidInput => {
            StoreError::because("listen at", path, "the path is too long for a socket; choose a shorter runtime folder")
        }
        _ => StoreError::new("listen at", path, &error),
    })
}

/// Whether a socket lies there; an error where something else does, which is not to be replaced.
fn is_socket(path: &Path) -> Result<bool, StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(true),
        Ok(_) => Err(StoreError::because("listen at", path, "something else than a socket lies there; remove it")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::new("look at", path, &error)),
    }
}

impl Door {
    /// Until `stop`, `admit`s who comes; where it gives no future the connection is closed. Those who are
    /// one too many are closed, and `crowded` is told. When this has ended, so have all the futures.
    pub(super) async fn serve<F>(
        self,
        stop: &CancellationToken,
        admit: impl Fn(UnixStream) -> Option<F>,
        crowded: impl Fn(),
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = open.join_next() => report(ended),
                accepted = self.listener.accept() => match accepted {
                    Ok(_) if open.len() >= FOLLOWERS_MAX => crowded(),
                    Ok((stream, _)) => {
                        admit(stream).map(|serving| open.spawn(serving));
                    }
                    Err(error) => {
                        warn!(%error, "the system refused a new connection to the link");
                        tokio::select! {
                            () = stop.cancelled() => {}
                            () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                        }
                    }
                },
            }
        }
        drop(self.listener);
        let spoken = async {
            while let Some(ended) = open.join_next().await {
                report(ended);
            }
        };
        let _ = tokio::time::timeout(self.grace, spoken).await;
        open.shutdown().await;
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        // A panic ends its own connection and nothing else, but it must not end silently.
        warn!(%error, "serving a follower failed inside the program");
    }
}
