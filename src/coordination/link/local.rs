//! The link of one machine: a Unix socket on which the leader speaks and the followers listen.
//!
//! Lines of UTF-8, ended by LF, both ways. The [`Speaker`] never waits for a
//! follower: each has a queue, and who does not keep up with it is let go, to
//! come back and be greeted with the newest. The [`Ear`] sees the end of the
//! leader in the moment it dies. Deliberately no answer, no order between the
//! two directions, no meaning: a lost line changes nothing that the next one
//! does not mend.

mod door;
mod ear;
mod hall;
mod lines;
mod speaker;

use std::path::{Path, PathBuf};

pub use ear::Ear;
pub use speaker::{Speaker, Told};

/// The longest line towards a follower, in bytes: a whole board, as large as one may be.
pub const TO_FOLLOWER_BYTES_MAX: usize = super::BOARD_BYTES_MAX;

/// The longest line towards the leader, in bytes: what a request to the board may carry at most.
pub const TO_LEADER_BYTES_MAX: usize = 64 * 1024;

/// How many follow at once: each is somebody's terminal, and the HTTP face stops at as many.
pub const FOLLOWERS_MAX: usize = 128;

/// What may wait for a follower: minutes of beats, or two whole boards.
const TO_FOLLOWER: lines::Room = lines::Room { lines: 1024, bytes: 2 * TO_FOLLOWER_BYTES_MAX };

/// What may wait for the leader: what a user can have typed and pushed while the leader was busy.
const TO_LEADER: lines::Room = lines::Room { lines: 256, bytes: 16 * TO_LEADER_BYTES_MAX };

/// Where the link of a board lies: beside its socket, as `SLUG.beat`.
#[must_use]
pub fn beside(socket: &Path) -> PathBuf {
    socket.with_extension("beat")
}

/// Why a connection between leader and follower ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The other end closed it, or died.
    Left,
    /// It sent a line that is longer than lines may be.
    TooLong,
    /// It sent what is no UTF-8.
    NotText,
    /// It did not take what was said, until too much was waiting for it.
    TooSlow,
    /// It is another user's.
    Stranger,
    /// There were [`FOLLOWERS_MAX`] already.
    Crowded,
    /// This end closed it, in order.
    Closed,
}

impl Ending {
    /// All of them, in their order.
    pub const ALL: [Self; 7] =
        [Self::Left, Self::TooLong, Self::NotText, Self::TooSlow, Self::Stranger, Self::Crowded, Self::Closed];

    /// What the log says.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Left => "it left",
            Self::TooLong => "it sent too long a line",
            Self::NotText => "it sent what is no text",
            Self::TooSlow => "it did not keep up",
            Self::Stranger => "it is another user's",
            Self::Crowded => "too many follow already",
            Self::Closed => "the link was closed",
        }
    }
}

/// Whether a line can be sent: an LF inside would make two of it.
fn can_be_sent(line: &str, bytes_max: usize) -> Result<(), &'static str> {
    if line.len() > bytes_max {
        Err("the line is longer than the other end takes")
    } else if line.contains('\n') {
        Err("there is an end of line in the middle of the line")
    } else {
        Ok(())
    }
}

/// Whether the process at the other end is this user's.
fn is_own(peer: &tokio::net::UnixStream) -> bool {
    peer.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

#[cfg(test)]
mod tests;
