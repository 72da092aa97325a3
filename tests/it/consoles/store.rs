//! Redis dies, stands still, or refuses.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::{Notes, hall};
use crate::support::clock::{now, pass};
use crate::support::hall::{BOARD, Hall, Plan, SECRET, Seat};
use crate::support::proxy::Proxy;
use crate::support::redis::Redis;

const EVERYBODY: [usize; 3] = [0, 1, 2];

/// Breaks Redis for a while: nobody leads instead, nothing stands still, somebody tells, and then all is well.
fn goes_on(hall: &mut Hall, notes: &mut Notes, words: &[&str], fault: impl FnOnce(&mut Hall)) {
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    fault(hall);
    let told =
        hall.line(leader, since, "the leader to tell of its store", |line| words.iter().any(|word| line.tells(word)));
    notes.time("told after", told.at - since);
    let healed = now();
    let well = hall.wait("all to be well", |hall| {
        let well = hall.seats.iter().all(|seat| seat.last().is_some_and(|line| line.notice.is_none()));
        well.then(now)
    });
    notes.time("well after", well - healed);
    hall.watch(&EVERYBODY, now(), 6);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
}

pub(super) fn a_redis_that_died_comes_back_with_the_item_of_the_hour(notes: &mut Notes) -> Option<()> {
    let plan = Plan { redis_arguments: &["--appendonly", "yes"], ..Plan::default() };
    let mut hall = Hall::start(&plan)?;
    goes_on(&mut hall, notes, &["Redis"], |hall| {
        if let Some(redis) = &mut hall.redis {
            redis.kill();
            pass(Duration::from_secs(3));
            redis.restart();
        }
    });
    let kept = |hall: &Hall| hall.redis.as_ref()?.state(BOARD, "item");
    hall.wait("the item to be kept that is shown", |hall| {
        (kept(hall) == hall.seats[hall.leader()].last()?.item).then_some(())
    });
    Some(())
}

pub(super) fn a_redis_that_comes_late_is_read_before_it_is_written_over(notes: &mut Notes) -> Option<()> {
    let plan = Plan { redis_arguments: &["--appendonly", "yes"], ..Plan::default() };
    let mut hall = Hall::start(&plan)?;
    let push = |hall: &Hall, id: &str, text: &str| {
        let update = json!({"text": text, "level": "healthy"}).to_string();
        let authorized = format!("Authorization: Bearer {SECRET}\r\n");
        let path = format!("/v1/items/{id}");
        let pushed = hall.seats[hall.leader()].api().send("PUT", &path, &authorized, update.as_bytes());
        assert!([200, 201].contains(&pushed.status), "{pushed:?}");
    };
    let says = |hall: &Hall, place: usize, id: &str, text: &str| {
        let answer = hall.seats[place].api().ask("GET", &format!("/v1/items/{id}"));
        answer.status == 200 && answer.json()["text"] == text
    };
    push(&hall, "kept", "of the first day");
    push(&hall, "both", "of the first day");
    let keeps = |redis: &Redis| {
        let board = redis.ask(&["GET", &format!("marquee:{{{BOARD}}}:mirror")])?;
        board.text().is_some_and(|board| board.contains("\"both\"")).then_some(())
    };
    hall.wait("the board to be kept", |hall| keeps(hall.redis.as_ref()?));
    hall.close();
    hall.redis.as_mut()?.kill();
    hall.seats.iter_mut().for_each(Seat::sit);
    let leader = hall.wait("a leader without its store", |hall| hall.leaders().first().copied());
    hall.line(leader, now(), "the leader to tell of its store", |line| line.tells("Redis"));
    push(&hall, "both", "of the second day");
    assert!(!says(&hall, leader, "kept", "of the first day"), "nobody could know of it yet");
    let back = now();
    hall.redis.as_mut()?.restart();
    for place in EVERYBODY {
        hall.wait("what Redis kept", |hall| says(hall, place, "kept", "of the first day").then_some(()));
    }
    notes.time("known after", now() - back);
    assert!(EVERYBODY.iter().all(|place| says(&hall, *place, "both", "of the second day")), "{}", hall.report());
    hall.settled();
    assert_eq!(hall.leader(), leader);
    // It is kept on, with what is newer.
    hall.close();
    hall.seats.iter_mut().for_each(Seat::sit);
    let leader = hall.settled();
    assert!(says(&hall, leader, "kept", "of the first day") && says(&hall, leader, "both", "of the second day"));
    Some(())
}

