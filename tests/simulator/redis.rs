//! A Redis: the fenced scripts of the protocol, its clock, and its ways to fail.

use marquee::coordination::Token;

/// What is asked of it.
#[derive(Clone, Debug)]
pub(crate) enum RedisOp {
    Claim(Token),
    /// Token, the turn's number, the beat's number, the line.
    Publish(Token, u64, u64, String),
    Board(Token, String),
    News(Token, String),
    GetBoard,
    GetState,
    StoredEpoch,
    Time,
}

impl RedisOp {
    /// What is said by it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Publish(.., text) | Self::Board(_, text) | Self::News(_, text) => text,
            Self::Claim(_) | Self::GetBoard | Self::GetState | Self::StoredEpoch | Self::Time => "",
        }
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum RedisReply {
    /// The fence stands; this turn's number was kept last, and this beat.
    Claimed(u64, Option<String>),
    Done,
    Dup,
    Stale(Token),
    Text(Option<String>),
    Epoch(u64),
    /// Which run of the server, and its clock.
    Time(u64, u64),
    /// Its line for `BUSY`, `MISCONF`, `READONLY`, …; empty: the machine refuses the connection.
    Refused(String),
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// Connections are refused.
    Down,
    /// It takes questions and does not answer.
    Hangs,
    /// It answers each with this one of its errors.
    Refuses(usize),
}

/// Its errors as a real server writes them; one repeats what was sent.
pub(crate) const ERRORS: [&str; 7] = [
    "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
    "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
    "-OOM command not allowed when used memory > 'maxmemory'.",
    "-READONLY You can't write against a read only replica.",
    "-LOADING Redis is loading the dataset in memory",
    "-NOPERM User board has no permissions to run the 'evalsha' command",
    "-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'board' ",
];

/// What it keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) token: Token,
    seq: u64,
    beat: u64,
    frame: Option<String>,
    board: Option<String>,
}

/// The server.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) health: Health,
    pub(crate) kept: Kept,
    /// The fence is checked.
    pub(crate) fences: bool,
    pub(crate) run: u64,
    /// How far its clock is off, in nanoseconds.
    pub(crate) offset: i64,
    pub(crate) told: Vec<String>,
    /// What was refused because of its token.
    pub(crate) stale: u64,
}

impl Redis {
    pub(crate) fn new() -> Self {
        let kept = Kept::default();
        Self { health: Health::Well, kept, fences: true, run: 1, offset: 0, told: Vec::new(), stale: 0 }
    }

    /// All that it keeps as text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.kept.frame.as_deref().into_iter().chain(self.kept.board.as_deref())
    }

    /// Does what is asked at `t`; `None`: nobody answers.
    pub(crate) fn handle(&mut self, t: u64, op: RedisOp) -> Option<RedisReply> {
        match self.health {
            Health::Well => Some(self.does(t, op)),
            Health::Down => Some(RedisReply::Refused(String::new())),
            Health::Refuses(error) => {
                let sent = if error + 1 == ERRORS.len() { crate::voice::REDIS } else { "" };
                Some(RedisReply::Refused(format!("{}{sent}", ERRORS[error])))
            }
            Health::Hangs => None,
        }
    }

    fn does(&mut self, t: u64, op: RedisOp) -> RedisReply {
        if let RedisOp::Claim(token) | RedisOp::Publish(token, ..) | RedisOp::Board(token, _) | RedisOp::News(token, _) =
            &op
            && self.fences
            && self.kept.token > *token
        {
            self.stale += 1;
            return RedisReply::Stale(self.kept.token);
        }
        match op {
            RedisOp::Claim(token) => {
                if self.kept.token < token {
                    (self.kept.token, self.kept.beat) = (token, 0);
                }
                RedisReply::Claimed(self.kept.seq, self.kept.frame.clone())
            }
            RedisOp::Publish(token, seq, beat, line) => {
                if self.kept.token == token && (self.kept.seq > seq || self.kept.beat >= beat) {
                    return RedisReply::Dup;
                }
                (self.kept.token, self.kept.seq, self.kept.beat) = (token, seq, beat);
                self.kept.frame = Some(line.clone());
                self.told.push(line);
                RedisReply::Done
            }
            RedisOp::Board(_, line) => {
                self.kept.board = Some(line);
                RedisReply::Done
            }
            RedisOp::News(_, line) => {
                self.told.push(line);
                RedisReply::Done
            }
            RedisOp::GetBoard => RedisReply::Text(self.kept.board.clone()),
            RedisOp::GetState => RedisReply::Text(self.kept.frame.clone()),
            RedisOp::StoredEpoch => RedisReply::Epoch(self.kept.token.epoch),
            RedisOp::Time => {
                let reading = crate::clock::Clock { offset: self.offset, ppm: 0 }.reads(t);
                RedisReply::Time(self.run, reading.unix_nanos())
            }
        }
    }
}
