//! `marquee guardian`, which the program starts by itself: the process that gives a dead console's lease back.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::clock::eventually;
use crate::support::etcd::Etcd;
use crate::support::{TempHome, marquee};

/// What is told to it, line by line.
fn lines(etcd: &Etcd, lease: &str) -> String {
    let spec = json!({
        "endpoints": etcd.endpoints(), "tls": false, "login": null, "attempt": {"secs": 1, "nanos": 0},
        "board": "line-3", "trusted": null,
    });
    format!("{spec}\n{{\"leases\":[]}}\n{{\"leases\":[1,{lease}]}}\n")
}

/// A number out of etcd's answer, which it writes as a text.
fn asked(etcd: &Etcd, path: &str, body: &str, field: &str) -> Option<String> {
    let answer = etcd.ask(0, path, body)?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let parsed: Value = serde_json::from_str(body).ok()?;
    Some(parsed[field].as_str()?.to_owned())
}

#[test]
fn a_killed_process_gives_its_lease_back() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let lease = asked(&etcd, "/v3/lease/grant", r#"{"TTL":"60"}"#, "ID").unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut guardian = Command::new(env!("CARGO_BIN_EXE_marquee"));
    let mut guardian =
        guardian.arg("guardian").env_clear().stdin(reader).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    writer.write_all(lines(&etcd, &lease).as_bytes()).unwrap();
    // Whoever holds the other end is the console, however little it does.
    let mut console = Command::new("sleep").arg("600").stdout(writer).spawn().unwrap();
    let time_to_live = || asked(&etcd, "/v3/lease/timetolive", &format!(r#"{{"ID":"{lease}"}}"#), "TTL");
    let lives = time_to_live().unwrap();
    assert!(lives.parse::<i64>().unwrap() > 0, "{lives}");
    console.kill().unwrap();
    console.wait().unwrap();
    eventually("the lease to end", || time_to_live().filter(|lives| lives == "-1"));
    assert!(guardian.wait().unwrap().success());
}

#[test]
fn nobody_is_told_of_it_and_without_a_console_it_ends() {
    let home = TempHome::new();
    assert!(!marquee(&home, &["--help"]).all().contains("guardian"));
    let alone = marquee(&home, &["guardian"]);
    assert_eq!((alone.code, alone.all().as_str()), (Some(0), ""));
    assert_eq!(marquee(&home, &["guardian", "more"]).code, Some(2));
}
