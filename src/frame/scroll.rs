//! Where a text stands that is too long for its room.
//!
//! A pure function of time, so that every console shows the same piece.

use crate::kernel::{Moment, Span};

/// How many columns of a scrolling text have passed since `began`, at `rate` columns a second.
///
/// A renderer takes this modulo the width of the text and the gap it puts behind it.
#[must_use]
pub fn scroll_offset(began: Moment, now: Moment, rate: u32) -> u64 {
    let nanos = u128::from(now.since(began).as_nanos()) * u128::from(rate);
    u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX)
}

/// When the offset next grows by one.
#[must_use]
pub fn next_scroll_step(began: Moment, now: Moment, rate: u32) -> Option<Moment> {
    let passed = scroll_offset(began, now, rate);
    let step = u128::from(passed + 1) * 1_000_000_000;
    let nanos = step.div_ceil(u128::from((rate > 0).then_some(rate)?));
    Some(began + Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_is_the_first_moment_with_a_larger_offset() {
        let began = Moment::from_unix_millis(1_000);
        for rate in [1, 7, 12, 1_000] {
            let mut now = began;
            for passed in 0..50 {
                assert_eq!(scroll_offset(began, now, rate), passed);
                let next = next_scroll_step(began, now, rate).unwrap();
                assert_eq!(scroll_offset(began, next - Span::from_nanos(1), rate), passed);
                now = next;
            }
        }
        assert_eq!(next_scroll_step(began, began, 0), None);
    }
}
