//! The way out of the lead: deadlines, doubts, deletions, successors and resignations.

use super::*;

#[test]
fn the_deadline_counts_from_when_the_renewal_was_sent() {
    let mut stage = Stage::leading(5, 1);
    let sent = stage.asks(Ask::KeepAlive(1));
    stage.now = sent + ms(390);
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent, answer: Ok(Answer::Alive(TTL)) });
    assert_eq!(stage.candidate.may_speak(sent + ms(2_399)), Some(token(1, 5)));
    assert_eq!(stage.candidate.may_speak(sent + ms(2_400)), None);
    assert_eq!(stage.candidate.standing(sent + ms(2_400)), Standing::Suspended(token(1, 5)));
}

#[test]
fn an_answer_that_slept_with_the_process_does_not_revive_it() {
    let mut stage = Stage::leading(5, 1);
    let sent = stage.asks(Ask::KeepAlive(1));
    stage.now = sent + ms(6_000);
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent, answer: Ok(Answer::Alive(TTL)) });
    assert_eq!(stage.speaks(), None);
}

#[test]
fn a_late_answer_takes_nothing_away_from_a_later_one() {
    let mut stage = Stage::leading(5, 1);
    let first = stage.asks(Ask::KeepAlive(1));
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent: first, answer: Err(Missed::Unknown) });
    let second = stage.asks(Ask::KeepAlive(1));
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent: second, answer: Ok(Answer::Alive(TTL)) });
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent: first, answer: Ok(Answer::Alive(TTL)) });
    assert_eq!(stage.candidate.may_speak(second + ms(2_399)), Some(token(1, 5)));
}

#[test]
fn a_renewal_that_fails_is_tried_again_at_once() {
    let mut stage = Stage::leading(5, 1);
    let first = stage.asks(Ask::KeepAlive(1));
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent: first, answer: Err(Missed::Failed) });
    assert_eq!(stage.asks(Ask::KeepAlive(1)).since(first), ms(50));
}

#[test]
fn who_was_suspended_goes_on_with_the_same_token() {
    let mut stage = Stage::leading(5, 1);
    let sent = stage.asks(Ask::KeepAlive(1));
    stage.now = sent + ms(3_000);
    stage.give(Event::Answered { ask: Ask::KeepAlive(1), sent, answer: Err(Missed::Unknown) });
    assert_eq!(stage.stands(), Standing::Suspended(token(1, 5)));
    stage.answers(Ask::KeepAlive(1), Ok(Answer::Alive(TTL)));
    assert_eq!(stage.speaks(), None, "not before it was looked up");
    stage.asked.retain(|(ask, _)| *ask != Ask::Look);
    stage.pass(ms(1));
    // A look that was asked before the renewal counts for nothing.
    let before = sent + ms(2_900);
    stage.give(Event::Answered { ask: Ask::Look, sent: before, answer: seen(Some(holder(5, 1)), Some(1)) });
    assert_eq!(stage.speaks(), None);
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
    assert_eq!(stage.speaks(), Some(token(1, 5)));
}

#[test]
fn who_was_suspended_and_finds_another_follows() {
    let mut stage = Stage::leading(5, 1);
    stage.pass(ms(3_000));
    assert_eq!(stage.stands(), Standing::Suspended(token(1, 5)));
    stage.answers(Ask::Look, seen(Some(holder(9, 2)), Some(1)));
    assert_eq!(stage.stands(), Standing::Follows(Some(holder(9, 2))));
    assert_eq!(stage.candidate.lease(), None);
}

#[test]
fn a_lease_that_is_gone_ends_the_lead_at_once() {
    let mut stage = Stage::leading(5, 1);
    stage.answers(Ask::KeepAlive(1), Ok(Answer::Alive(Span::ZERO)));
    assert_eq!(stage.speaks(), None);
    assert!(!stage.has_asked(Ask::Revoke(1)), "there is nothing to give back");
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.asks(Ask::Grant);
}

#[test]
fn a_watch_that_tells_of_another_silences_first_and_asks_then() {
    for (told, found, leads) in [
        (None, None, false),
        (Some(holder(9, 2)), Some(holder(9, 2)), false),
        // What the watch told was older than our own win.
        (Some(holder(4, 3)), Some(holder(5, 1)), true),
        (None, Some(holder(5, 1)), true),
    ] {
        let mut stage = Stage::leading(5, 1);
        stage.give(Event::Watched(told));
        assert_eq!(stage.speaks(), None);
        stage.answers(Ask::Look, seen(found, Some(1)));
        assert_eq!(stage.speaks().is_some(), leads);
    }
}

#[test]
fn a_look_from_before_the_doubt_settles_none() {
    let mut stage = Stage::leading(5, 1);
    stage.pass(ms(100));
    stage.give(Event::Watching(false));
    let before = stage.asks(Ask::Look);
    stage.pass(ms(1));
    stage.give(Event::Watched(None));
    stage.give(Event::Answered { ask: Ask::Look, sent: before, answer: seen(Some(holder(5, 1)), Some(1)) });
    assert_eq!(stage.speaks(), None);
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
    assert_eq!(stage.speaks(), Some(token(1, 5)));
}

