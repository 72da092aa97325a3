//! `cluster: local`: the consoles of one machine, without any server.

use super::Notes;
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan};

pub(super) fn ten_consoles_of_one_machine_measure_once(notes: &mut Notes) -> Option<()> {
    let plan = Plan { consoles: 10, etcd: 0, redis: false, ..Plan::default() };
    let mut hall = Hall::start(&plan)?;
    let (old, since) = (hall.leader(), now());
    let everybody: Vec<_> = (0..10).collect();
    hall.watch(&everybody, since, 8);
    hall.assert_unbroken(&everybody, since);
    for place in &everybody {
        let asked = hall.target.asked(&hall.seats[*place].name, since);
        assert_eq!(asked > 0, *place == old, "{} asked {asked} times\n{}", hall.seats[*place].name, hall.report());
    }
    let ended = now();
    hall.seats[old].kill();
    let (new, led) = hall.successor(old, ended);
    notes.promised("new leader after", led - ended, 200);
    let others = hall.others(old);
    hall.watch(&others, ended, 8);
    hall.assert_unbroken(&others, since);
    for place in &others {
        let asked = hall.target.asked(&hall.seats[*place].name, ended);
        assert_eq!(asked > 0, *place == new, "{} asked {asked} times\n{}", hall.seats[*place].name, hall.report());
    }
    hall.assert_one_voice(since);
    Some(())
}
