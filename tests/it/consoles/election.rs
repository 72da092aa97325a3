//! The leader ends, dies, is lost with its machine or stands still.

use std::time::Duration;

use rustix::process::Signal;

use super::{Notes, hall};
use crate::support::clock::{now, pass};
use crate::support::hall::Hall;

/// Takes the leader away, and sees that another one goes on with the same turns; gives its place.
fn replaced(hall: &mut Hall, notes: &mut Notes, most: u64, end: impl FnOnce(&mut Hall, usize)) -> usize {
    let (old, since) = (hall.leader(), now());
    let followers = hall.others(old);
    let fence = hall.roles()[old].1;
    hall.watch(&followers, since, 3);
    let ended = now();
    end(hall, old);
    let (new, led) = hall.successor(old, ended);
    notes.promised("new leader after", led - ended, most);
    hall.watch(&followers, ended, 8);
    assert!(hall.roles()[new].1 > fence, "{}", hall.report());
    hall.assert_unbroken(&followers, since);
    notes.time("longest silence of the channel", hall.assert_one_voice(since));
    new
}

pub(super) fn a_killed_leader_is_followed_at_once(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    replaced(&mut hall, notes, 200, |hall, old| hall.seats[old].kill());
    Some(())
}

pub(super) fn a_lost_machine_is_followed_after_its_lease(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    replaced(&mut hall, notes, 3600, |hall, old| hall.seats[old].lose());
    Some(())
}

pub(super) fn a_leader_that_quits_hands_over(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let old = hall.leader();
    replaced(&mut hall, notes, 100, |hall, old| hall.seats[old].signal(Signal::TERM));
    assert!(hall.seats[old].reap()?.success());
    hall.close();
    Some(())
}

pub(super) fn a_short_stop_of_the_leader_changes_nothing(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (old, roles, since) = (hall.leader(), hall.roles(), now());
    let followers = hall.others(old);
    hall.seats[old].signal(Signal::STOP);
    pass(Duration::from_secs(1));
    hall.seats[old].signal(Signal::CONT);
    hall.watch(&[0, 1, 2], now(), 8);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&followers, since);
    notes.time("longest silence of the channel", hall.assert_one_voice(since));
    Some(())
}

pub(super) fn a_long_stop_of_the_leader_deposes_it(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let old = hall.leader();
    let stopped = now();
    let since = now();
    replaced(&mut hall, notes, 3600, |hall, old| hall.seats[old].signal(Signal::STOP));
    pass(Duration::from_secs(6).saturating_sub(now() - stopped));
    let thawed = now();
    hall.seats[old].signal(Signal::CONT);
    let follows = hall.line(old, thawed, "the old leader to follow", |line| line.role == "follower");
    notes.promised("old leader follows after", follows.at - thawed, 1000);
    let new = hall.settled();
    assert_ne!(new, old);
    // Nobody is told anything by the old token; its own screen may say for a moment that it leads.
    assert_eq!(hall.stale_beats(since), 0, "{}", hall.report());
    hall.assert_one_voice(follows.at);
    hall.watch(&[0, 1, 2], now(), 6);
    hall.assert_unbroken(&hall.others(old), since);
    Some(())
}

pub(super) fn both_leaders_at_once(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    replaced(&mut hall, notes, 2000, |hall, old| {
        if let Some(etcd) = &mut hall.etcd {
            let dead = etcd.leader();
            etcd.kill(dead);
        }
        hall.seats[old].kill();
    });
    Some(())
}

pub(super) fn both_leaders_without_a_guardian(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    replaced(&mut hall, notes, 7000, |hall, old| {
        if let Some(etcd) = &mut hall.etcd {
            let dead = etcd.leader();
            etcd.kill(dead);
        }
        hall.seats[old].lose();
    });
    Some(())
}
