//! The consoles of a board as a viewer reads them.
//!
//! Plain data: who is asked for it, and how often, is the program's business.

use super::{Moment, Safe, Span};

/// One console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub name: Safe,
    /// The word of its role, as it tells it: one of another version may tell a word that is not known here.
    pub role: Safe,
    /// Since when it plays that role, on this console's wall clock.
    pub since: Moment,
    /// Its version.
    pub version: Safe,
    /// How far the shared clock is ahead of its own, in nanoseconds.
    pub offset_nanos: i64,
    /// How wrong that may be.
    pub bound: Span,
    /// When it last told of itself, on this console's wall clock.
    pub seen: Moment,
    /// Whether it is this very console.
    pub own: bool,
}
