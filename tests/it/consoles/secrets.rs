//! I9 over real runs: passwords and tokens come out nowhere, whatever breaks.
//!
//! Every secret of these consoles begins with the same word, and all that anybody can see of them is searched for it:
//! what they print, draw, log and answer, what they put into the servers, and what the system tells of them.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::Notes;
use super::poison::base64;
use crate::support::clock::now;
use crate::support::hall::{BOARD, Hall, Plan, Seat};
use crate::support::http::At;
use crate::support::pipe::{command, text};
use crate::support::redis::{Answer, Redis};
use crate::support::{Piped, Pty, Size};

/// What every secret begins with; half a secret is one too.
const CANARY: &str = "canary-";

/// The secrets, each in a file of its name.
const SECRETS: [(&str, &str); 5] = [
    ("etcd", "canary-etcd-7301"),
    ("redis", "canary-redis-7302"),
    ("token", "canary-token-7303"),
    ("key", "canary-key-7304"),
    ("wrong", "canary-wrong-7305"),
];

/// Stands in a check's URL, as it is.
const URL: &str = "canary-url-7306";

/// The place of the one that is on a terminal.
const SCREEN: usize = 3;

/// The place of the one with the wrong passwords.
const WRONG: usize = 4;

/// What was seen, and where.
type Seen = Vec<(String, String)>;

pub(super) fn no_secret_comes_out_whatever_breaks(_: &mut Notes) -> Option<()> {
    let began = now();
    let mut hall = Hall::prepare(&Plan { etcd: 1, consoles: 5, ..Plan::default() })?;
    lock(&hall)?;
    for (place, seat) in hall.seats.iter().enumerate() {
        furnish(seat, place == WRONG);
    }
    hall.seats[..SCREEN].iter_mut().for_each(Seat::sit);
    let leader = hall.settled();
    let follower = hall.others(leader)[0];
    let seat = &hall.seats[SCREEN];
    let (config, log) = (seat.home.config(), seat.home.path("log"));
    let arguments = ["run", "--config", text(&config), "--log-file", text(&log)];
    let mut screen = Pty::open(&seat.home, Size::USUAL, &arguments, &[("NAME", &seat.name)]);
    screen.wait_for("the screen to follow", |screen| screen.contents().contains("follower of"));
    screen.send("\t");
    let path = format!("{}?key={}", hall.seats[leader].name, SECRETS[3].1);
    hall.wait("the secret of the check to be in use", |hall| (hall.target.asked(&path, began) > 0).then_some(()));

    hall.seats[WRONG].sit();
    let refused = |seat: &Seat| seat.log().matches("password refused").count();
    hall.wait("the wrong passwords to be told", |hall| (refused(&hall.seats[WRONG]) > 0).then_some(()));
    hall.seats[WRONG].kill();
    // A way that takes everything and says nothing, and one that is closed.
    let since = now();
    hall.seats[follower].etcd[0].blackhole();
    hall.seats[leader].redis.as_ref()?.refuse();
    hall.line(leader, since, "the closed way to be told", |line| line.notice.is_some());
    hall.wait("the silent way to be told", |hall| hall.seats[follower].log().contains("etcd").then_some(()));
    let mut seen = looked_at(&hall, &[leader, follower]);
    hall.seats[follower].etcd[0].heal();
    hall.seats[leader].redis.as_ref()?.heal();
    // The users of a Redis that was restarted are gone: now everybody's password is wrong.
    let redis = hall.redis.as_mut()?;
    redis.kill();
    redis.restart();
    hall.wait("the lost users to be told", |hall| (refused(&hall.seats[leader]) > 0).then_some(()));
    admit(hall.redis.as_ref()?);
    screen.send("\t\r");
    screen.wait_for_clock_moves(2);
    seen.push(("the terminal".into(), String::from_utf8_lossy(&screen.raw()).into_owned()));
    seen.extend(of_process("the screen's console", screen.pid()));
    screen.send("q");
    screen.wait_exit();
    let etcd = hall.etcd.as_mut()?;
    etcd.kill(0);
    etcd.restart(0);
    hall.settled();
    let (old, since) = (hall.leader(), now());
    let guardian = hall.seats[old].guardian();
    seen.extend(of_process("the guardian", guardian));
    hall.seats[old].kill();
    let (new, _) = hall.successor(old, since);
    // A mistake on each line that holds a secret.
    let (_, password) = SECRETS[0];
    let config = fs::read_to_string(hall.seats[new].home.config()).unwrap();
    let broken = config
        .replace("${file:etcd}@", &format!("{password}@no host:"))
        .replace("\"${file:token}\"", &format!("[{}]", SECRETS[2].1))
        .replace("every: 500ms", "every: never");
    let since = now();
    hall.seats[new].home.write("marquee.yaml", &broken);
    hall.line(new, since, "the mistakes to be told", |line| line.tells("marquee.yaml"));
    seen.extend(looked_at(&hall, &[new]));
    hall.seats[new].home.write("marquee.yaml", &config);
    seen.extend(in_etcd(&hall));
    seen.extend(in_redis(hall.redis.as_ref()?));
    seen.extend(hall.heard().into_iter().map(|text| ("the channel".into(), text)));
    for seat in &hall.seats {
        let printed = seat.everything().into_iter().map(|line| (format!("what {} printed", seat.name), line.text));
        seen.extend(printed.chain([(format!("the log of {}", seat.name), seat.log())]));
        let kept = seat.home.state_files().into_iter();
        seen.extend(
            kept.map(|(path, bytes)| (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())),
        );
    }
    for place in
        ["etcd's leader", "etcd's members", "Redis' marquee:{hall}:state", "the channel", "the guardian's cmdline"]
    {
        assert!(seen.iter().any(|(name, text)| name.starts_with(place) && !text.is_empty()), "nothing seen of {place}");
    }
    let told: Vec<_> = seen.iter().filter(|(_, text)| text.contains(CANARY)).collect();
    assert!(told.is_empty(), "{told:#?}");
    Some(())
}

