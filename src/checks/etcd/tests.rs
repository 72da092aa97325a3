//! A real etcd, answers as other versions give them, and liars.

use super::*;
use crate::checks::servers_tests::{Server, check, free_port, run, survives, until};

#[test]
fn targets_are_one_address_or_several() {
    let build = |target: &str| build(&CheckTarget { scheme: "etcd", target });
    for good in ["etcd://h", "etcd://h:1,[::1],10.0.0.7:2380"] {
        assert!(build(good).is_ok(), "{good}");
    }
    for bad in ["etcd://", "etcd://h,", "etcd://h:x", "etcd://h/key", "etcd://u:p@h", "etcd://::1"] {
        assert!(build(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_status_is_read_as_every_version_writes_it() {
    let told = |body: &str| {
        let values = tell(body.as_bytes())?;
        Some(values.iter().map(|(name, value)| format!("{name}={value} ")).collect::<String>())
    };
    for (body, expected) in [
        (
            r#"{"header":{"member_id":"1"},"version":"3.4.23","dbSize":"20480","leader":"10276657743932975437"}"#,
            Some("leader=8e9e05c52164694d db_size=20.0 KiB version=3.4.23 "),
        ),
        (r#"{"version":"3.6.0","db_size":"1024"}"#, Some("leader=none db_size=1.0 KiB version=3.6.0 ")),
        (r#"{"version":"3.4.23","leader":"0"}"#, Some("leader=none db_size=0 B version=3.4.23 ")),
        (r#"{"version":"3.4.23","leader":"x"}"#, None),
        (r#"{"leader":"1"}"#, None),
        ("OK", None),
    ] {
        assert_eq!(told(body).as_deref(), expected, "{body}");
    }
}

#[test]
fn refusals_are_told_in_the_member_s_own_words() {
    assert_eq!(
        refusal(503, br#"{"error":"no leader","message":"etcdserver: no leader"}"#),
        "refused: etcdserver: no leader"
    );
    assert_eq!(refusal(404, b"404 page not found"), "no etcd 3 with a JSON gateway");
    assert_eq!(refusal(400, b"<html>"), "no etcd answer: HTTP 400");
}

fn start() -> Option<Server> {
    Server::start("etcd", |folder, port| {
        let client = format!("http://127.0.0.1:{port}");
        let peer = format!("http://127.0.0.1:{}", free_port());
        let pairs = [
            ("--data-dir", folder.join("data").display().to_string()),
            ("--listen-client-urls", client.clone()),
            ("--advertise-client-urls", client),
            ("--listen-peer-urls", peer.clone()),
            ("--initial-advertise-peer-urls", peer.clone()),
            ("--initial-cluster", format!("default={peer}")),
        ];
        pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    })
}

#[tokio::test]
async fn a_real_member_is_asked_and_the_first_that_answers_is_told() {
    let Some(mut server) = start() else { return };
    let led = |result: &Result<Measured, Fault>| {
        result.as_ref().is_ok_and(|it| it.values.get("leader").is_some_and(|it| *it != Value::text(NO_LEADER)))
    };
    let target = format!("etcd://127.0.0.1:{},127.0.0.1:{}", free_port(), server.port);
    let check = check(&target);
    let values = until(&*check, led).await.unwrap().values;
    assert!(values.get("leader").is_some_and(|it| u64::from_str_radix(&it.to_string(), 16).is_ok()), "{values:?}");
    assert!(values.get("version").is_some_and(|it| it.to_string().starts_with("3.")), "{values:?}");
    assert!(matches!(values.get("db_size"), Some(Value::Number(bytes, _)) if *bytes > 0.0), "{values:?}");
    assert!(matches!(values.get("latency"), Some(Value::Number(..))), "{values:?}");
    server.stop();
    let fault = run(&*check).await.unwrap_err();
    assert_eq!(fault.0, format!("connection refused (127.0.0.1:{})", server.port));
}

#[tokio::test]
async fn liars_are_survived() {
    let starts: [&[u8]; 2] =
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n{\"version\":\"", b"HTTP/1.1 200 OK\r\nX: "];
    survives(|address| format!("etcd://{address}"), &starts).await;
}
