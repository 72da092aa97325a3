//! The link over a Redis server: a hash that holds the newest beat, a text that holds the board, and a channel.
//!
//! The keys are those of the store on such a server, and the hash has one field
//! more: `beat`, which tells the beats of one leadership apart. Each script
//! compares the writer's token with the stored one and writes and publishes in
//! the same step, so a leader that was cut off can't be heard at all.
//!
//! Deliberately no queue and no retry of what was given up: the caller says the
//! newest thing next, and a new connection says nothing before the server has
//! answered on it. So a server that thaws finds one old word at most.

mod subscription;

use redis::{Script, ScriptInvocation};

pub use self::subscription::Subscription;
pub use super::way::{BEAT_HEAD, Claimed, Heard, Published, Said, State, Trouble};
use super::way::{FRAME_BYTES_MAX, NEWS_BYTES_MAX};
use super::wire::BOARD_BYTES_MAX;
use crate::coordination::Token;
use crate::coordination::redis::line::{Failure, Line};
use crate::coordination::redis::server::Server;
use crate::kernel::Moment;

const CLAIM: &str = "claim the board in";
const PUBLISH: &str = "publish the beat over";
const NEWS: &str = "publish the news over";
const KEEP: &str = "keep the board in";
const STATE: &str = "read the state from";
const BOARD: &str = "read the board from";
const TIME: &str = "ask the time of";
const IDENTITY: &str = "ask the run of";

/// What the scripts answer: a word, and more behind it.
type Answer = Vec<Option<Vec<u8>>>;

/// The scripts, each behind the fence that all of them share but the one that reads.
#[derive(Clone)]
struct Scripts {
    claim: Script,
    publish: Script,
    news: Script,
    board: Script,
    state: Script,
}

/// The names of one board's keys and channel.
#[derive(Clone)]
struct Keys {
    state: String,
    state_bad: String,
    board: String,
    board_bad: String,
    channel: String,
}

/// One console's way to the others over a Redis server. Each call ends within 300 ms where there is a
/// connection (a large board gets a millisecond more per 1000 bytes), and 1 s later where one has to be made.
pub struct RedisLink {
    line: Line,
    keys: Keys,
    scripts: Scripts,
}

impl RedisLink {
    /// The link of the board called `slug` over the server of `url`, or the primary that its sentinels know;
    /// nobody is asked yet. `trusted` (PEM) replaces the certificates this machine trusts.
    ///
    /// # Errors
    /// Where the URL names no server; never with the URL's own words.
    pub fn new(url: &str, slug: &str, trusted: Option<Vec<u8>>) -> Result<Self, String> {
        let key = |part: &str| format!("marquee:{{{slug}}}:{part}");
        let fenced = |script: &str| Script::new(&[include_str!("redis/fence.lua"), script].concat());
        Ok(Self {
            line: Line::new(Server::new(url, trusted)?),
            keys: Keys {
                state: key("state"),
                state_bad: key("state:bad"),
                board: key("mirror"),
                board_bad: key("mirror:bad"),
                channel: key("frames"),
            },
            scripts: Scripts {
                claim: fenced(include_str!("redis/claim.lua")),
                publish: fenced(include_str!("redis/publish.lua")),
                news: fenced(include_str!("redis/news.lua")),
                board: fenced(include_str!("redis/board.lua")),
                state: Script::new(include_str!("redis/state.lua")),
            },
        })
    }

    /// Another link of the same board to the same server, over a connection of its own. Where a
    /// [`subscription`](Self::subscription) of one of them finds that the server was replaced, all leave it.
    #[must_use]
    pub fn another(&self) -> Self {
        let line = Line::new(self.line.server().clone());
        Self { line, keys: self.keys.clone(), scripts: self.scripts.clone() }
    }

    /// Where the server is, without secrets.
    #[must_use]
    pub fn address(&self) -> &str {
        self.line.server().address()
    }

    /// What is told of an error in the server's own line (`-BUSY …`) after a question that was to `doing` Redis, as
    /// it is of those that come over the network: for whoever plays the server.
    #[must_use]
    pub fn refused(&self, doing: &str, line: &str) -> Trouble {
        let read = redis::parse_redis_value(format!("{line}\r\n").as_bytes()).and_then(redis::Value::extract_error);
        match read {
            Err(error) => self.trouble(doing, &self.keys.state, self.line.failure(&error)),
            Ok(_) => self.odd(doing),
        }
    }

    /// What is published for this board from now on, over a connection of its own, which the first
    /// [`next`](Subscription::next) makes.
    #[must_use]
    pub fn subscription(&self) -> Subscription {
        Subscription::new(self.line.server().clone(), self.keys.channel.clone())
    }

