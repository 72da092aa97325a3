//! How runs are paced and their results settled, as plain values.
//!
//! All of it may change while a plan runs: none of it says what is measured, so
//! none of it is part of what makes a plan another one. What is done by these
//! values is the kernel's business.

use std::fmt;

use crate::config::defaults::{
    CONFIRM, DELAY, FEED_SAMPLE, FEED_SPIKE_FLOOR, FEED_SPIKE_RATIO, FEED_WINDOW, FLAPPING_START, FLAPPING_STOP,
    OPEN_AFTER, PRIORITY, RETRY_AFTER, RETRY_MAX,
};
use crate::kernel::Span;

/// How the runs of one item are paced and their results settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Who goes first where not all can go at once: 0 to 9, 9 is the most urgent.
    pub priority: u8,
    /// What becomes of missed runs.
    pub late: Late,
    /// How many runs there may be; `None`: as many as the period makes.
    pub limit: Option<Rate>,
    /// How many results change the level.
    pub confirm: Confirm,
    /// How long another level must hold before it shows.
    pub delay: Delay,
    /// When a failing plan is left alone.
    pub breaker: BreakerConfig,
    /// When the item is marked as flapping.
    pub flapping: FlappingConfig,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            priority: PRIORITY,
            late: Late::default(),
            limit: None,
            confirm: Confirm::default(),
            delay: Delay::default(),
            breaker: BreakerConfig::default(),
            flapping: FlappingConfig::default(),
        }
    }
}

/// What becomes of the runs that could not start in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// They are counted and left out: the newest news is what matters.
    #[default]
    Skip,
    /// One run stands for all of them, as soon as it can.
    Coalesce,
    /// Up to so many are made up for, for checks that count something.
    Burst(u32),
}

impl fmt::Display for Late {
    /// As the config writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => f.write_str("skip"),
            Self::Coalesce => f.write_str("coalesce"),
            Self::Burst(most) => write!(f, "burst {most}"),
        }
    }
}

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub tokens: u32,
    /// In how long a time: a second, a minute or an hour.
    pub per: Span,
    /// How many of them at once.
    pub burst: u32,
}

impl fmt::Display for Rate {
    /// As the config writes it, its `burst` aside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            0..60 => 's',
            60..3_600 => 'm',
            _ => 'h',
        };
        write!(f, "{}/{unit}", self.tokens)
    }
}

/// How many results in a row change the level, 1 to 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// So many for a worse one.
    pub bad: u32,
    /// So many for a better one.
    pub good: u32,
}

impl Default for Confirm {
    fn default() -> Self {
        Self { bad: CONFIRM, good: CONFIRM }
    }
}

/// How long another level must hold before it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// So long for a worse one.
    pub on: Span,
    /// So long for a better one.
    pub off: Span,
}

impl Default for Delay {
    fn default() -> Self {
        Self { on: DELAY, off: DELAY }
    }
}

/// When a plan that fails again and again is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// So many failures in a row open it; 0: it never opens.
    pub open_after: u32,
    /// The first wait; each one after it is twice as long.
    pub retry_after: Span,
    /// The longest wait; never shorter than the first.
    pub retry_max: Span,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { open_after: OPEN_AFTER, retry_after: RETRY_AFTER, retry_max: RETRY_MAX }
    }
}

/// When an item that cannot decide is marked, in percent of changes over its last 20 results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlappingConfig {
    /// Above so many it is marked; 100: never.
    pub start: u32,
    /// Below so many the mark goes; never more than `start`.
    pub stop: u32,
}

impl Default for FlappingConfig {
    fn default() -> Self {
        Self { start: FLAPPING_START, stop: FLAPPING_STOP }
    }
}

/// When a source that pushes far more than usual is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// How long updates are counted together.
    pub window: Span,
    /// More than so many times the usual updates of a window are a spike.
    pub spike_ratio: u32,
    /// So many updates in a window never are one.
    pub spike_floor: u32,
    /// Of so many updates one is taken while the source is degraded.
    pub sample: u32,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self { window: FEED_WINDOW, spike_ratio: FEED_SPIKE_RATIO, spike_floor: FEED_SPIKE_FLOOR, sample: FEED_SAMPLE }
    }
}

/// What one host may be asked, over all items; nothing else in it than a name and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLimit {
    /// Its name or address as in [`super::CheckConfig::hosts`]: small letters, no port, no brackets.
    pub host: String,
    /// How many runs may ask it; `None`: any number.
    pub limit: Option<Rate>,
    /// How many runs that ask it may be in flight; `None`: any number.
    pub at_once: Option<u32>,
}
