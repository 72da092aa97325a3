//! The bucket over simulated hours, over changes, and among threads.

use super::super::sync::explore;
use super::*;

const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);
const SECOND: Span = Span::from_secs(1);

/// Takes all there is at `now`.
fn drain(bucket: &Bucket, now: Moment) -> u64 {
    let mut taken = 0;
    while bucket.take(now).is_ok() {
        taken += 1;
    }
    taken
}

#[cfg(not(loom))]
mod exact {
    use super::*;

    #[test]
    fn an_hour_grants_what_the_rate_says() {
        for (rate, burst, poll) in [
            (1, 1, Span::from_millis(1)),
            (3, 2, Span::from_millis(1)),
            (20, 5, Span::from_millis(7)),
            (333, 2, Span::from_micros(997)),
            (500, 1, Span::from_millis(1)),
            (997, 50, Span::from_millis(10)),
        ] {
            let bucket = Bucket::new(NOW, Limit::new(rate, SECOND, burst));
            assert_eq!(drain(&bucket, NOW), u64::from(burst));
            let (mut now, mut granted) = (NOW, 0);
            while now.since(NOW) < Span::from_secs(3_600) {
                now += poll;
                granted += drain(&bucket, now);
            }
            let due = now.since(NOW).as_nanos() * u64::from(rate) / 1_000_000_000;
            assert!(granted.abs_diff(due) <= 1, "{rate}/s gave {granted} for {due}");
        }
    }

    #[test]
    fn a_rate_of_uneven_nanoseconds_does_not_run_away() {
        // 30,000/s is a token every 33,333.3 ns: cut to whole ones it would be 36 too many in an hour's hundred million.
        let bucket = Bucket::new(NOW, Limit::new(30_000, SECOND, 1));
        let mut now = NOW;
        bucket.take(now).unwrap();
        for _ in 0..3_000_000 {
            now += bucket.take(now).unwrap_err();
            bucket.take(now).unwrap();
        }
        let over = now.since(NOW).saturating_sub(Span::from_secs(100));
        assert!(over <= Span::from_millis(2), "{over}");
    }

    #[test]
    fn the_wait_leads_to_the_token_and_not_beyond() {
        let bucket = Bucket::new(NOW, Limit::new(20, SECOND, 2));
        assert_eq!(drain(&bucket, NOW), 2);
        assert_eq!(bucket.take(NOW), Err(Span::from_millis(50)));
        let then = NOW + Span::from_millis(50);
        assert_eq!(bucket.take(then - Span::from_nanos(1)), Err(Span::from_nanos(1)));
        assert_eq!(bucket.take(then), Ok(()));
        // A clock that steps back finds a longer wait, not a token.
        assert_eq!(bucket.take(NOW), Err(Span::from_millis(100)));
    }

    #[test]
    fn a_change_gives_no_burst_and_leaves_no_gap() {
        const LIMITS: [(u32, Span, u32); 6] = [
            (1, Span::from_secs(60), 1),
            (1, SECOND, 10),
            (20, SECOND, 1),
            (20, SECOND, 40),
            (1_000, SECOND, 100),
            (3, SECOND, 7),
        ];
        for old in LIMITS {
            for new in LIMITS {
                let [old, new] = [old, new].map(|(tokens, per, burst)| Limit::new(tokens, per, burst));
                // Empty before, empty after, and the next token is one new interval away at most.
                let bucket = Bucket::new(NOW, old);
                drain(&bucket, NOW);
                bucket.change(NOW, new);
                let wait = bucket.take(NOW).expect_err("a token from nowhere");
                assert!(wait <= span(new.interval), "{old:?} {new:?} {wait}");
                assert_eq!(bucket.take(NOW + wait), Ok(()));
                // Full before: no more tokens than before, and none lost below the new burst.
                let bucket = Bucket::new(NOW, old);
                bucket.change(NOW, new);
                let held = (old.window / old.interval).min(new.window / new.interval);
                assert_eq!(drain(&bucket, NOW), held, "{old:?} {new:?}");
            }
        }
    }

    #[test]
    fn changes_all_the_time_keep_the_rate() {
        let limits = [Limit::new(100, SECOND, 5), Limit::new(100, SECOND, 1), Limit::new(200, SECOND * 2, 3)];
        let bucket = Bucket::new(NOW, limits[0]);
        drain(&bucket, NOW);
        let (mut now, mut granted) = (NOW, 0);
        for n in 0..600_000 {
            now += Span::from_millis(1);
            granted += drain(&bucket, now);
            bucket.change(now, limits[n % 3]);
        }
        assert!(60_000_u64.abs_diff(granted) <= 5, "{granted}");
    }

    #[test]
    fn extreme_limits_are_held_within_their_bounds() {
        for (tokens, per, burst) in [(0, Span::ZERO, 0), (u32::MAX, Span::ZERO, u32::MAX), (1, Span::MAX, u32::MAX)] {
            let limit = Limit::new(tokens, per, burst);
            assert!(
                limit.interval >= 2 && limit.interval.is_multiple_of(2) && limit.window <= WINDOW_AT_MOST,
                "{limit:?}"
            );
            let bucket = Bucket::new(NOW, limit);
            assert_eq!(bucket.take(NOW), Ok(()));
        }
    }