    /// Raises the fence to `token`, so that nobody with a lower one is heard any more, and tells what stood
    /// there. May be said again with the same token.
    ///
    /// # Errors
    /// Where it can't be done, or it is not known whether it was.
    pub async fn claim(&mut self, token: Token) -> Result<Claimed, Trouble> {
        let mut call = fenced(&self.scripts.claim, &self.keys, token);
        call.arg(FRAME_BYTES_MAX);
        let answer = run(&mut self.line, CLAIM, 0, &call).await?;
        match word(&answer, 0) {
            Some("OK") => {
                let frame = word(&answer, 2).map(str::to_owned);
                Ok(Claimed::Ok { seq: number(&answer, 1).ok_or_else(|| self.odd(CLAIM))?, frame })
            }
            Some("STALE") => stale(&answer).map(Claimed::Stale).ok_or_else(|| self.odd(CLAIM)),
            _ => Err(self.odd(CLAIM)),
        }
    }

    /// Keeps a beat and sends it to all who listen, both or neither.
    ///
    /// # Errors
    /// Where it can't be done, or it is not known whether it was: then the next beat, which is newer, says it.
    pub async fn publish(&mut self, token: Token, said: &Said, frame: &str) -> Result<Published, Trouble> {
        self.fits(PUBLISH, "the beat", frame, FRAME_BYTES_MAX)?;
        let mut call = fenced(&self.scripts.publish, &self.keys, token);
        call.arg(said.seq).arg(said.beat).arg(said.item.as_deref().unwrap_or_default());
        call.arg(said.show_at_ms).arg(said.dwell_ms).arg(frame).arg(&self.keys.channel);
        let answer = run(&mut self.line, PUBLISH, frame.len(), &call).await?;
        self.published(PUBLISH, &answer)
    }

    /// Keeps the board. Of one leader's boards the last stands; it is never `Dup`.
    ///
    /// # Errors
    /// Where it can't be done, or it is not known whether it was.
    pub async fn keep_board(&mut self, token: Token, text: &str) -> Result<Published, Trouble> {
        self.fits(KEEP, "the board", text, BOARD_BYTES_MAX)?;
        let mut call = fenced(&self.scripts.board, &self.keys, token);
        call.key(&self.keys.board).key(&self.keys.board_bad).arg(text);
        let answer = run(&mut self.line, KEEP, text.len(), &call).await?;
        self.published(KEEP, &answer)
    }

    /// Sends a text that is not kept to all who listen. It is never `Dup`, and where the connection broke
    /// after it was sent it arrives twice.
    ///
    /// # Errors
    /// Where it can't be done, or it is not known whether it was.
    pub async fn publish_news(&mut self, token: Token, text: &str) -> Result<Published, Trouble> {
        self.fits(NEWS, "the news", text, NEWS_BYTES_MAX)?;
        let mut call = fenced(&self.scripts.news, &self.keys, token);
        call.arg(text).arg(&self.keys.channel);
        let answer = run(&mut self.line, NEWS, text.len(), &call).await?;
        self.published(NEWS, &answer)
    }

    /// What is kept, as it stood at one moment; `None`: nothing.
    ///
    /// # Errors
    /// Where it can't be read, or holds what is not ours.
    pub async fn state(&mut self) -> Result<Option<State>, Trouble> {
        let mut call = self.scripts.state.key(&self.keys.state);
        call.arg(FRAME_BYTES_MAX);
        let asked: Result<Answer, Failure> = self.line.ask(FRAME_BYTES_MAX, &call).await;
        let answer = asked.map_err(|failure| self.trouble(STATE, &self.keys.state, failure))?;
        if answer.is_empty() {
            return Ok(None);
        }
        // A field that the store alone would not have written is none yet; without an epoch the hash is somebody's.
        let or_none = |place: usize| if answer.get(place)?.is_some() { number(&answer, place) } else { Some(0) };
        let numbers = (number(&answer, 1), or_none(2), or_none(3), or_none(4));
        let (Some(epoch), Some(rev), Some(seq), Some(beat)) = numbers else {
            return Err(Trouble::Foreign(self.keys.state.clone()));
        };
        let frame = match answer.get(5) {
            Some(Some(_)) => Some(word(&answer, 5).ok_or_else(|| self.told(STATE, "the beat there is no text"))?),
            _ if number(&answer, 0) > Some(FRAME_BYTES_MAX as u64) => {
                return Err(self.told(STATE, "the beat there is too large to be one"));
            }
            _ => None,
        };
        Ok(Some(State { token: Token { epoch, rev }, seq, beat, frame: frame.map(str::to_owned) }))
    }

