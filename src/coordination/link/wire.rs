//! What travels between consoles, as one line of JSON each, and how it is believed.
//!
//! ```json
//! {"marquee":"beat","v":1,"b":"line-3","c":"press-hall-east","i":"9f2c…","e":1,"r":7,"at":…,"k":"redis:4f…","d":{…},"x":"9ae1c2f0…"}
//! ```
//!
//! The checksum (FNV-1a over all before it) finds what was cut or mixed up on the way; it is no
//! protection against somebody who may write to the store. All moments are on the reference clock
//! that `k` names, in microseconds. What can't be used is told with its reason, and never half taken;
//! every text is cleaned before anybody sees it. Deliberately apart from the kernel's types: what
//! travels changes on purpose alone, and then [`VERSION`] changes with it. A field that is left out where it has
//! nothing to say needs no other version: whoever does not know it refuses the whole, and misreads nothing.

use serde::{Deserialize, Serialize};

use super::body::{BeatBody, BoardBody, NewsBody};
use crate::coordination::{Presence, Token};
use crate::frame::Safe;
use crate::kernel::beat::{Beat, Mark, Mirror, Mirrored};
use crate::kernel::{Moment, digest};

/// The version of the format that this program speaks.
const VERSION: u32 = 1;

/// The longest beat: with more, a thin link would be late for the turns (reliability 2.5).
pub const BEAT_BYTES_MAX: usize = 8 * 1024;

/// The longest board or news that is kept or looked at: ten thousand items of 800 bytes. What may travel at once
/// is less, and each way's own matter.
pub const BOARD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What stands before the checksum.
const SEAM: &str = ",\"x\":\"";

/// Who speaks, of what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The slug of the board's title.
    pub board: String,
    /// The console that speaks.
    pub console: Safe,
    /// Its process, so that two consoles with one name can be told apart.
    pub boot: String,
    /// Its leadership.
    pub token: Token,
    /// When it spoke, on the reference clock.
    pub at: Moment,
    /// Which clock is the reference.
    pub clock: String,
}

/// What is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The turns.
    Beat {
        /// Grows with each beat of a leadership.
        number: u64,
        /// How many consoles there are.
        consoles: u32,
        /// Whether the leader stops with this one.
        handover: bool,
        /// The turns themselves.
        beat: Beat,
    },
    /// The whole board.
    Board {
        /// What the board is known by.
        mark: Mark,
        /// The board.
        mirror: Mirror,
    },
    /// Some items' news.
    News(Vec<Mirrored>),
    /// Who else there is, where no elector keeps the list.
    Consoles(Vec<Presence>),
}

/// A whole message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub head: Head,
    /// What.
    pub said: Said,
}