    #[test]
    fn a_bucket_that_was_left_for_months_is_full() {
        let bucket = Bucket::new(NOW, Limit::new(20, SECOND, 5));
        let mut now = NOW;
        for days in [1, 30, 103, 105, 150, 207, 209, 1_000] {
            drain(&bucket, now);
            now += Span::from_secs(86_400) * days;
            assert_eq!(drain(&bucket, now), 5, "after {days} days");
        }
    }

    #[test]
    fn a_thread_whose_clock_lags_gains_nothing() {
        let bucket = Bucket::new(NOW, Limit::new(20, SECOND, 5));
        drain(&bucket, NOW);
        for lag in [1, 1_000, 59_000].map(Span::from_millis) {
            assert_eq!(bucket.take(NOW - lag), Err(lag + Span::from_millis(50)));
            bucket.change(NOW - lag, Limit::new(10, SECOND, 5));
            assert_eq!(bucket.take(NOW), Err(Span::from_millis(100)));
            bucket.change(NOW, Limit::new(20, SECOND, 5));
        }
    }

    #[test]
    fn threads_together_take_no_more_than_there_is() {
        let bucket = Bucket::new(NOW, Limit::new(1_000, SECOND, 100));
        let taken: u64 = std::thread::scope(|scope| {
            let takers = [(); 4].map(|()| {
                scope.spawn(|| {
                    (0..50_000_u64).filter(|n| bucket.take(NOW + Span::from_micros(n * 20)).is_ok()).count() as u64
                })
            });
            takers.into_iter().map(|taker| taker.join().unwrap()).sum()
        });
        // A second at 1,000/s and the burst; nobody's clock went further.
        assert_eq!(taken, 1_099);
    }
}

#[cfg(loom)]
mod met {
    use super::*;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn two_takers_get_one_token_once() {
        explore(|| {
            let bucket = Arc::new(Bucket::new(NOW, Limit::new(1, SECOND, 1)));
            let other = Arc::clone(&bucket);
            let taker = thread::spawn(move || other.take(NOW).is_ok());
            let mine = bucket.take(NOW).is_ok();
            assert!(mine ^ taker.join().unwrap());
        });
    }

    #[test]
    fn a_taker_meets_two_changes_and_gains_nothing() {
        explore(|| {
            let bucket = Arc::new(Bucket::new(NOW, Limit::new(1, SECOND, 2)));
            let other = Arc::clone(&bucket);
            let taker = thread::spawn(move || u64::from(other.take(NOW).is_ok()));
            bucket.change(NOW, Limit::new(1_000, SECOND, 50));
            bucket.change(NOW, Limit::new(7, SECOND, 3));
            let taken = taker.join().unwrap() + drain(&bucket, NOW);
            assert_eq!(taken, 2);
        });
    }

    #[test]
    fn a_refusal_meets_two_changes_and_names_the_wait_of_one_limit() {
        explore(|| {
            let bucket = Arc::new(Bucket::new(NOW, Limit::new(1, SECOND, 1)));
            drain(&bucket, NOW);
            let other = Arc::clone(&bucket);
            let taker = thread::spawn(move || other.take(NOW).unwrap_err());
            bucket.change(NOW, Limit::new(1, Span::from_secs(60), 1));
            bucket.change(NOW, Limit::new(20, SECOND, 1));
            let wait = taker.join().unwrap().as_millis();
            assert!([1_000, 60_000, 50].contains(&wait), "{wait} ms");
        });
    }
}

#[test]
fn an_empty_bucket_refuses() {
    explore(|| {
        let bucket = Bucket::new(NOW, Limit::new(2, SECOND, 1));
        assert_eq!(drain(&bucket, NOW), 1);
        assert_eq!(bucket.take(NOW), Err(Span::from_millis(500)));
    });
}

#[test]
fn a_limit_tells_the_rate_it_was_made_of() {
    for per in [1, 60, 3_600].map(Span::from_secs) {
        for tokens in [1, 2, 3, 5, 7, 20, 59, 60, 61, 100, 999, 3_600, 99_999, 100_000] {
            for burst in [1, 3, 100] {
                let limit = Limit::new(tokens, per, burst);
                let (told, told_per, told_burst) = limit.rate();
                assert_eq!(Limit::new(told, told_per, told_burst), limit, "{tokens} in {per}, {burst} at once");
                assert_eq!(told_burst, burst);
            }
        }
    }
    assert_eq!(Limit::new(20, Span::from_secs(1), 4).rate(), (20, Span::from_secs(1), 4));
    assert_eq!(Limit::new(100, Span::from_secs(3_600), 1).rate(), (100, Span::from_secs(3_600), 1));
}
