//! What followers do not do: measure, or take anything that the leader has to hear.

use serde_json::json;

use super::{Notes, hall};
use crate::support::clock::now;
use crate::support::hall::SECRET;

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
