//! What the link says of a server that is unwell, and that it goes on when the server is well again.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rustix::process::Signal;

use super::*;

/// Fills the server's disk, and waits until it refuses writes.
pub(super) async fn fill_disk(server: &Running, link: &mut RedisLink) {
    server.fill_disk();
    let mut number = 0;
    loop {
        number += 1;
        match beat(link, 1, number).await {
            Err(trouble) if trouble.to_string().contains("MISCONF") => return,
            answered => assert!(answered.is_ok(), "{answered:?}"),
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_told_while_reading_goes_on() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    fill_disk(&server, &mut link).await;
    assert!(link.claim(token(2)).await.unwrap_err().to_string().contains("its own disk is full"));
    assert!(link.keep_board(token(1), "x").await.unwrap_err().to_string().contains("MISCONF"));
    // Over a new connection as well, whose first question is none that a full disk refuses.
    let mut reader = server.link();
    assert!(reader.state().await.unwrap().is_some());
    assert_eq!(reader.board().await, Ok(None));
    assert!(reader.time().await.is_ok() && reader.identity().await.is_ok());
    server.say(&["CONFIG", "SET", "save", ""]);
    assert_eq!(beat(&mut link, 2, 1).await, Ok(Published::Ok));
}

#[tokio::test]
async fn what_the_server_refuses_is_told_in_plain_words_and_passes() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    beat(&mut link, 1, 1).await.unwrap();
    for (number, spoil, mend, word) in [
        (2, &["CONFIG", "SET", "maxmemory", "1"][..], &["CONFIG", "SET", "maxmemory", "0"][..], "OOM"),
        (3, &["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"], "READONLY"),
        (
            4,
            &["CONFIG", "SET", "min-replicas-to-write", "1"],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
            "NOREPLICAS",
        ),
    ] {
        server.say(spoil);
        let told = beat(&mut link, 1, number).await.unwrap_err().to_string();
        let address = link.address();
        assert!(told.starts_with(&format!("can't publish the beat over Redis ({address}): ")), "{told}");
        assert!(told.contains(word), "{told}");
        assert!(link.claim(token(number)).await.is_err(), "{word}");
        assert_eq!(kept(&server).await, Some((1, number - 1, number - 1)), "reading goes on: {word}");
        server.say(mend);
        assert_eq!(beat(&mut link, 1, number).await, Ok(Published::Ok));
    }
}

#[tokio::test]
async fn a_busy_server_is_told_and_passes() {
    let Some(server) = Running::start(&["--busy-reply-threshold", "1"]) else { return };
    let mut link = server.link();
    let script = server.keep_busy();
    let mut number = 0;
    loop {
        number += 1;
        match beat(&mut link, 1, number).await {
            Err(trouble) if trouble.to_string().contains("BUSY") => break,
            _ => {}
        }
    }
    assert!(server.link().state().await.unwrap_err().to_string().contains("BUSY"), "over a new connection too");
    server.say(&["SCRIPT", "KILL"]);
    assert!(script.join().unwrap());
    while beat(&mut link, 1, number + 1).await.is_err() {}
}

#[tokio::test]
async fn a_server_that_thaws_finds_one_old_beat_at_most() {
    let Some(server) = Running::start(&[]) else { return };
    let mut link = server.link();
    let mut listener = link.subscription();
    assert_eq!(listener.next().await, Heard::Subscribed);
    beat(&mut link, 1, 1).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(1)));
    server.signal(Signal::STOP);
    for number in 2..5 {
        let told = beat(&mut link, 1, number).await.unwrap_err().to_string();
        assert!(told.ends_with("it did not answer in time"), "{told}");
    }
    assert!(link.time().await.is_err());
    server.signal(Signal::CONT);
    assert_eq!(beat(&mut link, 1, 5).await, Ok(Published::Ok), "the answer is that of this beat");
    assert!(link.time().await.is_ok());
    assert_eq!(kept(&server).await, Some((1, 5, 5)));
    // The one that was on its way when the server froze may be heard, those after it never.
    loop {
        match listener.next().await {
            Heard::Text(heard) if heard == text(5) => break,
            Heard::Text(heard) => assert_eq!(heard, text(2)),
            // Where the listener noticed the freeze first, the state is what it reads.
            Heard::Subscribed => break,
            Heard::Lost(_) => {}
            Heard::TooLarge(bytes) => panic!("{bytes} bytes"),
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_and_never_repeated() {
    let Some(server) = Running::start(&["--requirepass", "right"]) else { return };
    for (login, told) in [
        (":wr0ng@", "user or password refused"),
        ("us3r:wr0ng@", "user or password refused"),
        ("", "it asks for a password"),
    ] {
        let mut link = RedisLink::new(&format!("redis://{login}127.0.0.1:{}", server.port), "line-3", None).unwrap();
        let error = beat(&mut link, 1, 1).await.unwrap_err().to_string();
        assert_eq!(error, format!("can't publish the beat over Redis (127.0.0.1:{}): {told}", server.port));
        let Heard::Lost(lost) = link.subscription().next().await else { panic!("it is heard") };
        assert!(lost.ends_with(told), "{lost}");
    }
    let url = format!("redis://:right@127.0.0.1:{}/3", server.port);
    let mut link = RedisLink::new(&url, "line-3", None).unwrap();
    let mut listener = link.subscription();
    assert_eq!(listener.next().await, Heard::Subscribed);
    beat(&mut link, 1, 1).await.unwrap();
    assert_eq!(listener.next().await, Heard::Text(text(1)));
}

#[tokio::test]
async fn tls_is_spoken_and_what_is_wrong_with_it_is_told() {
    for (name, told) in [("localhost", None), ("elsewhere", Some("its certificate is for another name"))] {
        let Some(encrypted) = Encrypted::start(name, &["--requirepass", "right"]) else { return };
        let Encrypted { server, port, trusted, .. } = &encrypted;
        let url = format!("rediss://:right@localhost:{port}/2");
        let open = |url: &str| RedisLink::new(url, "line-3", Some(trusted.clone())).unwrap();
        let mut link = open(&url);
        let (answered, heard) = (beat(&mut link, 1, 1).await, link.subscription().next().await);
        match (told, answered, heard) {
            (None, Ok(Published::Ok), Heard::Subscribed) => {}
            (Some(told), Err(Trouble::Told(error)), Heard::Lost(lost)) => {
                assert!(error.ends_with(told) && lost.ends_with(told), "{error}; {lost}");
            }
            odd => panic!("{odd:?}"),
        }
        // Without that certificate among the trusted ones nobody is believed.
        let mut stranger = RedisLink::new(&url, "line-3", None).unwrap();
        let stranger = beat(&mut stranger, 1, 2).await.unwrap_err().to_string();
        assert!(["unknown issuer", "no TLS"].iter().any(|part| stranger.contains(part)), "{stranger}");
        let plain = open(&format!("rediss://localhost:{}", server.port)).time().await.unwrap_err().to_string();
        assert!(plain.contains("does it speak TLS there?"), "{plain}");
        let encrypted = open(&format!("redis://localhost:{port}")).time().await.unwrap_err().to_string();
        assert!(encrypted.contains("it closed the connection"), "{encrypted}");
    }
}

#[tokio::test]
async fn an_absent_server_is_told_at_once_and_used_when_it_comes() {
    let Some(mut server) = Running::start(&[]) else { return };
    server.stop();
    let mut link = server.link();
    let told = beat(&mut link, 1, 1).await.unwrap_err().to_string();
    assert!(told.ends_with("connection refused"), "{told}");
    assert_eq!(link.identity().await.unwrap_err().to_string().rsplit(": ").next(), Some("connection refused"));
    server.restart();
    assert_eq!(beat(&mut link, 1, 1).await, Ok(Published::Ok));
}

#[tokio::test]
async fn a_server_that_loads_and_one_that_is_none_are_told() {
    for (answer, told) in [
        (&b"-LOADING Redis is loading the dataset in memory\r\n"[..], "still loading its data"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answers there is no Redis"),
        (b"*1\r\n$3\r\nODD\r\n", "what answers there is no Redis"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let liar = tokio::task::spawn_blocking(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.read(&mut [0; 4096]).is_ok_and(|bytes| bytes > 0) && stream.write_all(answer).is_ok() {}
        });
        let mut link = RedisLink::new(&url, "x", None).unwrap();
        let error = beat(&mut link, 1, 1).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        // The connection ends with the link.
        drop(link);
        liar.await.unwrap();
    }
    for url in ["redis://", "http://h", "nonsense", "redis+unix:///a/socket"] {
        assert!(RedisLink::new(url, "x", None).is_err(), "{url}");
    }
}
