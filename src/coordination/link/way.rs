//! What a way over a store takes and tells.
//!
//! The texts that travel are opaque here: what a beat says, who believes it and when it is shown is the
//! protocol's business. What a way promises is the order of its writers: a text of a lower
//! [`Token`](crate::coordination::Token) is neither kept nor passed on once a higher one was seen.

use std::fmt;

use crate::coordination::Token;

/// What the one line of a beat begins with, by which a store that keeps turns knows it.
pub const BEAT_HEAD: &str = "{\"marquee\":\"beat\",";

/// The largest beat that is sent, read or heard, in bytes: eight times what the protocol allows one.
pub(super) const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The largest piece of news that is sent or heard, in bytes: some thousand items.
pub(super) const NEWS_BYTES_MAX: usize = 1024 * 1024;

/// What a beat says in the open, beside its text, for people and other programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The turn's number; it never falls within one leadership.
    pub seq: u64,
    /// The beat's number, from 1; it rises with every beat of one leadership.
    pub beat: u64,
    /// The shown item's id; `None`: the summary or the fallback.
    pub item: Option<String>,
    /// When its turn began or begins, in milliseconds since 1970.
    pub show_at_ms: u64,
    /// How long its turn lasts, in milliseconds.
    pub dwell_ms: u64,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The fence stands at the claimant's token, and this is what stood there: where to go on from.
    Ok {
        /// The number of the last turn that was kept; 0: none was.
        seq: u64,
        /// The last text that was kept, a beat's or a store's; `None`: there is none that could be used.
        frame: Option<String>,
    },
    /// Somebody with this higher token was there before; nothing was changed.
    Stale(Token),
}

/// What became of something that was to be published or kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is kept, and on its way to all who listen.
    Ok,
    /// It, or a later beat, was there already: what a second try after a lost answer finds.
    Dup,
    /// Somebody with this higher token was there before; nothing was written or sent.
    Stale(Token),
}

/// What is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Who wrote it.
    pub token: Token,
    /// The turn's number.
    pub seq: u64,
    /// The beat's number; 0: none was sent under this token.
    pub beat: u64,
    /// The last text that was kept; `None`: the board was claimed and never spoke.
    pub frame: Option<String>,
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A text, as it was sent.
    Text(String),
    /// From now on everything is heard. What was said before was not, so the state has to be read now.
    Subscribed,
    /// A text of so many bytes, more than any of ours has: it was thrown away.
    TooLarge(usize),
    /// Nothing is heard until the next `Subscribed`: why, in an operator's words. Said again when the reason changes.
    Lost(String),
}

/// Why something could not be done, in an operator's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The key of this name holds something that is not of marquee. A call that writes has set it
    /// aside, so the next one finds the place free.
    Foreign(String),
    /// Everything else: what was tried, with which server, and why it failed.
    Told(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(key) => write!(
                f,
                "the key {key} in Redis holds something that is not of marquee; a leader that writes sets it aside as {key}:bad"
            ),
            Self::Told(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Trouble {}
