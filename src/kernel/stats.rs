//! Plain counters of what the kernel did; an exporter reads them.
//!
//! Deliberately no metrics library: numbers only, never labels or names.

/// What the kernel counted since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Turns that ended.
    pub turns: u64,
    /// Frames that said something new.
    pub frames: u64,
    /// Runs that were started.
    pub runs_started: u64,
    /// Ticks that found their plan busy.
    pub ticks_skipped: u64,
    /// Ends of runs that were no longer known: cancelled, removed or reloaded.
    pub ghosts_refused: u64,
    /// Items that went stale.
    pub went_stale: u64,
    /// Alarms that somebody acknowledged.
    pub acknowledged: u64,
    /// Ticks that found their plan's breaker open.
    pub left_alone: u64,
    /// Breakers that opened.
    pub breakers_opened: u64,
    /// Breakers that are open now.
    pub breakers_open: u64,
    /// Pushes that were left out while the feed was sampled.
    pub pushes_sampled: u64,
    /// Plans that wait for a turn, a token or room.
    pub plans_waiting: u64,
    /// Pushes for items that have a plan of their own.
    pub pushes_refused: u64,
}
