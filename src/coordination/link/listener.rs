//! What a follower believes: each beat once, in order, from the newest leader alone.
//!
//! A pure state machine. It knows when it last heard something that counts, and from that how much
//! in step this console is. Deliberately no link and no clock; the caller says what time it is.

use super::wire::{Message, Said};
use crate::config::timing::{ALONE_AFTER, FAR_FUTURE, HORIZON, STALE_AFTER};
use crate::coordination::Token;
use crate::frame::Safe;
use crate::kernel::{Moment, Span};

/// So many beats in a row bring a console back that had gone on alone (reliability 2.7).
const BACK_AFTER: u32 = 3;

/// How much a console is in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It hears its leader.
    InStep,
    /// It has not heard the leader for so long, and goes on by the last schedule.
    Stale(Span),
    /// It has been silent for so long that this console goes on alone.
    Alone(Span),
}

/// Why a message does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It was heard already, or a later one was, or it was told so long ago that it says nothing any more.
    Old,
    /// It is the newest that was heard, once more: it came by another way too.
    Again,
    /// A leader speaks that has a successor.
    Deposed(Token),
    /// It is of another board.
    Foreign(Safe),
    /// It speaks of turns that no leader could know of yet.
    FarFuture,
    /// It is our own.
    Own,
}

/// What is heard, and when.
#[derive(Debug)]
pub struct Listener {
    board: String,
    boot: String,
    /// The newest that was heard: token, sequence number, number of the beat.
    newest: Option<(Token, u64, u64)>,
    began: Moment,
    heard: Option<Moment>,
    /// Beats in a row without a silence.
    streak: u32,
    alone: bool,
}

impl Listener {
    /// A listener of the board called `board`, in the process called `boot`.
    #[must_use]
    pub fn new(now: Moment, board: &str, boot: &str) -> Self {
        let (board, boot) = (board.to_owned(), boot.to_owned());
        Self { board, boot, newest: None, began: now, heard: None, streak: 0, alone: false }
    }

    /// Whether `message` counts, whose moments are on this console's own clock.
    ///
    /// # Errors
    /// Why it does not.
    pub fn hear(&mut self, now: Moment, message: &Message) -> Result<(), Ignored> {
        let head = &message.head;
        if head.board != self.board {
            return Err(Ignored::Foreign(Safe::line(&head.board)));
        }
        if self.is_own(message) {
            return Err(Ignored::Own);
        }
        if head.token < self.token() {
            return Err(Ignored::Deposed(head.token));
        }
        let Said::Beat { number, beat, .. } = &message.said else { return Ok(()) };
        if beat.turns.iter().any(|turn| turn.show_at > now + FAR_FUTURE) {
            return Err(Ignored::FarFuture);
        }
        // What a store kept of a leader that is long gone is no sign of life.
        let spent = now.since(head.at) >= HORIZON;
        let order = (head.token, beat.seq, *number);
        if spent || self.newest.is_some_and(|newest| order < newest) {
            return Err(Ignored::Old);
        }
        if self.newest == Some(order) {
            return Err(Ignored::Again);
        }
        if self.silence(now) >= STALE_AFTER {
            self.streak = 0;
        }
        self.newest = Some(order);
        self.heard = Some(now);
        self.streak = self.streak.saturating_add(1);
        if self.streak >= BACK_AFTER {
            self.alone = false;
        }
        Ok(())
    }

    /// How much in step this console is.
    pub fn mode(&mut self, now: Moment) -> Mode {
        let silence = self.silence(now);
        // Without a schedule there is nothing to go on by.
        let patience = if self.heard.is_some() { ALONE_AFTER } else { STALE_AFTER };
        self.alone |= silence >= patience;
        match silence {
            silence if self.alone => Mode::Alone(silence),
            silence if silence >= STALE_AFTER => Mode::Stale(silence),
            _ => Mode::InStep,
        }
    }

    /// This console led at `now`: nothing older counts any more, and its own schedule is one to go on by.
    pub fn led(&mut self, now: Moment, token: Token) {
        if self.token() < token {
            self.newest = Some((token, 0, 0));
        }
        (self.heard, self.streak, self.alone) = (Some(now), BACK_AFTER, false);
    }

    /// Who leads, as the elector told it when it was asked at `asked`. Where nobody was heard for a while
    /// by then, that counts more than what was heard once: a token that no elector gave, or one of a
    /// history that is gone, must not keep us deaf for ever.
    pub fn elected(&mut self, asked: Moment, token: Token) {
        if self.silence(asked) >= STALE_AFTER && self.token() > token {
            self.newest = Some((token, 0, 0));
        }
    }

    /// Whether this process said it.
    #[must_use]
    pub fn is_own(&self, message: &Message) -> bool {
        message.head.boot == self.boot
    }

    /// The newest leadership that was heard.
    #[must_use]
    pub fn token(&self) -> Token {
        self.newest.map_or(Token::default(), |(token, ..)| token)
    }

    /// When the mode changes next by time alone.
    #[must_use]
    pub fn next_wake(&self, now: Moment) -> Option<Moment> {
        let from = self.heard.unwrap_or(self.began);
        [from + STALE_AFTER, from + ALONE_AFTER].into_iter().find(|moment| *moment > now && !self.alone)
    }

    /// For how long nothing was heard that counts.
    #[must_use]
    pub fn silence(&self, now: Moment) -> Span {
        now.since(self.heard.unwrap_or(self.began))
    }
}
