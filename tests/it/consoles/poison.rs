//! What is under the board's keys and on its channels that no console of ours has put there.

use serde_json::{Value, json};

use super::{Notes, hall};
use crate::support::clock::now;
use crate::support::hall::{BOARD, Hall, Plan};
use crate::support::redis::Answer;

const EVERYBODY: [usize; 3] = [0, 1, 2];

/// What stands before a message's checksum.
const SEAM: &str = ",\"x\":\"";

/// A message that was heard, with other words in it and sealed again, as somebody does who knows how.
fn forged(heard: &str, from: &str, to: &str) -> String {
    let (body, _) = heard.rsplit_once(SEAM).expect("a sealed message");
    assert!(body.contains(from), "{body}");
    let text = body.replacen(from, to, 1);
    let checksum = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let folded = (checksum ^ (checksum >> 32)) & 0xffff_ffff;
    format!("{text}{SEAM}{folded:08x}\"}}")
}

fn publish(hall: &Hall, text: &str) {
    let redis = hall.redis.as_ref().expect("this hall has one");
    let heard = redis.ask(&["PUBLISH", &format!("marquee:{{{BOARD}}}:frames"), text]);
    assert!(matches!(heard, Some(Answer::Number(1..))), "{heard:?}");
}

/// Puts a value where the beat is over etcd.
fn put(hall: &Hall, text: &str) {
    let etcd = hall.etcd.as_ref().expect("this hall has one");
    let (key, value) = (base64(format!("/marquee/v1/{BOARD}/frame")), base64(text));
    let answer = etcd.ask(0, "/v3/kv/put", &json!({"key": key, "value": value}).to_string());
    assert!(answer.is_some_and(|answer| answer.starts_with("HTTP/1.1 200")));
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for bytes in bytes.as_ref().chunks(3) {
        let all = bytes.iter().fold(0_usize, |all, byte| (all << 8) | usize::from(*byte)) << (8 * (3 - bytes.len()));
        for place in 0..4 {
            let sign = char::from(SIGNS[(all >> (18 - 6 * place)) & 63]);
            out.push(if place > bytes.len() { '=' } else { sign });
        }
    }
    out
}

pub(super) fn foreign_words_on_the_ways_are_told_and_not_believed(_: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    let follower = hall.others(leader)[0];
    let heard = hall.wait("a beat", |hall| hall.heard().into_iter().find(|text| text.contains("\"beat\"")));
    let said: Value = serde_json::from_str(&heard).unwrap();
    let (at, body) = (said["at"].as_u64()?, heard.split_once("\"d\":")?.1.rsplit_once(SEAM)?.0);
    let lower = forged(&heard, &format!("\"r\":{}", said["r"]), "\"r\":1");
    let tomorrow = forged(&heard, &format!("\"at\":{at}"), &format!("\"at\":{}", at + 86_400_000_000));
    let bad = [
        ("garbage", "\u{1b}[2J garbage \u{7}".to_owned(), "can't be used"),
        ("cut short", heard[..heard.len() / 2].to_owned(), "can't be used"),
        ("damaged", heard.replacen("\"b\":\"hall\"", "\"b\":\"hell\"", 1), "checksum"),
        ("another board's", forged(&heard, "\"b\":\"hall\"", "\"b\":\"press\""), "another board, press"),
        ("a newer program's", forged(&heard, "\"v\":1", "\"v\":2"), "bring all to one version"),
        ("ten megabytes", "x".repeat(10 << 20), "bytes"),
        ("not what it should be", forged(&heard, body, "[1,2,3]"), "can't be used"),
    ];
    for (what, text, told) in &bad {
        let at = now();
        publish(&hall, text);
        hall.line(follower, at, what, |line| line.tells(told));
    }
    // Whoever was deposed is not worth a word; nor is a copy of what was said, or one from tomorrow.
    publish(&hall, &lower);
    publish(&hall, &heard);
    publish(&hall, &tomorrow);
    put(&hall, &lower);
    put(&hall, "garbage");
    hall.watch(&EVERYBODY, now(), 8);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    let shown = hall.seats.iter().flat_map(|seat| seat.lines().since(since));
    for notice in shown.filter_map(|line| line.notice) {
        assert!(!notice.contains(char::is_control), "{notice:?}");
    }
    assert_eq!(hall.settled(), leader, "all is well again without anybody's help");
    Some(())
}

pub(super) fn a_redis_that_forgets_or_remembers_too_much_is_put_right(_: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let redis = hall.redis.as_ref()?;
    let since = now();
    let state = format!("marquee:{{{BOARD}}}:state");
    let token = || Some((redis.state(BOARD, "epoch")?, redis.state(BOARD, "rev")?));
    let before = hall.wait("the token to be kept", |_| token());
    let roles = hall.roles();
    let is_back = |hall: &Hall, what: &str| {
        hall.wait(what, |_| (token().as_ref() == Some(&before)).then_some(()));
        hall.watch(&EVERYBODY, now(), 4);
        hall.settled();
        assert_eq!(hall.roles(), roles, "{what}\n{}", hall.report());
    };
    redis.ask(&["FLUSHALL"]);
    is_back(&hall, "the token after a loss of everything");
    redis.ask(&["HSET", &state, "rev", "1", "seq", "1"]);
    is_back(&hall, "the token after an older dump");
    redis.ask(&["SET", &state, "somebody's own"]);
    is_back(&hall, "the token after a value of another kind");
    // A dump of another history is ahead of everybody: whoever leads begins the next epoch.
    redis.ask(&["HSET", &state, "rev", "4000000"]);
    let epoch: u64 = before.0.parse().ok()?;
    hall.wait("the next epoch", |_| (token()?.0.parse::<u64>().ok()? == epoch + 1).then_some(()));
    hall.settled();
    hall.watch(&EVERYBODY, now(), 4);
    hall.assert_unbroken(&EVERYBODY, since);
    Some(())
}

