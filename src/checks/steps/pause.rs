//! The pauses between the tries of a step: 50 ms, doubled each time, half more or less by chance.
//!
//! Chance is a hash of a counter, not a library: it only has to keep steps that
//! failed together from knocking together.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::frame::Span;
use crate::kernel::digest;

/// The first pause: a connection that was cut in the middle stands again by then.
const FIRST: Span = Span::from_millis(50);
/// The longest pause: most plans have ended by their own limit by then.
const LONGEST: Span = Span::from_secs(5);
/// Pauses are half to one and a half of their length, in these parts.
const PARTS: u64 = 1_000;

/// A seed that no other run of any step has.
pub(super) fn seed(name: &str) -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    // Neighbours in a plan begin far from each other.
    digest(name.bytes()) ^ mixed(RUNS.fetch_add(1, Ordering::Relaxed))
}

/// The pause before the try that follows the one with this number, from 0.
pub(super) fn before(tried: u32, seed: u64) -> Span {
    let doubled = FIRST * 1_u64.checked_shl(tried).unwrap_or(u64::MAX);
    let part = mixed(seed ^ u64::from(tried)) % (PARTS + 1);
    doubled.min(LONGEST) * (PARTS / 2 + part) / PARTS
}

/// The finaliser of the generator `SplitMix64`: each bit of the answer depends on every bit of the question.
const fn mixed(number: u64) -> u64 {
    let a = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    c ^ (c >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_lie_on_both_sides_of_it() {
        for (tried, millis) in [(0, 50), (1, 100), (4, 800), (6, 3_200), (7, 5_000), (40, 5_000), (u32::MAX, 5_000)] {
            let pauses: Vec<_> = (0..2_000).map(|_| before(tried, seed("check")).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (millis / 2..=millis * 3 / 2).contains(pause)), "{tried}");
            let shorter = pauses.iter().filter(|pause| **pause < millis).count();
            assert!((800..1_200).contains(&shorter), "{tried}: {shorter} of 2000 are shorter than the middle");
        }
    }
}
