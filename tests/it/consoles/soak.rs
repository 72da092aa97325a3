//! Faults by chance, one after the other at any moment of a beat, always with the same look at what
//! everybody showed; and what the one console that is never ended holds in the end.
//!
//! A few of them are a test; `tests/faults --soak` has as many as there is time for. Faults that meet each other
//! are the simulator's, which can say what is expected of them.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{Chance, Notes};
use crate::support::clock::{now, pass};
use crate::support::hall::{Hall, Plan, Seat, percentile};
use crate::support::process::{Held, resident_mib};
use crate::support::proxy::{Proxy, Weather};

/// The place that is never ended, so that what it holds can be compared.
const SPARED: usize = 0;
const EVERYBODY: [usize; 3] = [0, 1, 2];
/// Turns that are looked at after each fault.
const TURNS: usize = 6;
/// How long a test has faults.
const A_FEW: Duration = Duration::from_secs(40);
/// A time to wake up in, before what the spared console holds is taken down.
const WARM: Duration = Duration::from_secs(30);

/// Whom a fault is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Whom {
    Leader,
    Follower,
    /// A server, which all consoles have in common.
    Servers,
}

/// What happens; where it says seconds, it is healed after so many.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Quits,
    IsKilled,
    IsLost,
    Stops { secs: u64 },
    HasNoWay { secs: u64 },
    IsReset,
    IsFarAway { secs: u64 },
    HasNoRedis { secs: u64 },
    RedisIsKilled { secs: u64 },
    RedisStops { secs: u64 },
    EtcdLosesItsLeader { secs: u64 },
    EtcdStops { members: usize, secs: u64 },
}

/// All that may come, and whether the console that it is about goes on without a turn skipped or repeated as well.
const FAULTS: &[(Whom, What, bool)] = &[
    (Whom::Leader, What::Quits, false),
    (Whom::Leader, What::IsKilled, false),
    (Whom::Leader, What::IsLost, false),
    (Whom::Follower, What::IsKilled, false),
    (Whom::Leader, What::Stops { secs: 1 }, false),
    (Whom::Leader, What::Stops { secs: 6 }, false),
    (Whom::Follower, What::Stops { secs: 3 }, false),
    (Whom::Leader, What::HasNoWay { secs: 6 }, true),
    (Whom::Follower, What::HasNoWay { secs: 6 }, true),
    (Whom::Follower, What::HasNoWay { secs: 15 }, false),
    (Whom::Leader, What::IsReset, true),
    (Whom::Follower, What::IsReset, true),
    (Whom::Follower, What::IsFarAway { secs: 6 }, true),
    (Whom::Leader, What::HasNoRedis { secs: 5 }, true),
    (Whom::Follower, What::HasNoRedis { secs: 5 }, true),
    (Whom::Servers, What::RedisIsKilled { secs: 3 }, true),
    (Whom::Servers, What::RedisStops { secs: 5 }, true),
    (Whom::Servers, What::EtcdLosesItsLeader { secs: 5 }, true),
    (Whom::Servers, What::EtcdStops { members: 1, secs: 6 }, true),
    (Whom::Servers, What::EtcdStops { members: 2, secs: 6 }, true),
];

impl What {
    const fn ends_it(self) -> bool {
        matches!(self, Self::Quits | Self::IsKilled | Self::IsLost)
    }

