//! The Redis store against a real server, and against none.

use std::net::TcpListener;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;

use super::super::contract::{self, board, current};
use super::*;
use crate::coordination::redis::testing::{Encrypted, Server, free_port, until};

mod sentinels;

impl Server {
    fn store(&self) -> RedisStore {
        RedisStore::new(&self.url(), "line-3").unwrap()
    }
}

fn turn(fence: u64, seq: u64) -> Current {
    Current { fence, ..current(seq) }
}

fn seq(store: &mut RedisStore) -> Option<u64> {
    store.load().snapshot.map(|snapshot| snapshot.current.seq)
}

#[test]
fn keeps_the_stores_promises() {
    let Some(server) = Server::start(&[]) else { return };
    let (url, count) = (server.url(), Rc::new(AtomicUsize::new(0)));
    contract::holds(&|| {
        let (url, slug) = (url.clone(), format!("b{}", count.fetch_add(1, Ordering::Relaxed)));
        Box::new(move || Box::new(RedisStore::new(&url, &slug).unwrap()))
    });
}

#[test]
fn a_lower_fence_is_refused_and_a_repeated_turn_is_none() {
    let Some(server) = Server::start(&[]) else { return };
    let mut store = server.store();
    for (fence, turn_seq, kept, stored) in
        [(5, 1, true, 1), (5, 2, true, 2), (5, 2, true, 2), (4, 99, false, 2), (9, 1, true, 1), (5, 3, false, 1)]
    {
        let told = store.keep_current(&turn(fence, turn_seq));
        assert_eq!(told.is_ok(), kept, "{fence}.{turn_seq}: {told:?}");
        assert!(told.err().is_none_or(|error| error.to_string().contains("newer fence")));
        assert_eq!(seq(&mut server.store()), Some(stored), "{fence}.{turn_seq}");
    }
    assert!(store.keep_board(&board(1)).is_err(), "nor does the board of a lower fence get in");
    assert_eq!(server.store().load().snapshot.unwrap().board, BoardSnapshot::default());
}

#[test]
fn what_is_stored_can_be_read_by_others_and_is_published() {
    let Some(server) = Server::start(&[]) else { return };
    server.store().keep_current(&turn(7, 3)).unwrap();
    let fields = ["epoch", "rev", "seq", "item", "show_at", "dwell"].map(|name| server.field(name));
    assert_eq!(fields, ["0", "7", "3", "item-3", "3", "3000"]);
    assert!(server.field("frame").starts_with("{\"format\":\"marquee\",\"kind\":\"current\",\"version\":1,"));

    let client = redis::Client::open(server.url()).unwrap();
    let mut listener = client.get_connection().unwrap();
    let mut listener = listener.as_pubsub();
    listener.subscribe("marquee:{line-3}:frames").unwrap();
    server.store().keep_current(&turn(7, 4)).unwrap();
    let heard: String = listener.get_message().unwrap().get_payload().unwrap();
    assert_eq!(heard, server.field("frame"));
}

#[test]
fn a_restart_between_two_writes_costs_nothing() {
    let Some(mut server) = Server::start(&["--appendonly", "yes"]) else { return };
    let mut store = server.store();
    store.keep_current(&turn(1, 1)).unwrap();
    server.restart();
    // The connection is broken, and the server knows no script any more.
    store.keep_current(&turn(1, 2)).unwrap();
    store.keep_board(&board(2)).unwrap();
    server.say(&["SCRIPT", "FLUSH"]);
    store.keep_current(&turn(1, 3)).unwrap();
    assert_eq!(seq(&mut store), Some(3));
}

