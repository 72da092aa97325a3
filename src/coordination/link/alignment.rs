//! What to make of a message whose clock is not ours.
//!
//! Turns travel on the reference clock. A leader that is cut off from the reference does not hear
//! that it was set anew, and a console without a store has none at all; what such a leader says lies in our
//! future or far in our past, for ever. Then the moment at which it is heard has to do: the consoles are
//! apart by what the way takes, and still show the same. Deliberately not for what a store has kept,
//! which is old because it is old.

use super::listener::Ignored;
use super::wire::Message;
use crate::kernel::{Moment, Span};

/// Nothing is heard before it was said; this much two clocks that follow one reference may be apart. Beyond it
/// the servo takes the reference for another clock.
const AHEAD_AT_MOST: Span = Span::from_millis(128);

/// What is heard so much later than it was said was not on its way all the time: a store gives up
/// after 0.3 s, and a connection that stands still after 0.8 s.
const BEHIND_AT_MOST: Span = Span::from_secs(2);

/// Two messages tell of one and the same other clock where they differ by less than this,
const ALIKE: Span = Span::from_millis(250);

/// and were heard so far apart. Those that piled up while this process stood still come all at once.
const CONFIRMED_AFTER: Span = Span::from_millis(250);

/// How far a clock is from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apart {
    Ahead(Span),
    Behind(Span),
}

/// Brings messages onto this console's clock that are not on it.
#[derive(Debug, Default)]
pub struct Alignment {
    /// The other clock, and since when it is heard.
    doubted: Option<(Apart, Moment)>,
    aligned: bool,
}

impl Alignment {
    /// The message with moments that can be used. `locked`: whether this console knows the reference clock.
    ///
    /// # Errors
    /// [`Ignored::OtherClock`] for the first of those that can't be on our clock: the next has to confirm it.
    pub fn align(&mut self, now: Moment, locked: bool, message: Message) -> Result<Message, Ignored> {
        let at = message.head.at;
        let apart = if at > now { Apart::Ahead(at.since(now)) } else { Apart::Behind(now.since(at)) };
        let fits = match apart {
            Apart::Ahead(by) => by <= AHEAD_AT_MOST,
            Apart::Behind(by) => by <= BEHIND_AT_MOST,
        };
        if fits && locked {
            *self = Self::default();
            return Ok(message);
        }
        if !fits {
            let (_, since) = *self.doubted.get_or_insert((apart, now));
            let alike = self.doubted.is_some_and(|(before, _)| is_alike(before, apart));
            self.doubted = Some((apart, if alike { since } else { now }));
            self.aligned = alike && now.since(since) >= CONFIRMED_AFTER;
            if !self.aligned {
                return Err(Ignored::OtherClock);
            }
        }
        Ok(match apart {
            Apart::Ahead(by) => message.on_clock(|moment| moment - by),
            Apart::Behind(by) => message.on_clock(|moment| moment + by),
        })
    }

    /// Whether turns are shown by when they are heard of, because the leader's clock is not ours.
    #[must_use]
    pub const fn is_aligned(&self) -> bool {
        self.aligned
    }
}

fn is_alike(one: Apart, other: Apart) -> bool {
    let apart = match (one, other) {
        (Apart::Ahead(one), Apart::Ahead(other)) | (Apart::Behind(one), Apart::Behind(other)) => {
            one.saturating_sub(other) + other.saturating_sub(one)
        }
        (Apart::Ahead(one), Apart::Behind(other)) | (Apart::Behind(one), Apart::Ahead(other)) => one + other,
    };
    apart < ALIKE
}
