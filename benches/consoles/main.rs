//! Consoles in step, measured: `cargo bench --bench consoles [-- NAME…]`.
//!
//! Real consoles, a real etcd and a real Redis on this machine; what is printed is what the consoles
//! printed, with the moment of its arrival. Deliberately no faults beyond an end or a death of the
//! leader: those with their checks are `tests/faults`.
#![expect(clippy::disallowed_methods, reason = "a measurement reads clocks and waits")]
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a measurement that can't be set up has nothing to tell")]
#![expect(clippy::cast_precision_loss, reason = "figures for people, small enough for any of them")]

mod plant;
#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use more of their tools than the figures do")]
mod support;

use std::thread::sleep;
use std::time::{Duration, Instant};

use plant::{Console, Plant, wait_for};
use rustix::process::Signal;
use support::hall::lines::{Lines, percentile, spreads};
use support::proxy::{Proxy, Weather};

/// How often a change of the leader is measured.
const CHANGES: usize = 12;
/// Without a guardian each takes seconds.
const SLOW_CHANGES: usize = 6;

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` runs this too, only to see that it starts.
    if !chosen.iter().any(|argument| argument == "--bench") {
        return;
    }
    let wanted: Vec<String> = chosen.into_iter().filter(|argument| !argument.starts_with('-')).collect();
    let Some(plant) = Plant::start() else {
        println!("skipped: etcd or redis-server is not installed here");
        return;
    };
    let measurements: [(&str, Measure); 6] = [
        ("spread", in_step),
        ("wan", over_a_network),
        ("quit", graceful),
        ("kill", killed),
        ("rest", at_rest),
        ("fifty", fifty),
    ];
    for (name, measure) in measurements {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            measure(&plant);
        }
    }
}

/// Measures something with these servers, and prints it.
type Measure = fn(&Plant);

fn figure(name: &str, value: f64, unit: &str) {
    println!("figure {name} {value:.3} {unit}");
}

/// A board at rest: five items that stand as they are.
fn board(title: &str, interval: &str, [etcd, redis]: [u16; 2], more: &str) -> String {
    let items: String =
        ["a", "b", "c", "d", "e"].map(|id| format!("  - {{id: {id}, text: Item {id}, level: info}}\n")).concat();
    format!(
        "title: {title}\ninterval: {interval}\nconsole: \"${{NAME}}\"\ncluster: etcd://127.0.0.1:{etcd}\n\
         state: redis://127.0.0.1:{redis}\n{more}items:\n{items}"
    )
}

/// Consoles with their lines.
struct Hall {
    consoles: Vec<(Console, Lines)>,
}

impl Hall {
    fn start(plant: &Plant, configs: &[String]) -> Self {
        let consoles = configs.iter().enumerate().map(|(place, config)| enter(plant, config, &format!("hall-{place}")));
        let hall = Self { consoles: consoles.collect() };
        wait_for("a leader with followers", || hall.is_settled().then_some(()));
        hall
    }

    fn is_settled(&self) -> bool {
        let roles: Vec<String> =
            self.consoles.iter().filter_map(|(_, lines)| lines.last().map(|line| line.role)).collect();
        roles.len() == self.consoles.len()
            && roles.iter().filter(|role| *role == "leader").count() == 1
            && roles.iter().all(|role| role == "leader" || role == "follower")
    }

    fn leader(&self) -> usize {
        wait_for("a leader", || {
            let leads = |(_, lines): &(Console, Lines)| lines.last().is_some_and(|line| line.role == "leader");
            self.consoles.iter().position(leads)
        })
    }

    fn lines(&self) -> Vec<Lines> {
        self.consoles.iter().map(|(_, lines)| lines.clone()).collect()
    }
}

fn enter(plant: &Plant, config: &str, name: &str) -> (Console, Lines) {
    let mut console = Console::start(plant, config, name);
    let lines = console.lines.take().map(Lines::read).unwrap_or_default();
    (console, lines)
}

fn told_spread(name: &str, lines: &[Lines], since: Instant, interval: Duration) {
    let turns: Vec<_> = lines.iter().map(|lines| lines.turns(since)).collect();
    let (mut apart, missed) = spreads(&turns, interval);
    told_times(name, &mut apart);
    figure(&format!("{name}_turns"), apart.len() as f64, "turns");
    figure(&format!("{name}_missed"), missed as f64, "turns");
}

fn told_times(name: &str, times: &mut [Duration]) {
    for (word, share) in [("p50", 50), ("p95", 95), ("max", 100)] {
        figure(&format!("{name}_{word}"), percentile(times, share).as_secs_f64() * 1e3, "ms");
    }
}

fn in_step(plant: &Plant) {
    let config = plant.config("spread", &board("Spread", "500ms", plant.ports(), ""));
    let hall = Hall::start(plant, &[config.clone(), config.clone(), config]);
    sleep(Duration::from_secs(4));
    let since = Instant::now();
    sleep(Duration::from_secs(30));
    told_spread("spread_loopback", &hall.lines(), since, Duration::from_millis(500));
}

fn over_a_network(plant: &Plant) {
    let delay = Duration::from_millis(50);
    let weather = Weather { up: delay, down: delay, jitter: Duration::from_millis(20), stalls: 0.0 };
    let ways: Vec<[Proxy; 2]> = (0..3).map(|_| plant.ports().map(Proxy::to)).collect();
    ways.iter().flatten().for_each(|way| way.weather(weather));
    let config = |(place, ways): (usize, &[Proxy; 2])| {
        let ports = ways.each_ref().map(|way| way.address().port());
        plant.config(&format!("wan-{place}"), &board("Wan", "1s", ports, ""))
    };
    let configs: Vec<String> = ways.iter().enumerate().map(config).collect();
    let hall = Hall::start(plant, &configs);
    sleep(Duration::from_secs(15));
    let since = Instant::now();
    sleep(Duration::from_secs(45));
    told_spread("spread_50ms_20ms", &hall.lines(), since, Duration::from_secs(1));
}

/// Ends the leader again and again, and measures until another console shows that it leads.
fn changes(plant: &Plant, name: &str, more: &str, count: usize, end: impl Fn(&Console)) {
    let config = plant.config(name, &board(name, "500ms", plant.ports(), more));
    let mut hall = Hall::start(plant, &[config.clone(), config.clone(), config.clone()]);
    let mut gaps = Vec::new();
    for round in 0..count {
        sleep(Duration::from_secs(2));
        let leader = hall.leader();
        let (mut ended, _) = hall.consoles.swap_remove(leader);
        let at = Instant::now();
        end(&ended);
        let led = wait_for("the next leader", || {
            let leads = |(_, lines): &(Console, Lines)| {
                lines.all().iter().find(|line| line.at > at && line.role == "leader").map(|line| line.at)
            };
            hall.consoles.iter().find_map(leads)
        });
        gaps.push(led.duration_since(at));
        ended.reap();
        hall.consoles.push(enter(plant, &config, &format!("hall-{}", 3 + round)));
        wait_for("three consoles in step", || hall.is_settled().then_some(()));
    }
    told_times(name, &mut gaps);
}

fn graceful(plant: &Plant) {
    changes(plant, "quit_to_next_leader", "", CHANGES, |console| console.signal(Signal::TERM));
}

fn killed(plant: &Plant) {
    changes(plant, "kill_guarded_to_next_leader", "", CHANGES, |console| console.signal(Signal::KILL));
    let alone = "guardian: false\n";
    changes(plant, "kill_unguarded_to_next_leader", alone, SLOW_CHANGES, |console| console.signal(Signal::KILL));
}

/// What a follower costs while nothing happens but turns.
fn at_rest(plant: &Plant) {
    let ways = plant.ports().map(Proxy::to);
    let direct = plant.config("rest", &board("Rest", "3s", plant.ports(), ""));
    let counted =
        plant.config("rest-counted", &board("Rest", "3s", ways.each_ref().map(|way| way.address().port()), ""));
    let leader = enter(plant, &direct, "hall-leader");
    wait_for("a leader", || leader.1.last().filter(|line| line.role == "leader"));
    let follower = enter(plant, &counted, "hall-follower");
    wait_for("a follower", || follower.1.last().filter(|line| line.role == "follower"));
    // The clock is found fast at first, and looked at seldom once it is quiet.
    sleep(Duration::from_secs(45));
    let bytes = || ways.each_ref().map(Proxy::bytes);
    let (cpu, before, leading, at) = (follower.0.cpu(), bytes(), leader.0.cpu(), Instant::now());
    sleep(Duration::from_secs(40));
    let (took, after) = (at.elapsed().as_secs_f64(), bytes());
    figure("follower_at_rest_cpu", (follower.0.cpu() - cpu) / took * 100.0, "percent");
    figure("leader_of_one_cpu", (leader.0.cpu() - leading) / took * 100.0, "percent");
    let rate = |place: usize| (after[place] - before[place]) as f64 / took;
    figure("follower_at_rest_etcd", rate(0), "bytes/s");
    figure("follower_at_rest_redis", rate(1), "bytes/s");
    figure("follower_at_rest_network", (rate(0) + rate(1)) / 1024.0, "KiB/s");
}

/// Fifty consoles that follow one.
fn fifty(plant: &Plant) {
    let config = plant.config("fifty", &board("Fifty", "1s", plant.ports(), "guardian: false\n"));
    let mut hall = Hall::start(plant, std::slice::from_ref(&config));
    for place in 1..=50 {
        hall.consoles.push(enter(plant, &config, &format!("hall-{place}")));
        sleep(Duration::from_millis(150));
    }
    wait_for("fifty followers", || hall.is_settled().then_some(()));
    sleep(Duration::from_secs(20));
    let leader = hall.leader();
    let (cpu, since) = (hall.consoles[leader].0.cpu(), Instant::now());
    sleep(Duration::from_secs(30));
    figure(
        "leader_of_fifty_cpu",
        (hall.consoles[leader].0.cpu() - cpu) / since.elapsed().as_secs_f64() * 100.0,
        "percent",
    );
    let troubled = hall.consoles.iter().filter(|(_, lines)| lines.last().is_some_and(|line| line.notice.is_some()));
    figure("fifty_with_a_notice", troubled.count() as f64, "consoles");
    told_spread("spread_of_fifty", &hall.lines(), since, Duration::from_secs(1));
}
