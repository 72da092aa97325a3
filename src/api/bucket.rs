//! How many updates a second one server takes: a token bucket in one atomic word.
//!
//! The word is the moment at which the bucket would be full again, so that a
//! take is one addition. Time is an argument.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::frame::{Moment, Span};

/// A token bucket that starts full.
#[derive(Debug)]
pub(super) struct Bucket {
    full_at: AtomicU64,
    /// Nanoseconds until one token is there again.
    each: u64,
    /// Nanoseconds until an empty bucket is full.
    whole: u64,
}

impl Bucket {
    /// A bucket that fills with so many tokens a second, and holds so many.
    pub(super) const fn new(per_second: u64, burst: u64) -> Self {
        let each = 1_000_000_000 / per_second;
        Self { full_at: AtomicU64::new(0), each, whole: each * burst }
    }

    /// How long until one token is there; `None`: there is one.
    pub(super) fn dry(&self, now: Moment) -> Option<Span> {
        let (now, full_at) = (now.unix_nanos(), self.full_at.load(Ordering::Relaxed));
        let wait = full_at.max(now).saturating_add(self.each).saturating_sub(now + self.whole);
        (wait > 0).then(|| Span::from_nanos(wait))
    }

    /// Takes `tokens` at `now`, all or none.
    ///
    /// # Errors
    /// Where so many are not there: how long until they are.
    pub(super) fn take(&self, now: Moment, tokens: u64) -> Result<(), Span> {
        let now = now.unix_nanos();
        let cost = self.each.saturating_mul(tokens);
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let after = full_at.max(now).saturating_add(cost);
            (after - now <= self.whole).then_some(after)
        });
        let wait = |full_at: u64| full_at.max(now).saturating_add(cost).saturating_sub(now + self.whole);
        taken.map(drop).map_err(|full_at| Span::from_nanos(wait(full_at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_000_000);

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let bucket = Bucket::new(1_000, 50);
        assert_eq!(bucket.take(NOW, 51), Err(Span::from_millis(1)), "more than it holds, and nothing is taken");
        assert_eq!((bucket.take(NOW, 49), bucket.dry(NOW), bucket.take(NOW, 1)), (Ok(()), None, Ok(())));
        assert_eq!(bucket.dry(NOW), Some(Span::from_millis(1)));
        assert_eq!(bucket.take(NOW, 1), Err(Span::from_millis(1)));
        assert_eq!(bucket.take(NOW, 10), Err(Span::from_millis(10)));
        let later = NOW + Span::from_millis(10);
        assert_eq!((bucket.take(later, 10), bucket.take(later, 1)), (Ok(()), Err(Span::from_millis(1))));
        let much_later = NOW + Span::from_secs(3_600);
        assert_eq!((bucket.take(much_later, 50), bucket.take(much_later, 1).is_err()), (Ok(()), true));
        assert!(bucket.take(NOW, 1).is_err(), "a clock that is behind gives nothing");
    }
}