/// Puts a lock on both servers.
fn lock(hall: &Hall) -> Option<()> {
    let (_, password) = SECRETS[0];
    for (path, body) in [
        ("user/add", json!({"name": "root", "password": password})),
        ("user/grant", json!({"user": "root", "role": "root"})),
        ("enable", json!({})),
    ] {
        let answer = hall.etcd.as_ref()?.ask(0, &format!("/v3/auth/{path}"), &body.to_string())?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    admit(hall.redis.as_ref()?);
    Some(())
}

/// Lets the consoles' user in; whoever says no name may go on without a password.
fn admit(redis: &Redis) {
    let password = format!(">{}", SECRETS[1].1);
    let answer = redis.ask(&["ACL", "SETUSER", "board", "on", &password, "~*", "&*", "+@all"]);
    assert_eq!(answer, Some(Answer::Text("OK".into())));
}

/// Writes the secrets into files and their places into the config.
fn furnish(seat: &Seat, wrong: bool) {
    for (name, secret) in SECRETS {
        seat.home.write(name, secret);
    }
    let config = fs::read_to_string(seat.home.config()).unwrap();
    let [etcd, redis] = if wrong { ["wrong"; 2] } else { ["etcd", "redis"] };
    let token = config.lines().find(|line| line.starts_with("token:")).unwrap().to_owned();
    let cluster = config.lines().find(|line| line.starts_with("cluster:")).unwrap().to_owned();
    let login = cluster.replace("etcd://", &format!("\"etcd://root:${{file:{etcd}}}@"));
    let config = config
        .replace(&token, "token: \"${file:token}\"")
        .replace(&cluster, &format!("{login}\""))
        .replace("state: redis://", &format!("state: \"redis://board:${{file:{redis}}}@"))
        .replace("http://", &format!("http://plant:{URL}@"))
        .replace(&format!("/{}\"", seat.name), &format!("/{}?key=${{file:key}}\"", seat.name));
    let state = config.lines().find(|line| line.starts_with("state:")).unwrap().to_owned();
    seat.home.write("marquee.yaml", config.replace(&state, &format!("{state}\"")));
}

/// What these consoles answer, what the commands tell of them, and what the system does.
fn looked_at(hall: &Hall, places: &[usize]) -> Seen {
    let mut seen = Seen::new();
    for seat in places.iter().map(|place| &hall.seats[*place]) {
        for path in [
            "/metrics",
            "/v1/consoles",
            "/v1/board",
            "/v1/items/web",
            "/v1/items/web/account",
            "/v1/items/web/plan",
            "/v1/frame",
            "/readyz",
        ] {
            let answer = seat.api().ask("GET", path);
            seen.push((format!("{path} of {}", seat.name), format!("{:?} {}", answer.headers, answer.body)));
        }
        // Nor is a token repeated that is not the right one.
        let wrong = format!("Authorization: Bearer {}\r\n", &SECRETS[2].1[CANARY.len()..]);
        let refused = seat.api().send("PUT", "/v1/items/web", &wrong, b"{}");
        assert_eq!(refused.status, 401, "{refused:?}");
        seen.push((format!("a refusal of {}", seat.name), refused.body));
        let config = seat.home.config();
        let asked = ["consoles", "consoles --format json", "list", "show web", "doctor"];
        let asked = asked.map(|words| format!("{words} --config {}", config.display()));
        for words in asked.into_iter().chain([format!("validate {}", config.display())]) {
            let mut asking: Command = command(&seat.home, &words.split(' ').collect::<Vec<_>>());
            asking.env("NAME", &seat.name);
            let mut asked = Piped::spawn(asking);
            let mut told = String::new();
            while let Some(line) = asked.next_line() {
                told.push_str(&line);
            }
            asked.wait_exit();
            seen.push((format!("`{words}` of {}", seat.name), format!("{told}{}", asked.errors())));
        }
        seen.extend(of_process(&seat.name, seat.pid()));
    }
    seen
}

/// How a process was started, and with what.
fn of_process(name: &str, pid: u32) -> Seen {
    let file = |what: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
        (format!("{name}'s {what}"), String::from_utf8_lossy(&bytes).into_owned())
    };
    ["cmdline", "environ"].map(file).into()
}

