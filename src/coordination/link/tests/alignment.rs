//! Messages by a clock that is not ours.

use super::*;

const AHEAD: Span = Span::from_secs(7_200);

fn turn_of(message: &Message) -> Moment {
    let Said::Beat { beat, .. } = &message.said else { panic!("it is a beat") };
    beat.turns[1].show_at
}

#[test]
fn what_is_on_our_clock_is_left_as_it_is() {
    let mut alignment = Alignment::default();
    for late in [0, 1, 70, 1_999, 249, 700] {
        let message = beat(5, 1, NOW);
        assert_eq!(alignment.align(NOW + ms(late), true, message.clone()), Ok(message), "{late}");
    }
    let early = beat(5, 1, NOW + ms(100));
    assert_eq!(alignment.align(NOW, true, early.clone()), Ok(early), "clocks in step may be that far apart");
    assert!(!alignment.is_aligned());
}

#[test]
fn another_clock_has_to_be_confirmed_and_is_then_gone_by() {
    for ahead in [true, false] {
        let told = |now: Moment| if ahead { now + AHEAD } else { now - AHEAD };
        let mut alignment = Alignment::default();
        assert_eq!(alignment.align(NOW, true, beat(5, 1, told(NOW))), Err(Ignored::OtherClock));
        assert_eq!(alignment.align(NOW, true, beat(5, 2, told(NOW))), Err(Ignored::OtherClock), "at once is no proof");
        let later = NOW + ms(500);
        let message = alignment.align(later, true, beat(5, 3, told(later))).unwrap();
        assert_eq!((message.head.at, turn_of(&message)), (later, later + ms(1_300)), "{ahead}");
        assert!(alignment.is_aligned());
        // The leader has heard of the new clock as well.
        let message = beat(5, 4, later + ms(500));
        assert_eq!(alignment.align(later + ms(501), true, message.clone()), Ok(message));
        assert!(!alignment.is_aligned());
    }
}

#[test]
fn a_way_that_is_slow_for_a_moment_is_no_other_clock_and_one_that_stays_so_is() {
    let mut alignment = Alignment::default();
    let hear = |alignment: &mut Alignment, told: u64, late: u64| {
        let message = beat(5, told, NOW + ms(told));
        alignment.align(NOW + ms(told + late), true, message).map(|message| message.head.at.since(NOW).as_millis())
    };
    for (told, late) in [(0, 420), (500, 440), (1_000, 30), (1_500, 420), (2_000, 500), (2_500, 430), (3_000, 420)] {
        assert_eq!(hear(&mut alignment, told, late), Ok(told), "as it is");
    }
    for (told, late) in [(3_500, 450), (4_000, 500), (4_500, 430)] {
        assert_eq!(hear(&mut alignment, told, late), Ok(told + 420), "less what the quickest took");
    }
    assert_eq!(hear(&mut alignment, 5_000, 3), Ok(5_000), "the leader has found the clock again");
}

#[test]
fn what_piled_up_while_this_process_stood_still_is_no_other_clock() {
    let mut alignment = Alignment::default();
    let now = NOW + ms(10_000);
    for number in 0..16 {
        let message = beat(5, number, NOW + ms(number * 500));
        assert_eq!(alignment.align(now, true, message), Err(Ignored::OtherClock), "{number}");
    }
    let fresh = beat(5, 20, now);
    assert_eq!(alignment.align(now, true, fresh.clone()), Ok(fresh));
}

#[test]
fn who_knows_no_reference_goes_by_what_it_hears() {
    let mut alignment = Alignment::default();
    let message = alignment.align(NOW + ms(80), false, beat(5, 1, NOW)).unwrap();
    assert_eq!(turn_of(&message), NOW + ms(80) + ms(1_300));
}
