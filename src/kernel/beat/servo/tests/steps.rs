//! What happens to the reference: it is set, slewed, out of reach, and runs for days.

use super::world::{CLOCKS, Console, LOPSIDED, MILLI, MINUTE, Path, SECOND, Spread, WAN};

const HOUR: i128 = 60 * MINUTE;

/// A console with the first of the clocks.
fn console(seed: u64, path: Path) -> Console {
    let (ahead, drift) = CLOCKS[0];
    Console::new(seed, path, ahead, drift)
}

fn assert_within_bound(console: &Console, at: i128, what: &str) {
    let (error, bound) = (console.error(at).abs(), console.bound(at));
    assert!(error <= bound, "{what}, {:?}: off by {error} ns, bound {bound} ns, at {at}", console.path);
}

#[test]
fn a_jump_of_the_reference_begins_a_new_clock_once() {
    for by in [2 * HOUR, -2 * HOUR, 200 * MILLI, -200 * MILLI] {
        for path in [Path::Loopback, WAN, LOPSIDED, Path::Stalls] {
            for seed in 1..=10 {
                // At the usual pace and at that of a quiet clock.
                for when in [20 * SECOND, 20 * MINUTE] {
                    let what = format!("a jump by {by} at {when}, seed {seed}");
                    let mut console = console(seed, path);
                    console.reference.step = Some((when, by));
                    console.run(when - 2 * SECOND);
                    assert_within_bound(&console, when - 2 * SECOND, &what);
                    console.run(when + 10 * SECOND);
                    assert!(console.servo.is_locked(), "{what}, {path:?}");
                    assert_within_bound(&console, when + 10 * SECOND, &what);
                    console.run(when + 2 * MINUTE);
                    assert_within_bound(&console, when + 2 * MINUTE, &what);
                    assert_eq!(console.servo.generation(), 1, "{what}, {path:?}");
                    let late = console.relocks.first().copied().unwrap() - when;
                    assert!(late <= 5 * SECOND, "{what}, {path:?}: after {late}");
                }
            }
        }
    }
}

#[test]
fn a_lesser_step_is_caught_up_without_a_new_clock() {
    for by in [100 * MILLI, -30 * MILLI] {
        for (path, within) in [(Path::Loopback, MILLI), (WAN, 10 * MILLI), (Path::Stalls, 3 * MILLI)] {
            for seed in 1..=10 {
                let mut console = console(seed, path);
                console.reference.step = Some((5 * MINUTE, by));
                console.run(7 * MINUTE);
                let error = console.error(7 * MINUTE).abs();
                assert!(error <= within, "{path:?}, {by}, seed {seed}: still off by {error}");
                assert_eq!(console.servo.generation(), 0);
            }
        }
    }
}

#[test]
fn consoles_stay_together_while_the_reference_is_slewed() {
    // What a kernel does to a wall clock that is off by 50 ms: 500 ppm for a hundred seconds.
    let slew = Some((4 * MINUTE, 4 * MINUTE + 100 * SECOND, 500_000));
    for (path, p95) in [(Path::Loopback, 1), (WAN, 15), (Path::Stalls, 5)] {
        let new = |((ahead, drift), seed)| {
            let mut console = Console::new(seed, path, ahead, drift);
            console.reference.slew = slew;
            console
        };
        let mut consoles: Vec<_> = CLOCKS.into_iter().zip(1..).map(new).collect();
        let spread = Spread::measure(&mut consoles, 4 * MINUTE, 8 * MINUTE, SECOND);
        assert!(i128::from(spread.at(95).as_nanos()) <= p95 * MILLI, "{path:?}: {:?}", spread.at(95));
        assert!(consoles.iter().all(|console| console.relocks.is_empty()), "{path:?}");
    }
}

#[test]
fn ten_minutes_without_the_reference_stay_within_the_bound() {
    for path in [Path::Loopback, WAN, LOPSIDED, Path::Stalls] {
        for (seed, (ahead, drift)) in (1..).zip(CLOCKS) {
            // Cut after a minute, when the rate is hardly known on a long path, and after twenty.
            for from in [MINUTE, 20 * MINUTE] {
                let mut console = Console::new(seed, path, ahead, drift);
                console.swing = 10_000;
                console.run(from);
                let before = console.bound(from);
                console.cut_until = from + 10 * MINUTE;
                for at in (0..=10).map(|minute| from + minute * MINUTE) {
                    assert_within_bound(&console, at, "holdover");
                }
                let grown = console.bound(from + 10 * MINUTE) - before;
                assert!(grown >= 29 * MILLI, "50 ppm of ten minutes are 30 ms: {grown}");
                assert!(grown <= 31 * MILLI || from == MINUTE, "{path:?}: {grown}");
                console.run(from + 11 * MINUTE);
                assert_within_bound(&console, from + 11 * MINUTE, "after holdover");
                assert_eq!((console.relocks.len(), console.ran_back), (0, 0), "{path:?}");
            }
        }
    }
}

#[test]
fn a_day_accumulates_no_error() {
    for (path, most) in [(Path::Loopback, MILLI), (WAN, 8 * MILLI)] {
        let mut console = console(7, path);
        // The room warms and cools: 5 ppm up and down again every six hours.
        console.swing = 5_000;
        for quarter in 1..=96 {
            let at = quarter * 15 * MINUTE;
            console.run(at);
            let error = console.error(at).abs();
            assert!(error <= most, "{path:?}: off by {error} after {quarter} quarters of an hour");
            assert_within_bound(&console, at, "a day");
        }
        assert_eq!((console.relocks.len(), console.ran_back), (0, 0), "{path:?}");
        assert!(console.samples < 4 * 86_400, "{path:?}: {} samples", console.samples);
    }
}