pub(super) fn a_redis_that_stalls_is_not_flooded_afterwards(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    hall.watch(&EVERYBODY, now(), 4);
    let mut thawed = now();
    goes_on(&mut hall, notes, &["Redis"], |hall| {
        if let Some(redis) = &hall.redis {
            redis.signal(Signal::STOP);
            pass(Duration::from_secs(5));
            thawed = now();
            redis.signal(Signal::CONT);
        }
    });
    let soon = hall.beats(thawed).iter().filter(|(at, _)| *at < thawed + Duration::from_secs(1)).count();
    // Ten seconds of beats would be twenty and the turns' own as many; a second of them is a few.
    assert!(soon <= 10, "{soon} beats came at once\n{}", hall.report());
    Some(())
}

pub(super) fn a_busy_redis_is_told_and_waited_for(notes: &mut Notes) -> Option<()> {
    let plan = Plan { redis_arguments: &["--busy-reply-threshold", "100"], ..Plan::default() };
    let mut hall = Hall::start(&plan)?;
    goes_on(&mut hall, notes, &["BUSY", "did not answer in time"], |hall| {
        let Some(redis) = &hall.redis else { return };
        std::thread::scope(|scope| {
            scope.spawn(|| redis.ask(&["EVAL", "while true do end", "0"]));
            pass(Duration::from_secs(3));
            // Whoever asks too early is told that no script runs.
            let _ = redis.ask(&["SCRIPT", "KILL"]);
        });
    });
    Some(())
}

pub(super) fn a_redis_that_takes_no_writes_is_told(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    goes_on(&mut hall, notes, &["MISCONF"], |hall| {
        let Some(redis) = &hall.redis else { return };
        // A snapshot that can't be written stops all writes, as a full disk does.
        let folder = redis.folder().join("dump.rdb");
        std::fs::create_dir_all(folder.join("full")).unwrap();
        redis.ask(&["CONFIG", "SET", "save", "3600 1000000"]);
        redis.ask(&["BGSAVE"]);
        pass(Duration::from_secs(3));
        std::fs::remove_dir_all(folder).unwrap();
        redis.ask(&["BGSAVE"]);
    });
    Some(())
}

pub(super) fn a_store_that_counted_further_keeps_nobody_silent(notes: &mut Notes) -> Option<()> {
    let mut hall = Hall::prepare(&Plan::default())?;
    // As another kind of cluster leaves it, whose consoles ran for a year.
    let (state, since) = (format!("marquee:{{{BOARD}}}:state"), now());
    let old = ["epoch", "0", "rev", "5", "seq", "1000000", "item", "c", "show_at", "1", "dwell", "1", "frame", "x"];
    hall.redis.as_ref()?.ask(&[["HSET", &state].as_slice(), &old].concat())?;
    hall.seats.iter_mut().for_each(Seat::sit);
    hall.settled();
    notes.time("settled after", now() - since);
    let seq = hall.redis.as_ref()?.state(BOARD, "seq")?.parse::<u64>().ok()?;
    assert!(seq >= 1_000_000, "{seq}");
    let since = now();
    hall.watch(&EVERYBODY, since, 4);
    assert!(!hall.beats(since).is_empty(), "{}", hall.report());
    Some(())
}

pub(super) fn a_stale_replica_that_was_promoted_is_put_right(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let way = Proxy::to(hall.redis.as_ref()?.port());
    let port = way.address().port().to_string();
    let replica = Redis::start(&["--replicaof", "127.0.0.1", &port])?;
    hall.wait("the replica to have the state", |_| replica.state(BOARD, "rev"));
    way.blackhole();
    let beat = |redis: &Redis| redis.state(BOARD, "beat")?.parse::<u64>().ok();
    let (roles, since, behind) = (hall.roles(), now(), beat(&replica)?);
    let last =
        hall.wait("the replica to fall behind", |hall| beat(hall.redis.as_ref()?).filter(|beat| *beat > behind + 4));
    replica.ask(&["REPLICAOF", "NO", "ONE"]);
    replica.ask(&["SAVE"]);
    assert!(beat(&replica)? < last, "it is not behind");
    // In the place of the one that died, as a name that leads to the new primary.
    let redis = hall.redis.as_mut()?;
    redis.kill();
    std::fs::copy(replica.folder().join("dump.rdb"), redis.folder().join("dump.rdb")).ok()?;
    redis.restart();
    let promoted = now();
    hall.wait("the state to be written again", |hall| beat(hall.redis.as_ref()?).filter(|beat| *beat > last));
    notes.time("written again after", now() - promoted);
    hall.watch(&EVERYBODY, now(), 4);
    hall.settled();
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}
