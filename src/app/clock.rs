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

/// How many seconds the disciplined monotonic clock is ahead of the raw one, which nobody
/// slews. Both stood at zero when the machine started; only the change since some moment tells.
#[cfg(feature = "cli")]
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a difference of clocks needs no more than 53 bits")]
pub(super) fn raw_difference() -> f64 {
    use rustix::time::{ClockId, clock_gettime};
    let (disciplined, raw) = (clock_gettime(ClockId::Monotonic), clock_gettime(ClockId::MonotonicRaw));
    (disciplined.tv_sec - raw.tv_sec) as f64 + (disciplined.tv_nsec - raw.tv_nsec) as f64 / 1e9
}

/// Lets this thread wake as precisely as the system can: usually it is let sleep 50 µs longer
/// than it asked, to wake with others.
#[cfg(feature = "cli")]
pub(super) fn wake_precisely() {
    // A system that does not allow it wakes us a little later; nothing is lost by that.
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
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
