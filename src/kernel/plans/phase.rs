//! Where in its period a plan starts, and when it is due next.
//!
//! Phases spread by themselves: the id is hashed and the hash is turned by the
//! golden ratio, so that neither alike names nor their number make a herd. They
//! lie on whole milliseconds: a wake-up costs as much processor time as a hundred
//! starts, and plans that agree on the moment share one without being late for it.

use crate::kernel::{Moment, Span, digest};

/// 2^64 divided by the golden ratio, the multiplier of Fibonacci hashing (Knuth, TAOCP 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Phases are no closer than this: a thousand wake-ups a second are bearable on
/// any machine, and a plan's share of its millisecond is not its problem.
const STEP: Span = Span::from_millis(1);
/// A period has at least so many phases, so that quick plans spread as well.
const PHASES_AT_LEAST: u64 = 64;

/// The phase of the plan called `id` in a period.
#[must_use]
pub fn spread(id: &str, every: Span) -> Span {
    let share = u128::from(digest(id.bytes()).wrapping_mul(GOLDEN));
    let nanos = (share * u128::from(every.as_nanos())) >> 64;
    let nanos = u64::try_from(nanos).unwrap_or(0);
    let step = STEP.min(every / PHASES_AT_LEAST).as_nanos().max(1);
    Span::from_nanos(nanos - nanos % step)
}

/// A number without a pattern out of one that counts up: the seed of a jitter.
pub(super) const fn scatter(count: u64) -> u64 {
    count.wrapping_mul(GOLDEN)
}

/// The first moment after `now` on the grid `phase + k x every` that starts at the epoch.
pub(super) fn next_due(now: Moment, every: Span, phase: Span) -> Moment {
    let every = every.as_nanos().max(1);
    let phase = phase.as_nanos() % every;
    let Some(passed) = now.unix_nanos().checked_sub(phase) else { return Moment::from_unix_nanos(phase) };
    let next = (passed / every).saturating_add(1).saturating_mul(every).saturating_add(phase);
    Moment::from_unix_nanos(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_lie_on_the_grid_and_after_now() {
        let every = Span::from_millis(250);
        let phase = Span::from_millis(40);
        let mut now = Moment::from_unix_millis(1_000_000);
        for k in 1..=100 {
            now = next_due(now, every, phase);
            assert_eq!(now.unix_millis(), 999_790 + k * 250);
        }
        assert_eq!(next_due(Moment::EPOCH, every, phase), Moment::EPOCH + phase);
    }

    #[test]
    fn phases_of_alike_names_spread_evenly() {
        let every = Span::from_secs(1);
        let mut tenths = [0; 10];
        for n in 0..10_000 {
            let phase = spread(&format!("press-{n}"), every);
            assert!(phase < every);
            tenths[usize::try_from(phase.as_millis() / 100).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (800..1_200).contains(count)), "{tenths:?}");
    }

    #[test]
    fn plans_share_the_milliseconds_and_quick_ones_spread_as_well() {
        for (every, phases) in
            [(1_000_000_000, 1_000), (100_000_000, 100), (64_000_000, 64), (10_000_000, 64), (64, 64), (3, 3)]
        {
            let spread: std::collections::HashSet<_> =
                (0..20_000).map(|n| spread(&format!("press-{n}"), Span::from_nanos(every))).collect();
            assert!(spread.len().abs_diff(phases) <= 1, "{every} ns: {}", spread.len());
        }
        assert_eq!(spread("press-1", Span::ZERO), Span::ZERO);
    }
}