#[test]
fn its_own_news_and_those_of_the_watch_that_it_knows_disturb_nobody() {
    let mut stage = Stage::leading(5, 1);
    stage.give(Event::Watched(Some(holder(5, 1))));
    assert_eq!(stage.speaks(), Some(token(1, 5)));
}

#[test]
fn a_watch_that_breaks_is_replaced_by_looking() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(Some(holder(4, 9)), Some(1)));
    let looks = |stage: &mut Stage| {
        let (first, _) = (stage.asks(Ask::Look), stage.asked.clear());
        stage.give(Event::Answered { ask: Ask::Look, sent: first, answer: seen(Some(holder(4, 9)), Some(1)) });
        stage.asks(Ask::Look).since(first)
    };
    assert_eq!(looks(&mut stage), Span::from_secs(30), "with a watch that works");
    let answered = Event::Answered { ask: Ask::Look, sent: stage.now, answer: seen(Some(holder(4, 9)), Some(1)) };
    stage.give(answered);
    stage.give(Event::Watching(false));
    assert_eq!(looks(&mut stage), ms(500), "without one");
}

#[test]
fn who_hears_no_leader_asks_for_itself_at_once_and_often() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(Some(holder(4, 9)), Some(1)));
    let answered = |stage: &mut Stage, sent| {
        stage.asked.clear();
        stage.give(Event::Answered { ask: Ask::Look, sent, answer: seen(Some(holder(4, 9)), Some(1)) });
    };
    let deaf = stage.now;
    stage.give(Event::Deaf(true));
    let first = stage.asks(Ask::Look);
    assert_eq!(first, deaf, "a watch may be frozen");
    answered(&mut stage, first);
    let second = stage.asks(Ask::Look);
    assert_eq!(second.since(first), ms(500));
    stage.give(Event::Deaf(false));
    answered(&mut stage, second);
    assert!(stage.asks(Ask::Look).since(second) > Span::from_secs(20));
}

#[test]
fn an_epoch_that_was_taken_away_is_dated_anew_before_another_word() {
    let mut stage = Stage::leading(5, 1);
    stage.give(Event::Watching(false));
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), None));
    assert_eq!(stage.speaks(), None);
    stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(1)));
    stage.answers(Ask::Raise { from: None, to: 2 }, Ok(Answer::Raised(true)));
    stage.answers(Ask::Claim(token(2, 5)), Ok(Answer::Claimed));
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(2)));
    assert_eq!(stage.speaks(), Some(token(2, 5)));
}

#[test]
fn a_key_that_was_put_again_under_our_lease_is_another_leadership() {
    let mut stage = Stage::leading(5, 1);
    stage.give(Event::Watching(false));
    stage.answers(Ask::Look, seen(Some(holder(15, 1)), Some(1)));
    assert_eq!(stage.speaks(), None);
    stage.asks(Ask::Claim(token(1, 15)));
}

#[test]
fn who_is_outranked_falls_silent_and_looks_who_leads() {
    let mut stage = Stage::leading(5, 1);
    stage.give(Event::Outranked(token(1, 9)));
    assert_eq!(stage.speaks(), None);
    stage.answers(Ask::Look, seen(Some(holder(9, 2)), Some(1)));
    assert_eq!(stage.stands(), Standing::Follows(Some(holder(9, 2))));
}

#[test]
fn who_is_outranked_by_a_token_that_no_elector_gave_outbids_it() {
    let mut stage = Stage::leading(5, 1);
    stage.give(Event::Outranked(token(7, 1)));
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
    stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(1)));
    stage.answers(Ask::Raise { from: Some(1), to: 8 }, Ok(Answer::Raised(true)));
    stage.asks(Ask::Claim(token(8, 5)));
}

#[test]
fn lower_and_equal_tokens_outrank_nobody() {
    let mut stage = Stage::leading(5, 1);
    for lower in [token(0, 900), token(1, 4), token(1, 5)] {
        stage.give(Event::Outranked(lower));
        assert_eq!(stage.speaks(), Some(token(1, 5)), "{lower}");
    }
}

#[test]
fn who_resigns_gives_the_lease_back_and_asks_nothing_more() {
    let mut stage = Stage::leading(5, 1);
    stage.asked.clear();
    stage.give(Event::Resign);
    assert_eq!(stage.asked.iter().map(|(ask, _)| *ask).collect::<Vec<_>>(), [Ask::Revoke(1)]);
    assert_eq!((stage.speaks(), stage.candidate.next_wake()), (None, None));
    stage.asked.clear();
    stage.give(Event::Watched(None));
    stage.pass(ms(20_000));
    assert!(stage.asked.is_empty());
}

#[test]
fn nobody_leads_past_the_deadline_however_late_it_wakes() {
    let stage = Stage::leading(5, 1);
    for late in [2_400, 3_000, 600_000] {
        let standing = stage.candidate.standing(stage.now + ms(late));
        assert_eq!(standing, Standing::Suspended(token(1, 5)));
    }
}
