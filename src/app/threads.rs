//! Threads with a name, an owner and an end that is awaited, but not for ever.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that can be waited for within bounds: a terminal or a disk may hold one up for good.
pub(super) struct Ending<T> {
    handle: JoinHandle<T>,
    ended: mpsc::Receiver<()>,
}

/// What a thread holds while it lives; its drop tells the end, a panic's too.
pub(super) struct Alive {
    _ended: mpsc::Sender<()>,
}

/// A pair: one for the thread to hold, one to wait with.
pub(super) fn ending() -> (Alive, mpsc::Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    (Alive { _ended: sender }, receiver)
}

impl<T> Ending<T> {
    /// Waits for `handle` by the receiver of its [`Alive`].
    pub(super) fn of(handle: JoinHandle<T>, ended: mpsc::Receiver<()>) -> Self {
        Self { handle, ended }
    }

    /// What the thread gave.
    ///
    /// # Errors
    /// Where it panicked, or did not end within `patience`; it is then left behind.
    pub(super) fn join_within(self, patience: Duration) -> io::Result<T> {
        match self.ended.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::TimedOut.into()),
            _ => self.handle.join().map_err(|_| io::Error::other("the thread panicked")),
        }
    }
}
