//! What followers do not do: measure, or take anything that the leader has to hear. What it heard outlives it.

use serde_json::{Value, json};

use super::{Notes, hall};
use crate::support::clock::now;
use crate::support::hall::{Hall, SECRET};

pub(super) fn followers_measure_nothing_and_take_no_orders(_: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, since) = (hall.leader(), now());
    let board = |place: usize| hall.seats[place].api().get("/v1/board").to_string();
    let before: Vec<_> =
        hall.seats.iter().map(|seat| seat.api().get("/v1/board")["items"].as_array().map(Vec::len)).collect();
    let authorized = format!("Authorization: Bearer {SECRET}\r\nContent-Type: application/json\r\n");
    for follower in hall.others(leader) {
        let api = hall.seats[follower].api();
        let update = json!({"text": "pushed", "level": "critical"}).to_string();
        for (method, path, body) in [
            ("PUT", "/v1/items/pushed", update.as_str()),
            ("PUT", "/v1/items/a", update.as_str()),
            ("DELETE", "/v1/items/a", ""),
            ("POST", "/v1/items/web/run", ""),
        ] {
            let answer = api.send(method, path, &authorized, body.as_bytes());
            let why = answer.problem(503);
            assert!(why.contains(&hall.seats[leader].name), "{method} {path}: {answer:?}");
        }
    }
    hall.watch(&[0, 1, 2], since, 14);
    for (place, before) in before.iter().enumerate() {
        let after = hall.seats[place].api().get("/v1/board")["items"].as_array().map(Vec::len);
        assert_eq!(after, *before);
        assert!(!board(place).contains("pushed"), "{}", board(place));
    }
    for (place, seat) in hall.seats.iter().enumerate() {
        let asked = hall.target.asked(&seat.name, since);
        assert_eq!(asked > 0, place == leader, "{} asked {asked} times", seat.name);
    }
    hall.assert_unbroken(&[0, 1, 2], since);
    Some(())
}

pub(super) fn an_acknowledgement_is_the_leader_s_and_outlives_it(_: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let leader = hall.leader();
    let authorized = format!("Authorization: Bearer {SECRET}\r\nContent-Type: application/json\r\n");
    let send = |hall: &Hall, place: usize, path: &str, body: &str| {
        hall.seats[place].api().send("PUT", path, &authorized, body.as_bytes())
    };
    // What each console that runs says of the item; `None`: it has not heard of it.
    let told = |hall: &Hall| -> Vec<Option<Value>> {
        let places = (0..hall.seats.len()).filter(|place| hall.seats[*place].runs());
        let item = |place: usize| hall.seats[place].api().ask("GET", "/v1/items/press");
        places.map(item).map(|answer| (answer.status == 200).then(|| answer.json()["acknowledged"].clone())).collect()
    };
    let update = json!({"text": "Press stands still", "level": "critical"}).to_string();
    assert_eq!(send(&hall, leader, "/v1/items/press", &update).status, 201);
    hall.wait("all to know the item", |hall| told(hall).iter().all(Option::is_some).then_some(()));
    for follower in hall.others(leader) {
        let answer = send(&hall, follower, "/v1/items/press/acknowledgement", "");
        assert!(answer.problem(503).contains(&hall.seats[leader].name), "{answer:?}");
    }
    assert_eq!(told(&hall), [const { Some(Value::Null) }; 3], "{}", hall.report());
    let answer = send(&hall, leader, "/v1/items/press/acknowledgement", "");
    assert!(answer.json()["acknowledged"].is_string(), "{answer:?}");
    let all_know =
        |hall: &Hall| told(hall).iter().all(|told| told.as_ref().is_some_and(Value::is_string)).then_some(());
    hall.wait("all to know of the acknowledgement", all_know);
    let since = now();
    hall.seats[leader].kill();
    let (new, _) = hall.successor(leader, since);
    assert_ne!(new, leader);
    hall.watch(&hall.others(leader), since, 4);
    assert_eq!((told(&hall).len(), all_know(&hall)), (2, Some(())), "{}", hall.report());
    // Whoever leads now takes it back, for all.
    let answer = hall.seats[new].api().send("DELETE", "/v1/items/press/acknowledgement", &authorized, b"");
    assert_eq!(answer.json()["acknowledged"], Value::Null);
    hall.wait("all to know that it is taken back", |hall| {
        told(hall).iter().all(|told| *told == Some(Value::Null)).then_some(())
    });
    Some(())
}
