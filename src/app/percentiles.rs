//! How long an item's runs took over the last hour, in a fixed room.
//!
//! Six windows of ten minutes, each a count by size: eight sizes to a doubling,
//! so a percentile is off by 5 % at most. Deliberately no list of samples: a plan
//! that runs ten times a second would need 36,000 of them.

use crate::kernel::{Moment, Span};

/// A window's length; the oldest goes when a new one begins.
const WINDOW: Span = Span::from_secs(600);

/// Windows that are kept: an hour of them.
const WINDOWS: usize = 6;

/// Sizes to a doubling: neighbours differ by a twelfth.
const STEPS: usize = 8;

/// From 16 us, which nothing undercuts by much, over 24 doublings to 4 minutes.
const SIZES: usize = 24 * STEPS;

/// The smallest size as a power of two, in nanoseconds.
const SMALLEST: u32 = 14;

/// How long runs took, by window and size.
#[derive(Debug, Default)]
pub(super) struct Percentiles {
    windows: [Option<Window>; WINDOWS],
}

#[derive(Debug)]
struct Window {
    number: u64,
    // A size is full at 65,535 runs in ten minutes: a hundred a second, all alike.
    counts: Box<[u16; SIZES]>,
}

impl Percentiles {
    /// A run ended at `now` that took so long.
    pub(super) fn took(&mut self, now: Moment, span: Span) {
        let number = number(now);
        let place = usize::try_from(number % WINDOWS as u64).unwrap_or_default();
        let window = self.windows[place].take().filter(|window| window.number == number);
        let mut window = window.unwrap_or_else(|| Window { number, counts: Box::new([0; SIZES]) });
        let count = &mut window.counts[size(span)];
        *count = count.saturating_add(1);
        self.windows[place] = Some(window);
    }

    /// How many runs ended within the hour before `now`.
    pub(super) fn runs(&self, now: Moment) -> u64 {
        self.counts(now).iter().sum()
    }

    /// The times that so many thousandths of the hour's runs stayed within; `None`: there were none.
    pub(super) fn at<const N: usize>(&self, now: Moment, thousandths: [u64; N]) -> Option<[Span; N]> {
        let counts = self.counts(now);
        let runs: u64 = counts.iter().sum();
        (runs > 0).then(|| {
            thousandths.map(|share| {
                let rank = (runs * share).div_ceil(1_000).max(1);
                let mut seen = 0;
                let found = counts.iter().position(|count| {
                    seen += count;
                    seen >= rank
                });
                middle(found.unwrap_or(SIZES - 1))
            })
        })
    }

    fn counts(&self, now: Moment) -> [u64; SIZES] {
        let mut counts = [0; SIZES];
        let newest = number(now);
        for window in self.windows.iter().flatten().filter(|window| window.number + WINDOWS as u64 > newest) {
            for (sum, count) in counts.iter_mut().zip(window.counts.iter()) {
                *sum += u64::from(*count);
            }
        }
        counts
    }
}

const fn number(now: Moment) -> u64 {
    now.unix_nanos() / WINDOW.as_nanos()
}

/// The place of a time among the sizes: its power of two, and the three bits behind the first.
fn size(span: Span) -> usize {
    let nanos = span.as_nanos().max(1 << SMALLEST);
    let power = nanos.ilog2();
    let step = nanos >> (power - STEPS.ilog2()) & (STEPS as u64 - 1);
    let size = u64::from(power - SMALLEST) * STEPS as u64 + step;
    usize::try_from(size).unwrap_or(SIZES).min(SIZES - 1)
}

/// The time in the middle of a size.
fn middle(size: usize) -> Span {
    let (power, step) = (size / STEPS, (size % STEPS) as u64);
    let eighth = (1_u64 << (SMALLEST - STEPS.ilog2())) << power;
    Span::from_nanos((STEPS as u64 + step) * eighth + eighth / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_700_000_000_000);

    #[test]
    fn percentiles_are_told_within_a_sixteenth() {
        let mut known = Percentiles::default();
        assert_eq!(known.at(NOW, [500]), None);
        for millis in 1..=1_000 {
            known.took(NOW, Span::from_millis(millis));
        }
        assert_eq!(known.runs(NOW), 1_000);
        let told = known.at(NOW, [1, 500, 950, 990, 1_000]).unwrap();
        for (told, true_millis) in told.into_iter().zip([1.0, 500.0, 950.0, 990.0, 1_000.0]) {
            let millis = told.as_secs_f64() * 1e3;
            assert!((millis / true_millis - 1.0).abs() < 0.07, "{millis} for {true_millis}");
        }
    }

    #[test]
    fn the_shortest_and_the_longest_have_their_place() {
        let mut known = Percentiles::default();
        for span in [Span::ZERO, Span::from_nanos(1), Span::from_micros(16), Span::MAX] {
            known.took(NOW, span);
        }
        let [low, high] = known.at(NOW, [1, 1_000]).unwrap();
        assert!(low < Span::from_micros(20) && high > Span::from_secs(200), "{low} {high}");
        let mut last = Span::ZERO;
        for place in 0..SIZES {
            assert!(middle(place) > last);
            last = middle(place);
            assert_eq!(size(last), place);
        }
    }

    #[test]
    fn what_is_older_than_an_hour_is_forgotten() {
        let mut known = Percentiles::default();
        known.took(NOW, Span::from_secs(1));
        assert_eq!(known.runs(NOW + Span::from_secs(3_000)), 1);
        assert_eq!(known.runs(NOW + Span::from_secs(3_600)), 0);
        known.took(NOW + Span::from_secs(3_600), Span::from_secs(2));
        assert_eq!(known.runs(NOW + Span::from_secs(3_600)), 1);
    }
}