#[test]
fn a_server_that_comes_late_is_taken_over() {
    let Some(mut server) = Server::start(&["--appendonly", "yes"]) else { return };
    server.store().keep_current(&turn(6, 900)).unwrap();
    server.stop();
    let mut late = server.store().taking_over();
    let loaded = late.load();
    assert!(loaded.unread && loaded.snapshot.is_none());
    assert_eq!(
        loaded.troubles,
        [format!(
            "can't read the state from Redis (127.0.0.1:{}): connection refused; the board begins without it",
            server.port
        )]
    );
    assert!(late.keep_current(&turn(1, 1)).is_err());
    server.restart();
    late.keep_current(&turn(1, 1)).unwrap();
    late.keep_board(&board(3)).unwrap();
    let found = server.store().load().snapshot.unwrap();
    assert_eq!((found.current.fence, found.current.seq, found.board), (7, 1, board(3)));

    // Whoever comes next takes it from there, and the one before is told.
    let mut next = server.store().taking_over();
    assert_eq!(next.load().snapshot.unwrap().current.fence, 7);
    next.keep_current(&turn(0, 5)).unwrap();
    assert!(late.keep_current(&turn(1, 2)).is_err_and(|error| error.reason.contains("newer fence")));
    assert!(late.keep_board(&board(4)).is_err());
}

#[test]
fn a_frozen_server_holds_nobody_up() {
    let Some(server) = Server::start(&[]) else { return };
    let (mut connected, mut fresh) = (server.store(), server.store());
    connected.keep_current(&turn(1, 1)).unwrap();
    server.signal(Signal::STOP);
    // Each comes back at all: an unbounded wait would never end here.
    for told in [connected.keep_current(&turn(1, 2)), fresh.keep_current(&turn(1, 2)), connected.keep_board(&board(1))]
    {
        assert_eq!(told.unwrap_err().reason, "it did not answer in time");
    }
    assert!(server.store().load().unread);
    server.signal(Signal::CONT);
    connected.keep_current(&turn(1, 3)).unwrap();
    assert_eq!(seq(&mut server.store()), Some(3));
}

#[test]
fn what_the_server_refuses_is_told_in_plain_words_and_passes() {
    let Some(server) = Server::start(&["--enable-debug-command", "yes"]) else { return };
    let mut store = server.store();
    store.keep_current(&turn(1, 1)).unwrap();
    let mut seq = 1;
    for (spoil, mend, word) in [
        (&["CONFIG", "SET", "maxmemory", "1"][..], &["CONFIG", "SET", "maxmemory", "0"][..], "OOM"),
        (&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"], "READONLY"),
        (
            &["CONFIG", "SET", "min-replicas-to-write", "1"],
            &["CONFIG", "SET", "min-replicas-to-write", "0"],
            "NOREPLICAS",
        ),
    ] {
        server.say(spoil);
        seq += 1;
        let told = store.keep_current(&turn(1, seq)).unwrap_err();
        assert!(told.reason.contains(word), "{told}");
        assert!(store.keep_board(&board(seq)).is_err());
        assert_eq!(store.load().troubles, Vec::<String>::new(), "reading goes on: {word}");
        server.say(mend);
        store.keep_current(&turn(1, seq)).unwrap();
    }
}

#[test]
fn a_full_disk_and_a_busy_script_are_told() {
    let Some(server) = Server::start(&[]) else { return };
    let mut store = server.store();
    store.keep_current(&turn(1, 1)).unwrap();
    server.fill_disk();
    let mut count = 1;
    until(|| {
        count += 1;
        store.keep_current(&turn(1, count)).is_err_and(|error| error.reason.contains("MISCONF"))
    });
    server.say(&["CONFIG", "SET", "save", ""]);
    store.keep_current(&turn(1, count + 1)).unwrap();

    server.say(&["CONFIG", "SET", "busy-reply-threshold", "1"]);
    let script = server.keep_busy();
    until(|| store.keep_current(&turn(1, count + 2)).is_err_and(|error| error.reason.contains("BUSY")));
    server.say(&["SCRIPT", "KILL"]);
    assert!(script.join().unwrap());
    until(|| store.keep_current(&turn(1, count + 2)).is_ok());
}

#[test]
fn a_wrong_password_is_told_and_never_repeated() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else { return };
    for (login, told) in [
        (":wr0ng@", "user or password refused"),
        ("us3r:wr0ng@", "user or password refused"),
        ("", "it asks for a password"),
    ] {
        let url = format!("redis://{login}127.0.0.1:{}", server.port);
        let mut store = RedisStore::new(&url, "line-3").unwrap().taking_over();
        assert_eq!(store.about(), Err(told.to_owned()));
        let error = store.keep_current(&turn(1, 1)).unwrap_err().to_string();
        assert_eq!(error, format!("can't keep the state in Redis (127.0.0.1:{}): {told}", server.port));
        assert!(store.load().unread);
    }
    let mut store = RedisStore::new(&format!("redis://:right@127.0.0.1:{}/3", server.port), "line-3").unwrap();
    store.keep_current(&turn(1, 1)).unwrap();
    assert!(store.about().unwrap().version.is_some());
}

