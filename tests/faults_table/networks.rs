//! Faults of a real network: each console in a network of its own, joined by a bridge to the one of the servers.
//!
//! The whole scenario runs inside of the servers' network, in a process of its own, so nothing of the
//! machine's network is touched. Packets vanish by a neighbour whose address nobody has: silently, and in
//! the direction that is wanted.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::consoles::{Notes, Scenario};
use crate::support::clock::now;
use crate::support::hall::{Hall, Plan};

/// How this program is told to run one scenario within the servers' network.
pub(crate) const INSIDE: &str = "--inside";

/// Where etcd and the target are, and where Redis is.
const HOSTS: [&str; 2] = ["10.231.0.1", "10.231.0.2"];

/// A network address that nobody has.
const NOBODY: &str = "02:00:00:00:fa:11";

const EVERYBODY: [usize; 3] = [0, 1, 2];

pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "cut",
        number: "5",
        fault: "leader cut from all, packets dropped",
        expected: "silent by 2.4 s and before its successor, which is <= 3.6 s",
        run: |notes| outside("cut", notes),
    },
    Scenario {
        name: "etcd",
        number: "6",
        fault: "leader cut from etcd alone, packets dropped",
        expected: "as 5, and it follows through Redis",
        run: |notes| outside("etcd", notes),
    },
    Scenario {
        name: "link",
        number: "8",
        fault: "follower's link down for 20 s",
        expected: "badge 1.5 s, LOCAL at 8 s, back <= 2 s + boundary",
        run: |notes| outside("link", notes),
    },
    Scenario {
        name: "oneway",
        number: "9",
        fault: "packets to a follower dropped, its own come through",
        expected: "0 leader changes, that console alone degrades",
        run: |notes| outside("oneway", notes),
    },
    Scenario {
        name: "thin",
        number: "22",
        fault: "a follower on 256 kbit/s",
        expected: "in step, nothing skipped",
        run: |notes| outside("thin", notes),
    },
];

fn ip(arguments: &str) -> bool {
    let ran = Command::new("ip").args(arguments.split(' ')).output();
    ran.is_ok_and(|ran| ran.status.success())
}

/// The networks; gone with it.
struct Networks {
    hub: String,
}

impl Networks {
    /// `None`: this machine does not allow it.
    fn new() -> Option<Self> {
        let networks = Self { hub: format!("mq{}", std::process::id()) };
        let hub = &networks.hub;
        let made = ip(&format!("netns add {hub}"))
            && ip(&format!("-n {hub} link set lo up"))
            && ip(&format!("-n {hub} link add hub type bridge"))
            && ip(&format!("-n {hub} addr add {}/24 dev hub", HOSTS[0]))
            && ip(&format!("-n {hub} addr add {}/24 dev hub", HOSTS[1]))
            && ip(&format!("-n {hub} link set hub up"))
            && EVERYBODY.iter().all(|place| {
                let own = format!("{hub}-{place}");
                ip(&format!("netns add {own}"))
                    && ip(&format!("-n {own} link set lo up"))
                    && ip(&format!("-n {hub} link add p{place} type veth peer name v netns {own}"))
                    && ip(&format!("-n {hub} link set p{place} master hub up"))
                    && ip(&format!("-n {own} addr add {}/24 dev v", address(*place)))
                    && ip(&format!("-n {own} link set v up"))
            });
        made.then_some(networks)
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for place in EVERYBODY {
            ip(&format!("netns del {}-{place}", self.hub));
        }
        ip(&format!("netns del {}", self.hub));
    }
}

fn address(place: usize) -> String {
    format!("10.231.0.{}", 11 + place)
}

/// Makes the networks, and runs the scenario in the servers' one.
fn outside(name: &str, notes: &mut Notes) -> Option<()> {
    let Some(networks) = Networks::new() else {
        notes.1 = Some("no right to make networks".into());
        return None;
    };
    let own = std::env::current_exe().ok()?;
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &networks.hub]).arg(own).args([INSIDE, name]).env("HUB", &networks.hub);
    let ran = command.output().ok()?;
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    for line in told.lines().filter_map(|line| line.strip_prefix("note ")) {
        let mut words = line.splitn(3, ' ');
        let number = |word: Option<&str>| word.and_then(|word| word.parse::<u64>().ok());
        let (value, most) = (number(words.next())?, number(words.next())?);
        let name: &'static str = words.next()?.to_owned().leak();
        if most > 0 {
            notes.promised(name, Duration::from_micros(value), most);
        } else {
            notes.time(name, Duration::from_micros(value));
        }
    }
    if ran.status.code() == Some(3) {
        return None;
    }
    let why = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(
        ran.status.success(),
        "{}",
        why.lines().skip_while(|line| !line.contains("panicked")).skip(1).collect::<Vec<_>>().join("\n")
    );
    Some(())
}

