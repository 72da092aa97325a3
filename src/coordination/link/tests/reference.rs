//! The clock that consoles agree on, from samples and from words by a clock that is not ours.

use super::*;
use crate::kernel::beat::{Mapping, Sample};

/// How far the server's clock is ahead of ours.
const AHEAD: Span = Span::from_secs(7);

/// A reference that follows the server called `run`, `AHEAD` of us.
fn locked() -> Reference {
    let mut reference = Reference::new("own");
    reference.follow("run");
    let mut at = NOW - ms(60_000);
    for _ in 0..60 {
        let (sent, received) = (at, at + Span::from_micros(200));
        reference.sample(Sample { sent, reference: sent + Span::from_micros(100) + AHEAD, received });
        at = at + ms(20);
    }
    assert_eq!(reference.speaks().0, "server:run");
    reference
}

/// Hears what was told at `told` by `clock`, `late` milliseconds after; when it was told by our clock, in ms.
fn hear(reference: &mut Reference, clock: &str, at: Moment, told: Moment) -> Option<Moment> {
    let head = Head { clock: clock.into(), ..head(5, told) };
    reference.hears(at, &head).map(|mapping| mapping.to_local(told))
}

fn close(one: Option<Moment>, other: Moment) -> bool {
    one.is_some_and(|one| one.since(other) + other.since(one) < ms(1))
}

#[test]
fn whoever_knows_no_server_speaks_by_its_own_clock() {
    let reference = Reference::new("own");
    assert_eq!(reference.speaks(), ("console:own", Mapping::fixed(0)));
}

#[test]
fn the_clock_that_all_follow_is_taken_however_the_way_scatters() {
    let mut reference = locked();
    for late in [0, 1, 70, 249, 400, 1_999] {
        let at = NOW + ms(late);
        assert!(close(hear(&mut reference, "server:run", at, NOW + AHEAD), NOW), "{late}");
    }
}

#[test]
fn a_clock_of_another_name_is_known_by_the_word_that_was_late_the_least() {
    let mut reference = locked();
    for (told, late, seems) in [(0, 40, 40), (500, 90, 40), (1_000, 3, 3), (1_500, 60, 3)] {
        let (told, at) = (NOW + ms(told), NOW + ms(told + late));
        // The other console's clock is 99 s behind ours.
        let heard = hear(&mut reference, "console:b", at, told - ms(99_000));
        assert!(close(heard, told + ms(seems)), "{late}: {heard:?}");
    }
}

#[test]
fn a_clock_that_is_called_as_ours_and_is_not_has_to_be_confirmed() {
    for jump in [ms(130), ms(2_100), ms(7_200_000)] {
        for ahead in [true, false].into_iter().filter(|ahead| *ahead || jump > ms(2_000)) {
            let mut reference = locked();
            let told = |at: Moment| if ahead { at + AHEAD + jump } else { at + AHEAD - jump };
            assert_eq!(hear(&mut reference, "server:run", NOW, told(NOW)), None);
            assert_eq!(hear(&mut reference, "server:run", NOW, told(NOW)), None, "at once is no proof");
            let later = NOW + ms(500);
            assert_eq!(hear(&mut reference, "server:run", later, told(later)), Some(later));
            let head = Head { clock: "server:run".into(), ..head(5, told(later)) };
            assert!(!reference.is_shared(&head));
            // The leader has heard of the new clock as well.
            let later = NOW + ms(1_000);
            assert!(close(hear(&mut reference, "server:run", later, later + AHEAD), later));
            assert!(reference.is_shared(&head));
        }
    }
}

#[test]
fn a_way_that_is_slow_for_a_moment_is_no_other_clock_and_one_that_stays_so_is() {
    let mut reference = locked();
    let mut hear = |told: u64, late: u64| {
        let (told, at) = (NOW + ms(told), NOW + ms(told + late));
        let heard = hear(&mut reference, "server:run", at, told + AHEAD);
        heard.map(|heard| (heard.since(told).as_nanos() + 500_000) / 1_000_000)
    };
    for (told, late) in [(0, 420), (500, 440), (1_000, 30), (1_500, 420), (2_000, 500), (2_500, 430), (3_000, 420)] {
        assert_eq!(hear(told, late), Some(0), "{told}: as it is");
    }
    for (told, late) in [(3_500, 450), (4_000, 500), (4_500, 430)] {
        assert_eq!(hear(told, late), Some(420), "{told}: less what the quickest took");
    }
    assert_eq!(hear(5_000, 3), Some(0), "the leader has found the clock again");
}

#[test]
fn what_piled_up_while_this_process_slept_is_no_other_clock() {
    for clock in ["server:run", "console:b"] {
        let mut reference = locked();
        let ahead = if clock == "console:b" { ms(1_000) } else { AHEAD };
        assert!(close(hear(&mut reference, clock, NOW, NOW + ahead), NOW));
        let woke = NOW + ms(10_000);
        for told in (0..16).map(|count| NOW + ms(500 + count * 500)) {
            let heard = hear(&mut reference, clock, woke, told + ahead);
            let as_old_as_it_is = woke.since(told) <= ms(2_000);
            assert!(heard.is_none() || as_old_as_it_is && close(heard, told), "{clock}: {heard:?}");
        }
        assert!(close(hear(&mut reference, clock, woke, woke + ahead), woke), "{clock}");
    }
}

#[test]
fn what_a_store_has_kept_is_as_old_as_it_says() {
    let reference = locked();
    let head = Head { clock: "server:run".into(), ..head(5, NOW + AHEAD - ms(90_000)) };
    let told = reference.reads(&head).map(|mapping| mapping.to_local(head.at));
    assert!(close(told, NOW - ms(90_000)));
    let foreign = Head { clock: "console:z".into(), ..head };
    assert_eq!(reference.reads(&foreign), None);
}
