//! The way to the lead: grant, campaign, epoch, claim, confirm.

use super::*;

#[test]
fn whoever_loses_its_name_on_the_way_to_the_lead_campaigns_no_more() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.pass(ms(50));
    stage.give(Event::Admitted(false));
    stage.granted(1, TTL);
    stage.pass(ms(2_000));
    assert!(!stage.has_asked(Ask::Campaign(1)) && stage.has_asked(Ask::Revoke(1)));
}

#[test]
fn a_vacancy_is_won_in_the_order_of_the_protocol() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    assert_eq!(stage.stands(), Standing::Rises);
    stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 5, epoch: Some(1) }));
    assert_eq!(stage.speaks(), None, "not before the claim");
    stage.answers(Ask::Claim(token(1, 5)), Ok(Answer::Claimed));
    assert_eq!(stage.speaks(), None, "not before it is confirmed");
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
    assert_eq!(stage.stands(), Standing::Leads(token(1, 5)));
}

#[test]
fn who_is_not_admitted_does_not_stand() {
    let mut stage = Stage::new();
    stage.give(Event::Admitted(false));
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.pass(ms(20_000));
    assert!(!stage.has_asked(Ask::Grant));
    stage.give(Event::Admitted(true));
    // The look that was asked meanwhile tells that the place is still free.
    stage.asks(Ask::Grant);
}

#[test]
fn candidates_wait_each_its_own_time_and_none_longer_than_the_jitter() {
    let mut waits = Vec::new();
    for seed in 0..50 {
        let mut candidate = Candidate::new(START, LeaseConfig::DEFAULT, seed);
        candidate.handle(START, Event::Admitted(true));
        candidate.handle(START, Event::Watched(None));
        candidate.poll();
        waits.push(candidate.next_wake().unwrap().since(START));
    }
    assert!(waits.iter().all(|wait| *wait < ms(50)), "{waits:?}");
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 40, "they are scattered: {waits:?}");
}

#[test]
fn who_loses_gives_its_lease_back_and_follows() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), seen(Some(holder(4, 9)), Some(1)));
    assert!(stage.has_asked(Ask::Revoke(1)));
    assert_eq!(stage.stands(), Standing::Follows(Some(holder(4, 9))));
    stage.pass(ms(4_000));
    assert!(!stage.has_asked(Ask::Grant), "the place is taken");
}

#[test]
fn an_unknown_outcome_is_read_back() {
    for (found, wins) in [(Some(holder(5, 1)), true), (Some(holder(4, 9)), false)] {
        let mut stage = Stage::new();
        stage.answers(Ask::Look, seen(None, Some(1)));
        stage.granted(1, TTL);
        stage.answers(Ask::Campaign(1), Err(Missed::Unknown));
        assert_eq!(stage.stands(), Standing::Rises);
        stage.answers(Ask::Look, seen(found, Some(1)));
        assert_eq!(stage.asked.iter().any(|(ask, _)| *ask == Ask::Claim(token(1, 5))), wins);
        assert_eq!(stage.has_asked(Ask::Revoke(1)), !wins, "who lost keeps no lease");
    }
}

#[test]
fn an_unknown_campaign_that_was_not_done_is_tried_again_with_the_same_lease() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), Err(Missed::Unknown));
    stage.answers(Ask::Look, seen(None, Some(1)));
    // The first try arrives late, before the second: the second sees the key, which is ours.
    stage.answers(Ask::Campaign(1), seen(Some(holder(5, 1)), Some(1)));
    stage.asks(Ask::Claim(token(1, 5)));
}

#[test]
fn a_look_from_before_the_campaign_reads_nothing_back() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    // A look is on its way when the campaign's outcome becomes unknown.
    stage.pass(ms(600));
    let looked = stage.asks(Ask::Look);
    stage.pass(ms(1));
    stage.answers(Ask::Campaign(1), Err(Missed::Unknown));
    stage.give(Event::Answered { ask: Ask::Look, sent: looked, answer: seen(None, Some(1)) });
    assert!(!stage.has_asked(Ask::Campaign(1)));
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
    stage.asks(Ask::Claim(token(1, 5)));
}

