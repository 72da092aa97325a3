//! One seed: chance makes a world, lets it go wrong, then mends a majority of it and demands that it is well.

use crate::breaks::Break;
use crate::chance::Chance;
use crate::check::Counts;
use crate::clock::{Clock, MS, SECOND};
use crate::faults::{Fault, next};
use crate::network::{Network, Server, Way};
use crate::redis::Health;
use crate::spread::Spread;
use crate::world::{Due, Machine, World};

/// How long things go wrong.
const SAFETY: u64 = 30 * SECOND;

/// How long it is looked at once it has to be well.
const WELL: u64 = 5 * SECOND;

/// Screens may differ for so long at a turn: a leader that lost the reference clock is taken by its word within
/// a quarter of a second, and a tick of the checker comes on top.
const DIFFER: u64 = 350 * MS;

/// The lease that is asked for.
const LEASE: u64 = 3 * SECOND;

/// What may be apart in one LAN, and between sites (reliability 2.6), at the most and not in the 95th percentile.
const SPREAD_NEAR: u64 = 5 * MS;
const SPREAD_FAR: u64 = 30 * MS;

/// A whole seed: what was counted, and what failed.
pub(crate) fn run(seed: u64, breaks: Option<Break>, verbose: bool) -> (Counts, Option<String>) {
    let mut chance = Chance::new(seed);
    let consoles = [3, 3, 3, 4, 5, 5, 7][chance.index(7)];
    let far = chance.permille(300);
    let extreme = seed % 8 == 7;
    let jumps = chance.permille(250);
    let calm = chance.permille(600);
    let machines = (0..consoles).map(|_| {
        let offset = i64::try_from(chance.below(2_400 * MS)).unwrap_or(0) - 1_200_000_000;
        let most = if extreme { 50_000 } else { 100 };
        let ppm = i64::try_from(chance.below(2 * most + 1)).unwrap_or(0) - i64::try_from(most).unwrap_or(0);
        Machine::new(Clock { offset, ppm })
    });
    let machines: Vec<Machine> = machines.collect();
    let network = Network::new(consoles, far, &mut chance);
    let mut world = World::new(seed, machines, network, chance, breaks);
    world.check.verbose = verbose;
    world.check.calm = calm;
    world.check.spread = (!extreme).then(|| Spread::new(if far { SPREAD_FAR } else { SPREAD_NEAR }));
    for console in 0..consoles {
        let t = world.chance.below(2 * SECOND);
        world.at(t, Due::Fault(Fault::Boot(console)));
    }
    world.at(0, Due::Tick);
    world.at(6 * SECOND, Due::NextFault);
    world.at(SAFETY, Due::Mend);
    let mut core = Vec::new();
    let mut well_from = u64::MAX;
    while let Some(due) = world.next(well_from.saturating_add(WELL)) {
        match due {
            Due::Tick => {
                world.tick();
                if world.t >= well_from {
                    is_well(&mut world, &core);
                }
            }
            Due::Wake(console) => world.wake(console),
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
            Due::Mend => {
                let longest = LEASE + world.etcd.extra;
                core = mend(&mut world, consoles);
                well_from = world.t + 2 * longest + 5 * SECOND;
            }
            Due::ToEtcd(console, boot, id, op) => world.to_etcd(console, boot, id, op),
            Due::ToRedis(console, boot, id, op) => world.to_redis(console, boot, id, op),
            Due::To(console, boot, letter) => world.letter(console, boot, letter),
            Due::Gone(console, boot) => {
                if world.machines[console].boot == boot {
                    world.crash(console, false);
                }
            }
        }
        if world.check.failure.is_some() {
            break;
        }
    }
    if let Some(spread) = world.check.spread.take() {
        let (widest, outside) = spread.widest();
        world.check.counts.widest_spread = widest;
        if let Some((turn, apart)) = outside {
            let why = format!("{turn:?} is {} us from its leader's", apart / 1_000);
            world.check.fail(turn.t, Some(turn.console), "I5", &why);
        }
    }
    world.check.counts.stale_refused = world.redis.stale;
    (world.check.counts, world.check.failure)
}

/// Lets a fault happen.
fn happens(world: &mut World, fault: Fault) {
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
        Fault::RedisBusy => world.redis.health = Health::Busy,
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
    }
    world.etcd_tells();
}

/// Mends etcd, Redis and a majority of the consoles; the rest stays broken for ever.
fn mend(world: &mut World, consoles: usize) -> Vec<usize> {
    world.forget_faults();
    world.check.log(world.t, None, "the core is mended".into());
    happens(world, Fault::Loses(0));
    world.etcd.extra = 0;
    world.redis.health = Health::Well;
    world.machines.iter_mut().for_each(|machine| machine.freezes = None);
    if !world.etcd.serves {
        happens(world, Fault::QuorumBack(true));
    }
    let mut order: Vec<usize> = (0..consoles).collect();
    for index in (1..consoles).rev() {
        order.swap(index, world.chance.index(index + 1));
    }
    let core: Vec<usize> = order[..consoles / 2 + 1].to_vec();
    for &console in &order {
        for server in Server::ALL {
            for way in [Way::There, Way::Back] {
                world.network.heal(console, server, way);
                world.network.slow(console, server, way, 0);
            }
        }
        world.check.crooked(console, false, world.t);
        world.resume(console);
        if world.machines[console].quits {
            world.crash(console, false);
        }
        if core.contains(&console) {
            happens(world, Fault::Boot(console));
            continue;
        }
        let server = Server::ALL[world.chance.index(2)];
        match world.chance.below(5) {
            0 => happens(world, Fault::Pause(console)),
            1 => happens(world, Fault::Crash(console, world.seconds() % 2 == 0)),
            2 => happens(world, Fault::Cut(console, server, Way::Back)),
            3 => happens(world, Fault::Cut(console, server, Way::There)),
            _ => {
                happens(world, Fault::Cut(console, Server::Etcd, Way::There));
                happens(world, Fault::Cut(console, Server::Redis, Way::Back));
            }
        }
    }
    core
}

/// I10: one leader, and equal items among the core.
fn is_well(world: &mut World, core: &[usize]) {
    let leaders = world.check.leaders();
    let t = world.t;
    let [(leader, _)] = leaders[..] else {
        world.check.fail(t, None, "I10", &format!("{} lead, long after the core was mended", leaders.len()));
        return;
    };
    let apps = || core.iter().chain([&leader]).filter_map(|&console| world.machines[console].app.as_ref());
    let marks: Vec<_> = apps().map(|app| app.kernel.mark()).collect();
    let shown: Vec<_> = core.iter().chain([&leader]).filter_map(|&console| world.check.shown(console)).collect();
    let turned = shown.iter().map(|(_, at)| *at).max().unwrap_or(0);
    let items_differ = shown.windows(2).any(|two| two[0].0 != two[1].0);
    let marks_differ = marks.windows(2).any(|two| two[0] != two[1]);
    let roles: Vec<_> = core.iter().filter_map(|&console| world.machines[console].app.as_ref()?.role()).collect();
    let strays = core
        .iter()
        .zip(&roles)
        .any(|(console, role)| *console != leader && !matches!(role, marquee::kernel::beat::Role::Follower(_)));
    if strays {
        world.check.fail(t, None, "I10", &format!("not all of the core follow {leader}: {roles:?}"));
    } else if items_differ && world.check.spread.is_some() && t > turned + DIFFER {
        let why = format!("the core shows different items: {shown:?}");
        world.check.fail(t, None, "I10", &why);
    } else if marks_differ {
        world.check.differ(t);
    } else {
        world.check.agree();
    }
}
