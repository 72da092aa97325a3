//! What goes wrong, when, and for how long.

use crate::chance::Chance;
use crate::clock::{MS, SECOND};
use crate::network::{Server, Way};
use crate::redis::ERRORS;

/// Something goes wrong, or is mended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Cut(usize, Server, Way),
    Heal(usize, Server, Way),
    Slow(usize, Server, Way, u64),
    Pause(usize),
    Resume(usize),
    /// Paused for so long as soon as a renewal is answered, before it hears of that, and cut off from etcd.
    Freeze(usize, u64),
    /// Killed, with the guardian or without.
    Crash(usize, bool),
    Boot(usize),
    Quit(usize),
    QuorumLost,
    /// It is back; with another leader of etcd's own all leases begin anew.
    QuorumBack(bool),
    RevokeEarly,
    DeleteKey,
    Rebuild,
    Restore,
    LongerLeases(u64),
    WatchBreaks(usize),
    RedisDown,
    RedisHangs,
    /// It answers each with this one of its errors.
    RedisRefuses(usize),
    RedisBack,
    RedisRestart,
    /// Keeps a copy to go back to.
    RedisSaves,
    RedisRollsBack,
    RedisClockJumps(i64),
    /// Answers, and publications, of which so many of a thousand are lost.
    Loses(u64),
    Alarm(bool),
    /// Something on a console's way to etcd answers in its place, and repeats what was sent.
    EtcdRepeats(usize, bool),
    /// Its space is used up, or no more.
    EtcdFull(bool),
    /// Somebody else says something on the board's channels.
    Foreign,
}

/// A fault and what mends it again, with their delays.
type Plan = Vec<(u64, Fault)>;

/// The next thing that goes wrong, and more often than not with whoever leads.
pub(crate) fn next(chance: &mut Chance, consoles: usize, leader: Option<usize>, jumps: bool) -> Plan {
    let console = leader.filter(|_| chance.permille(400)).unwrap_or(chance.index(consoles));
    let server = Server::ALL[chance.index(2)];
    let long = chance.within(200, 9_000) * MS;
    let short = chance.within(200, 3_000) * MS;
    let ways = match chance.below(3) {
        0 => vec![Way::There],
        1 => vec![Way::Back],
        _ => vec![Way::There, Way::Back],
    };
    match chance.below(40) {
        0..=3 => cut(chance, &[console], &[server], &ways, long),
        4 | 5 => cut(chance, &[console], &Server::ALL, &[Way::There, Way::Back], long),
        6 => {
            let some: Vec<usize> = (0..consoles).filter(|_| chance.permille(500)).collect();
            cut(chance, &some, &[server], &ways, long)
        }
        7 | 8 => {
            let slow = [chance.within(20, 900), chance.within(1_000, 5_000)][chance.index(2)] * MS;
            vec![(0, Fault::Slow(console, server, ways[0], slow)), (long, Fault::Slow(console, server, ways[0], 0))]
        }
        9..=11 => vec![(0, Fault::Pause(console)), (long, Fault::Resume(console))],
        12 | 13 => vec![(0, Fault::Crash(console, chance.permille(500))), (short, Fault::Boot(console))],
        14 => vec![(0, Fault::Quit(console)), (short, Fault::Boot(console))],
        15 | 16 => vec![(0, Fault::QuorumLost), (long, Fault::QuorumBack(chance.permille(500)))],
        17 => vec![(0, Fault::QuorumLost), (chance.within(900, 1_600) * MS, Fault::QuorumBack(true))],
        18 => vec![(0, Fault::RevokeEarly)],
        19 => vec![(0, Fault::DeleteKey)],
        20 if chance.permille(400) => vec![(0, Fault::Rebuild)],
        20 if chance.permille(400) => vec![(0, Fault::Restore)],
        20 => vec![(0, Fault::LongerLeases(chance.below(2 * SECOND)))],
        21 => vec![(0, Fault::WatchBreaks(console))],
        22 => vec![(0, Fault::RedisDown), (long, Fault::RedisBack)],
        23 => vec![(0, Fault::RedisHangs), (long, Fault::RedisBack)],
        24 => vec![(0, Fault::RedisRefuses(chance.index(ERRORS.len()))), (short, Fault::RedisBack)],
        25 => vec![(0, Fault::RedisDown), (short, Fault::RedisRestart)],
        26 => vec![(0, Fault::RedisSaves), (long, Fault::RedisRollsBack)],
        27 if jumps => {
            let far = chance.within(200, 7_200_000) * MS;
            let far = i64::try_from(far).unwrap_or(0);
            vec![(0, Fault::RedisClockJumps(if chance.permille(500) { far } else { -far }))]
        }
        27 => vec![(0, Fault::Loses(chance.within(10, 200))), (long, Fault::Loses(0))],
        // The leader's words are on their way when its lease is taken: they arrive after its successor's.
        31 | 32 => vec![
            (0, Fault::Slow(console, Server::Redis, Way::There, chance.within(1_000, 4_000) * MS)),
            (chance.within(50, 900) * MS, Fault::RevokeEarly),
            (long, Fault::Slow(console, Server::Redis, Way::There, 0)),
        ],
        36 | 37 => vec![(0, Fault::EtcdRepeats(console, true)), (short, Fault::EtcdRepeats(console, false))],
        38 => vec![(0, Fault::EtcdFull(true)), (long, Fault::EtcdFull(false))],
        39 => vec![(0, Fault::Foreign)],
        28..=30 => vec![(0, Fault::Freeze(console, chance.within(500, 5_000) * MS))],
        _ => vec![(0, Fault::Alarm(true)), (long, Fault::Alarm(false))],
    }
}

/// Cuts these ways, and heals each in its own time.
fn cut(chance: &mut Chance, consoles: &[usize], servers: &[Server], ways: &[Way], long: u64) -> Plan {
    let mut plan = Plan::new();
    for &console in consoles {
        for &server in servers {
            for &way in ways {
                plan.push((0, Fault::Cut(console, server, way)));
                plan.push((long + chance.below(500) * MS, Fault::Heal(console, server, way)));
            }
        }
    }
    plan
}
