//! Liveness: once a majority is mended it has to be well, whatever stays broken around it.

use marquee::kernel::board::ItemId;

use crate::check::Living;
use crate::clock::{MS, SECOND};
use crate::faults::Fault;
use crate::network::{Server, Way};
use crate::plant;
use crate::redis::Health;
use crate::seed::happens;
use crate::world::World;

/// How long it is looked at once it has to be well.
const WELL: u64 = 5 * SECOND;

/// Screens may differ for so long at a turn: a leader that lost the reference clock is taken by its word within
/// a quarter of a second, and a tick of the checker comes on top.
const DIFFER: u64 = 350 * MS;

/// The lease that is asked for, and the longest that is granted.
const LEASE: u64 = 3 * SECOND;
const LEASE_MAX: u64 = 5 * SECOND;

/// A record that was lost is told again when its lease is renewed, a third of its life later: 10.7 s where etcd
/// grants more than was asked for, by a clock that is 5 % slow; then it has to be told and listed.
const COMPANY: u64 = 15 * SECOND;

/// The records of those that died without a guardian are gone by then, the longest lease of one and a list later.
const FORGOTTEN: u64 = 40 * SECOND;

/// Once a leader's lease has ended its successor is there: four questions over the longest way, of which the store
/// may not answer its own, and half a second until a name that has become free is taken.
const SUCCESSION: u64 = 2 * SECOND;

/// What has to be well from when on.
#[derive(Debug)]
pub(crate) struct Liveness {
    core: Vec<usize>,
    well_from: u64,
    company_from: u64,
    pub(crate) end: u64,
    fallen: Option<Fallen>,
}

/// Those that led have died, when all was well.
#[derive(Debug)]
struct Fallen {
    at: u64,
    guarded: bool,
    /// Who alone can lead now; `None`: whoever is there.
    heir: Option<usize>,
}

impl Liveness {
    /// Mends the core; `long`: looks for so long that whoever is dead is forgotten.
    pub(crate) fn begin(world: &mut World, long: bool) -> Self {
        let longest = LEASE + world.etcd.extra;
        let core = mend(world);
        let (well_from, company_from) = (world.t + 2 * longest + 5 * SECOND, world.t + COMPANY);
        let end = if long { world.t + FORGOTTEN } else { company_from.max(well_from + WELL) + 2 * SECOND };
        Self { core, well_from, company_from, end, fallen: None }
    }

    /// Looks whether all is as it has to be by now.
    pub(crate) fn look(&mut self, world: &mut World) {
        let Some(fallen) = &self.fallen else {
            if world.t >= self.well_from {
                is_well(world, &self.core);
            }
            if world.t >= self.company_from {
                let living = self.core.iter().filter_map(|&console| {
                    let app = world.machines[console].app.as_ref()?;
                    Some(Living { console, name: app.name.clone(), process: app.process.clone() })
                });
                let living: Vec<Living> = living.collect();
                world.check.company(world.t, &living);
            }
            return;
        };
        let leader = world.check.leaders().first().map(|(console, _)| *console);
        if let Some(leader) = leader.filter(|leader| fallen.heir.is_none_or(|heir| heir == *leader)) {
            let took = world.check.leads_since(leader) - fallen.at;
            let most = SUCCESSION + if fallen.guarded { 0 } else { LEASE_MAX };
            if took > most {
                world.check.fail(world.t, Some(leader), "I10", &format!("it led only {} ms after", took / MS));
            }
            world.check.counts.successions[usize::from(fallen.guarded)].add(took);
            self.end = 0;
        }
    }

