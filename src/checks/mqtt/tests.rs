//! A real broker, and liars.

use rumqttc::{AsyncClient, Event, EventLoop, Packet, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::checks::servers_tests::{PATIENCE as LONG, Server, check, run, skip, survives, until};
use crate::frame::Unit;

#[test]
fn targets_are_read() {
    let build = |target: &str| build(&CheckTarget { scheme: "mqtt", target });
    for good in ["mqtt://h/t", "mqtt://u:p@[::1]:1884/a/b%20c", "mqtt://h//leading/", "mqtt://h/$SYS/broker/uptime"] {
        assert!(build(good).is_ok(), "{good}");
    }
    for (bad, part) in [
        ("mqtt://h", "TOPIC"),
        ("mqtt://h/", "TOPIC"),
        ("mqtt://h/a/+/b", "stands for many"),
        ("mqtt://h/a/%23", "stands for many"),
        ("mqtt://u:secret@h/a#", "%23"),
        ("mqtt://u:secret@h:x/a", "port"),
        ("mqtt://u:secret@h/a?qos=1", "`qos`"),
    ] {
        let Err(BadTarget(why)) = build(bad) else { panic!("{bad} is accepted") };
        assert!(why.contains(part) && !why.contains("secret"), "{bad}: {why}");
    }
}

#[test]
fn only_numbers_are_numbers() {
    for (text, expected) in [
        ("21.5", Some(21.5)),
        (" -3 \n", Some(-3.0)),
        ("1e3", Some(1000.0)),
        ("+7", Some(7.0)),
        ("1e999", None),
        ("nan", None),
        ("-inf", None),
        ("Infinity", None),
        ("0x10", None),
        ("1,5", None),
        ("", None),
        ("21.5 C", None),
    ] {
        assert_eq!(number(text), expected, "{text:?}");
    }
}

/// A broker with the user `press` and the password `pa:ss`.
fn broker() -> Option<Server> {
    Server::start("mosquitto", |folder, port| {
        let passwords = folder.join("passwords");
        let made = std::process::Command::new("mosquitto_passwd")
            .args(["-b", "-c"])
            .arg(&passwords)
            .args(["press", "pa:ss"])
            .stderr(std::process::Stdio::null())
            .status();
        if !made.is_ok_and(|made| made.success()) {
            skip("mqtt", "mosquitto_passwd is not installed");
        }
        let owner = if rustix::process::geteuid().is_root() { "user root\n" } else { "" };
        let acl = folder.join("acl");
        std::fs::write(&acl, "user press\ntopic readwrite line/#\ntopic write hidden/#\n").unwrap();
        let text = format!(
            "{owner}listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {}\nacl_file {}\npersistence false\n",
            passwords.display(),
            acl.display()
        );
        std::fs::write(folder.join("mosquitto.conf"), text).unwrap();
        vec!["-c".into(), folder.join("mosquitto.conf").display().to_string()]
    })
}

fn at(server: &Server, topic: &str) -> Box<dyn Check> {
    check(&format!("mqtt://press:pa%3Ass@127.0.0.1:{}/{topic}", server.port))
}

/// Says something on a topic, and returns when the broker has it.
async fn say(server: &Server, topic: &str, retained: bool, payload: &[u8]) {
    let address = Address::parse(&format!("127.0.0.1:{}", server.port)).unwrap();
    let mut options = reader::options(&address, Some(("press".into(), "pa:ss".into())));
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut events) = AsyncClient::new(options, 4);
    client.publish(topic, QoS::AtLeastOnce, retained, payload).await.unwrap();
    timeout(LONG, acknowledged(&mut events)).await.unwrap();
}

async fn acknowledged(events: &mut EventLoop) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(_))) => return,
            Ok(_) => {}
            // The broker may still be starting.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn tells(wanted: Value) -> impl Fn(&Result<Measured, Fault>) -> bool {
    move |it| it.as_ref().is_ok_and(|it| it.values.get("value") == Some(&wanted))
}

fn age(measured: &Measured) -> f64 {
    match measured.values.get("age") {
        Some(Value::Number(seconds, Unit::Seconds)) => *seconds,
        other => panic!("{other:?} is no age"),
    }
}