pub(super) fn the_second_of_two_consoles_with_one_name_never_leads(_: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let (leader, since) = (hall.leader(), now());
    let name = hall.seats[hall.others(leader)[0]].name.clone();
    let second = hall.add(&name, "");
    hall.seats[second].sit();
    let told = hall.line(second, since, "the second to say so", |line| line.tells("already"));
    assert!(told.tells(&name), "{told:?}");
    hall.seats[leader].kill();
    let (new, _) = hall.successor(leader, since);
    assert_ne!(new, second, "{}", hall.report());
    hall.watch(&[new, second], now(), 6);
    assert!(hall.seats[second].lines().all().iter().all(|line| line.role != "leader"), "{}", hall.report());
    hall.assert_unbroken(&hall.others(leader).into_iter().filter(|place| *place != second).collect::<Vec<_>>(), since);
    Some(())
}

pub(super) fn a_wrong_password_is_told_and_shown_nowhere(_: &mut Notes) -> Option<()> {
    const WRONG: &str = "canary-5822";
    let mut hall = Hall::prepare(&Plan { etcd: 1, ..Plan::default() })?;
    let etcd = hall.etcd.as_ref()?;
    for (path, body) in [
        ("user/add", r#"{"name":"root","password":"right"}"#),
        ("user/grant", r#"{"user":"root","role":"root"}"#),
        ("enable", "{}"),
    ] {
        let answer = etcd.ask(0, &format!("/v3/auth/{path}"), body)?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    for (place, seat) in hall.seats.iter_mut().enumerate() {
        let config = std::fs::read_to_string(seat.home.config()).unwrap();
        let password = if place == 0 { WRONG } else { "right" };
        let config = config.replace("etcd://", &format!("etcd://root:{password}@"));
        let login = format!("redis://nobody:{WRONG}@");
        let config = if place == 2 { config.replace("redis://", &login) } else { config };
        seat.home.write("marquee.yaml", config);
        seat.sit();
    }
    // The third one leads or follows over etcd alone, the first one not at all.
    let leads = hall.wait("a leader", |hall| hall.leaders().first().copied());
    assert_ne!(leads, 0, "{}", hall.report());
    let told = |place: usize| hall.seats[place].log().contains("password refused");
    hall.wait("the refusals to be told", |_| (told(0) && told(2)).then_some(()));
    hall.wait("the third to tell it on its screen", |hall| {
        hall.seats[2].lines().all().into_iter().find(|line| line.tells("password refused")).map(|_| ())
    });
    hall.wait("the first to be no leader", |hall| {
        hall.seats[0].last().filter(|line| line.role != "leader").map(|_| ())
    });
    for seat in &hall.seats {
        let shown = seat.lines().all().into_iter().filter_map(|line| line.notice).collect::<String>();
        assert!(!shown.contains(WRONG) && !seat.log().contains(WRONG), "{shown}\n{}", seat.log());
    }
    Some(())
}

pub(super) fn a_certificate_for_another_host_is_told_and_not_trusted(_: &mut Notes) -> Option<()> {
    let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["elsewhere.example".to_owned()]).unwrap();
    let port = crate::support::servers::free_port();
    let files = ["cert.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    std::fs::write(&files[0], armoured("CERTIFICATE", made.cert.der())).unwrap();
    std::fs::write(&files[1], armoured("PRIVATE KEY", &made.signing_key.serialize_der())).unwrap();
    let urls = format!("http://127.0.0.1:{{port}},https://127.0.0.1:{port}");
    let arguments = ["--listen-client-urls", &urls, "--cert-file", &files[0], "--key-file", &files[1]];
    let mut hall = Hall::prepare(&Plan { etcd: 1, consoles: 1, etcd_arguments: &arguments, ..Plan::default() })?;
    let seat = &mut hall.seats[0];
    let config = std::fs::read_to_string(seat.home.config()).unwrap();
    let cluster = config.lines().find(|line| line.starts_with("cluster:")).unwrap().to_owned();
    seat.home.write("marquee.yaml", config.replace(&cluster, &format!("cluster: etcds://127.0.0.1:{port}")));
    seat.environment.push(("SSL_CERT_FILE".into(), files[0].clone()));
    seat.sit();
    hall.wait("the certificate to be told", |hall| {
        hall.seats[0].log().contains("its certificate is for another").then_some(())
    });
    let alone = hall.line(0, now(), "the console to go on alone", |line| line.role == "local");
    assert!(alone.notice.is_some() && alone.item.is_some());
    Some(())
}

fn armoured(kind: &str, bytes: &[u8]) -> String {
    let signs = base64(bytes);
    let lines: Vec<_> = signs.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}
