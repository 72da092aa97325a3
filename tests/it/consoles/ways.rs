//! A way between a console and its servers breaks, or gets slow.

use std::time::Duration;

use super::{Notes, hall};
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan, Seat, percentile};
use crate::support::proxy::{Proxy, Way, Weather};
use crate::support::redis::Redis;

const EVERYBODY: [usize; 3] = [0, 1, 2];

pub(super) fn a_leader_without_redis_leads_on_over_etcd(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, roles, since) = (hall.leader(), hall.roles(), now());
    let written = |place: usize| {
        ["success", "failure"]
            .map(|it| hall.seats[place].counted(&format!("marquee_store_write_total{{result=\"{it}\"}}")))
    };
    // Each write counts: a beat at each turn and twice a second.
    hall.watch(&[old], since, 6);
    let [well, failed] = written(old);
    assert!(well >= 6 && failed == 0, "{well} written, {failed} not");
    let cut = now();
    hall.seats[old].redis.as_ref()?.refuse();
    let told = hall.line(old, cut, "the leader to tell of its store", |line| line.tells("Redis"));
    notes.time("told after", told.at - cut);
    hall.watch(&EVERYBODY, now(), 12);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    let [_, failed] = written(old);
    assert!(failed >= 6, "{failed} not written");
    hall.assert_untouched(&hall.others(old), &roles, since);
    for place in hall.others(old) {
        assert_eq!(written(place), [0, 0], "whoever follows writes nothing");
    }
    hall.assert_unbroken(&EVERYBODY, since);
    let healed = now();
    hall.seats[old].redis.as_ref()?.heal();
    let told = hall.line(old, healed, "the store to answer again", |line| line.notice.is_none());
    notes.time("well after", told.at - healed);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_follower_that_redis_does_not_answer_follows_over_etcd(notes: &mut Notes) -> Option<()> {
    follows_over_etcd(notes, Proxy::blackhole)
}

pub(super) fn a_follower_that_redis_refuses_follows_over_etcd(notes: &mut Notes) -> Option<()> {
    follows_over_etcd(notes, Proxy::refuse)
}

