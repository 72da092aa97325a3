//! Clocks: the true time of the simulation in nanoseconds, and what each machine takes it for.

use marquee::kernel::{Moment, Span};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MS;

/// What the true time 0 reads on a clock that is right.
const BASE: u64 = 1_760_000_000 * SECOND;

/// A machine's clock: off by `offset` nanoseconds at the start, and running fast by `ppm`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    pub(crate) offset: i64,
    pub(crate) ppm: i64,
}

impl Clock {
    /// What it reads at the true time `t`.
    pub(crate) fn reads(&self, t: u64) -> Moment {
        let drift = i128::from(t) * i128::from(self.ppm) / 1_000_000;
        let reading = i128::from(BASE) + i128::from(t) + drift + i128::from(self.offset);
        Moment::EPOCH + Span::from_nanos(u64::try_from(reading).unwrap_or(0))
    }

    /// The first true time at which it reads `moment` or more.
    pub(crate) fn when(&self, moment: Moment) -> u64 {
        let since = i128::from(moment.unix_nanos()) - i128::from(BASE) - i128::from(self.offset);
        let t = since * 1_000_000 / (1_000_000 + i128::from(self.ppm)) + 2;
        u64::try_from(t).unwrap_or(0)
    }
}
