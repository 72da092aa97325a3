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
    for late in [0, 1, 70, 1_999] {
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
