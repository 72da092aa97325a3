//! The figures: changes of the leader again and again, and how far apart consoles turn.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::clock::now;
use crate::support::hall::{Hall, Plan, Seat, percentile};
use crate::support::proxy::{Proxy, Weather};

/// How often a change of the leader is measured.
const CHANGES: usize = 12;
/// So often where each takes seconds.
const SLOW_CHANGES: usize = 10;
/// So many turns make a spread.
const TURNS: usize = 60;

pub(crate) const ALL: &[(&str, fn())] = &[
    ("quit", quit),
    ("kill", kill),
    ("loss", loss),
    ("partition", partition),
    ("etcd", etcd),
    ("spread", spread),
    ("wan", wan),
];

fn figure(name: &str, value: f64, unit: &str) {
    println!("figure {name} {value:.1} {unit}");
}

fn millis(name: &str, values: &mut [Duration]) {
    for (word, percent) in [("p50", 50), ("p95", 95), ("max", 100)] {
        figure(&format!("{name}_{word}"), percentile(values, percent).as_secs_f64() * 1e3, "ms");
    }
}

/// Turns that some console skipped, repeated or stood still on; which ones is told beside.
fn broken(hall: &Hall, places: &[usize], since: std::time::Instant) -> usize {
    let wrong: Vec<_> = places.iter().flat_map(|place| hall.broken(*place, since)).collect();
    if !wrong.is_empty() {
        eprintln!("{wrong:?}\n{}", hall.report());
    }
    wrong.len()
}

/// Takes the leader away again and again.
fn changes(name: &str, count: usize, mut end: impl FnMut(&mut Hall, usize)) {
    let Some(mut hall) = Hall::start(&Plan::default()) else { return };
    let (mut gaps, mut wrong, mut stale) = (Vec::new(), 0, 0);
    for _ in 0..count {
        let (old, since) = (hall.settled(), now());
        let others = hall.others(old);
        hall.watch(&others, since, 4);
        let ended = now();
        end(&mut hall, old);
        let (_, led) = hall.successor(old, ended);
        gaps.push(led - ended);
        hall.watch(&others, led, 4);
        wrong += broken(&hall, &others, since);
        stale += hall.stale_beats(since);
        hall.seats[old].reap();
        hall.seats[old].sit();
    }
    millis(name, &mut gaps);
    count_of(&format!("{name}_turns_wrong"), wrong);
    count_of(&format!("{name}_stale_writes"), stale);
}

fn count_of(name: &str, count: usize) {
    figure(name, f64::from(u32::try_from(count).unwrap_or(u32::MAX)), "times");
}

fn quit() {
    changes("quit_to_next_leader", CHANGES, |hall, old| hall.seats[old].signal(Signal::TERM));
}

fn kill() {
    changes("kill_guarded_to_next_leader", CHANGES, |hall, old| hall.seats[old].kill());
}

fn loss() {
    changes("kill_unguarded_to_next_leader", SLOW_CHANGES, |hall, old| hall.seats[old].lose());
}

/// Cuts the leader off, again and again.
fn partition() {
    let Some(hall) = Hall::start(&Plan::default()) else { return };
    let (mut gaps, mut silences, mut overlaps, mut wrong, mut stale) = (Vec::new(), Vec::new(), 0, 0, 0);
    for _ in 0..SLOW_CHANGES {
        let (old, since) = (hall.settled(), now());
        hall.watch(&[0, 1, 2], since, 4);
        let cut = now();
        hall.seats[old].ways().for_each(Proxy::blackhole);
        let (_, led) = hall.successor(old, cut);
        let silent = hall.line(old, cut, "the old leader to fall silent", |line| line.role != "leader").at;
        gaps.push(led - cut);
        silences.push(led.saturating_duration_since(silent));
        overlaps += usize::from(silent > led);
        hall.watch(&[0, 1, 2], led, 4);
        hall.seats[old].ways().for_each(Proxy::heal);
        hall.settled();
        wrong += broken(&hall, &[0, 1, 2], since);
        stale += hall.stale_beats(since);
    }
    millis("partition_to_next_leader", &mut gaps);
    millis("partition_silence_before_it", &mut silences);
    count_of("partition_overlaps", overlaps);
    count_of("partition_turns_wrong", wrong);
    count_of("partition_stale_writes", stale);
}

/// Kills etcd's leader, again and again.
fn etcd() {
    let Some(mut hall) = Hall::start(&Plan::default()) else { return };
    let (mut gaps, mut changed, mut wrong) = (Vec::new(), 0, 0);
    for _ in 0..SLOW_CHANGES {
        let (old, since) = (hall.settled(), now());
        let fence = hall.roles()[old].1;
        hall.watch(&[0, 1, 2], since, 2);
        let Some(etcd) = hall.etcd.as_mut() else { return };
        let dead = etcd.leader();
        etcd.kill(dead);
        hall.watch(&[0, 1, 2], now(), 10);
        gaps.push(hall.longest_silence(since));
        wrong += broken(&hall, &[0, 1, 2], since);
        let Some(etcd) = hall.etcd.as_mut() else { return };
        etcd.restart(dead);
        let new = hall.settled();
        changed += usize::from(hall.roles()[new].1 != fence);
    }
    millis("etcd_leader_killed_beat_gap", &mut gaps);
    count_of("etcd_leader_killed_console_failovers", changed);
    count_of("etcd_leader_killed_turns_wrong", wrong);
}

fn told_spread(name: &str, hall: &Hall) {
    let since = now();
    hall.watch(&[0, 1, 2], since, TURNS);
    let (mut spreads, missed) = hall.spreads(since);
    millis(name, &mut spreads);
    count_of(&format!("{name}_missed"), missed);
    count_of(&format!("{name}_turns_wrong"), broken(hall, &[0, 1, 2], since));
}

fn spread() {
    let Some(hall) = Hall::start(&Plan::default()) else { return };
    hall.watch(&[0, 1, 2], now(), 8);
    told_spread("spread_loopback", &hall);
}

fn wan() {
    let Some(hall) = Hall::start(&Plan::default()) else { return };
    let delay = Duration::from_millis(50);
    let weather = Weather { up: delay, down: delay, jitter: Duration::from_millis(20), stalls: 0.0 };
    hall.seats.iter().flat_map(Seat::ways).for_each(|way| way.weather(weather));
    hall.watch(&[0, 1, 2], now(), 40);
    told_spread("spread_50ms_20ms", &hall);
}
