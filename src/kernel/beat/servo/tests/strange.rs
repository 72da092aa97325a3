//! Samples that cannot be, samples that mislead, and what the servo says before it knows anything.

use super::world::{Console, Draw, MILLI, Path, SECOND, WAN, moment};
use crate::kernel::beat::{Heard, Mapping, Sample, Servo};
use crate::kernel::{Moment, Span};

const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);
const LAST: Moment = Moment::from_unix_nanos(u64::MAX);

/// A sample over `trip` whose reading is `ahead` milliseconds more than the middle of it.
fn sample(sent: Moment, trip: Span, ahead: u64) -> Sample {
    Sample { sent, reference: sent + trip / 2 + Span::from_millis(ahead), received: sent + trip }
}

/// A servo after `n` good samples over a millisecond, and the moment after the last one.
fn after(n: u64) -> (Servo, Moment) {
    let (mut servo, mut now) = (Servo::new(), NOW);
    for _ in 0..n {
        assert_eq!(servo.hear(sample(now, Span::from_millis(1), 500)), Heard::Taken);
        now = servo.next_sample(now);
    }
    (servo, now)
}

#[test]
fn who_knows_nothing_says_so() {
    let servo = Servo::new();
    assert_eq!((servo.is_locked(), servo.bound(NOW), servo.generation()), (false, Span::MAX, 0));
    assert_eq!((servo.mapping(), servo.jitter()), (Mapping::fixed(0), Span::ZERO));
    assert!(servo.drift_ppm().abs() < f64::EPSILON);
}

#[test]
fn eight_good_samples_make_a_lock_where_the_bound_is_useful() {
    for (trip, locks) in [(1, true), (100, true), (400, true), (600, false)] {
        let (mut servo, mut now) = (Servo::new(), NOW);
        for n in 1..=64 {
            servo.hear(sample(now, Span::from_millis(trip), 500));
            assert!(!servo.is_locked() || n >= 8, "{trip} ms, sample {n}");
            now += Span::from_millis(trip.max(20));
        }
        assert_eq!(servo.is_locked(), locks, "{trip} ms: {}", servo.bound(now));
    }
    assert!(!after(7).0.is_locked() && after(8).0.is_locked());
}

#[test]
fn the_pace_is_fast_then_usual_then_slow_and_fast_again_in_doubt() {
    let paces = [(0, 20), (1, 20), (31, 20), (32, 250), (119, 250), (120, 1_000), (5_000, 1_000)];
    for (heard, ms) in paces {
        let servo = after(heard).0;
        assert_eq!(servo.next_sample(NOW).since(NOW), Span::from_millis(ms), "after {heard} samples");
    }
    let (mut servo, now) = after(200);
    assert_eq!(servo.hear(sample(now, Span::from_millis(1), 900)), Heard::Doubted);
    assert_eq!(servo.next_sample(now).since(now), Span::from_millis(20));
    servo.hear(sample(now, Span::from_millis(1), 500));
    assert_eq!(servo.next_sample(now).since(now), Span::from_millis(250));
}

#[test]
fn one_sample_far_off_changes_nothing_and_a_second_one_confirms() {
    let trip = Span::from_millis(1);
    let two_hours = 7_200_500;
    for (name, readings) in [
        ("one alone", &[(two_hours, Heard::Doubted), (500, Heard::Taken)][..]),
        ("two that agree", &[(two_hours, Heard::Doubted), (two_hours, Heard::Relocked), (two_hours, Heard::Taken)]),
        ("two that do not", &[(two_hours, Heard::Doubted), (9_000, Heard::Doubted), (500, Heard::Taken)]),
        ("every other one", &[(900, Heard::Doubted), (500, Heard::Taken), (900, Heard::Doubted), (500, Heard::Taken)]),
        ("below the threshold", &[(600, Heard::Taken), (600, Heard::Taken)]),
    ] {
        let (mut servo, mut now) = after(40);
        for (ahead, heard) in readings {
            assert_eq!(servo.hear(sample(now, trip, *ahead)), *heard, "{name}");
            now = servo.next_sample(now);
        }
        let relocked = readings.iter().any(|(_, heard)| *heard == Heard::Relocked);
        assert_eq!(servo.generation(), u64::from(relocked), "{name}");
        assert_eq!(servo.is_locked(), !relocked, "{name}: a new clock has to earn its lock");
    }
}

