//! The token bucket: how often something may happen, as one atomic word.
//!
//! The word holds the theoretical arrival time of the generic cell rate
//! algorithm: the moment when the bucket will be full again. A token moves it on
//! by one interval and is refused where that would lead further ahead of now
//! than the burst allows. There is no refill that could be forgotten or rounded
//! away, and the clock is an argument.
//!
//! Time is counted in 1/1024 ns modulo 2^64, so that a rate whose interval is
//! no whole number of nanoseconds stays exact for hours. The count comes round
//! after 208 days; what is further ahead of now than can be true counts as past.

use std::sync::PoisonError;

use super::sync::{AtomicU64, Mutex, Ordering};
use crate::kernel::{Moment, Span};

/// The parts of a nanosecond, as a power of two.
const PART_BITS: u32 = 10;
/// The longest way to be ahead of now, 52 days: a quarter of what the count can tell.
const WINDOW_AT_MOST: u64 = 1 << 62;
/// How far the `now` of one thread may lag behind that of another, a minute: a
/// thread that was held up after reading the clock must not find a full bucket.
const LAG_AT_MOST: u64 = 60_000_000_000 << PART_BITS;

/// How often a thread pauses that another one came before.
#[cfg(not(loom))]
const PAUSES: u32 = 8;

/// So many tokens in so long, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// From one token to the next, in parts; even, as the word's lowest bit has another use.
    interval: u64,
    /// What a full bucket holds, as time in parts.
    window: u64,
}

impl Limit {
    /// `tokens` in `per`, no more than `burst` of them at once. A zero counts as one.
    ///
    /// Interval times burst is held below 52 days.
    #[must_use]
    pub fn new(tokens: u32, per: Span, burst: u32) -> Self {
        let burst = u64::from(burst.max(1));
        let pairs = (u128::from(per.as_nanos()) << PART_BITS) / u128::from(tokens.max(1));
        let interval = u64::try_from(pairs.div_ceil(2) * 2).unwrap_or(WINDOW_AT_MOST);
        let interval = interval.clamp(2, WINDOW_AT_MOST / burst) & !1;
        Self { interval, window: interval * burst }
    }

    /// Tokens, the time they are given in (a second, a minute or an hour) and how many at once:
    /// a [`Limit::new`] of these is this limit, where it was made of whole tokens in such a time.
    #[must_use]
    pub fn rate(self) -> (u32, Span, u32) {
        let burst = u32::try_from(self.window / self.interval).unwrap_or(u32::MAX);
        let tokens = |per: Span| {
            let parts = u128::from(per.as_nanos()) << PART_BITS;
            let interval = u128::from(self.interval);
            u32::try_from((parts + interval / 2) / interval).unwrap_or(u32::MAX).max(1)
        };
        let mut rates = [1, 60, 3_600].map(Span::from_secs).map(|per| (tokens(per), per, burst)).into_iter();
        let last = (tokens(Span::from_secs(3_600)), Span::from_secs(3_600), burst);
        rates.find(|(tokens, per, burst)| Self::new(*tokens, *per, *burst) == self).unwrap_or(last)
    }

    /// How far ahead of `now` the word is.
    fn ahead(self, word: u64, now: u64) -> u64 {
        let ahead = (word & !1).wrapping_sub(now);
        if ahead <= self.window.saturating_add(LAG_AT_MOST) { ahead } else { 0 }
    }
}

/// A bucket of tokens that many threads may take from.
#[derive(Debug)]
pub struct Bucket {
    /// The theoretical arrival time; the lowest bit says which limit holds.
    word: AtomicU64,
    limits: [Stored; 2],
    /// Held while the limit is changed; nobody who takes ever meets it.
    changing: Mutex<()>,
}

/// Lets the other thread get on: about as long as a take needs.
fn pause() {
    #[cfg(not(loom))]
    for _ in 0..PAUSES {
        std::hint::spin_loop();
    }
}

/// A limit that others may be reading.
#[derive(Debug)]
struct Stored {
    interval: AtomicU64,
    window: AtomicU64,
}

impl Stored {
    fn new(limit: Limit) -> Self {
        Self { interval: AtomicU64::new(limit.interval), window: AtomicU64::new(limit.window) }
    }

    // Acquire and release: who reads a part of a limit that is being written over
    // finds the word changed when he looks again, and does not act on the mixture.
    fn load(&self) -> Limit {
        Limit { interval: self.interval.load(Ordering::Acquire), window: self.window.load(Ordering::Acquire) }
    }

    fn store(&self, limit: Limit) {
        self.interval.store(limit.interval, Ordering::Release);
        self.window.store(limit.window, Ordering::Release);
    }
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(now: Moment, limit: Limit) -> Self {
        Self {
            word: AtomicU64::new(parts(now)),
            limits: [Stored::new(limit), Stored::new(limit)],
            changing: Mutex::new(()),
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// How long after `now` there will be one, where there is none.
    pub fn take(&self, now: Moment) -> Result<(), Span> {
        let now = parts(now);
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let limit = self.limits[place(word)].load();
            let ahead = limit.ahead(word, now);
            let wait = (ahead + limit.interval).saturating_sub(limit.window);
            if wait > 0 {
                let newer = self.word.load(Ordering::Acquire);
                if newer == word {
                    return Err(span(wait));
                }
                word = newer;
                continue;
            }
            let next = now.wrapping_add(ahead + limit.interval) | word & 1;
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(newer) => {
                    word = newer;
                    // Whoever came first has the cache line; asking for it at once would only make both slower.
                    pause();
                }
            }
        }
    }

    /// Changes the limit while others take. The tokens in the bucket stay as many
    /// as they are, up to the new burst: nobody gains one by it and nobody waits longer
    /// than for one of the new ones.
    pub fn change(&self, now: Moment, limit: Limit) {
        let now = parts(now);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut word = self.word.load(Ordering::Acquire);
        let old = self.limits[place(word)].load();
        if old == limit {
            return;
        }
        self.limits[1 - place(word)].store(limit);
        loop {
            let ahead = old.ahead(word, now);
            let tokens = u128::from(old.window.saturating_sub(ahead));
            let tokens = tokens * u128::from(limit.interval) / u128::from(old.interval);
            let used = limit.window - u64::try_from(tokens).unwrap_or(u64::MAX).min(limit.window);
            let ahead = used + ahead.saturating_sub(old.window);
            let next = now.wrapping_add(ahead) & !1 | (word & 1 ^ 1);
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(newer) => word = newer,
            }
        }
    }
}

/// Which of the two limits a word speaks of.
fn place(word: u64) -> usize {
    usize::from(word & 1 == 1)
}

fn parts(now: Moment) -> u64 {
    now.unix_nanos() << PART_BITS
}

/// A wait in whole nanoseconds, rounded up: who waits for it finds the token.
fn span(parts: u64) -> Span {
    Span::from_nanos(parts.div_ceil(1 << PART_BITS))
}

#[cfg(test)]
mod tests;
