//! The link when another server takes the place of the one it led to: the others are heard again, and the fence stands.

use std::sync::{Arc, Mutex};

use super::*;
use crate::coordination::redis::testing::sentinels::{liar, liar_of, names, pair, watched_pair};
use crate::coordination::redis::testing::until;
use crate::coordination::redis::words::CUT_OFF;

/// The link by way of these sentinels.
fn by(sentinels: &[u16]) -> RedisLink {
    let told: Vec<_> = sentinels.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    RedisLink::new(&format!("redis+sentinel://{}/board", told.join(",")), "line-3", None).unwrap()
}

/// Why nothing was heard until the listener was back.
async fn why_until_back(listener: &mut Subscription) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        match listener.next().await {
            Heard::Lost(why) => told.push(why.split_once("): ").unwrap().1.to_owned()),
            Heard::Subscribed => return told,
            heard => panic!("{heard:?}"),
        }
    }
}

#[tokio::test]
async fn a_killed_primarys_replica_is_spoken_over_and_the_fence_raised_again() {
    let Some((mut first, second, sentinel)) = watched_pair() else { return };
    let mut link = by(&[sentinel.port]);
    let (mut clock, mut listener) = (link.another(), link.subscription());
    assert_eq!(listener.next().await, Heard::Subscribed);
    link.claim(token(5)).await.unwrap();
    beat(&mut link, 5, 1).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(1)));
    let (old, before) = (clock.identity().await.unwrap(), clock.time().await.unwrap());

    // What the replica has is of before the leader.
    until(|| matches!(second.say(&["HGET", STATE_KEY, "rev"]), redis::Value::BulkString(rev) if rev == b"5"));
    second.say(&["CONFIG", "SET", "replica-read-only", "no"]);
    second.say(&["HSET", STATE_KEY, "rev", "3"]);
    first.stop();
    while beat(&mut link, 5, 2).await.is_err() {}
    let refused = beat(&mut second.link(), 4, 9).await;
    assert_eq!(refused, Ok(Published::Stale(token(5))), "whoever led before is shut out again");
    assert_eq!(kept(&second).await, Some((5, 2, 2)));

    assert!(!why_until_back(&mut listener).await.is_empty());
    beat(&mut link, 5, 3).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(3)));
    assert!(clock.time().await.unwrap() > before);
    assert_ne!(clock.identity().await, Ok(old), "its clock is another one");
}

#[tokio::test]
async fn a_primary_that_most_sentinels_have_left_is_left_by_all_links() {
    let Some(first) = Running::start(&[]) else { return };
    let Some(mut second) = Running::start(&[]) else { return };
    let [at_first, at_second] = [&first, &second].map(|server| names("127.0.0.1", &server.port.to_string()));
    let said = Arc::new(Mutex::new(at_first.clone()));
    // One is cut off together with the first server, and asked first.
    let sentinels = [liar(at_first.clone()), liar_of(Arc::clone(&said)), liar_of(Arc::clone(&said))];
    let mut link = by(&sentinels);
    let (mut clock, mut listener) = (link.another(), link.subscription());
    assert_eq!(listener.next().await, Heard::Subscribed);
    beat(&mut link, 5, 1).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(1)));
    let old = clock.identity().await.unwrap();

    *said.lock().unwrap() = at_second;
    let told = format!("the sentinels name another primary now, 127.0.0.1:{}", second.port);
    assert_eq!(why_until_back(&mut listener).await, [told]);
    assert_eq!(beat(&mut link, 5, 2).await, Ok(Published::Ok));
    assert_eq!(listener.next().await, Heard::Text(text(2)));
    assert_eq!((kept(&first).await, kept(&second).await), (Some((5, 1, 1)), Some((5, 2, 2))));
    clock.time().await.unwrap();
    assert_ne!(clock.identity().await, Ok(old.clone()));

    // Where nobody leads there any more, the other one is better than none.
    *said.lock().unwrap() = at_first;
    second.stop();
    assert_eq!(beat(&mut link, 5, 3).await, Ok(Published::Ok));
    clock.time().await.unwrap();
    assert_eq!(clock.identity().await, Ok(old));
}

#[tokio::test]
async fn a_server_that_was_made_a_replica_is_left_once_and_one_that_is_cut_off_stays_lost() {
    let Some((mut first, second)) = pair() else { return };
    second.say(&["REPLICAOF", "NO", "ONE"]);
    let (mut link, mut listener) = (first.link(), second.link().subscription());
    assert_eq!(listener.next().await, Heard::Subscribed);
    second.say(&["REPLICAOF", "127.0.0.1", &first.port.to_string()]);
    // Where it has not caught up yet it is cut off for a moment.
    let told = why_until_back(&mut listener).await;
    let odd = told.iter().find(|why| !["it is a replica now", CUT_OFF].contains(&why.as_str()));
    assert!(!told.is_empty() && odd.is_none(), "{told:?}");
    beat(&mut link, 5, 1).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(1)), "its primary's beats reach it");
    first.stop();
    let Heard::Lost(why) = listener.next().await else { panic!("it is heard") };
    assert!(why.ends_with(CUT_OFF), "{why}");
    second.say(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(why_until_back(&mut listener).await, [""; 0], "told once");
}
