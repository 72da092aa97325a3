//! What is counted over the seeds, for the figures.

/// What was counted over a seed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) elections: u64,
    pub(crate) suspensions: u64,
    pub(crate) failovers: u64,
    pub(crate) longest_silence: u64,
    pub(crate) stale_refused: u64,
    pub(crate) turns: u64,
    pub(crate) beats: u64,
    pub(crate) widest_spread: u64,
    /// From the death of a leader that nobody's fault surrounds to its successor: without a guardian, and with.
    pub(crate) successions: [Times; 2],
}

/// Some times together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) longest: u64,
}

impl Times {
    pub(crate) fn add(&mut self, time: u64) {
        self.join(Self { count: 1, sum: time, longest: time });
    }

    pub(crate) fn join(&mut self, other: Self) {
        (self.count, self.sum) = (self.count + other.count, self.sum + other.sum);
        self.longest = self.longest.max(other.longest);
    }

    /// 0 of none.
    pub(crate) const fn mean(self) -> u64 {
        if let Some(mean) = self.sum.checked_div(self.count) { mean } else { 0 }
    }
}