/// All that is in etcd.
fn in_etcd(hall: &Hall) -> Seen {
    let at = At::Port(hall.etcd.as_ref().map_or(0, |etcd| etcd.port(0)));
    // An older HTTP, in which an answer comes in one piece.
    let ask = |path: &str, header: &str, body: &Value| {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.0\r\n{header}Content-Length: {}\r\n\r\n", body.len());
        at.raw(format!("{head}{body}").as_bytes()).json()
    };
    let login = ask("/v3/auth/authenticate", "", &json!({"name": "root", "password": SECRETS[0].1}));
    let header = format!("Authorization: {}\r\n", login["token"].as_str().unwrap_or_default());
    let whole = json!({"key": base64("\0"), "range_end": base64("\0")});
    let found = ask("/v3/kv/range", &header, &whole);
    let word = |pair: &Value, part: &str| {
        String::from_utf8_lossy(&plain(pair[part].as_str().unwrap_or_default())).into_owned()
    };
    let prefix = format!("/marquee/v1/{BOARD}/");
    let pairs = found["kvs"].as_array().into_iter().flatten();
    pairs.map(|pair| (format!("etcd's {}", word(pair, "key").replace(&prefix, "")), word(pair, "value"))).collect()
}

/// All that is in Redis.
fn in_redis(redis: &Redis) -> Seen {
    let Some(Answer::Many(keys)) = redis.ask(&["KEYS", "*"]) else { return Seen::new() };
    let keys = keys.iter().filter_map(Answer::text);
    let held = |key: &str| {
        let kind = redis.ask(&["TYPE", key]);
        let command = if kind == Some(Answer::Text("hash".into())) { "HGETALL" } else { "GET" };
        (format!("Redis' {key}"), format!("{:?}", redis.ask(&[command, key])))
    };
    keys.map(held).collect()
}

/// What base64 stands for.
fn plain(text: &str) -> Vec<u8> {
    let value = |sign: u8| match sign {
        b'A'..=b'Z' => Some(sign - b'A'),
        b'a'..=b'z' => Some(sign - b'a' + 26),
        b'0'..=b'9' => Some(sign - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let signs: Vec<u8> = text.bytes().filter_map(value).collect();
    let bytes = signs.chunks(4).flat_map(|signs| {
        let all = signs.iter().fold(0_u32, |all, sign| (all << 6) | u32::from(*sign)) << (6 * (4 - signs.len()));
        all.to_be_bytes()[1..signs.len()].to_vec()
    });
    bytes.collect()
}