    /// The board that is kept; `None`: none.
    ///
    /// # Errors
    /// Where it can't be read, or holds what is not ours.
    pub async fn board(&mut self) -> Result<Option<String>, Trouble> {
        let length = self.line.ask(0, redis::cmd("STRLEN").arg(&self.keys.board)).await;
        let length: usize = length.map_err(|failure| self.trouble(BOARD, &self.keys.board, failure))?;
        if length > BOARD_BYTES_MAX {
            return Err(self.told(BOARD, "it is too large to be one"));
        }
        let text = self.line.ask(length, redis::cmd("GET").arg(&self.keys.board)).await;
        let text: Option<Vec<u8>> = text.map_err(|failure| self.trouble(BOARD, &self.keys.board, failure))?;
        let text = text.map(|text| String::from_utf8(text).map_err(|_| self.told(BOARD, "it is no text")));
        text.transpose()
    }

    /// The server's clock, in whole microseconds: the reference of all consoles.
    ///
    /// # Errors
    /// Where it does not tell.
    pub async fn time(&mut self) -> Result<Moment, Trouble> {
        let asked = self.line.ask(0, &redis::cmd("TIME")).await;
        let (seconds, micros): (u64, u64) = asked.map_err(|failure| self.trouble(TIME, &self.keys.state, failure))?;
        let nanos = seconds.checked_mul(1_000_000_000).and_then(|n| n.checked_add(micros.checked_mul(1_000)?));
        nanos.map(Moment::from_unix_nanos).ok_or_else(|| self.odd(TIME))
    }

    /// Which run of the server the connection leads to: another one after each restart or change of server.
    /// Asked once per connection, so it costs nothing to look after each [`time`](Self::time), which may have made one.
    ///
    /// # Errors
    /// Where it does not tell.
    pub async fn identity(&mut self) -> Result<String, Trouble> {
        let asked = self.line.identity().await;
        let identity = asked.map_err(|failure| self.trouble(IDENTITY, &self.keys.state, failure))?;
        identity.ok_or_else(|| self.told(IDENTITY, "it tells none"))
    }

    fn fits(&self, doing: &str, what: &str, text: &str, most: usize) -> Result<(), Trouble> {
        if text.len() <= most {
            return Ok(());
        }
        Err(self.told(
            doing,
            &format!("{what} has {} bytes, and {most} are the most; take items off the board", text.len()),
        ))
    }

    fn published(&self, doing: &str, answer: &Answer) -> Result<Published, Trouble> {
        match word(answer, 0) {
            Some("OK") => Ok(Published::Ok),
            Some("DUP") => Ok(Published::Dup),
            Some("STALE") => stale(answer).map(Published::Stale).ok_or_else(|| self.odd(doing)),
            _ => Err(self.odd(doing)),
        }
    }

    fn odd(&self, doing: &str) -> Trouble {
        self.told(doing, "what answers there is no Redis")
    }

    fn told(&self, doing: &str, why: &str) -> Trouble {
        told(self.line.server(), doing, why)
    }

    fn trouble(&self, doing: &str, key: &str, failure: Failure) -> Trouble {
        match failure {
            Failure::Foreign => Trouble::Foreign(key.to_owned()),
            Failure::Told(why) => self.told(doing, &why),
        }
    }
}

fn told(server: &Server, doing: &str, why: &str) -> Trouble {
    Trouble::Told(format!("can't {doing} Redis ({}): {why}", server.address()))
}

/// A call of a script behind the fence, with what the fence itself needs.
fn fenced<'a>(script: &'a Script, keys: &Keys, token: Token) -> ScriptInvocation<'a> {
    let mut call = script.key(&keys.state);
    call.key(&keys.state_bad).arg(token.epoch).arg(token.rev);
    call
}

/// Runs a script that writes; one that found a foreign key has set it aside.
async fn run(line: &mut Line, doing: &str, bytes: usize, call: &ScriptInvocation<'_>) -> Result<Answer, Trouble> {
    match line.ask::<Answer, _>(bytes, call).await {
        Ok(answer) if word(&answer, 0) == Some("FOREIGN") => {
            Err(Trouble::Foreign(word(&answer, 1).unwrap_or_default().to_owned()))
        }
        Ok(answer) => Ok(answer),
        Err(Failure::Foreign) => Err(told(line.server(), doing, "a key there holds another kind of value than ours")),
        Err(Failure::Told(why)) => Err(told(line.server(), doing, &why)),
    }
}

fn word(answer: &Answer, place: usize) -> Option<&str> {
    std::str::from_utf8(answer.get(place)?.as_deref()?).ok()
}

fn number(answer: &Answer, place: usize) -> Option<u64> {
    word(answer, place)?.parse().ok()
}

fn stale(answer: &Answer) -> Option<Token> {
    Some(Token { epoch: number(answer, 1)?, rev: number(answer, 2)? })
}

#[cfg(test)]
mod tests;
