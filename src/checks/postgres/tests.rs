//! A real PostgreSQL, and liars.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use crate::checks::servers_tests::{PATIENCE, Server, check, run, skip, survives, until};
use crate::frame::{Unit, Value};

/// The server's password, which must never be told.
const PASSWORD: &str = "pa/ss secret";

#[test]
fn targets_are_read() {
    let build = |target: &str| build(&CheckTarget { scheme: "postgres", target });
    for good in [
        "postgres://u@h",
        "postgres://u:p%2F@[::1]:5433/db?query=SELECT%201",
        "postgres://u:p@h/line%203?sslmode=disable",
    ] {
        assert!(build(good).is_ok(), "{good}");
    }
    for (bad, part) in [
        ("postgres://h/db", "USER"),
        ("postgres://u:secret@", "HOST"),
        ("postgres://u:secret@h:0/db", "port"),
        ("postgres://u:secret@h/db?sslmode=require", "TLS"),
        ("postgres://u:secret@h/db?sslmode=maybe", "sslmode"),
        ("postgres://u:secret@h/db?connect_timeout=1", "`connect_timeout`"),
    ] {
        let Err(BadTarget(why)) = build(bad) else { panic!("{bad} is accepted") };
        assert!(why.contains(part) && !why.contains("secret"), "{bad}: {why}");
    }
}

/// A program of the newest PostgreSQL here.
fn program(name: &str) -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = installed.map(|entry| entry.path().join("bin").join(name)).filter(|path| path.is_file()).max();
    if found.is_none() {
        skip("postgres", "PostgreSQL is not installed");
    }
    found
}