/// Why a text is no message that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is not ours, or was damaged on the way.
    Corrupt(&'static str),
    /// A newer program speaks.
    Newer(u32),
    /// It is longer than anything that is said.
    TooLong(usize),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Corrupt(why) => write!(f, "a message that can't be used: {why}"),
            Self::Newer(version) => {
                write!(f, "a console speaks version {version}, this program {VERSION}: bring all to one version")
            }
            Self::TooLong(bytes) => write!(f, "a message of {bytes} bytes, more than any console says"),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed<B> {
    marquee: String,
    v: u32,
    b: String,
    c: String,
    i: String,
    e: u64,
    r: u64,
    at: u64,
    k: String,
    d: B,
}

/// The first fields alone, by which a message is sorted.
#[derive(Deserialize)]
struct Label {
    marquee: String,
    v: u32,
}

const BEAT: &str = "beat";
const BOARD: &str = "board";
const NEWS: &str = "news";
const CONSOLES: &str = "consoles";

/// The longest name of a board, a console, a process or a clock.
const NAME_CHARACTERS_MAX: usize = 128;

impl Message {
    /// The message as one line, without a line's end.
    #[must_use]
    pub fn write(&self) -> String {
        let at = self.head.at;
        match &self.said {
            Said::Beat { number, consoles, handover, beat } => {
                let body = |turns| BeatBody::of(at, *number, *consoles, *handover, beat, turns);
                let mut turns = beat.turns.len();
                let mut text = self.sealed(BEAT, body(turns));
                // The last turns of a long horizon are told by a later beat; one that is too long by none.
                while text.len() > BEAT_BYTES_MAX && turns > 1 {
                    turns -= turns.div_ceil(8);
                    text = self.sealed(BEAT, body(turns));
                }
                text
            }
            Said::Board { mark, mirror } => self.sealed(BOARD, BoardBody::of(*mark, mirror)),
            Said::News(items) => self.sealed(NEWS, NewsBody::of(items)),
            Said::Consoles(present) => self.sealed(CONSOLES, present),
        }
    }

    fn sealed<B: Serialize>(&self, kind: &str, body: B) -> String {
        let head = &self.head;
        let sealed = Sealed {
            marquee: kind.to_owned(),
            v: VERSION,
            b: head.board.clone(),
            c: head.console.to_string(),
            i: head.boot.clone(),
            e: head.token.epoch,
            r: head.token.rev,
            at: head.at.unix_nanos() / 1_000,
            k: head.clock.clone(),
            d: body,
        };
        // Texts and finite numbers: there is nothing in it that JSON could not say.
        let mut text = serde_json::to_string(&sealed).unwrap_or_default();
        text.pop();
        format!("{text}{SEAM}{:08x}\"}}", checksum(&text))
    }

    /// What `text` says.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn read(text: &str) -> Result<Self, Unusable> {
        if text.len() > BOARD_BYTES_MAX {
            return Err(Unusable::TooLong(text.len()));
        }
        if !text.starts_with("{\"marquee\":\"") {
            return Err(Unusable::Corrupt("it is none of ours"));
        }
        let (body, told) = text.rsplit_once(SEAM).ok_or(Unusable::Corrupt("it is cut short"))?;
        if told != format!("{:08x}\"}}", checksum(body)) {
            return Err(Unusable::Corrupt("its checksum is wrong"));
        }
        let whole = format!("{body}}}");
        let label: Label = serde_json::from_str(&whole).map_err(|_| Unusable::Corrupt("it is none of ours"))?;
        if label.v != VERSION {
            return Err(Unusable::Newer(label.v));
        }
        match label.marquee.as_str() {
            BEAT if text.len() > BEAT_BYTES_MAX => Err(Unusable::TooLong(text.len())),
            BEAT => opened(&whole, BeatBody::into_said),
            BOARD => opened(&whole, |body: BoardBody, _| body.into_said()),
            NEWS => opened(&whole, |body: NewsBody, _| body.into_said()),
            CONSOLES => opened(&whole, |body: Vec<Presence>, _| {
                Ok(Said::Consoles(body.into_iter().map(Presence::cleaned).collect()))
            }),
            _ => Err(Unusable::Corrupt("it is of an unknown kind")),
        }
    }

    /// The same message with every moment in it on another clock.
    #[must_use]
    pub fn on_clock(mut self, translate: impl Fn(Moment) -> Moment) -> Self {
        let news = |items: &mut Vec<Mirrored>| {
            for item in items {
                item.since = translate(item.since);
                item.updated = item.updated.map(&translate);
                item.acknowledged = item.acknowledged.map(&translate);
            }
        };
        self.head.at = translate(self.head.at);
        match &mut self.said {
            Said::Beat { beat, .. } => {
                for turn in &mut beat.turns {
                    turn.show_at = translate(turn.show_at);
                }
            }
            Said::Board { mirror, .. } => news(&mut mirror.items),
            Said::News(items) => news(items),
            Said::Consoles(_) => {}
        }
        self
    }
}

/// FNV-1a over 64 bits, folded to half of that: it travels with every beat.
fn checksum(text: &str) -> u64 {
    let whole = digest(text.bytes());
    (whole ^ (whole >> 32)) & u64::from(u32::MAX)
}

fn opened<B: for<'de> Deserialize<'de>>(
    whole: &str,
    said: impl Fn(B, Moment) -> Result<Said, &'static str>,
) -> Result<Message, Unusable> {
    let sealed: Sealed<B> =
        serde_json::from_str(whole).map_err(|_| Unusable::Corrupt("a field is not what it should be"))?;
    let long =
        [&sealed.b, &sealed.c, &sealed.i, &sealed.k].iter().any(|name| name.chars().count() > NAME_CHARACTERS_MAX);
    if long {
        return Err(Unusable::Corrupt("a name in it is too long"));
    }
    let token = Token { epoch: sealed.e, rev: sealed.r };
    if !token.is_possible() {
        return Err(Unusable::Corrupt("no elector gave its token"));
    }
    let at = Moment::from_unix_nanos(sealed.at.saturating_mul(1_000));
    let head = Head { board: sealed.b, console: Safe::line(&sealed.c), boot: sealed.i, token, at, clock: sealed.k };
    let said = said(sealed.d, at).map_err(Unusable::Corrupt)?;
    Ok(Message { head, said })
}
