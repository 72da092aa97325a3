//! `state: redis://…` and `redis+sentinel://…`: a hash and a text on a Redis server, which several machines can reach.
//!
//! `marquee:{SLUG}:state` is a hash: `epoch`, `rev` and `seq` order the writers
//! and their turns, `item`, `show_at` and `dwell` (milliseconds) are for people
//! and other programs, and `frame` is what this program reads back: the sealed
//! text that a file would hold. `marquee:{SLUG}:board` is the sealed board, a key
//! of its own because it is large and written seldom. The braces are literal and
//! keep both keys in one slot of a cluster. A frame that is kept is published
//! on `marquee:{SLUG}:frames` as well. Where the consoles are linked over the
//! same keys, `frame` is their leader's beat, and the fields tell the turn.
//!
//! One script compares and sets, so a leader that was cut off can't overwrite
//! its successor. Deliberately no promise about a power cut: how soon a write
//! is on a disk is the server's configuration (`appendonly`).

mod about;
mod link;
mod turn;

use std::path::PathBuf;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Script};

pub use self::about::About;
use self::link::Link;
use super::wire;
use super::{Loaded, Store, StoreError};
use crate::coordination::redis::line::Failure;
use crate::coordination::redis::words;
use crate::kernel::{BoardSnapshot, Current, Snapshot};

/// How long the first look may take, with the connection: it stands before the first picture.
const LOAD_WITHIN: Duration = Duration::from_millis(300);

/// What a later look may bring in its time: nobody waits for it, and a large board needs 5 s more over a slow line.
const LATER_BYTES: usize = 5_000_000;

/// The largest frame that is read: a hundred times what one is.
const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The largest board that is read or written, as in a file.
const BOARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What the name of a key that can't be used gets behind it.
const SET_ASIDE: &str = ":bad";

/// What the scripts answer: a word, and the stored epoch, rev and seq.
type Answer = (String, String, String, String);

/// Who writes: leaders are ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    epoch: u64,
    rev: u64,
}

/// A store on a Redis server.
pub struct RedisStore {
    link: Link,
    state: String,
    board: String,
    channel: String,
    keep_current: Script,
    keep_board: Script,
    /// Whether this store comes after whoever wrote before, instead of by its giver's fence alone.
    takes_over: bool,
    /// It was looked at before.
    looked: bool,
    /// The least token to write with, once it is known who wrote before.
    floor: Option<Token>,
    /// What the newest turn was written with.
    token: Option<Token>,
}

impl RedisStore {
    /// A store for the board called `slug` on the server of `url`, or the one that its sentinels know;
    /// nobody is asked yet.
    ///
    /// # Errors
    /// Where the URL names no server; never with the URL's own words.
    pub fn new(url: &str, slug: &str) -> Result<Self, String> {
        Self::trusting(url, slug, None)
    }

    fn trusting(url: &str, slug: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let key = |part: &str| format!("marquee:{{{slug}}}:{part}");
        Ok(Self {
            link: Link::new(url, trusted)?,
            state: key("state"),
            board: key("board"),
            channel: key("frames"),
            keep_current: Script::new(include_str!("redis/current.lua")),
            keep_board: Script::new(include_str!("redis/board.lua")),
            takes_over: false,
            looked: false,
            floor: None,
            token: None,
        })
    }

    /// The same for a console that was elected elsewhere, without a token: its first touch of the
    /// server takes the place of whoever wrote there before, also where the server comes late.
    #[must_use]
    pub fn taking_over(mut self) -> Self {
        self.takes_over = true;
        self
    }

    /// Where the server is, without secrets.
    #[must_use]
    pub fn address(&self) -> &str {
        self.link.address()
    }

    fn error(&self, operation: &'static str, reason: impl Into<String>) -> StoreError {
        StoreError { operation, path: PathBuf::from(format!("Redis ({})", self.address())), reason: reason.into() }
    }

    /// Moves a key that can't be used out of the way, over an older one of its kind, and tells so.
    fn set_aside(&mut self, key: &str, reason: &str) -> String {
        let aside = format!("{key}{SET_ASIDE}");
        let moved = self
            .link
            .ask(0, async |connection| redis::cmd("RENAME").arg(key).arg(&aside).query_async::<()>(connection).await);
        match moved {
            Ok(()) => format!("can't use {key} in Redis: {reason}; it is set aside as {aside}"),
            Err(Failure::Foreign) => format!("can't use {key} in Redis: {reason}; it could not be set aside"),
            Err(Failure::Told(why)) => format!("can't use {key} in Redis: {reason}; it could not be set aside: {why}"),
        }
    }

