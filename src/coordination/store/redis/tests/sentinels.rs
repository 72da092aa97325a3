//! The Redis store by way of sentinels, real ones where they decide and scripted ones where they lie.

use std::sync::{Arc, Mutex};

use super::*;
use crate::coordination::redis::testing::sentinels::{Sentinel, liar, liar_of, names, pair, watched_pair};

fn by(login: &str, sentinels: &[u16], name: &str) -> RedisStore {
    let told: Vec<_> = sentinels.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    RedisStore::new(&format!("redis+sentinel://{login}{}/{name}", told.join(",")), "line-3").unwrap()
}

#[test]
fn the_store_goes_on_with_whoever_is_the_primary() {
    let Some((mut first, second, sentinel)) = watched_pair() else { return };
    // One sentinel of the two is not there at all.
    let mut store = by("", &[free_port(), sentinel.port], "board");
    store.keep_current(&turn(1, 1)).unwrap();
    store.keep_board(&board(1)).unwrap();
    assert_eq!(first.field("seq"), "1");

    first.stop();
    assert!(store.keep_current(&turn(1, 2)).is_err(), "nobody leads to a primary yet");
    until(|| store.keep_current(&turn(1, 2)).is_ok());
    assert_eq!(second.field("seq"), "2");
    assert_eq!(seq(&mut by("", &[sentinel.port], "board")), Some(2));
}

#[test]
fn a_primary_that_became_a_replica_is_left_when_it_refuses() {
    let Some(first) = Server::start(&[]) else { return };
    let Some(second) = Server::start(&[]) else { return };
    let said = Arc::new(Mutex::new(names("127.0.0.1", &first.port.to_string())));
    let sentinel = liar_of(Arc::clone(&said));
    let mut store = by("", &[sentinel], "board");
    store.keep_current(&turn(1, 1)).unwrap();
    first.say(&["REPLICAOF", "127.0.0.1", &second.port.to_string()]);
    let told = store.keep_current(&turn(1, 2)).unwrap_err().reason;
    assert!(told.ends_with(&format!("127.0.0.1:{}: it is a replica", first.port)), "{told}");
    *said.lock().unwrap() = names("127.0.0.1", &second.port.to_string());
    store.keep_current(&turn(1, 2)).unwrap();
    assert_eq!(second.field("seq"), "2");
}

#[test]
fn a_silent_sentinel_holds_nobody_up_and_a_lying_one_leads_nowhere() {
    let Some((first, second)) = pair() else { return };
    // The system takes its connections, and nobody reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().port();
    let honest = liar(names("127.0.0.1", &first.port.to_string()));
    let stale = liar(names("127.0.0.1", &second.port.to_string()));
    let hostile = liar(names("a\u{1b}[31m", "6379"));
    let unknown = liar("*-1\r\n".into());
    let mut store = by("", &[silent, stale, hostile, unknown, honest], "board");
    assert!(!store.load().unread, "the first look has a third of a second");
    store.keep_current(&turn(1, 1)).unwrap();
    assert_eq!(first.field("seq"), "1");

    let gone = free_port();
    let no_redis = liar("HTTP/1.1 400 Bad Request\r\n\r\n".into());
    let (dead, replica) = (liar(names("127.0.0.1", &gone.to_string())), second.port);
    for (sentinels, told) in [
        (&[gone][..], "no sentinel answers: connection refused".to_owned()),
        (&[silent, gone], "no sentinel answers: it did not answer in time".into()),
        (&[no_redis], "no sentinel answers: what answers there is no Redis".into()),
        (&[hostile], "no sentinel answers: it names a server that can't be one".into()),
        (&[gone, unknown], "the sentinels know no server called board".into()),
        (&[dead, unknown], format!("the primary that the sentinels name, 127.0.0.1:{gone}: connection refused")),
        (&[stale, gone], format!("the primary that the sentinels name, 127.0.0.1:{replica}: it is a replica")),
    ] {
        assert_eq!(by("", sentinels, "board").keep_current(&turn(1, 2)).unwrap_err().reason, told);
    }
    let address = by(":secret@", &[gone], "board/3").address().to_owned();
    assert_eq!(address, format!("board by its sentinels 127.0.0.1:{gone}"));
}

#[test]
fn a_frozen_primary_is_told_until_another_one_is_there() {
    let Some(server) = Server::start(&[]) else { return };
    let sentinel = liar(names("127.0.0.1", &server.port.to_string()));
    let (mut store, mut fresh) = (by("", &[sentinel], "board"), by("", &[sentinel], "board"));
    store.keep_current(&turn(1, 1)).unwrap();
    server.signal(Signal::STOP);
    assert_eq!(store.keep_current(&turn(1, 2)).unwrap_err().reason, "it did not answer in time");
    let told = fresh.keep_current(&turn(1, 2)).unwrap_err().reason;
    let named = format!("the primary that the sentinels name, 127.0.0.1:{}: it did not answer in time", server.port);
    assert_eq!(told, named);
    server.signal(Signal::CONT);
    store.keep_current(&turn(1, 2)).unwrap();
}

#[test]
fn sentinels_that_ask_for_a_password_get_the_servers() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else { return };
    let open = Sentinel::start(server.port, &["sentinel auth-pass board right"]);
    let closed = Sentinel::start(server.port, &["sentinel auth-pass board right", "requirepass right"]);
    for port in [open.port, closed.port] {
        by(":right@", &[port], "board/2").keep_current(&turn(1, 1)).unwrap();
        let told = by(":wr0ng@", &[port], "board").keep_current(&turn(1, 2)).unwrap_err().to_string();
        assert!(told.ends_with("user or password refused") && !told.contains("wr0ng"), "{told}");
        let told = by("", &[port], "board").keep_current(&turn(1, 2)).unwrap_err().to_string();
        assert!(told.ends_with("it asks for a password"), "{told}");
        let told = by(":right@", &[port], "other").keep_current(&turn(1, 2)).unwrap_err().to_string();
        assert!(told.ends_with("the sentinels know no server called other"), "{told}");
    }
}

#[test]
fn sentinels_and_server_are_asked_over_tls() {
    let Some(encrypted) = Encrypted::start("127.0.0.1", &[]) else { return };
    let (guard, [cert, key, ca]) = (free_port(), &encrypted.files);
    let lines = [
        format!("tls-port {guard}\ntls-auth-clients no\ntls-replication yes"),
        format!("tls-cert-file {cert}\ntls-key-file {key}\ntls-ca-cert-file {ca}"),
    ];
    let _sentinel = Sentinel::start(encrypted.port, &lines.each_ref().map(String::as_str));
    let url = format!("rediss+sentinel://127.0.0.1:{guard}/board");
    RedisStore::trusting(&url, "line-3", Some(encrypted.trusted.clone())).unwrap().keep_current(&turn(1, 1)).unwrap();
    let stranger = RedisStore::new(&url, "line-3").unwrap().keep_current(&turn(1, 2)).unwrap_err();
    assert!(["unknown issuer", "no TLS"].iter().any(|part| stranger.reason.contains(part)), "{stranger}");
}