#[test]
fn what_is_foreign_or_damaged_is_set_aside_and_told() {
    let Some(server) = Server::start(&[]) else { return };
    let (state, kept) = ("marquee:{line-3}:state", "marquee:{line-3}:board");
    let huge = "x".repeat(FRAME_BYTES_MAX + 1);
    for (spoil, told) in [
        (&["SET", state, "foreign"][..], "it is no state of marquee"),
        (&["HSET", state, "name", "foreign"], "it is empty"),
        (&["HSET", state, "frame", "{}"], "it is cut short or no state of marquee"),
        (&["HSET", state, "frame", &huge], "it is too large"),
        (&["LPUSH", kept, "foreign"], "it is no state of marquee"),
        (&["SET", kept, "foreign"], "it is cut short or no state of marquee"),
    ] {
        let key = spoil[1];
        server.say(&["FLUSHALL"]);
        server.say(spoil);
        let mut store = server.store().taking_over();
        assert_eq!(
            store.load(),
            Loaded {
                troubles: vec![format!("can't use {key} in Redis: {told}; it is set aside as {key}:bad")],
                ..Loaded::default()
            }
        );
        assert_eq!(server.store().load(), Loaded::default(), "told once");
        store.keep_current(&turn(1, 1)).unwrap();
        store.keep_board(&board(1)).unwrap();
    }
    // One that comes while the board runs is out of the way for the next write.
    let mut store = server.store();
    server.say(&["SET", state, "foreign"]);
    assert!(store.keep_current(&turn(1, 1)).unwrap_err().reason.contains("set aside"));
    store.keep_current(&turn(1, 1)).unwrap();
    // Numbers that are none order nobody.
    server.say(&["HSET", state, "rev", "x", "seq", "99999999999999999999999"]);
    store.keep_current(&turn(1, 2)).unwrap();
    assert_eq!(seq(&mut store), Some(2));
}

#[test]
fn what_is_no_redis_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let liar = std::thread::Builder::new().spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 64]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let mut store = RedisStore::new(&format!("redis://u:p@127.0.0.1:{port}"), "x").unwrap();
    let told = store.keep_current(&turn(1, 1)).unwrap_err().reason;
    assert_eq!(told, "what answers there is no Redis");
    liar.unwrap().join().unwrap();
    assert!(RedisStore::new("redis://", "x").is_err());
    assert!(RedisStore::new("http://h", "x").is_err());
}

#[test]
fn tls_is_spoken_and_what_is_wrong_with_it_is_told() {
    for (name, told) in [("localhost", None), ("elsewhere", Some("its certificate is for another name"))] {
        let Some(encrypted) = Encrypted::start(name, &["--requirepass", "right"]) else { return };
        let Encrypted { server, port, trusted, .. } = &encrypted;
        let url = format!("rediss://:right@localhost:{port}/2");
        let open = |url: &str| RedisStore::trusting(url, "line-3", Some(trusted.clone())).unwrap();
        let kept = open(&url).keep_current(&turn(1, 1));
        assert_eq!(kept.as_ref().err().map(|error| error.reason.as_str()), told);
        assert_eq!(seq(&mut open(&url)), told.is_none().then_some(1));
        // Without that certificate among the trusted ones nobody is believed.
        let stranger = RedisStore::new(&url, "line-3").unwrap().keep_current(&turn(1, 2)).unwrap_err();
        assert!(["unknown issuer", "no TLS"].iter().any(|part| stranger.reason.contains(part)), "{stranger}");
        let plain = open(&format!("rediss://localhost:{}", server.port)).about().unwrap_err();
        assert!(plain.contains("does it speak TLS there?"), "{plain}");
        let encrypted = open(&format!("redis://localhost:{port}")).about().unwrap_err();
        assert_eq!(encrypted, "it closed the connection");
    }
}

