//! The one place that reads clocks.
//!
//! The shared clock runs on the monotonic clock and is anchored to the epoch
//! once, at the start: setting the wall clock later changes the displayed time
//! and nothing else.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::kernel::{Moment, Span};

/// The clock of this process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    anchor: Instant,
    epoch: Moment,
}

impl Clock {
    /// Anchors the shared clock to the wall clock of this moment.
    #[must_use]
    pub fn start() -> Self {
        Self { anchor: monotonic(), epoch: wall() }
    }

    /// The moment on the shared clock.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.epoch + Span::from(monotonic().saturating_duration_since(self.anchor))
    }

    /// The moment on the wall clock, for display and for files alone.
    #[must_use]
    pub fn wall(&self) -> Moment {
        wall()
    }

    /// How long until `moment`; zero where it has passed.
    #[must_use]
    pub fn until(&self, moment: Moment) -> Duration {
        moment.since(self.now()).into()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn monotonic() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this is the place")]
fn wall() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::EPOCH + Span::from(since)
}