    /// Lets the leader die when all is well, or all but the one whose name another one has; false: that was done,
    /// or nobody could succeed.
    pub(crate) fn succeed(&mut self, world: &mut World, guarded: bool) -> bool {
        if let Some(fallen) = &self.fallen {
            if self.end > 0 {
                let at = world.t;
                let why = format!("nobody leads {} ms after the leader's death", (at - fallen.at) / MS);
                world.check.fail(at, fallen.heir, "I10", &why);
            }
            return false;
        }
        let at = world.t;
        let leads: Vec<usize> = world.check.leaders().iter().map(|(console, _)| *console).collect();
        // Whoever lost its name while it led leads on.
        let waits = |console: &usize| !world.check.is_named(*console) && !leads.contains(console);
        let heir = self.core.iter().copied().find(waits);
        let (guarded, falls) = match heir {
            Some(heir) => {
                let others: Vec<usize> = (0..world.machines.len()).filter(|&console| console != heir).collect();
                let name = world.machines[heir].name;
                let twin = others.iter().copied().find(|&other| world.machines[other].name == name);
                let gives_back =
                    |other: usize| world.machines[other].app.is_some() && !world.network.is_bad(other, Server::Etcd);
                if !twin.is_some_and(gives_back) {
                    return false;
                }
                (true, others)
            }
            None => (guarded, leads),
        };
        for console in falls {
            happens(world, Fault::Crash(console, guarded));
        }
        self.fallen = Some(Fallen { at, guarded, heir });
        self.end = at + SUCCESSION + LEASE_MAX;
        true
    }
}

/// Mends etcd, Redis and a majority of the consoles; the rest stays broken for ever.
fn mend(world: &mut World) -> Vec<usize> {
    let consoles = world.machines.len();
    world.forget_faults();
    world.check.log(world.t, None, "the core is mended".into());
    happens(world, Fault::Loses(0));
    (world.etcd.extra, world.etcd.full) = (0, false);
    world.redis.health = Health::Well;
    world.machines.iter_mut().for_each(|machine| (machine.freezes, machine.repeats) = (None, false));
    if !world.etcd.serves {
        happens(world, Fault::QuorumBack(true));
    }
    let mut order: Vec<usize> = (0..consoles).collect();
    for index in (1..consoles).rev() {
        order.swap(index, world.chance.index(index + 1));
    }
    let core: Vec<usize> = order[..=consoles / 2].to_vec();
    for &console in &order {
        for server in Server::ALL {
            for way in [Way::There, Way::Back] {
                world.network.heal(console, server, way);
                world.network.slow(console, server, way, 0);
            }
        }
        world.check.fault(world.t, Some((console, false)));
        world.check.crooked(console, false, world.t);
        world.resume(console);
        if world.machines[console].quits {
            world.crash(console, true);
        }
        if core.contains(&console) {
            happens(world, Fault::Boot(console));
            continue;
        }
        let server = Server::ALL[world.chance.index(2)];
        match world.chance.below(5) {
            0 => happens(world, Fault::Pause(console)),
            1 => happens(world, Fault::Crash(console, world.seconds().is_multiple_of(2))),
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
    // Where clocks run wild, two consoles may be a turn apart, and one that lost the reference any time; what calls
    // comes when it is heard of.
    let place = |shown: &(&ItemId, u64)| plant::place(shown.0).unwrap_or(0);
    let of_leader = shown.last().map_or(0, place);
    let told = world.check.calm && !world.network.is_cut(leader, Server::Redis);
    let items_differ = shown
        .iter()
        .map(|shown| place(shown).abs_diff(of_leader))
        .any(|apart| if world.check.wild { told && apart.min(plant::ITEMS - apart) > 1 } else { apart > 0 });
    let marks_differ = marks.windows(2).any(|two| two[0] != two[1]);
    let roles: Vec<_> = core.iter().filter_map(|&console| world.machines[console].app.as_ref()?.role()).collect();
    let strays = core
        .iter()
        .zip(&roles)
        .any(|(console, role)| *console != leader && !matches!(role, marquee::kernel::beat::Role::Follower(_)));
    if strays {
        world.check.fail(t, None, "I10", &format!("not all of the core follow {leader}: {roles:?}"));
    } else if items_differ && t > turned + DIFFER {
        let why = format!("the core shows different items: {shown:?}");
        world.check.fail(t, None, "I10", &why);
    } else if marks_differ {
        world.check.differ(t);
    } else {
        world.check.agree();
    }
}
