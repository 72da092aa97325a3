//! One seed: chance makes a world, lets it go wrong, then mends a majority of it and demands that it is well.

use crate::breaks::Break;
use crate::chance::Chance;
use crate::clock::{Clock, MS, SECOND};
use crate::counts::Counts;
use crate::faults::{Fault, next};
use crate::liveness::Liveness;
use crate::network::Network;
use crate::plant;
use crate::redis::Health;
use crate::spread::Spread;
use crate::world::{Due, Machine, World};

/// How long things go wrong.
const SAFETY: u64 = 30 * SECOND;

/// What may be apart in one LAN, and between sites (reliability 2.6), at the most and not in the 95th percentile.
const SPREAD_NEAR: u64 = 5 * MS;
const SPREAD_FAR: u64 = 30 * MS;

/// So much comes on top where clocks are slewed: a leader that lost the reference goes on by what it had learned of
/// its own rate, and where that was nothing it moves by this much in 40 s.
const SPREAD_SLEWED: u64 = 20 * MS;

/// The same where clocks run wild: consoles stay within one turn, which the slowest clock makes longer.
const A_TURN: u64 = plant::INTERVAL.as_nanos() * 12 / 10;

/// Turns of one item are at least so far apart on one console that there is no doubt which one is meant.
const NEAR: u64 = 1_500 * MS;

/// How far clocks run from the true time at the most, in parts per million: as crystals are sold, as a kernel
/// slews its clock, and as the election has to stand it.
///
/// The last is fifty times what a mapping of the shared clock carries (1,000 ppm, because more is no clock). So
/// there, and there alone, consoles may be up to a turn apart, and any time where the leader has lost the reference;
/// and one that is corrected by more than the 50 ms that the kernel smooths may step back by one turn.
const CRYSTAL: u64 = 100;
const SLEWED: u64 = 500;
const WILD: u64 = 50_000;

/// A whole seed: what was counted, and what failed.
pub(crate) fn run(seed: u64, breaks: Option<Break>, verbose: bool) -> (Counts, Option<String>) {
    let mut chance = Chance::new(seed);
    let consoles = [3, 3, 3, 4, 5, 5, 7][chance.index(7)];
    let far = chance.permille(300);
    let (most, wild) = match seed % 8 {
        3 => (SLEWED, false),
        7 => (WILD, true),
        _ => (CRYSTAL, false),
    };
    let jumps = chance.permille(250);
    let calm = chance.permille(600);
    let twins = seed % 5 == 2;
    let machines = (0..consoles).map(|console| {
        let offset = i64::try_from(chance.below(2_400 * MS)).unwrap_or(0) - 1_200_000_000;
        let ppm = i64::try_from(chance.below(2 * most + 1)).unwrap_or(0) - i64::try_from(most).unwrap_or(0);
        // The last has the name of the first, where there are two of one name.
        let name = if twins && console + 1 == consoles { 0 } else { console };
        Machine::new(Clock { offset, ppm }, name)
    });
    let machines: Vec<Machine> = machines.collect();
    let network = Network::new(consoles, far, &mut chance);
    let mut world = World::new(seed, machines, network, chance, breaks);
    world.check.verbose = verbose;
    world.check.calm = calm;
    world.check.wild = wild;
    let slewed = if most == SLEWED { SPREAD_SLEWED } else { 0 };
    world.check.spread = match (wild, far) {
        (true, _) => Spread::new(A_TURN, 2 * A_TURN),
        (false, true) => Spread::new(SPREAD_FAR + slewed, NEAR),
        (false, false) => Spread::new(SPREAD_NEAR + slewed, NEAR),
    };
    for console in 0..consoles {
        let t = world.chance.below(2 * SECOND);
        world.at(t, Due::Fault(Fault::Boot(console)));
    }
    world.at(0, Due::Tick);
    world.at(6 * SECOND, Due::NextFault);
    world.at(SAFETY, Due::Mend);
    let mut liveness: Option<Liveness> = None;
    loop {
        let Some(due) = world.next(liveness.as_ref().map_or(u64::MAX, |liveness| liveness.end)) else {
            if liveness.as_mut().is_some_and(|liveness| liveness.succeed(&mut world, seed.is_multiple_of(2))) {
                continue;
            }
            break;
        };
        match due {
            Due::Tick => {
                world.tick();
                if let Some(liveness) = &mut liveness {
                    liveness.look(&mut world);
                }
            }
            Due::Fault(fault) => happens(&mut world, fault),
            Due::NextFault => {
                let leader = world.check.leaders().first().map(|(console, _)| *console);
                for (after, fault) in next(&mut world.chance, consoles, leader, jumps) {
                    let harmless = calm && matches!(fault, Fault::Alarm(_));
                    if !harmless {
                        world.at(world.t + after, Due::Fault(fault));
                    }
                }
                let pause = world.chance.within(100, 3_500) * MS;
                world.at(world.t + pause, Due::NextFault);
            }
            Due::Mend => liveness = Some(Liveness::begin(&mut world, seed.is_multiple_of(4))),
            due => world.does(due),
        }
        if world.check.failure.is_some() {
            break;
        }
    }
    world.check_kept();
    let (widest, outside) = world.check.spread.widest();
    if !wild {
        world.check.counts.widest_spread = widest;
    }
    if let Some((turn, apart)) = outside {
        let why = format!("{turn:?} is {} us from its leader's", apart / 1_000);
        world.check.fail(turn.t, Some(turn.console), "I5", &why);
    }
    world.check.counts.stale_refused = world.redis.stale;
    (world.check.counts, world.check.failure)
}

