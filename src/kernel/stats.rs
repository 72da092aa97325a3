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
    /// Pushes for items that have a plan of their own.
    pub pushes_refused: u64,
}