#[test]
fn answers_held_up_on_the_way_are_no_jump() {
    let (mut servo, mut now) = after(60);
    for _ in 0..5 {
        // The whole second was spent on the way back.
        let late = Sample { received: now + Span::from_secs(1), ..sample(now, Span::from_millis(1), 500) };
        assert_eq!(servo.hear(late), Heard::TooSlow);
        now += Span::from_secs(2);
    }
    assert_eq!(servo.hear(sample(now, Span::from_millis(1), 500)), Heard::Taken);
}

#[test]
fn another_server_begins_a_clock_of_its_own() {
    let (mut servo, now) = after(60);
    let before = servo.mapping();
    servo.restart();
    assert_eq!((servo.is_locked(), servo.generation(), servo.bound(now)), (false, 1, Span::MAX));
    assert_eq!(servo.mapping(), before, "until the first sample there is nothing better");
    assert_eq!(servo.hear(sample(now, Span::from_millis(1), 90_000)), Heard::Taken);
    assert_eq!(servo.mapping().offset_nanos(now), 90_000_000_000);
}

#[test]
fn what_cannot_be_is_not_used() {
    let (good, now) = after(60);
    let real = sample(now, Span::from_millis(1), 500);
    for (name, strange) in [
        ("received before sent", Sample { received: real.sent - Span::from_millis(9), ..real }),
        ("year 1", Sample { reference: Moment::EPOCH, ..real }),
        ("the end of time", Sample { reference: LAST, ..real }),
        ("a local clock at the end of time", Sample { sent: LAST, received: LAST, ..real }),
        ("a round trip of an hour", Sample { received: real.sent + Span::from_secs(3_600), ..real }),
        ("all at once", Sample { sent: LAST, reference: LAST, received: Moment::EPOCH }),
    ] {
        let mut servo = good.clone();
        for _ in 0..3 {
            assert_eq!(servo.hear(strange), Heard::Doubted, "{name}");
        }
        assert_eq!((servo.mapping(), servo.bound(now)), (good.mapping(), good.bound(now)), "{name}");
        assert_eq!(servo.hear(real), Heard::Taken, "{name}");
    }
}

/// A moment from anywhere: the ends of time, around now, or any other.
fn any(draw: &mut Draw) -> Moment {
    match draw.below(6) {
        0 => Moment::EPOCH,
        1 => LAST,
        2 => Moment::from_unix_nanos((1 << 63) - draw.below(3)),
        3 => Moment::from_unix_nanos(draw.next()),
        _ => NOW + Span::from_millis(draw.below(10_000)),
    }
}

#[test]
fn arbitrary_samples_neither_panic_nor_poison() {
    for seed in 1..=500 {
        let mut draw = Draw::new(seed);
        let mut console = Console::new(seed, if seed % 2 == 0 { Path::Loopback } else { WAN }, 0, 50_000);
        if seed % 3 == 0 {
            console.run(SECOND);
        }
        for _ in 0..draw.below(200) {
            let strange = match draw.below(3) {
                0 => Sample { sent: any(&mut draw), reference: any(&mut draw), received: any(&mut draw) },
                1 => sample(any(&mut draw), Span::from_millis(draw.below(6_000)), draw.below(10_000)),
                _ => Sample { reference: any(&mut draw), ..sample(NOW, Span::from_millis(draw.below(9)), 0) },
            };
            let servo = &mut console.servo;
            servo.hear(strange);
            let (mapping, at) = (servo.mapping(), any(&mut draw));
            let _ = (mapping.to_local(at), mapping.to_reference(at), servo.next_sample(at), servo.bound(at));
            assert!(servo.drift_ppm().abs() <= 1_000.0, "seed {seed}");
        }
        // A minute of the real reference, and nothing of all that is left.
        let end = 60 * SECOND;
        console.run(end);
        assert!(console.servo.is_locked(), "seed {seed}: {}", console.servo.bound(console.local(end)));
        let (error, bound) = (console.error(end).abs(), console.bound(end));
        assert!(error <= bound && error <= 20 * MILLI, "seed {seed}: off by {error}, bound {bound}");
    }
}

#[test]
fn the_same_samples_give_the_same_clock() {
    let run = || {
        let mut console = Console::new(11, WAN, 40 * MILLI, -30_000);
        console.run(100 * SECOND);
        (console.servo.mapping(), console.servo.bound(moment(0)), console.samples)
    };
    assert_eq!(run(), run());
}
