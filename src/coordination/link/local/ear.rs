//! A follower's end of the link.
//!
//! Deliberately no reconnecting: that the leader is gone is the follower's
//! news, upon which it stands for election first.

use std::convert::Infallible;
use std::io;
use std::path::Path;

use tokio::net::UnixStream;

use super::lines::{Incoming, Sending, Waiting};
use super::{Ending, TO_FOLLOWER_BYTES_MAX, TO_LEADER, TO_LEADER_BYTES_MAX, can_be_sent, is_own};

/// Hears the leader, and tells it things.
#[derive(Debug)]
pub struct Ear {
    stream: UnixStream,
    incoming: Incoming,
    waiting: Waiting,
    sending: Option<Sending>,
    ending: Option<Ending>,
}

impl Ear {
    /// Connects to the leader that speaks at `path`. It does not wait for one: without a leader it fails at once.
    ///
    /// # Errors
    /// Where nobody speaks there, or somebody who is not this user.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path).await?;
        if !is_own(&stream) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user speaks there"));
        }
        Ok(Self {
            stream,
            incoming: Incoming::new(TO_FOLLOWER_BYTES_MAX),
            waiting: Waiting::new(TO_LEADER),
            sending: None,
            ending: None,
        })
    }

    /// The next line that the leader said; `None`, from then on always: it is gone, or said what is
    /// no line, as [`ending`](Self::ending) tells. A future that is dropped has lost no line.
    pub async fn next(&mut self) -> Option<String> {
        if self.ending.is_some() {
            return None;
        }
        let Self { stream, incoming, waiting, sending, .. } = self;
        let heard = tokio::select! {
            heard = incoming.next(stream) => heard,
            never = send_all(stream, waiting, sending) => match never {},
        };
        heard.map_err(|ending| self.ending = Some(ending)).ok()
    }

    /// Tells the leader a line. It never waits: what does not go at once goes while the caller waits
    /// for the [`next`](Self::next) line. That it was sent does not say that it was heard.
    ///
    /// # Errors
    /// Where the line is none that the leader takes, where it takes none any more (`WouldBlock`), or is gone.
    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        can_be_sent(line, TO_LEADER_BYTES_MAX).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        if self.ending.is_some() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the leader is gone"));
        }
        if !self.waiting.push(line.into()) {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the leader does not take what it was told before"));
        }
        let Self { stream, waiting, sending, .. } = self;
        while let Some(on_its_way) = following(waiting, sending) {
            if !on_its_way.push_on(stream)? {
                break;
            }
            *sending = None;
        }
        Ok(())
    }

    /// Why there is no next line; `None` while there may be one.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }
}

/// The line that is on its way, or the one that is to be now.
fn following<'a>(waiting: &mut Waiting, sending: &'a mut Option<Sending>) -> Option<&'a mut Sending> {
    if sending.is_none() {
        *sending = Some(Sending::new(waiting.pop()?));
    }
    sending.as_mut()
}

/// Sends what waits. It never ends: a leader that takes nothing any more may still have said
/// something, and its end is what the other half of the caller hears.
async fn send_all(stream: &UnixStream, waiting: &mut Waiting, sending: &mut Option<Sending>) -> Infallible {
    while let Some(on_its_way) = following(waiting, sending) {
        if on_its_way.finish(stream).await.is_err() {
            break;
        }
        *sending = None;
    }
    std::future::pending().await
}
