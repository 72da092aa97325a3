//! What a follower believes, and how much in step it is.

use super::*;

fn listener() -> Listener {
    Listener::new(NOW, "line-3", "own")
}

/// Hears a beat of this leader at `at`, told then.
fn hear(listener: &mut Listener, rev: u64, number: u64, at: Moment) -> Result<(), Ignored> {
    listener.hear(at, &beat(rev, number, at))
}

#[test]
fn each_beat_counts_once_in_order_and_from_the_newest_leader_alone() {
    let mut listener = listener();
    for (rev, number, wanted) in [
        (5, 1, Ok(())),
        (5, 1, Err(Ignored::Again)),
        (5, 3, Ok(())),
        (5, 2, Err(Ignored::Old)),
        (4, 9, Err(Ignored::Deposed(token(4)))),
        (9, 1, Ok(())),
        (5, 4, Err(Ignored::Deposed(token(5)))),
        (9, 2, Ok(())),
    ] {
        assert_eq!(hear(&mut listener, rev, number, NOW), wanted, "{rev}.{number}");
    }
    assert_eq!(listener.token(), token(9));
}

#[test]
fn what_is_not_meant_for_us_says_nothing() {
    let mut listener = listener();
    let mut foreign = beat(5, 1, NOW);
    foreign.head.board = "line-\u{1b}4".into();
    assert!(matches!(listener.hear(NOW, &foreign), Err(Ignored::Foreign(board)) if board.is_tainted()));
    let mut own = beat(5, 1, NOW);
    own.head.boot = "own".into();
    assert_eq!(listener.hear(NOW, &own), Err(Ignored::Own));
    let mut far = beat(900, 1, NOW);
    let Said::Beat { beat: turns, .. } = &mut far.said else { panic!("it is a beat") };
    turns.turns[1].show_at = NOW + Span::from_millis(17_001);
    assert_eq!(listener.hear(NOW, &far), Err(Ignored::FarFuture));
    assert_eq!(listener.hear(NOW + ms(12_000), &beat(900, 1, NOW)), Err(Ignored::Old), "its turns are over");
    assert_eq!(listener.token(), Token::default(), "nothing of it was taken");
}

#[test]
fn news_count_from_the_newest_leader_and_are_no_sign_of_life() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    let said = |rev| Message { head: head(rev, NOW), said: Said::News(news()) };
    assert_eq!(listener.hear(NOW + ms(1_400), &said(5)), Ok(()));
    assert_eq!(listener.hear(NOW + ms(1_400), &said(4)), Err(Ignored::Deposed(token(4))));
    assert_eq!(listener.mode(NOW + ms(1_500)), Mode::Stale(ms(1_500)));
}

#[test]
fn silence_is_told_after_three_beats_and_ends_alone_after_eight_seconds() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    for (silence, wanted) in [
        (0, Mode::InStep),
        (1_499, Mode::InStep),
        (1_500, Mode::Stale(ms(1_500))),
        (7_999, Mode::Stale(ms(7_999))),
        (8_000, Mode::Alone(ms(8_000))),
        (60_000, Mode::Alone(ms(60_000))),
    ] {
        assert_eq!(listener.mode(NOW + ms(silence)), wanted);
    }
}

#[test]
fn three_beats_in_a_row_bring_it_back() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    let mut at = NOW + ms(9_000);
    assert!(matches!(listener.mode(at), Mode::Alone(_)));
    // The second of these comes after another silence, so the count begins again.
    for (after, number, alone) in [(0, 2, true), (2_000, 3, true), (500, 4, true), (500, 5, false)] {
        at += ms(after);
        hear(&mut listener, 5, number, at).unwrap();
        assert_eq!(matches!(listener.mode(at), Mode::Alone(_)), alone, "{number}");
    }
    assert_eq!(listener.mode(at), Mode::InStep);
}

#[test]
fn one_beat_is_enough_for_who_did_not_go_alone() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    assert!(matches!(listener.mode(NOW + ms(7_000)), Mode::Stale(_)));
    hear(&mut listener, 5, 2, NOW + ms(7_000)).unwrap();
    assert_eq!(listener.mode(NOW + ms(7_000)), Mode::InStep);
}

#[test]
fn who_never_heard_anybody_is_alone_after_a_second_and_a_half() {
    let mut listener = listener();
    assert_eq!(listener.mode(NOW + ms(1_499)), Mode::InStep);
    assert_eq!(listener.next_wake(NOW), Some(NOW + ms(1_500)));
    assert!(matches!(listener.mode(NOW + ms(1_500)), Mode::Alone(_)));
}

#[test]
fn who_led_goes_on_by_its_own_schedule_and_believes_nobody_before_it() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    listener.led(NOW + ms(20_000), token(9));
    assert_eq!(listener.mode(NOW + ms(21_000)), Mode::InStep);
    assert!(matches!(listener.mode(NOW + ms(27_000)), Mode::Stale(_)));
    assert_eq!(hear(&mut listener, 5, 2, NOW + ms(27_000)), Err(Ignored::Deposed(token(5))));
    assert_eq!(hear(&mut listener, 10, 1, NOW + ms(27_000)), Ok(()));
}

#[test]
fn a_token_that_no_elector_gave_heals_once_the_elector_says_otherwise() {
    let mut listener = listener();
    hear(&mut listener, 900, 1, NOW).unwrap();
    listener.elected(NOW + ms(1_000), token(5));
    let later = NOW + ms(2_000);
    assert_eq!(hear(&mut listener, 5, 1, later), Err(Ignored::Deposed(token(5))), "it was asked too soon");
    listener.elected(later, token(5));
    assert_eq!(hear(&mut listener, 5, 1, later), Ok(()));
    assert_eq!(hear(&mut listener, 4, 9, later), Err(Ignored::Deposed(token(4))), "but nobody before");
}

#[test]
fn what_the_elector_said_before_the_last_beat_takes_nothing_back() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    // Asked in a silence, answered after the successor had spoken.
    hear(&mut listener, 9, 1, NOW + ms(4_000)).unwrap();
    listener.elected(NOW + ms(3_000), token(5));
    assert_eq!(listener.token(), token(9));
}

#[test]
fn it_wants_to_be_woken_when_its_mode_changes_by_time_alone() {
    let mut listener = listener();
    hear(&mut listener, 5, 1, NOW).unwrap();
    for (now, wanted) in [(0, Some(1_500)), (1_500, Some(8_000)), (8_000, None)] {
        listener.mode(NOW + ms(now));
        assert_eq!(listener.next_wake(NOW + ms(now)), wanted.map(|at| NOW + ms(at)));
    }
}
