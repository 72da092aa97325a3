//! A way between a console and its servers breaks, or gets slow.

use std::time::Duration;

use super::{Notes, hall};
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan, percentile};
use crate::support::proxy::{Proxy, Way, Weather};

pub(super) fn a_leader_without_redis_leads_on_over_etcd(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, roles, since) = (hall.leader(), hall.roles(), now());
    let everybody = [0, 1, 2];
    hall.seats[old].redis.as_ref()?.refuse();
    let told = hall.line(old, since, "the leader to tell of its store", |line| line.tells("Redis"));
    notes.time("told after", told.at - since);
    hall.watch(&everybody, now(), 12);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    for place in hall.others(old) {
        let told = hall.seats[place].lines().since(since).into_iter().find(|line| line.notice.is_some());
        assert!(told.is_none(), "a follower told {told:?}\n{}", hall.report());
    }
    hall.assert_unbroken(&everybody, since);
    let healed = now();
    hall.seats[old].redis.as_ref()?.heal();
    let told = hall.line(old, healed, "the store to answer again", |line| line.notice.is_none());
    notes.time("well after", told.at - healed);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_follower_without_any_way_goes_on_alone(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, since) = (hall.leader(), now());
    let cut = hall.others(leader)[0];
    hall.seats[cut].ways().for_each(Proxy::blackhole);
    let stale = hall.line(cut, since, "the picture to be stale", |line| line.tells("not in sync"));
    notes.promised("said to be stale after", stale.at - since, 2200);
    let alone = hall.line(cut, since, "the console to go on alone", |line| line.role == "local");
    notes.promised("alone after", alone.at - since, 8700);
    assert!(stale.at < alone.at && stale.role == "follower");
    let began = now();
    hall.watch(&[leader, cut], began, 20);
    let asked = |place: usize| hall.target.asked(&hall.seats[place].name, began);
    // A quarter of the leader's pace; where it is half of that or twice, the pace is not what was said.
    let (own, theirs) = (asked(cut), asked(leader));
    assert!(own > 0 && own * 2 <= theirs && own * 8 >= theirs, "{own} of {theirs}\n{}", hall.report());
    let (mut spreads, missed) = hall.spreads(since);
    assert_eq!(missed, 0, "{}", hall.report());
    notes.time("spread meanwhile, p95", percentile(&mut spreads, 95));
    let healed = now();
    hall.seats[cut].ways().for_each(Proxy::heal);
    let back = hall.line(cut, healed, "the console to follow", |line| line.role == "follower" && line.notice.is_none());
    notes.promised("back after", back.at - healed, 2500);
    assert_eq!(hall.settled(), leader);
    let settled = now() + hall.interval;
    hall.watch(&[0, 1, 2], settled, 6);
    hall.assert_unbroken(&hall.others(cut), since);
    hall.assert_unbroken_until(cut, since, healed);
    hall.assert_unbroken(&[cut], settled);
    hall.assert_unbroken_until(cut, since, healed);
    hall.assert_unbroken(&[cut], settled);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_leader_without_etcd_follows_its_successor(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, since) = (hall.leader(), now());
    hall.seats[old].etcd.iter().for_each(Proxy::blackhole);
    let (new, led) = hall.successor(old, since);
    notes.promised("new leader after", led - since, 3600);
    let silent = hall.line(old, since, "the old leader to fall silent", |line| line.role != "leader");
    notes.promised("old leader silent after", silent.at - since, 2600);
    assert!(silent.at <= led, "two led at once\n{}", hall.report());
    let follows = hall.line(old, since, "the old leader to follow", |line| line.role == "follower");
    notes.time("old leader follows after", follows.at - since);
    hall.watch(&[0, 1, 2], now(), 8);
    assert_eq!(hall.roles()[old], ("follower".into(), hall.roles()[new].1), "{}", hall.report());
    hall.seats[old].etcd.iter().for_each(Proxy::heal);
    hall.watch(&[0, 1, 2], now(), 8);
    assert_eq!(hall.settled(), new);
    hall.assert_unbroken(&[0, 1, 2], since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_leader_without_any_way_is_silent_first(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, since) = (hall.leader(), now());
    hall.seats[old].ways().for_each(Proxy::blackhole);
    let (new, led) = hall.successor(old, since);
    notes.promised("new leader after", led - since, 3600);
    let silent = hall.line(old, since, "the old leader to fall silent", |line| line.role != "leader");
    notes.promised("old leader silent after", silent.at - since, 2600);
    assert!(silent.at <= led, "two led at once\n{}", hall.report());
    notes.time("silence before the successor", led - silent.at);
    hall.watch(&[0, 1, 2], now(), 4);
    hall.seats[old].ways().for_each(Proxy::heal);
    assert_eq!(hall.settled(), new);
    hall.watch(&[0, 1, 2], now(), 6);
    hall.assert_unbroken(&[0, 1, 2], since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_way_that_is_open_in_one_direction_degrades_its_console_alone(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    let cut = hall.others(leader)[0];
    hall.seats[cut].ways().for_each(|way| way.half(Way::Down));
    let stale = hall.line(cut, since, "the picture to be stale", |line| line.tells("not in sync"));
    notes.time("said to be stale after", stale.at - since);
    hall.watch(&[0, 1, 2], now(), 6);
    let others = (0..3).filter(|place| *place != cut);
    for place in others {
        assert_eq!(hall.roles()[place], roles[place], "{}", hall.report());
        assert!(hall.seats[place].lines().since(since).iter().all(|line| line.notice.is_none()), "{}", hall.report());
    }
    hall.seats[cut].ways().for_each(Proxy::heal);
    assert_eq!(hall.settled(), leader);
    hall.assert_unbroken(&[0, 1, 2], since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_slow_and_lossy_way_changes_no_leader(notes: &mut Notes) -> Option<()> {
    let plan = Plan { interval: Duration::from_secs(1), ..Plan::default() };
    let hall = Hall::start(&plan)?;
    let delay = Duration::from_millis(50);
    let weather = Weather { up: delay, down: delay, jitter: Duration::from_millis(20), stalls: 0.05 };
    (0..3).for_each(|place| hall.seats[place].ways().for_each(|way| way.weather(weather)));
    let (roles, since) = (hall.roles(), now());
    // The clocks need a while to find each other over the new way.
    hall.watch(&[0, 1, 2], since, 12);
    let quiet = now();
    hall.watch(&[0, 1, 2], quiet, 18);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&[0, 1, 2], since);
    let (mut spreads, missed) = hall.spreads(quiet);
    assert_eq!(missed, 0, "{}", hall.report());
    notes.promised("spread p95", percentile(&mut spreads, 95), 15);
    notes.time("spread p50", percentile(&mut spreads, 50));
    hall.assert_one_voice(since);
    Some(())
}