    /// Lets it happen to the console at `place`, or to the servers, and heals it.
    fn happen(self, hall: &mut Hall, place: usize) -> Option<()> {
        let seat = &mut hall.seats[place];
        let lasts = |secs| pass(Duration::from_secs(secs));
        match self {
            Self::Quits => seat.signal(Signal::TERM),
            Self::IsKilled => seat.kill(),
            Self::IsLost => seat.lose(),
            Self::Stops { secs } => {
                seat.signal(Signal::STOP);
                lasts(secs);
                seat.signal(Signal::CONT);
            }
            Self::HasNoWay { secs } => {
                seat.ways().for_each(Proxy::blackhole);
                lasts(secs);
                seat.ways().for_each(Proxy::heal);
            }
            Self::IsReset => seat.ways().for_each(Proxy::reset),
            Self::IsFarAway { secs } => {
                let delay = Duration::from_millis(50);
                let weather = Weather { up: delay, down: delay, jitter: Duration::from_millis(20), stalls: 0.05 };
                seat.ways().for_each(|way| way.weather(weather));
                lasts(secs);
                seat.ways().for_each(Proxy::heal);
            }
            Self::HasNoRedis { secs } => {
                seat.redis.as_ref()?.refuse();
                lasts(secs);
                seat.redis.as_ref()?.heal();
            }
            Self::RedisIsKilled { secs } => {
                let redis = hall.redis.as_mut()?;
                redis.kill();
                lasts(secs);
                redis.restart();
            }
            Self::RedisStops { secs } => {
                let redis = hall.redis.as_ref()?;
                redis.signal(Signal::STOP);
                lasts(secs);
                redis.signal(Signal::CONT);
            }
            Self::EtcdLosesItsLeader { secs } => {
                let etcd = hall.etcd.as_mut()?;
                let dead = etcd.leader();
                etcd.kill(dead);
                lasts(secs);
                etcd.restart(dead);
            }
            Self::EtcdStops { members, secs } => {
                let etcd = hall.etcd.as_ref()?;
                let leader = etcd.leader();
                let stopped = || (leader..leader + members).map(|place| place % 3);
                stopped().for_each(|place| etcd.signal(place, Signal::STOP));
                lasts(secs);
                stopped().for_each(|place| etcd.signal(place, Signal::CONT));
            }
        }
        Some(())
    }
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Account {
    rounds: usize,
    failovers: Vec<Duration>,
    spreads: Vec<Duration>,
    pub(crate) wrong: usize,
    pub(crate) stale: usize,
    /// The highest fence by which anybody led.
    fence: u64,
}

pub(super) fn a_few_faults_by_chance(notes: &mut Notes) -> Option<()> {
    let mut account = soak(A_FEW, u64::from(std::process::id()))?;
    assert_eq!((account.wrong, account.stale), (0, 0));
    notes.time("longest failover", percentile(&mut account.failovers, 100));
    Some(())
}

/// Lets faults come for so long, drawn by `seed`; `None` where a server is not installed.
pub(crate) fn soak(time: Duration, seed: u64) -> Option<Account> {
    let mut hall = Hall::start(&Plan::default())?;
    println!("soak of {} s, --seed {seed}", time.as_secs());
    let (mut chance, mut account, began) = (Chance::new(seed), Account::default(), now());
    pass(WARM.min(time / 4));
    let spared = hall.seats[SPARED].pid();
    let (held, resident, from) = (Held::by(spared), resident_mib(spared), now());
    while now() - began < time {
        pass(Duration::from_millis(chance.below(3_000)));
        let leader = hall.settled();
        let is_fair =
            |(whom, what, _): &&(Whom, What, bool)| leader != SPARED || *whom != Whom::Leader || !what.ends_it();
        let faults: Vec<_> = FAULTS.iter().filter(is_fair).collect();
        let (whom, what, steady) = *faults[chance.index(faults.len())];
        let follower = hall.others(leader).into_iter().find(|place| *place != SPARED);
        let place = follower.filter(|_| whom == Whom::Follower).unwrap_or(leader);
        round(&mut hall, [leader, place], what, steady, &mut account);
    }
    hall.settled();
    let grown = resident_mib(spared) - resident;
    let hours = (now() - from).as_secs_f64() / 3600.0;
    let left = Held::by(spared);
    account.tell();
    println!("figure soak_resident_slope {:.2} MiB/h", grown / hours.max(1e-9));
    println!("figure soak_resident {:.1} MiB", resident + grown);
    for (name, before, after) in [
        ("descriptors", held.descriptors, left.descriptors),
        ("threads", held.threads, left.threads),
        ("children", held.children, left.children),
    ] {
        println!("figure soak_{name}_before {before} pieces");
        println!("figure soak_{name}_after {after} pieces");
    }
    hall.close();
    Some(account)
}

/// One fault of the console at `place`, and a look at what everybody showed from before it until all is well again.
fn round(hall: &mut Hall, [leader, place]: [usize; 2], what: What, steady: bool, account: &mut Account) {
    let since = now();
    hall.watch(&EVERYBODY, since, 1);
    let began = now();
    what.happen(hall, place);
    if what.ends_it() {
        if place == leader {
            hall.successor(place, began);
        }
        hall.seats[place].reap();
        hall.seats[place].sit();
    }
    let healed = now();
    let new = hall.settled();
    let quiet = now();
    hall.watch(&EVERYBODY, quiet, TURNS);
    let looked_at = EVERYBODY.into_iter().filter(|seat| steady || *seat != place);
    let wrong: Vec<_> = looked_at.flat_map(|seat| hall.broken(seat, since)).collect();
    let (mut spreads, _) = hall.spreads(quiet);
    account.rounds += 1;
    account.spreads.append(&mut spreads);
    if new != leader {
        account.failovers.extend(took_over(hall, new, began));
    }
    let fence = hall.roles()[new].1;
    let stale = hall.stale_beats(since) + usize::from(fence < account.fence);
    account.fence = fence;
    account.stale += stale;
    let settled = (quiet - healed).as_millis();
    println!("{:>4} hall-{} {what:?}: well {settled} ms later, leader {leader} -> {new}", account.rounds, place + 1);
    if !wrong.is_empty() || stale > 0 {
        println!("     wrong: {wrong:?}, {stale} stale\n{}", hall.report());
        account.wrong += wrong.len();
    }
    hall.seats.iter_mut().for_each(Seat::forget);
}

/// How long after `began` a console first showed that it leads.
fn took_over(hall: &Hall, place: usize, began: Instant) -> Option<Duration> {
    let lines = hall.seats[place].lines().since(began);
    lines.into_iter().find(|line| line.role == "leader").map(|line| line.at - began)
}

impl Account {
    fn tell(&mut self) {
        println!("figure soak_rounds {} times", self.rounds);
        println!("figure soak_failovers {} times", self.failovers.len());
        for (name, values) in [("failover", &mut self.failovers), ("spread", &mut self.spreads)] {
            for (word, percent) in [("p50", 50), ("p95", 95), ("max", 100)] {
                println!("figure soak_{name}_{word} {:.2} ms", percentile(values, percent).as_secs_f64() * 1e3);
            }
        }
        println!("figure soak_turns_wrong {} times", self.wrong);
        println!("figure soak_stale {} times", self.stale);
    }
}
