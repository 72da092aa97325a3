//! The link against a real server, and against none.

mod listening;
mod model;
mod replaced;
mod unwell;

use super::*;
use super::{BEAT_HEAD, Heard};
use crate::coordination::redis::testing::{Encrypted, Server as Running};

const STATE_KEY: &str = "marquee:{line-3}:state";
const BOARD_KEY: &str = "marquee:{line-3}:mirror";

impl Running {
    fn link(&self) -> RedisLink {
        RedisLink::new(&self.url(), "line-3", None).unwrap()
    }
}

fn token(rev: u64) -> Token {
    Token { epoch: 0, rev }
}

/// The beat of this number, which shows the item of its number.
fn said(beat: u64) -> Said {
    Said { seq: beat, beat, item: Some(format!("item-{beat}")), show_at_ms: 7, dwell_ms: 3_000 }
}

fn text(beat: u64) -> String {
    format!("{BEAT_HEAD}\"beat\":{beat}}}")
}

async fn beat(link: &mut RedisLink, rev: u64, number: u64) -> Result<Published, Trouble> {
    link.publish(token(rev), &said(number), &text(number)).await
}

/// What is kept: who wrote it, and the beat.
async fn kept(server: &Running) -> Option<(u64, u64, u64)> {
    let state = server.link().state().await.unwrap()?;
    Some((state.token.rev, state.seq, state.beat))
}

#[tokio::test]
async fn a_lower_token_is_refused_and_a_repeated_beat_is_none() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    assert_eq!(link.state().await, Ok(None));
    let stale = Published::Stale;
    for (rev, number, told, stored) in [
        (5, 1, Published::Ok, (5, 1, 1)),
        (5, 2, Published::Ok, (5, 2, 2)),
        (5, 2, Published::Dup, (5, 2, 2)),
        (4, 99, stale(token(5)), (5, 2, 2)),
        (9, 1, Published::Ok, (9, 1, 1)),
        (5, 3, stale(token(9)), (9, 1, 1)),
    ] {
        assert_eq!(beat(&mut link, rev, number).await, Ok(told), "{rev}.{number}");
        assert_eq!(kept(&server).await, Some(stored), "{rev}.{number}");
    }
    let epoch = Token { epoch: 1, rev: 1 };
    assert_eq!(link.publish(epoch, &said(1), "first").await, Ok(Published::Ok), "an epoch orders before a revision");
    assert_eq!(beat(&mut link, 99, 1).await, Ok(stale(epoch)));
    assert_eq!(link.keep_board(token(99), "board").await, Ok(stale(epoch)));
    assert_eq!(link.publish_news(token(99), "news").await, Ok(stale(epoch)));
    assert_eq!(link.board().await, Ok(None));
    assert_eq!(link.keep_board(epoch, "board").await, Ok(Published::Ok));
    assert_eq!(link.board().await, Ok(Some("board".to_owned())));
}

#[tokio::test]
async fn a_turn_beats_many_times_and_never_goes_back() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    for (seq, number, told) in [
        (4, 1, Published::Ok),
        (4, 2, Published::Ok),
        (5, 2, Published::Dup),
        (3, 3, Published::Dup),
        (5, 3, Published::Ok),
        (5, 0, Published::Dup),
    ] {
        let answer = link.publish(token(1), &Said { seq, ..said(number) }, "x").await;
        assert_eq!(answer, Ok(told), "turn {seq}, beat {number}");
    }
}