#[test]
fn a_user_needs_no_more_than_the_manual_says() {
    let Some(server) = Server::start(&[]) else { return };
    let url = server.url_of_a_user();
    let mut store = RedisStore::new(&format!("{url}/1"), "line-3").unwrap();
    store.about().unwrap();
    assert_eq!(store.load(), Loaded::default());
    store.keep_current(&turn(1, 1)).unwrap();
    store.keep_board(&board(1)).unwrap();
    server.say(&["ACL", "SETUSER", "board", "-publish"]);
    let told = store.keep_current(&turn(1, 2)).unwrap_err();
    assert!(told.reason.contains("may not do that"), "{told}");
}

#[test]
fn a_leaders_beat_and_its_claim_are_gone_on_from() {
    use crate::coordination::Token;
    use crate::coordination::link::redis::{BEAT_HEAD, Claimed, RedisLink, Said};
    let Some(server) = Server::start(&[]) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut link = RedisLink::new(&server.url(), "line-3", None).unwrap();
    let token = Token { epoch: 3, rev: 70 };
    runtime.block_on(link.claim(token)).unwrap();
    // A claim alone is nothing to go on from, and stays where it is: the fence is in it.
    assert_eq!(server.store().load(), Loaded::default());
    let beat = format!("{BEAT_HEAD}\"more\":true}}\n");
    for item in [Some("press.4"), None] {
        let item = item.map(str::to_owned);
        let number = if item.is_some() { 1 } else { 2 };
        let said = Said { seq: 12, beat: number, item: item.clone(), show_at_ms: 1_000, dwell_ms: 2_500 };
        runtime.block_on(link.publish(token, &said, &beat)).unwrap();
        let expected = Current {
            seq: 12,
            item: item.and_then(|id| crate::kernel::board::ItemId::new(&id).ok()),
            show_at: crate::kernel::Moment::from_unix_millis(1_000),
            dwell: crate::kernel::Span::from_millis(2_500),
            fence: 70,
        };
        let loaded = server.store().load();
        assert_eq!(loaded.snapshot.map(|snapshot| snapshot.current), Some(expected));
        assert_eq!(loaded.troubles, Vec::<String>::new());
        assert_eq!(server.field("frame"), beat, "it is not set aside");
    }
    // A board that is alone again comes after the leader, and a leader after it.
    let mut alone = server.store().taking_over();
    assert_eq!(alone.load().snapshot.unwrap().current.seq, 12);
    alone.keep_current(&turn(0, 13)).unwrap();
    let order = ["epoch", "rev", "seq"].map(|name| server.field(name));
    assert_eq!(order, ["3", "71", "13"]);
    let claimed = runtime.block_on(link.claim(Token { epoch: 3, rev: 80 })).unwrap();
    assert!(matches!(&claimed, Claimed::Ok { seq: 13, frame: Some(frame) } if frame.contains("\"kind\":\"current\"")));
    // Fields that are none are told, and set aside with the beat.
    for (name, value, why) in [("item", "A B", "`item` is no id"), ("show_at", "soon", "fields are no turn")] {
        server.say(&["DEL", "marquee:{line-3}:state"]);
        let said = Said { seq: 1, beat: 1, item: None, show_at_ms: 1, dwell_ms: 1 };
        runtime.block_on(link.publish(token, &said, &beat)).unwrap();
        server.say(&["HSET", "marquee:{line-3}:state", name, value]);
        let loaded = server.store().load();
        assert!(loaded.snapshot.is_none() && loaded.troubles[0].contains(why), "{:?}", loaded.troubles);
    }
}
