//! What a listener hears, and how it comes back.

use std::time::Duration;

use futures_util::FutureExt as _;
use rustix::process::Signal;

use super::*;

#[tokio::test]
async fn what_is_accepted_is_heard_and_nothing_else() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    let mut listener = link.subscription();
    assert_eq!(listener.next().await, Heard::Subscribed);
    beat(&mut link, 5, 1).await.unwrap();
    beat(&mut link, 5, 1).await.unwrap();
    beat(&mut link, 4, 2).await.unwrap();
    link.publish_news(token(4), "stale").await.unwrap();
    link.keep_board(token(5), "board").await.unwrap();
    link.claim(token(5)).await.unwrap();
    let news = "n".repeat(NEWS_BYTES_MAX);
    link.publish_news(token(5), &news).await.unwrap();
    let channel = "marquee:{line-3}:frames";
    server.say(&["PUBLISH", channel, &"x".repeat(10 * NEWS_BYTES_MAX)]);
    server.say(&["PUBLISH", channel, &format!("{BEAT_HEAD}{}", "x".repeat(FRAME_BYTES_MAX))]);
    server.say(&["PUBLISH", "marquee:{line-4}:frames", "another board"]);
    server.say(&["EVAL", "redis.call('PUBLISH', ARGV[1], '\\255')", "0", channel]);
    beat(&mut link, 5, 2).await.unwrap();
    for heard in [
        Heard::Text(text(1)),
        Heard::Text(news),
        Heard::TooLarge(10 * NEWS_BYTES_MAX),
        Heard::TooLarge(BEAT_HEAD.len() + FRAME_BYTES_MAX),
        Heard::Text("\u{fffd}".to_owned()),
        Heard::Text(text(2)),
    ] {
        assert_eq!(listener.next().await, heard);
    }
}

#[tokio::test]
async fn a_listener_comes_back_after_a_restart_and_after_a_freeze() {
    let Some(mut server) = Running::start(&["--appendonly", "yes"]) else { return };
    let mut link = server.link();
    let mut listener = link.subscription();
    assert_eq!(listener.next().await, Heard::Subscribed);
    server.stop();
    let address = link.address().to_owned();
    let lost = |why: &str| Heard::Lost(format!("can't hear the other consoles over Redis ({address}): {why}"));
    assert_eq!(listener.next().await, lost("it closed the connection"));
    assert_eq!(listener.next().await, lost("connection refused"));
    server.restart();
    assert_eq!(listener.next().await, Heard::Subscribed);
    beat(&mut link, 1, 1).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(1)));

    server.signal(Signal::STOP);
    assert_eq!(listener.next().await, lost("it did not answer in time"));
    server.signal(Signal::CONT);
    assert_eq!(listener.next().await, Heard::Subscribed);
    beat(&mut link, 1, 2).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(2)));
}

#[tokio::test]
async fn a_listener_that_is_looked_at_now_and_then_misses_nothing() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    let mut listener = link.subscription();
    let mut heard = Vec::new();
    let mut number = 0;
    // Each future is dropped after one look, also while the connection is being made.
    while heard.len() < 50 {
        if let Some(Heard::Text(text)) = listener.next().now_or_never() {
            heard.push(text);
        }
        if heard.is_empty() || number < 50 + heard.len() as u64 {
            number += 1;
            beat(&mut link, 1, number).await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    let first: u64 = heard[0].trim_end_matches('}').rsplit(':').next().unwrap().parse().unwrap();
    let all: Vec<_> = (first..first + 50).map(text).collect();
    assert_eq!(heard, all);
}

#[tokio::test]
async fn a_quiet_server_with_a_full_disk_is_no_lost_one() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    let mut listener = link.subscription();
    assert_eq!(listener.next().await, Heard::Subscribed);
    unwell::fill_disk(&server, &mut link).await;
    // Time enough for a sign of life, which a full disk makes PING refuse.
    let heard = async { while let Heard::Text(_) = listener.next().await {} };
    assert!(tokio::time::timeout(Duration::from_secs(3), heard).await.is_err(), "the connection was given up");
}
