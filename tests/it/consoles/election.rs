//! The leader ends, dies, is lost with its machine or stands still.

use rustix::process::Signal;

use super::{Notes, hall};
use crate::support::clock::now;
use crate::support::hall::Hall;

/// Takes the leader away, and sees that another one goes on with the same turns.
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