#[test]
fn a_lease_is_as_long_as_it_was_granted_not_as_it_was_asked() {
    for (ttl, deadline) in [(2_000, 1_400), (3_000, 2_400), (5_000, 4_400)] {
        let mut stage = Stage::new();
        stage.answers(Ask::Look, seen(None, Some(1)));
        let sent = stage.asks(Ask::Grant);
        let answer = Ok(Answer::Granted { lease: 1, ttl: ms(ttl) });
        stage.give(Event::Answered { ask: Ask::Grant, sent, answer });
        stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 5, epoch: Some(1) }));
        stage.answers(Ask::Claim(token(1, 5)), Ok(Answer::Claimed));
        stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
        assert_eq!(stage.candidate.may_speak(sent + ms(deadline - 1)), Some(token(1, 5)), "{ttl}");
        assert_eq!(stage.candidate.may_speak(sent + ms(deadline)), None, "{ttl}");
    }
}

#[test]
fn a_win_that_is_heard_of_after_the_deadline_is_none() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    let campaigned = stage.asks(Ask::Campaign(1));
    stage.now = campaigned + ms(10_000);
    stage.give(Event::Answered {
        ask: Ask::Campaign(1),
        sent: campaigned,
        answer: Ok(Answer::Won { rev: 5, epoch: Some(1) }),
    });
    stage.answers(Ask::Claim(token(1, 5)), Ok(Answer::Claimed));
    stage.answers(Ask::Look, seen(Some(holder(5, 1)), Some(1)));
    assert_eq!(stage.speaks(), None);
    stage.answers(Ask::KeepAlive(1), Ok(Answer::Alive(Span::ZERO)));
    assert_eq!(stage.stands(), Standing::Follows(None));
}

#[test]
fn a_grant_that_took_longer_than_it_lives_is_given_back() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    let sent = stage.asks(Ask::Grant);
    stage.now = sent + ms(2_400);
    stage.give(Event::Answered { ask: Ask::Grant, sent, answer: Ok(Answer::Granted { lease: 1, ttl: TTL }) });
    assert!(stage.has_asked(Ask::Revoke(1)));
    assert!(!stage.has_asked(Ask::Campaign(1)));
}

#[test]
fn a_grant_that_nobody_waits_for_any_more_leaves_no_lease_behind() {
    let mut stage = Stage::new();
    stage.give(Event::Answered { ask: Ask::Grant, sent: START, answer: Ok(Answer::Granted { lease: 42, ttl: TTL }) });
    assert!(stage.has_asked(Ask::Revoke(42)));
}

#[test]
fn without_an_epoch_one_comes_after_all_that_the_store_and_the_frames_have_shown() {
    for (stored, heard, raised) in [(0, 0, 1), (4, 0, 5), (4, 6, 7), (u64::MAX, 0, Token::EPOCH_MAX)] {
        let mut stage = Stage::new();
        stage.give(Event::Outranked(token(heard, 900)));
        stage.answers(Ask::Look, seen(None, None));
        stage.granted(1, TTL);
        stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 2, epoch: None }));
        stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(stored)));
        stage.answers(Ask::Raise { from: None, to: raised }, Ok(Answer::Raised(true)));
        stage.asks(Ask::Claim(token(raised, 2)));
    }
}

#[test]
fn a_rebuilt_etcd_with_lower_revisions_gets_the_next_epoch() {
    let mut stage = Stage::new();
    stage.give(Event::Outranked(token(1, 500)));
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 3, epoch: Some(1) }));
    stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(1)));
    stage.answers(Ask::Raise { from: Some(1), to: 2 }, Ok(Answer::Raised(true)));
    stage.asks(Ask::Claim(token(2, 3)));
}