    fn foreign(&mut self, key: &str) -> StoreError {
        let told = self.set_aside(key, "it is no state of marquee");
        self.error(WRITE, told)
    }

    /// What to write with in the name of `fence`.
    fn token(&mut self, fence: u64) -> Result<Token, StoreError> {
        if self.takes_over && self.floor.is_none() {
            let state = self.state.clone();
            match self.link.ask(0, async |connection| stored(connection, &state).await) {
                Ok(stored) => self.claim(stored)?,
                Err(Failure::Foreign) => return Err(self.foreign(&state)),
                Err(Failure::Told(why)) => return Err(self.error(WRITE, why)),
            }
        }
        let floor = self.floor.unwrap_or(Token { epoch: 0, rev: 0 });
        Ok(Token { epoch: floor.epoch, rev: fence.max(floor.rev) })
    }

    /// Comes after whoever wrote `stored`.
    fn claim(&mut self, stored: (Option<String>, Option<String>)) -> Result<(), StoreError> {
        let number = |text: Option<String>| text.map_or(Some(0), |text| text.parse::<u64>().ok());
        let (epoch, rev) = (number(stored.0), number(stored.1).and_then(|rev| rev.checked_add(1)));
        let (Some(epoch), Some(rev)) = (epoch, rev) else {
            let state = self.state.clone();
            return Err(self.foreign(&state));
        };
        self.floor = Some(Token { epoch, rev });
        Ok(())
    }

    /// One part of what was found; what can't be used is told in `troubles`.
    fn part<K>(&mut self, key: &str, found: Result<Found<K>, Failure>, troubles: &mut Vec<String>) -> Option<K> {
        let reason = match found {
            Ok(None) => return None,
            Ok(Some(Ok(kept))) => return Some(kept),
            Ok(Some(Err(reason))) => reason,
            Err(Failure::Foreign) => "it is no state of marquee".to_owned(),
            Err(Failure::Told(why)) => {
                troubles.push(self.error(READ, why).to_string());
                return None;
            }
        };
        let told = self.set_aside(key, &reason);
        troubles.push(told);
        None
    }

    fn told(&mut self, key: &str, answered: Result<Answer, Failure>) -> Result<(), StoreError> {
        match answered {
            Ok((word, epoch, rev, _)) if word == "STALE" => {
                let reason = format!("another console with a newer fence keeps this board ({epoch}.{rev})");
                Err(self.error(WRITE, reason))
            }
            // A write that is there already is what a try again after a lost answer finds.
            Ok(_) => Ok(()),
            Err(Failure::Foreign) => Err(self.foreign(key)),
            Err(Failure::Told(why)) => Err(self.error(WRITE, why)),
        }
    }
}

const READ: &str = "read the state from";
const WRITE: &str = "keep the state in";
const TOO_LARGE: &str = "it is too large";

/// What stands under a key, where something does; inside: why it can't be used.
type Found<K> = Option<Result<K, String>>;

impl Store for RedisStore {
    /// Within 300 ms the first time, and where something has to be set aside a little more.
    fn load(&mut self) -> Loaded {
        let (state, board) = (self.state.clone(), self.board.clone());
        let look = async |connection: &mut MultiplexedConnection| {
            let before = reply(stored(connection, &state).await)?;
            let frame = reply(frame_of(connection, &state).await)?;
            let board = reply(board_of(connection, &board).await)?;
            Ok((before, frame, board))
        };
        let looked = if std::mem::replace(&mut self.looked, true) {
            self.link.ask(LATER_BYTES, look)
        } else {
            self.link.ask_within(LOAD_WITHIN, look)
        };
        let (before, frame, kept) = match looked {
            Ok(looked) => looked,
            Err(failure) => {
                let why = if let Failure::Told(why) = failure { why } else { String::new() };
                let trouble = format!("{}; the board begins without it", self.error(READ, why));
                return Loaded { snapshot: None, troubles: vec![trouble], unread: true };
            }
        };
        let mut troubles = Vec::new();
        let frame = frame.map_err(|error| self.link.failure(&error));
        let current = self.part(&state, frame, &mut troubles);
        let kept = kept.map_err(|error| self.link.failure(&error));
        let kept = self.part(&board, kept, &mut troubles);
        if let (true, Ok(before)) = (self.takes_over, before)
            && let Err(error) = self.claim(before)
        {
            troubles.push(error.to_string());
        }
        let snapshot = (current.is_some() || kept.is_some())
            .then(|| Snapshot { current: current.unwrap_or_default(), board: kept.unwrap_or_default() });
        Loaded { snapshot, troubles, unread: false }
    }