#[tokio::test]
async fn a_claim_tells_where_to_go_on_and_shuts_the_one_before_out() {
    let Some(server) = Running::start(&[]) else { return };
    let (mut old, mut new) = (server.link(), server.link());
    let empty = Ok(Claimed::Ok { seq: 0, frame: None });
    assert_eq!(old.claim(token(5)).await, empty);
    assert_eq!(old.claim(token(5)).await, empty, "said again");
    let silent = State { token: token(5), seq: 0, beat: 0, frame: None };
    assert_eq!(old.state().await, Ok(Some(silent)));
    for number in [1, 2, 3] {
        beat(&mut old, 5, number).await.unwrap();
    }
    let resumed = Ok(Claimed::Ok { seq: 3, frame: Some(text(3)) });
    assert_eq!(new.claim(token(9)).await, resumed);
    assert_eq!(old.claim(token(5)).await, Ok(Claimed::Stale(token(9))));
    assert_eq!(beat(&mut old, 5, 4).await, Ok(Published::Stale(token(9))));
    let claimed = ["epoch", "rev", "seq", "beat", "item", "show_at", "dwell"].map(|name| server.field(name));
    assert_eq!(claimed, ["0", "9", "3", "0", "item-3", "7", "3000"], "item and turn are untouched");
    // The new leader's beats begin anew, on the turn that was on.
    assert_eq!(new.publish(token(9), &Said { seq: 3, ..said(1) }, "x").await, Ok(Published::Ok));
    // A claim that is said again in the midst of a leadership does not take its beats back.
    new.claim(token(9)).await.unwrap();
    assert_eq!(new.publish(token(9), &Said { seq: 3, ..said(1) }, "x").await, Ok(Published::Dup));
    assert_eq!(new.publish(token(9), &Said { item: None, ..said(4) }, "x").await, Ok(Published::Ok));
    assert_eq!(server.field("item"), "");
}

#[tokio::test]
async fn a_restart_costs_nothing_but_the_identity() {
    let Some(mut server) = Running::start(&["--appendonly", "yes", "--appendfsync", "always"]) else { return };
    let mut link = server.link();
    beat(&mut link, 1, 1).await.unwrap();
    let (first, then) = (link.identity().await.unwrap(), link.time().await.unwrap());
    assert_eq!(first.len(), 40, "{first}");
    assert_eq!(link.identity().await.as_ref(), Ok(&first));
    server.restart();
    // The connection is broken, and the server knows no script any more.
    assert_eq!(beat(&mut link, 1, 2).await, Ok(Published::Ok));
    assert_ne!(link.identity().await, Ok(first));
    assert!(link.time().await.unwrap() > then);
    server.say(&["SCRIPT", "FLUSH"]);
    assert_eq!(beat(&mut link, 1, 3).await, Ok(Published::Ok));
    link.keep_board(token(1), "board").await.unwrap();
    server.say(&["SCRIPT", "FLUSH"]);
    assert_eq!(link.claim(token(2)).await, Ok(Claimed::Ok { seq: 3, frame: Some(text(3)) }));
}

#[tokio::test]
async fn what_is_foreign_is_told_and_set_aside_by_whoever_writes() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    let foreign = |key: &str| Trouble::Foreign(key.to_owned());
    for spoil in [
        &["SET", STATE_KEY, "mine"][..],
        &["RPUSH", STATE_KEY, "mine"],
        &["HSET", STATE_KEY, "name", "mine"],
        &["HSET", STATE_KEY, "epoch", "0", "rev", "-1"],
        &["HSET", STATE_KEY, "epoch", "18446744073709551616"],
        &["HSET", STATE_KEY, "epoch", "0", "beat", "1e3"],
    ] {
        server.say(&["DEL", STATE_KEY]);
        server.say(spoil);
        assert_eq!(link.state().await, Err(foreign(STATE_KEY)), "{spoil:?}");
        assert_eq!(link.claim(token(1)).await, Err(foreign(STATE_KEY)), "{spoil:?}");
        assert_eq!(link.claim(token(1)).await, Ok(Claimed::Ok { seq: 0, frame: None }), "{spoil:?}");
        assert_eq!(beat(&mut link, 1, 1).await, Ok(Published::Ok));
        assert!(matches!(server.say(&["EXISTS", &format!("{STATE_KEY}:bad")]), redis::Value::Int(1)));
    }
    server.say(&["RPUSH", BOARD_KEY, "mine"]);
    assert_eq!(link.board().await, Err(foreign(BOARD_KEY)));
    assert_eq!(link.keep_board(token(1), "board").await, Err(foreign(BOARD_KEY)));
    assert_eq!(link.keep_board(token(1), "board").await, Ok(Published::Ok));
    let told = foreign(BOARD_KEY).to_string();
    assert!(told.contains(BOARD_KEY) && told.contains("not of marquee"), "{told}");
}

