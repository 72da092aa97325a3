//! Etcd and Redis die, stand still, lose what they knew, or refuse.

use super::{Notes, hall};
use crate::support::clock::now;

pub(super) fn a_dead_leader_of_etcd_changes_no_console(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let (roles, since) = (hall.roles(), now());
    hall.watch(&[0, 1, 2], since, 2);
    let etcd = hall.etcd.as_mut()?;
    let dead = etcd.leader();
    etcd.kill(dead);
    hall.watch(&[0, 1, 2], now(), 12);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&[0, 1, 2], since);
    notes.promised("longest silence of the channel", hall.assert_one_voice(since), 2400);
    Some(())
}