#[tokio::test]
async fn a_real_broker_is_listened_to() {
    let Some(mut server) = broker() else { return };
    say(&server, "line/a b", true, b"21.5").await;
    let reading = at(&server, "line/a%20b");
    let measured = run(&*reading).await.unwrap();
    assert_eq!(measured.values.get("value"), Some(&Value::plain(21.5)));
    assert_eq!(measured.values.get("body"), Some(&Value::plain(21.5)));
    assert_eq!(measured.bytes, 4);
    assert!(age(&run(&*reading).await.unwrap()) > age(&measured), "an age grows between two runs");

    say(&server, "line/a b", false, br#"{"level": 3, "text": "on"}"#).await;
    let measured = until(&*reading, tells(Value::text(r#"{"level": 3, "text": "on"}"#))).await.unwrap();
    assert_eq!(measured.values.get("body.level"), Some(&Value::plain(3.0)));
    say(&server, "line/a b", false, b"\xff off ").await;
    until(&*reading, tells(Value::text("\u{fffd} off"))).await.unwrap();
    say(&server, "line/other", false, b"1").await;

    let silent = run(&*at(&server, "line/silent")).await.unwrap_err();
    assert_eq!(silent.0, format!("nothing was said on the topic yet (127.0.0.1:{})", server.port));
    // Some brokers refuse a topic aloud, this one keeps its messages back.
    assert!(run(&*at(&server, "hidden/x")).await.is_err());
    for login in ["press:secret", "nobody:secret", "press"] {
        let fault = run(&*check(&format!("mqtt://{login}@127.0.0.1:{}/line/a", server.port))).await.unwrap_err();
        assert_eq!(fault.0, format!("user or password refused (127.0.0.1:{})", server.port));
    }

    server.stop();
    until(&*reading, |it| it.as_ref().is_err_and(|it| it.0.starts_with("connection refused"))).await.unwrap_err();
    server.restart();
    // The broker forgot what was retained; what was heard is still the last that is known, and its age tells.
    let again = until(&*reading, Result::is_ok).await.unwrap();
    assert_eq!(again.values.get("value"), Some(&Value::text("\u{fffd} off")));
    say(&server, "line/a b", true, b"7").await;
    until(&*reading, tells(Value::plain(7.0))).await.unwrap();
}

#[tokio::test]
async fn a_retained_message_that_comes_again_is_no_younger() {
    let Some(mut server) = broker() else { return };
    say(&server, "line/a", true, b"5").await;
    let reading = at(&server, "line/a");
    let first = age(&run(&*reading).await.unwrap());
    server.restart();
    say(&server, "line/a", true, b"5").await;
    let second = age(&until(&*reading, tells(Value::plain(5.0))).await.unwrap());
    assert!(second > first);
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused() {
    let Some(server) = broker() else { return };
    say(&server, "line/a", true, &vec![b'x'; 64 * 1024]).await;
    let reading = at(&server, "line/a");
    let measured = run(&*reading).await.unwrap();
    assert_eq!(measured.bytes, 64 * 1024);
    assert!(matches!(measured.values.get("value"), Some(Value::Text(text)) if text.len() == TEXT_BYTES_MAX));
    for length in [64 * 1024 + 1, 300 * 1024] {
        say(&server, "line/b", true, &vec![b'x'; length]).await;
        let fault = run(&*at(&server, "line/b")).await.unwrap_err();
        assert_eq!(fault.0, format!("a message longer than 64 KiB (127.0.0.1:{})", server.port));
    }
}

#[tokio::test]
async fn a_cancelled_run_keeps_the_subscription_and_a_dropped_check_ends_it() {
    // A broker of one guest.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("mqtt://{}/t", listener.local_addr().unwrap());
    let reading = aim(&CheckTarget { scheme: "mqtt", target: &target }).unwrap();
    let mut news = reading.listen();
    let mut heard = [0; 1024];
    let (mut guest, _) = listener.accept().await.unwrap();
    assert!(guest.read(&mut heard).await.unwrap() > 0);
    guest.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    assert!(guest.read(&mut heard).await.unwrap() > 4);
    // Taken, under the number that the guest gave it.
    guest.write_all(&[0x90, 3, heard[2], heard[3], 0]).await.unwrap();
    drop(timeout(LONG, news.wait_for(|it| it.state == State::Listening)).await.unwrap().unwrap());

    assert!(timeout(Duration::from_millis(1), reading.measure()).await.is_err(), "nothing was said yet");
    guest.write_all(&[0x30, 4, 0, 1, b't', b'8']).await.unwrap();
    let measured = run(&reading).await.unwrap();
    assert_eq!(measured.values.get("value"), Some(&Value::plain(8.0)));
    drop(reading);
    let left = timeout(LONG, guest.read(&mut heard)).await.unwrap();
    assert!(left.is_ok_and(|length| length == 0), "the connection is closed");
}

#[tokio::test]
async fn liars_are_survived() {
    let starts: [&[u8]; 5] = [
        &[0x20, 2, 0, 0],
        &[0x20, 2, 0, 0, 0x30, 0xff, 0xff, 0xff, 0x7f],
        &[0x20, 2, 0, 9],
        &[0x30, 4, 0, 1, b't', b'8'],
        &[0x20, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    survives(|address| format!("mqtt://u:secret@{address}/t"), &starts).await;
}