/// Lets a fault happen.
pub(crate) fn happens(world: &mut World, fault: Fault) {
    let t = world.t;
    world.check.log(t, None, format!("{fault:?}"));
    world.check.fault(
        t,
        match fault {
            Fault::Cut(console, ..) => Some((console, true)),
            Fault::Heal(console, ..) => Some((console, false)),
            _ => None,
        },
    );
    match fault {
        Fault::Cut(console, server, way) => world.network.cut(t, console, server, way),
        Fault::Heal(console, server, way) => world.network.heal(console, server, way),
        Fault::Slow(console, server, way, slow) => {
            world.network.slow(console, server, way, slow);
            // Half of what one way is slower than the other can't be known by anybody.
            world.check.crooked(console, slow > 0, t);
        }
        Fault::Pause(console) => world.pause(console),
        Fault::Resume(console) => world.resume(console),
        Fault::Freeze(console, long) => world.machines[console].freezes = Some(long),
        Fault::Crash(console, guarded) => world.crash(console, guarded),
        Fault::Boot(console) => {
            if world.machines[console].app.is_none() {
                world.boot(console);
            }
        }
        Fault::Quit(console) => world.quit(console),
        Fault::QuorumLost => world.etcd.serves = false,
        Fault::QuorumBack(elected) => {
            world.etcd.serves = true;
            if elected {
                world.etcd.extend(t);
                world.check.extended_at = t;
            }
        }
        Fault::RevokeEarly => {
            world.etcd.revoke_early();
            world.check.early(t, false);
        }
        Fault::DeleteKey => {
            world.etcd.delete_key();
            world.check.early(t, false);
        }
        Fault::Rebuild | Fault::Restore => {
            if matches!(fault, Fault::Rebuild) {
                world.etcd.rebuild();
            } else {
                world.etcd.restore();
            }
            world.check.early(t, true);
            (0..world.machines.len()).for_each(|console| world.break_watch(console));
        }
        Fault::LongerLeases(extra) => world.etcd.extra = extra,
        Fault::WatchBreaks(console) => world.break_watch(console),
        Fault::RedisDown => world.redis.health = Health::Down,
        Fault::RedisHangs => world.redis.health = Health::Hangs,
        Fault::RedisRefuses(error) => world.redis.health = Health::Refuses(error),
        Fault::RedisBack => world.redis.health = Health::Well,
        Fault::RedisRestart => {
            world.redis.health = Health::Well;
            world.redis.run += 1;
            world.check.jumped(t);
        }
        Fault::RedisSaves => world.saved = Some(world.redis.kept.clone()),
        Fault::RedisRollsBack => {
            if let Some(saved) = world.saved.take() {
                world.check.rolled_back(saved.token);
                world.redis.kept = saved;
            }
        }
        Fault::RedisClockJumps(far) => {
            world.redis.offset += far;
            world.check.jumped(t);
        }
        Fault::Loses(share) => {
            world.loses = share;
            world.check.lossy_until = if share > 0 { u64::MAX } else { t + 2 * SECOND };
        }
        Fault::Alarm(calls) => world.alarm(calls),
        Fault::EtcdRepeats(console, repeats) => world.machines[console].repeats = repeats,
        Fault::EtcdFull(full) => world.etcd.full = full,
        Fault::Foreign => world.says_foreign(),
    }
    world.etcd_tells();
}