/// The same process again, within the servers' network.
pub(crate) fn inside(name: Option<&str>) -> ExitCode {
    let hub = std::env::var("HUB").unwrap_or_default();
    let mut notes = Notes::default();
    let ran = match name {
        Some("cut") => cut(&hub, &HOSTS, &mut notes),
        Some("etcd") => cut(&hub, &HOSTS[..1], &mut notes),
        Some("link") => link(&hub, &mut notes),
        Some("oneway") => oneway(&hub, &mut notes),
        Some("thin") => thin(&hub, &mut notes),
        _ => None,
    };
    for note in &notes.0 {
        let most = note.most.map_or(0, |most| most.as_millis());
        println!("note {} {most} {}", note.value.as_micros(), note.name);
    }
    if ran.is_some() { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

fn hall(hub: &str) -> Option<Hall> {
    let within: Vec<Vec<String>> = EVERYBODY
        .iter()
        .map(|place| ["ip", "netns", "exec", &format!("{hub}-{place}")].map(str::to_owned).to_vec())
        .collect();
    Hall::start(&Plan { hosts: HOSTS, within: &within, ..Plan::default() })
}

/// Drops what a console sends to a host.
fn drop_up(hub: &str, place: usize, host: &str) {
    assert!(ip(&format!("-n {hub}-{place} neigh replace {host} lladdr {NOBODY} dev v nud permanent")));
}

/// Drops what anybody sends to a console.
fn drop_down(hub: &str, place: usize) {
    assert!(ip(&format!("-n {hub} neigh replace {} lladdr {NOBODY} dev hub nud permanent", address(place))));
}

fn heal(hub: &str, place: usize) {
    for host in HOSTS {
        ip(&format!("-n {hub}-{place} neigh del {host} dev v"));
    }
    ip(&format!("-n {hub} neigh del {} dev hub", address(place)));
}

/// The leader reaches these hosts no more.
fn cut(hub: &str, hosts: &[&str], notes: &mut Notes) -> Option<()> {
    let hall = hall(hub)?;
    let (old, since) = (hall.leader(), now());
    for host in hosts {
        drop_up(hub, old, host);
    }
    if hosts.len() > 1 {
        drop_down(hub, old);
    }
    let replaced = hall.replaced(old, since);
    notes.promised("new leader after", replaced.led - since, 3600);
    notes.promised("old leader silent after", replaced.silent - since, 2600);
    notes.time("silence before the successor", replaced.led - replaced.silent);
    if hosts.len() == 1 {
        let follows = hall.line(old, replaced.led, "the old leader to follow", |line| line.role == "follower");
        notes.time("old leader follows after", follows.at - since);
    }
    hall.watch(&EVERYBODY, now(), 6);
    heal(hub, old);
    assert_eq!(hall.settled(), replaced.by);
    hall.watch(&EVERYBODY, now(), 6);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

fn link(hub: &str, notes: &mut Notes) -> Option<()> {
    let hall = hall(hub)?;
    let (leader, since) = (hall.leader(), now());
    let lost = hall.others(leader)[0];
    assert!(ip(&format!("-n {hub} link set p{lost} down")));
    notes.promised("said to be stale after", hall.stale(lost, since), 2200);
    notes.promised("alone after", hall.alone(lost, since), 8700);
    hall.watch(&EVERYBODY, now(), 24);
    notes.promised("spread meanwhile, p95", hall.spread(since), 20);
    let healed = now();
    assert!(ip(&format!("-n {hub} link set p{lost} up")));
    notes.promised("back after", hall.returned(lost, since, healed), 2500);
    assert_eq!(hall.leader(), leader);
    Some(())
}

fn oneway(hub: &str, notes: &mut Notes) -> Option<()> {
    let hall = hall(hub)?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    let deaf = hall.others(leader)[0];
    drop_down(hub, deaf);
    notes.promised("said to be stale after", hall.stale(deaf, since), 2200);
    hall.watch(&EVERYBODY, now(), 6);
    hall.assert_untouched(&hall.others(deaf), &roles, since);
    heal(hub, deaf);
    assert_eq!(hall.settled(), leader);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

fn thin(hub: &str, notes: &mut Notes) -> Option<()> {
    let hall = hall(hub)?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    let far = hall.others(leader)[0];
    let shaped = Command::new("ip")
        .args(["netns", "exec", hub, "tc", "qdisc", "add", "dev", &format!("p{far}"), "root", "tbf"])
        .args(["rate", "256kbit", "burst", "4kb", "latency", "400ms"])
        .output();
    assert!(shaped.is_ok_and(|shaped| shaped.status.success()), "no way to make a link thin");
    hall.watch(&EVERYBODY, now(), 40);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_untouched(&[far], &roles, since);
    notes.promised("spread p95", hall.spread(since), 20);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}