#[tokio::test]
async fn what_is_too_large_or_no_text_is_neither_sent_nor_believed() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    let huge = "x".repeat(FRAME_BYTES_MAX + 1);
    let refused = link.publish(token(1), &said(1), &huge).await.unwrap_err().to_string();
    assert!(refused.contains("65537 bytes"), "{refused}");
    assert!(link.publish_news(token(1), &"x".repeat(NEWS_BYTES_MAX + 1)).await.is_err());
    assert!(link.keep_board(token(1), &"x".repeat(BOARD_BYTES_MAX + 1)).await.is_err());
    beat(&mut link, 1, 1).await.unwrap();
    server.say(&["HSET", STATE_KEY, "frame", &huge]);
    assert!(link.state().await.unwrap_err().to_string().contains("too large"));
    assert_eq!(link.claim(token(2)).await, Ok(Claimed::Ok { seq: 1, frame: None }), "nothing to go on from");
    server.say(&["EVAL", "redis.call('HSET', KEYS[1], 'frame', '\\255')", "1", STATE_KEY]);
    assert!(link.state().await.unwrap_err().to_string().contains("no text"));
    assert_eq!(link.claim(token(2)).await, Ok(Claimed::Ok { seq: 1, frame: None }));
    assert_eq!(beat(&mut link, 2, 2).await, Ok(Published::Ok), "and the next beat mends it");
    assert_eq!(kept(&server).await, Some((2, 2, 2)));
    server.say(&["EVAL", "redis.call('SET', KEYS[1], '\\255')", "1", BOARD_KEY]);
    assert!(link.board().await.unwrap_err().to_string().contains("no text"));
    // As large as one may be, with the time that it needs.
    let board = "x".repeat(BOARD_BYTES_MAX);
    assert_eq!(link.keep_board(token(2), &board).await, Ok(Published::Ok));
    assert!(link.board().await.unwrap().is_some_and(|kept| kept == board));
}

#[tokio::test]
async fn a_user_needs_no_more_than_the_manual_says() {
    let Some(server) = Running::start(&[]) else { return };
    let url = server.url_of_a_user();
    server.say(&["RPUSH", STATE_KEY, "mine"]);
    let mut link = RedisLink::new(&url, "line-3", None).unwrap();
    let mut listener = link.subscription();
    assert_eq!(listener.next().await, Heard::Subscribed);
    assert!(matches!(link.claim(token(1)).await, Err(Trouble::Foreign(_))));
    assert!(link.claim(token(1)).await.is_ok() && link.keep_board(token(1), "board").await.is_ok());
    assert!(beat(&mut link, 1, 1).await.is_ok() && link.publish_news(token(1), "news").await.is_ok());
    assert!(link.state().await.is_ok() && link.board().await.is_ok());
    assert!(link.time().await.is_ok() && link.identity().await.is_ok());
    assert_eq!(listener.next().await, Heard::Text(text(1)));
    server.say(&["ACL", "SETUSER", "board", "-info", "-publish"]);
    let mut link = RedisLink::new(&url, "line-3", None).unwrap();
    assert!(beat(&mut link, 1, 2).await.unwrap_err().to_string().contains("may not do that"));
    assert!(link.identity().await.unwrap_err().to_string().contains("may not do that"));
    assert!(link.time().await.is_ok());
}

#[test]
fn its_futures_may_move_between_threads() {
    fn moves<T: Send>(_: &T) {}
    let mut link = RedisLink::new("redis://127.0.0.1:1", "line-3", None).unwrap();
    let mut listener = link.subscription();
    moves(&listener.next());
    moves(&link.claim(token(1)));
    moves(&link.publish(token(1), &said(1), ""));
    moves(&link.keep_board(token(1), ""));
    moves(&link.publish_news(token(1), ""));
    moves(&link.state());
    moves(&link.board());
    moves(&link.time());
    moves(&link.identity());
}