/// The words that make the server's user run what follows: PostgreSQL refuses to run as root.
fn as_its_user(folder: &Path) -> Vec<String> {
    if !rustix::process::geteuid().is_root() {
        return Vec::new();
    }
    let id = |option: &str| {
        let told = Command::new("id").args([option, "postgres"]).output().unwrap().stdout;
        String::from_utf8(told).unwrap().trim().parse::<u32>().unwrap()
    };
    let (user, group) = (id("-u"), id("-g"));
    std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
    vec!["setpriv".into(), format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".into()]
}

fn start() -> Option<Server> {
    let (initdb, postgres) = (program("initdb")?, program("postgres")?);
    Server::start("env", |folder, port| {
        let switch = as_its_user(folder);
        std::fs::write(folder.join("password"), PASSWORD).unwrap();
        let text = |path: &Path| path.display().to_string();
        let data = text(&folder.join("data"));
        let made = Command::new("env")
            .args(&switch)
            .arg(&initdb)
            .args(["--no-sync", "--username=marquee", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--pwfile={}", text(&folder.join("password"))))
            .arg(format!("--pgdata={data}"))
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let options = ["-D".into(), data, "-p".into(), port.to_string(), "-h".into(), "127.0.0.1".into()];
        let sockets = ["-k".into(), text(folder), "-F".into()];
        switch.into_iter().chain([text(&postgres)]).chain(options).chain(sockets).collect()
    })
}

fn target(server: &Server, query: &str) -> String {
    // A query as a form writes it.
    let query: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("postgres://marquee:pa%2Fss%20secret@127.0.0.1:{}/postgres?query={query}", server.port)
}

async fn value(server: &Server, query: &str) -> Result<Value, Fault> {
    let measured = run(&*check(&target(server, query))).await?;
    Ok(measured.values.get("value").unwrap().clone())
}

#[tokio::test]
async fn a_real_server_is_asked() {
    let Some(server) = start() else { return };
    let plain = check(&format!("postgres://marquee:pa%2Fss%20secret@127.0.0.1:{}/postgres", server.port));
    let measured = until(&*plain, Result::is_ok).await.unwrap();
    assert_eq!(measured.values.get("value"), Some(&Value::plain(1.0)));
    assert!(matches!(measured.values.get("latency"), Some(Value::Number(_, Unit::Seconds))));
    assert!(measured.values.get("version").is_some_and(|it| it.to_string().starts_with(|c: char| c.is_ascii_digit())));
    assert!(measured.bytes > 0);
    for (query, expected) in [
        ("SELECT 7, 'more'", Value::plain(7.0)),
        ("SELECT 2.5::numeric", Value::plain(2.5)),
        ("SELECT -12345678.5::numeric", Value::plain(-12_345_678.5)),
        ("SELECT 1e-7::numeric", Value::plain(1e-7)),
        ("SELECT 0::numeric(30,10)", Value::plain(0.0)),
        ("SELECT 1.5::real", Value::plain(1.5)),
        ("SELECT 'Infinity'::float8", Value::plain(f64::INFINITY)),
        ("SELECT count(*) FROM generate_series(1, 5)", Value::plain(5.0)),
        ("SELECT 'on & off +%'", Value::text("on & off +%")),
        ("SELECT true", Value::Bool(true)),
        ("SELECT NULL::int", Value::Null),
        ("SELECT 1 WHERE false", Value::Null),
        ("SELECT interval '1 hour 1.5 s'", Value::Number(3601.5, Unit::Seconds)),
        ("SELECT interval '1 day'", Value::Number(86_400.0, Unit::Seconds)),
        (r#"SELECT '{"a":[1]}'::jsonb"#, Value::Map(vec![("a".into(), Value::List(vec![Value::plain(1.0)]))])),
        ("SHOW default_transaction_isolation", Value::text("read committed")),
        ("VALUES (3), (4)", Value::plain(3.0)),
        // Far more than a run takes: the first row is told, and the rest is not waited for.
        ("SELECT generate_series(1, 100000000)", Value::plain(1.0)),
    ] {
        assert_eq!(value(&server, query).await, Ok(expected), "{query}");
    }
}

#[tokio::test]
async fn what_a_real_server_refuses_is_told() {
    let Some(server) = start() else { return };
    let at = format!("127.0.0.1:{}", server.port);
    until(&*check(&target(&server, "SELECT 1")), Result::is_ok).await.unwrap();
    for (query, part) in [
        ("SELECT nonsense", "refused: column \"nonsense\" does not exist"),
        ("CREATE TABLE t()", "read-only"),
        ("COMMIT; CREATE TABLE t()", "multiple commands"),
        ("SELECT 'NaN'::float8", "NaN"),
        ("SELECT gen_random_uuid()", "of type uuid; make it a number or a text"),
        ("SELECT repeat('x', 100000000)", "too long an answer"),
        ("SELECT $1", "parameter"),
    ] {
        let fault = value(&server, query).await.unwrap_err();
        assert!(fault.0.contains(part) && fault.0.ends_with(&format!("({at})")), "{query}: {fault}");
    }
    for (login, database, part) in [
        ("marquee:wrongsecret", "postgres", "user or password refused"),
        ("marquee", "postgres", "password"),
        ("nobody:secret", "postgres", "user or password refused"),
        ("marquee:pa%2Fss%20secret", "nowhere", "refused: database \"nowhere\" does not exist"),
    ] {
        let fault = run(&*check(&format!("postgres://{login}@{at}/{database}"))).await.unwrap_err();
        assert!(fault.0.contains(part) && !fault.0.contains("secret"), "{login}: {fault}");
    }
}

#[tokio::test]
async fn one_connection_is_kept_and_made_anew_after_a_restart() {
    let Some(mut server) = start() else { return };
    let check = check(&target(&server, "SELECT pg_backend_pid()"));
    let first = until(&*check, Result::is_ok).await.unwrap();
    let second = run(&*check).await.unwrap();
    assert_eq!(first.values.get("value"), second.values.get("value"));
    server.stop();
    let fault = run(&*check).await.unwrap_err();
    assert_eq!(fault.0, format!("connection refused (127.0.0.1:{})", server.port));
    server.restart();
    let third = until(&*check, Result::is_ok).await.unwrap();
    server.restart();
    let up = super::super::servers_tests::check(&target(&server, "SELECT 1"));
    until(&*up, Result::is_ok).await.unwrap();
    // The kept connection is dead, and nobody has noticed yet.
    let fourth = run(&*check).await.unwrap();
    assert!(third.values.get("value").is_some() && fourth.values.get("value").is_some());
}

#[tokio::test]
async fn a_dropped_run_is_ended_on_the_server_too() {
    let Some(server) = start() else { return };
    until(&*check(&target(&server, "SELECT 1")), Result::is_ok).await.unwrap();
    let sleeper = check(&target(&server, "SELECT 1 FROM pg_sleep(3600)"));
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)' AND state = 'active'";
    let watcher = check(&target(&server, sleeping));
    let count = |wanted: f64| {
        move |it: &Result<Measured, Fault>| {
            it.as_ref().is_ok_and(|it| it.values.get("value") == Some(&Value::plain(wanted)))
        }
    };
    tokio::select! {
        ended = sleeper.measure() => panic!("{ended:?}"),
        seen = tokio::time::timeout(PATIENCE, until(&*watcher, count(1.0))) => drop(seen.unwrap()),
    }
    until(&*watcher, count(0.0)).await.unwrap();
}

#[tokio::test]
async fn liars_are_survived() {
    let starts: [&[u8]; 4] = [
        // "You are in", and a row that is said to have a gibibyte.
        b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I",
        b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05IC\0\0\0\nBEGIN\0Z\0\0\0\x05TD\x40\0\0\0",
        // An error without an end, and a question for a password that nobody knows.
        b"E\x7f\xff\xff\xff",
        b"R\0\0\0\x08\0\0\0\x63",
    ];
    survives(|address| format!("postgres://u:secret@{address}/db"), &starts).await;
}
