//! `marquee doctor` against real servers: an etcd and a Redis that are well, and that are not.

use rustix::process::Signal;

use crate::kept_on_redis::Redis;
use crate::support::clock::eventually;
use crate::support::etcd::Etcd;
use crate::support::pipe::Answer;
use crate::support::{Piped, TempHome, marquee};

fn config(etcd: &Etcd, login: &str, more: &str) -> String {
    let endpoints: Vec<_> = etcd.endpoints().iter().map(|(host, port)| format!("{host}:{port}")).collect();
    let cluster = format!("cluster: etcd://{login}{}", endpoints.join(","));
    format!("title: Line 3\nitems: [{{id: a, text: A, level: info}}]\n{cluster}\n{more}")
}

#[track_caller]
fn tells(answer: &Answer, lines: &[&str]) {
    let told = answer.all();
    for line in lines {
        assert!(told.contains(line), "{line:?} is not in\n{told}");
    }
}

#[test]
fn doctor_looks_at_every_member_and_at_who_leads() {
    let Some(mut etcd) = Etcd::start(3, &[]) else { return };
    let mut redis = Redis::absent();
    if !redis.start("doctor_looks_at_every_member_and_at_who_leads") {
        return;
    }
    let more = format!("console: hall-1\nstate: redis://127.0.0.1:{}\n", redis.port);
    let home = TempHome::with_config(&config(&etcd, "", &more));
    let doctor = || marquee(&home, &["doctor"]);
    let first = doctor();
    let nobody = "cluster: nobody leads now; no console is there";
    tells(
        &first,
        &[nobody, "console: the name hall-1 is free", "guardian: it starts", "lease: 3 s, renewed every 750 ms"],
    );
    tells(&first, &["etcd: this board's keys may be read and written", "Redis: it writes each change to its disk"]);
    for place in 0..3 {
        tells(&first, &[&format!("ok  etcd: 127.0.0.1:{} answers within ", etcd.port(place))]);
    }
    assert_eq!(first.code, Some(0), "{}", first.all());

    let mut board = Piped::render(&home, "json");
    board.line_where("of a leader", |line| line.contains("\"role\":\"leader\""));
    let here = format!("console: hall-1 runs on this machine already, as process {}", board.pid());
    eventually("doctor to see the console", || doctor().out.contains(&here).then_some(()));
    tells(&doctor(), &["cluster: hall-1 leads; 1 console is there: hall-1"]);

    let follower = (etcd.leader() + 1) % 3;
    etcd.kill(follower);
    let down = doctor();
    tells(&down, &["connection refused", &format!("start the member at 127.0.0.1:{}", etcd.port(follower))]);
    tells(&down, &["hall-1 leads"]);
    assert_eq!(down.code, Some(1));
    board.signal(Signal::TERM);
    assert!(board.wait_exit().success());
}

#[test]
fn doctor_names_what_a_login_may_not_and_what_a_full_etcd_says() {
    let Some(etcd) = Etcd::start(1, &[]) else { return };
    let ask = |path: &str, body: &str| {
        let answer = etcd.ask(0, &format!("/v3/{path}"), body).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    };
    let home = TempHome::with_config(&config(&etcd, "", ""));
    ask("maintenance/alarm", r#"{"action":"ACTIVATE","alarm":"NOSPACE"}"#);
    let full = marquee(&home, &["doctor"]);
    tells(&full, &["NOSPACE", "etcdctl alarm disarm", "--  lease: can't take a lease from etcd: its space is used up"]);
    ask("maintenance/alarm", r#"{"action":"DEACTIVATE","alarm":"NOSPACE"}"#);

    ask("auth/user/add", r#"{"name":"root","password":"r"}"#);
    ask("auth/role/add", r#"{"name":"root"}"#);
    ask("auth/user/grant", r#"{"user":"root","role":"root"}"#);
    ask("auth/user/add", r#"{"name":"board","password":"canary"}"#);
    ask("auth/role/add", r#"{"name":"reader"}"#);
    // Reading from /marquee/v1/ up to /marquee/v10, as base64.
    let permission = r#"{"permType":"READ","key":"L21hcnF1ZWUvdjEv","range_end":"L21hcnF1ZWUvdjEw"}"#;
    ask("auth/role/grant", &format!(r#"{{"name":"reader","perm":{permission}}}"#));
    ask("auth/user/grant", r#"{"user":"board","role":"reader"}"#);
    ask("auth/enable", "{}");
    for (login, told) in [
        ("", "it asks for a user and a password"),
        ("board:wrong-canary@", "user or password refused"),
        ("board:canary@", "can't put the frame into etcd: this user may not do that"),
    ] {
        home.write("marquee.yaml", config(&etcd, login, ""));
        let answer = marquee(&home, &["doctor"]);
        tells(&answer, &[told]);
        assert!(answer.code == Some(1) && !answer.all().contains("canary"), "{}", answer.all());
    }
}
