//! Who may ask, whom we believe, and what is not believed.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use super::*;

/// Switches the users of a cluster on: `root`, `guest`, and `board`, who may use the boards' keys alone.
fn switch_users_on(etcd: &Etcd) {
    let (start, end) = (wire::base64(b"/marquee/v1/"), wire::base64(wire::end_of("/marquee/v1/").as_bytes()));
    let permission =
        format!(r#"{{"name":"boards","perm":{{"permType":"READWRITE","key":"{start}","range_end":"{end}"}}}}"#);
    for (path, body) in [
        ("user/add", r#"{"name":"root","password":"r00t"}"#),
        ("user/add", r#"{"name":"board","password":"canary"}"#),
        ("user/add", r#"{"name":"guest","password":"guest"}"#),
        ("role/add", r#"{"name":"root"}"#),
        ("role/add", r#"{"name":"boards"}"#),
        ("role/grant", permission.as_str()),
        ("user/grant", r#"{"user":"root","role":"root"}"#),
        ("user/grant", r#"{"user":"board","role":"boards"}"#),
        ("enable", "{}"),
    ] {
        let answer = etcd.ask(0, &format!("/v3/auth/{path}"), body).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

fn with_login(etcd: &Etcd, user: &str, password: &str) -> Client {
    Client::new(&Spec { login: Some((user.into(), password.into())), ..spec(etcd) }).unwrap()
}

#[tokio::test]
async fn users_are_asked_for_refused_and_let_in() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let client = with_login(&etcd, "board", "canary");
    client.leader().await.expect("a cluster without users serves everybody");
    switch_users_on(&etcd);
    for (stranger, told) in [
        (super::client(&etcd), "it asks for a user and a password"),
        (with_login(&etcd, "board", "wr0ng"), "user or password refused"),
        (with_login(&etcd, "nobody", "canary"), "user or password refused"),
        (
            with_login(&etcd, "guest", "guest"),
            "this user may not do that; its role needs to read and write the keys under /marquee/v1/",
        ),
    ] {
        let words = format!("can't read the leader from etcd: {told} (127.0.0.1:{})", etcd.port(0));
        assert_eq!(stranger.leader().await, Err(Failure::Refused(words)));
    }
    let ours = lease(&client).await;
    let Ok(Campaigned::Won { rev, .. }) = client.campaign(ours, "a").await else { panic!("not won") };
    let mut watch = client.watch();
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    assert_eq!(client.put_frame(rev, "f").await, Ok(true));
    assert_eq!(next(&mut watch).await, Watched::Frame("f".into()));
    client.announce(ours, "north", "x").await.unwrap();
    assert_eq!(client.members().await.unwrap().len(), 1);
    client.keep_alive(ours).await.unwrap();
    // A login that ran out is renewed on the way, for questions and for a watch.
    *client.shared.transport.kept() = Some("stale".into());
    assert_eq!(client.put_frame(rev, "g").await, Ok(true));
    *client.shared.transport.kept() = Some("stale".into());
    assert_eq!(next(&mut client.watch()).await, Watched::Restarted);
    client.revoke(ours).await.unwrap();
}

#[tokio::test]
async fn a_login_that_takes_longer_than_a_try_succeeds_all_the_same() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    switch_users_on(&etcd);
    let login = Some(("board".to_owned(), "canary".to_owned()));
    // Etcd's work on a password alone takes several times as long.
    let hasty = Client::new(&Spec { login, attempt: Duration::from_millis(15), ..spec(&etcd) }).unwrap();
    let mut tries = 0;
    while hasty.leader().await.is_err() {
        tries += 1;
        assert!(tries < 1000, "no login in {tries} tries");
    }
}

/// A certificate for `name` in `folder`: what to trust, and the files of it and of its key.
fn certificate(folder: &Path, name: &str) -> (Vec<u8>, [String; 2]) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    wanted.distinguished_name.push(rcgen::DnType::CommonName, name);
    let certificate = wanted.self_signed(&key).unwrap();
    let pem = |kind: &str, bytes: &[u8]| {
        let signs = wire::base64(bytes);
        let lines: Vec<_> = signs.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
    };
    let files = [format!("{name}.pem"), format!("{name}.key")].map(|file| folder.join(file));
    let trusted = pem("CERTIFICATE", certificate.der());
    std::fs::write(&files[0], &trusted).unwrap();
    std::fs::write(&files[1], pem("PRIVATE KEY", &key.serialize_der())).unwrap();
    (trusted.into_bytes(), files.map(|path| path.display().to_string()))
}

#[tokio::test]
async fn tls_is_spoken_and_what_is_wrong_with_it_is_told() {
    for (name, told) in [("localhost", None), ("elsewhere.example", Some("its certificate is for another host"))] {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let (trusted, [cert, key]) = certificate(folder.path(), name);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let urls = format!("http://127.0.0.1:{{port}},https://127.0.0.1:{port}");
        let arguments = ["--listen-client-urls", &urls, "--cert-file", &cert, "--key-file", &key];
        let Some(etcd) = Etcd::start(1, &arguments) else { return };
        let open = |port: u16, tls: bool, trusted: Option<Vec<u8>>| {
            let endpoints = vec![("localhost".to_owned(), port)];
            Client::new(&Spec { endpoints, tls, trusted, ..spec(&etcd) }).unwrap()
        };
        let words = |why: &str, port: u16| format!("can't read the leader from etcd: {why} (localhost:{port})");
        let good = open(port, true, Some(trusted.clone()));
        let seen = good.leader().await.map(|seen| seen.holder);
        assert_eq!(seen, told.map_or(Ok(None), |why| Err(Failure::Unreachable(words(why, port)))));
        if told.is_none() {
            assert_eq!(next(&mut good.watch()).await, Watched::Restarted);
        }
        // Without that certificate among the trusted ones nobody is believed.
        let (other, _) = certificate(folder.path(), "another.example");
        let stranger = open(port, true, Some(other)).leader().await;
        assert_eq!(stranger, Err(Failure::Unreachable(words("its certificate is of an unknown issuer", port))));
        let plain = open(etcd.port(0), true, Some(trusted)).leader().await;
        let why = "it closed the connection as TLS began; does it speak TLS there?";
        assert_eq!(plain, Err(Failure::Unreachable(words(why, etcd.port(0)))));
        // The server's word on that may be lost with the connection, which it closes at once.
        let encrypted = open(port, false, None).leader().await.unwrap_err().to_string();
        let told = ["it speaks TLS alone; write `etcds://`", "it closed the connection"].map(|why| words(why, port));
        assert!(told.contains(&encrypted), "{encrypted}");
    }
}

#[tokio::test]
async fn a_cluster_without_space_refuses_what_needs_some() {
    let Some(etcd) = Etcd::start(1, &["--quota-backend-bytes", "1000000"]) else { return };
    let client = client(&etcd);
    let ours = lease(&client).await;
    let Ok(Campaigned::Won { rev, .. }) = client.campaign(ours, "a").await else { panic!("not won") };
    let board = "b".repeat(200_000);
    let full = loop {
        match client.put_board(rev, &board).await {
            Ok(true) => {}
            told => break told,
        }
    };
    let Err(Failure::Refused(why)) = full else { panic!("{full:?}") };
    assert!(why.contains("its space is used up (NOSPACE)"), "{why}");
    let granted = client.grant(Duration::from_mins(1)).await;
    assert!(matches!(&granted, Err(Failure::Refused(why)) if why.contains("NOSPACE")), "{granted:?}");
    let told = client.status().await.remove(0).1.unwrap().troubles;
    assert!(told.iter().any(|why| why.contains("NOSPACE")), "{told:?}");
    // The leader stays, and can go.
    assert!(client.keep_alive(ours).await.unwrap() > Duration::ZERO);
    assert_eq!(client.leader().await.unwrap().holder.map(|holder| holder.rev), Some(rev));
    client.revoke(ours).await.unwrap();
}

#[tokio::test]
async fn what_is_not_of_marquee_is_bounded_and_told() {
    let Some(etcd) = Etcd::start(1, &["--max-request-bytes", "33554432"]) else { return };
    let client = client(&etcd);
    let mut watch = client.watch();
    assert_eq!(next(&mut watch).await, Watched::Restarted);
    put(&etcd, "frame", &[0xff, 0xfe]);
    let told = "the key /marquee/v1/line-3/frame in etcd holds no text, which is not of marquee";
    assert_eq!(next(&mut watch).await, Watched::Foreign(told.into()));
    put(&etcd, "frame", &vec![b'x'; FRAME_BYTES_MAX + 1]);
    let told = "the key /marquee/v1/line-3/frame in etcd holds 8193 bytes, which is not of marquee";
    assert_eq!(next(&mut watch).await, Watched::Foreign(told.into()));
    assert_eq!(client.frame().await, Err(Failure::Refused(told.into())));
    put(&etcd, "members/north", &vec![0xff; 100_000]);
    assert_eq!(client.members().await, Ok(Vec::new()), "no console put that");
    let ours = lease(&client).await;
    assert_eq!(client.announce(ours, "south", &"é".repeat(100_000)).await, Ok(Announced::Done));
    let (_, said) = client.members().await.unwrap().remove(0);
    assert_eq!(said, "é".repeat(VALUE_BYTES_MAX / 2));
    put(&etcd, "leader", "ünsinn".as_bytes());
    let Watched::Leader(Some(holder), _) = next(&mut watch).await else { panic!("no leader is told") };
    assert_eq!((holder.lease, holder.value.as_str()), (0, "ünsinn"));
    put(&etcd, "of-nobody", b"x");
    // 10 MB: never read whole, neither by a question nor by the watch, which goes on behind it.
    for key in ["board", "frame", "leader"] {
        put(&etcd, key, &vec![b'x'; 10_000_000]);
        assert_eq!(next(&mut watch).await, Watched::Restarted, "{key}");
    }
    for refused in [client.board().await.map(drop), client.frame().await.map(drop), client.leader().await.map(drop)] {
        let Err(Failure::Refused(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("it holds far too much under this board's keys"), "{why}");
    }
    put(&etcd, "leader", b"x");
    assert!(matches!(next(&mut watch).await, Watched::Leader(Some(_), _)));
}

#[tokio::test]
async fn what_is_no_etcd_is_told() {
    for (answer, part) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno", "no etcd"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>", "no etcd"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{\"a\":[]}", "does not fit"),
        ("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", "HTTP 502"),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", "no etcd"),
        ("+PONG\r\n", "no etcd"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{", "closed the connection"),
        (
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 38\r\n\r\n{\"message\":\"canary is no password 4u\"}",
            "refused: ***",
        ),
        (
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 41\r\n\r\n{\"message\":\"no proof is: a canary-token\"}",
            "no proof is: ***",
        ),
        ("", "closed the connection"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let liar = std::thread::Builder::new().spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let spec = Spec {
            endpoints: vec![("127.0.0.1".into(), port)],
            tls: false,
            login: Some(("board".into(), "canary".into())),
            attempt: 4 * ATTEMPT,
            board: "line-3".into(),
            trusted: None,
        };
        let client = Client::new(&spec).unwrap();
        *client.shared.transport.kept() = Some("a canary-token".into());
        let told = client.keep_alive(1).await.unwrap_err().to_string();
        assert!(told.contains(part) && !told.contains("canary"), "{answer:?}: {told}");
        // A server that was not asked twice still waits for somebody.
        for _ in 0..2 {
            let _ = TcpStream::connect(("127.0.0.1", port));
        }
        liar.unwrap().join().unwrap();
    }
}