/// A follower loses Redis alone, longer than a console without any word stays in step.
fn follows_over_etcd(notes: &mut Notes, cut_off: fn(&Proxy)) -> Option<()> {
    let hall = hall()?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    let deaf = hall.others(leader)[0];
    let way = hall.seats[deaf].redis.as_ref()?;
    cut_off(way);
    let told = hall.line(deaf, since, "the follower to follow over etcd", |line| line.tells("follows over etcd"));
    notes.promised("in step over etcd after", told.at - since, 3000);
    assert!(told.tells("Redis"), "{told:?}");
    // The board goes on to change: what is told over etcd is all of it.
    let asked = hall.target.asked(&hall.seats[deaf].name, since);
    hall.watch(&EVERYBODY, now(), 32);
    notes.promised("spread meanwhile, p95", hall.spread(since), 20);
    assert_eq!(hall.target.asked(&hall.seats[deaf].name, since), asked, "it measured\n{}", hall.report());
    let healed = now();
    way.heal();
    let well = hall.line(deaf, healed, "the store to be heard again", |line| line.notice.is_none());
    notes.promised("heard over Redis after", well.at - healed, 4000);
    // Longer than the leader goes on over etcd: nobody misses it then.
    hall.watch(&EVERYBODY, now(), 18);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    let shown = hall.seats[deaf].lines().since(since);
    assert!(shown.iter().all(|line| line.role == "follower"), "it was alone\n{}", hall.report());
    assert!(hall.seats[deaf].lines().since(well.at).iter().all(|line| line.notice.is_none()), "{}", hall.report());
    hall.assert_untouched(&hall.others(deaf), &roles, since);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_follower_at_another_redis_follows_over_etcd(notes: &mut Notes) -> Option<()> {
    let mut hall = Hall::prepare(&Plan::default())?;
    hall.seats[..2].iter_mut().for_each(Seat::sit);
    let (leader, other, lost) = (hall.settled(), Redis::start(&[])?, 2);
    let (right, wrong) = (hall.seats[lost].redis.as_ref()?.address(), format!("127.0.0.1:{}", other.port()));
    let config = std::fs::read_to_string(hall.seats[lost].home.config()).ok()?;
    hall.seats[lost].home.write("marquee.yaml", config.replace(&right.to_string(), &wrong));
    let since = now();
    hall.seats[lost].sit();
    let told = hall.line(lost, since, "the follower to follow over etcd", |line| {
        line.role == "follower" && line.tells("not heard over the store; follows over etcd")
    });
    notes.time("in step over etcd after", told.at - since);
    let settled = told.at + hall.interval;
    hall.watch(&EVERYBODY, settled, 20);
    hall.spread(settled);
    let shown = hall.seats[lost].lines().since(settled);
    assert!(shown.iter().all(|line| line.role == "follower"), "{}", hall.report());
    assert_eq!((hall.leader(), hall.roles()[lost].1), (leader, hall.roles()[leader].1), "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, settled);
    Some(())
}

pub(super) fn a_follower_without_any_way_goes_on_alone(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, since) = (hall.leader(), now());
    let cut = hall.others(leader)[0];
    hall.seats[cut].ways().for_each(Proxy::blackhole);
    notes.promised("said to be stale after", hall.stale(cut, since), 2200);
    notes.promised("alone after", hall.alone(cut, since), 8700);
    let began = now();
    hall.watch(&[leader, cut], began, 20);
    let asked = |place: usize| hall.target.asked(&hall.seats[place].name, began);
    // A quarter of the leader's pace; where it is half of that or twice, the pace is not what was said.
    let (own, theirs) = (asked(cut), asked(leader));
    assert!(own > 0 && own * 2 <= theirs && own * 8 >= theirs, "{own} of {theirs}\n{}", hall.report());
    notes.time("spread meanwhile, p95", hall.spread(since));
    let healed = now();
    hall.seats[cut].ways().for_each(Proxy::heal);
    notes.promised("back after", hall.returned(cut, since, healed), 2500);
    assert_eq!(hall.leader(), leader);
    Some(())
}

pub(super) fn a_leader_without_etcd_follows_its_successor(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, since) = (hall.leader(), now());
    hall.seats[old].etcd.iter().for_each(Proxy::blackhole);
    let replaced = hall.replaced(old, since);
    notes.promised("new leader after", replaced.led - since, 3600);
    notes.promised("old leader silent after", replaced.silent - since, 2600);
    let follows = hall.line(old, since, "the old leader to follow", |line| line.role == "follower");
    notes.time("old leader follows after", follows.at - since);
    hall.watch(&EVERYBODY, now(), 8);
    assert_eq!(hall.roles()[old], ("follower".into(), hall.roles()[replaced.by].1), "{}", hall.report());
    hall.seats[old].etcd.iter().for_each(Proxy::heal);
    hall.watch(&EVERYBODY, now(), 8);
    assert_eq!(hall.settled(), replaced.by);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_leader_without_any_way_is_silent_first(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, since) = (hall.leader(), now());
    hall.seats[old].ways().for_each(Proxy::blackhole);
    let replaced = hall.replaced(old, since);
    notes.promised("new leader after", replaced.led - since, 3600);
    notes.promised("old leader silent after", replaced.silent - since, 2600);
    notes.time("silence before the successor", replaced.led - replaced.silent);
    hall.watch(&EVERYBODY, now(), 4);
    hall.seats[old].ways().for_each(Proxy::heal);
    assert_eq!(hall.settled(), replaced.by);
    hall.watch(&EVERYBODY, now(), 6);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_way_that_is_open_in_one_direction_degrades_its_console_alone(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    let cut = hall.others(leader)[0];
    hall.seats[cut].ways().for_each(|way| way.half(Way::Down));
    notes.time("said to be stale after", hall.stale(cut, since));
    hall.watch(&EVERYBODY, now(), 6);
    hall.assert_untouched(&hall.others(cut), &roles, since);
    hall.seats[cut].ways().for_each(Proxy::heal);
    assert_eq!(hall.settled(), leader);
    hall.assert_unbroken(&EVERYBODY, since);
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
    hall.watch(&EVERYBODY, since, 12);
    let quiet = now();
    hall.watch(&EVERYBODY, quiet, 18);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    let (mut spreads, missed) = hall.spreads(quiet);
    assert_eq!(missed, 0, "{}", hall.report());
    notes.promised("spread p95", percentile(&mut spreads, 95), 15);
    notes.time("spread p50", percentile(&mut spreads, 50));
    hall.assert_one_voice(since);
    Some(())
}