#[test]
fn a_token_that_another_console_has_spoken_with_is_not_used_again() {
    let mut stage = Stage::new();
    stage.give(Event::Outranked(token(1, 3)));
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 3, epoch: Some(1) }));
    stage.asks(Ask::StoredEpoch);
}

#[test]
fn a_restored_etcd_that_counts_a_revision_once_more_gets_the_next_epoch() {
    for (rev, raises) in [(5, true), (7, true), (8, false)] {
        let mut stage = Stage::new();
        stage.answers(Ask::Look, seen(Some(holder(7, 9)), Some(1)));
        stage.give(Event::Watched(None));
        stage.pass(ms(50));
        stage.granted(1, TTL);
        stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev, epoch: Some(1) }));
        assert_eq!(stage.has_asked(Ask::StoredEpoch), raises, "{rev}");
        assert_eq!(stage.has_asked(Ask::Claim(token(1, rev))), !raises, "{rev}");
    }
}

#[test]
fn an_epoch_of_unknown_outcome_or_taken_by_another_is_read_back() {
    for (answer, found, claimed) in [
        (Err(Missed::Unknown), Some(1), Some(token(1, 2))),
        (Ok(Answer::Raised(false)), Some(3), Some(token(3, 2))),
        (Err(Missed::Failed), None, None),
    ] {
        let mut stage = Stage::new();
        stage.answers(Ask::Look, seen(None, None));
        stage.granted(1, TTL);
        stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 2, epoch: None }));
        stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(0)));
        stage.answers(Ask::Raise { from: None, to: 1 }, answer);
        stage.answers(Ask::Look, seen(Some(holder(2, 1)), found));
        match claimed {
            Some(token) => stage.asks(Ask::Claim(token)),
            None => stage.asks(Ask::StoredEpoch),
        };
    }
}

#[test]
fn a_claim_that_the_store_refuses_makes_the_next_epoch_where_the_key_is_ours() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 3, epoch: Some(1) }));
    stage.answers(Ask::Claim(token(1, 3)), Ok(Answer::Fenced(token(1, 500))));
    stage.answers(Ask::Look, seen(Some(holder(3, 1)), Some(1)));
    stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(1)));
    stage.answers(Ask::Raise { from: Some(1), to: 2 }, Ok(Answer::Raised(true)));
    stage.answers(Ask::Claim(token(2, 3)), Ok(Answer::Claimed));
    stage.answers(Ask::Look, seen(Some(holder(3, 1)), Some(2)));
    assert_eq!(stage.speaks(), Some(token(2, 3)));
}

#[test]
fn a_store_that_refuses_everything_is_not_asked_in_a_circle() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 3, epoch: Some(1) }));
    let top = token(Token::EPOCH_MAX, 1 << 39);
    let (began, mut epoch) = (stage.now, 1);
    for _ in 0..8 {
        stage.answers(Ask::Claim(token(epoch, 3)), Ok(Answer::Fenced(top)));
        stage.answers(Ask::Look, seen(Some(holder(3, 1)), Some(epoch)));
        stage.answers(Ask::StoredEpoch, Ok(Answer::Stored(top.epoch)));
        let to = Token::EPOCH_MAX;
        stage.answers(Ask::Raise { from: Some(epoch), to }, Ok(Answer::Raised(true)));
        epoch = to;
    }
    assert!(stage.now.since(began) >= ms(8 * 250));
    assert_eq!(stage.speaks(), None);
}

#[test]
fn a_store_that_can_not_be_asked_keeps_nobody_from_leading() {
    let mut stage = Stage::new();
    stage.answers(Ask::Look, seen(None, Some(1)));
    stage.granted(1, TTL);
    stage.answers(Ask::Campaign(1), Ok(Answer::Won { rev: 3, epoch: Some(1) }));
    stage.answers(Ask::Claim(token(1, 3)), Err(Missed::Unknown));
    stage.answers(Ask::Look, seen(Some(holder(3, 1)), Some(1)));
    assert_eq!(stage.speaks(), Some(token(1, 3)));
}
