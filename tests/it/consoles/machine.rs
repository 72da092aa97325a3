//! `cluster: local`: the consoles of one machine, without any server.

use serde_json::json;

use super::Notes;
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan, SECRET};

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

/// A batch of pushes with long values, which double where they are written as JSON.
fn batch(from: usize) -> String {
    let long = "\"".repeat(4_000);
    let update = |number: usize| json!({"id": format!("large-{number:04}"), "level": "info", "text": "x", "values": {"v": long}});
    (from..from + BATCH).map(|number| update(number).to_string() + "\n").collect()
}

const BATCH: usize = 50;

pub(super) fn a_large_board_comes_whole_and_one_too_large_is_told(_: &mut Notes) -> Option<()> {
    let plan = Plan { consoles: 2, etcd: 0, redis: false, ..Plan::default() };
    let hall = Hall::start(&plan)?;
    let leader = hall.leader();
    let follower = hall.others(leader)[0];
    let push = |from: usize| {
        let headers = format!("Authorization: Bearer {SECRET}\r\n");
        let answer = hall.seats[leader].api().send("POST", "/v1/items", &headers, batch(from).as_bytes());
        assert_eq!(answer.json()["accepted"], BATCH, "{answer:?}");
    };
    let items = |place: usize| hall.seats[place].api().ask("GET", "/v1/board").body.matches("\"large-").count();
    // Six megabytes.
    (0..750).step_by(BATCH).for_each(push);
    hall.wait("the whole board", |_| (items(follower) == 750).then_some(()));
    let since = now();
    hall.watch(&[leader, follower], since, 6);
    for place in [leader, follower] {
        let told = hall.seats[place].lines().since(since).into_iter().find(|line| line.notice.is_some());
        assert!(told.is_none(), "{told:?}");
    }
    // Ten.
    (750..1_250).step_by(BATCH).for_each(push);
    hall.line(leader, since, "the leader to tell of its size", |line| line.tells("shorten its texts"));
    hall.line(follower, since, "the follower to tell of the leader", |line| line.tells("does not come"));
    for number in 700..1_250 {
        let headers = format!("Authorization: Bearer {SECRET}\r\n");
        let answer = hall.seats[leader].api().send("DELETE", &format!("/v1/items/large-{number:04}"), &headers, b"");
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
    hall.wait("both to be well", |hall| {
        let well = |place: usize| hall.seats[place].last().is_some_and(|line| line.notice.is_none());
        (well(leader) && well(follower) && items(follower) == 700).then_some(())
    });
    Some(())
}