    fn keep_current(&mut self, current: &Current) -> Result<(), StoreError> {
        let token = self.token(current.fence)?;
        self.token = Some(token);
        // With the token that orders it, so that whoever loads it comes after it.
        let kept = Current { fence: token.rev, ..current.clone() };
        let frame = wire::write(&kept).map_err(|reason| self.error(WRITE, reason))?;
        let mut call = self.keep_current.key(&self.state);
        call.arg(token.epoch).arg(token.rev).arg(current.seq);
        call.arg(current.item.as_ref().map(ToString::to_string).unwrap_or_default());
        call.arg(current.show_at.unix_nanos() / 1_000_000).arg(current.dwell.as_nanos() / 1_000_000);
        call.arg(&frame).arg(&self.channel);
        let answered = self.link.ask(frame.len(), async |connection| call.invoke_async(connection).await);
        let state = self.state.clone();
        self.told(&state, answered)
    }

    fn keep_board(&mut self, board: &BoardSnapshot) -> Result<(), StoreError> {
        let text = wire::write(board).map_err(|reason| self.error(WRITE, reason))?;
        if text.len() > BOARD_BYTES_MAX {
            return Err(self.error(WRITE, "the board is too large to be kept"));
        }
        let token = match self.token {
            None if self.takes_over => Some(self.token(0)?),
            token => token,
        };
        let mut call = self.keep_board.key(&self.state);
        call.key(&self.board);
        match token {
            Some(token) => call.arg(token.epoch).arg(token.rev),
            None => call.arg("").arg(""),
        };
        call.arg(&text);
        let answered = self.link.ask(text.len(), async |connection| call.invoke_async(connection).await);
        let state = self.state.clone();
        self.told(&state, answered)
    }
}

async fn get_field(
    connection: &mut MultiplexedConnection,
    key: &str,
    field: &str,
) -> Result<Option<String>, RedisError> {
    redis::cmd("HGET").arg(key).arg(field).query_async(connection).await
}

/// The stored epoch and rev.
async fn stored(
    connection: &mut MultiplexedConnection,
    state: &str,
) -> Result<(Option<String>, Option<String>), RedisError> {
    redis::cmd("HMGET").arg(state).arg("epoch").arg("rev").query_async(connection).await
}

async fn frame_of(connection: &mut MultiplexedConnection, state: &str) -> Result<Found<Current>, RedisError> {
    let length: usize = redis::cmd("HSTRLEN").arg(state).arg("frame").query_async(connection).await?;
    if length > FRAME_BYTES_MAX {
        return Ok(Some(Err(TOO_LARGE.to_owned())));
    }
    let text: Option<Vec<u8>> = redis::cmd("HGET").arg(state).arg("frame").query_async(connection).await?;
    match text {
        Some(beat) if turn::is_beat(&beat) => turn::by_fields(connection, state).await.map(Some),
        Some(text) => Ok(Some(wire::read(&text))),
        // A leader's claim holds the fence before its first beat; a hash without that is somebody else's.
        None if get_field(connection, state, "epoch").await?.is_some() => Ok(None),
        None => {
            let exists: bool = redis::cmd("EXISTS").arg(state).query_async(connection).await?;
            Ok(exists.then(|| wire::read(&[])))
        }
    }
}

async fn board_of(connection: &mut MultiplexedConnection, board: &str) -> Result<Found<BoardSnapshot>, RedisError> {
    let length: usize = redis::cmd("STRLEN").arg(board).query_async(connection).await?;
    if length > BOARD_BYTES_MAX {
        return Ok(Some(Err(TOO_LARGE.to_owned())));
    }
    let text: Option<Vec<u8>> = redis::cmd("GET").arg(board).query_async(connection).await?;
    Ok(text.map(|text| wire::read(&text)))
}

/// An answer about one key: what the server says of another kind of value is an answer too.
fn reply<T>(answered: Result<T, RedisError>) -> Result<Result<T, RedisError>, RedisError> {
    match answered {
        Err(error) if !words::is_foreign(&error) => Err(error),
        answered => Ok(answered),
    }
}

#[cfg(test)]
mod tests;
