//! Etcd dies, stands still, loses what it knew, or refuses.

use std::time::Duration;

use rustix::process::Signal;

use super::{Notes, hall};
use crate::support::clock::{now, pass};
use crate::support::etcd::Etcd;
use crate::support::hall::{BOARD, Hall, Plan};

const EVERYBODY: [usize; 3] = [0, 1, 2];

pub(super) fn a_dead_leader_of_etcd_changes_no_console(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let (roles, since) = (hall.roles(), now());
    hall.watch(&EVERYBODY, since, 2);
    let etcd = hall.etcd.as_mut()?;
    let dead = etcd.leader();
    etcd.kill(dead);
    hall.watch(&EVERYBODY, now(), 12);
    assert_eq!(hall.roles(), roles, "{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    notes.promised("longest silence of the channel", hall.assert_one_voice(since), 2400);
    Some(())
}

pub(super) fn a_stalled_leader_of_etcd_changes_the_leader_once_at_most(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let since = now();
    let etcd = hall.etcd.as_ref()?;
    let stalled = etcd.leader();
    etcd.signal(stalled, Signal::STOP);
    pass(Duration::from_secs(6));
    etcd.signal(stalled, Signal::CONT);
    hall.watch(&EVERYBODY, now(), 6);
    hall.settled();
    let mut fences: Vec<_> = hall.seats.iter().flat_map(|seat| seat.lines().since(since)).collect();
    fences.retain(|line| line.role == "leader");
    let mut fences: Vec<_> = fences.into_iter().map(|line| line.fence).collect();
    fences.sort_unstable();
    fences.dedup();
    assert!(fences.len() <= 2, "{fences:?}\n{}", hall.report());
    hall.assert_unbroken(&EVERYBODY, since);
    notes.time("longest silence of the channel", hall.assert_one_voice(since));
    Some(())
}

pub(super) fn without_a_quorum_nobody_leads_and_all_keep_the_schedule(notes: &mut Notes) -> Option<()> {
    let hall = hall()?;
    let (leader, roles) = (hall.leader(), hall.roles());
    let etcd = hall.etcd.as_ref()?;
    // A leader of etcd that was stopped itself ends leases by its own clock when it wakes, before anybody renews.
    let keeps = etcd.leader();
    let since = now();
    let stopped: Vec<usize> = (0..3).filter(|place| *place != keeps).collect();
    for place in &stopped {
        etcd.signal(*place, Signal::STOP);
    }
    let silent = hall.line(leader, since, "the leader to fall silent", |line| line.role == "local");
    assert!(silent.tells("not in sync"), "{silent:?}");
    let told = hall.line(leader, since, "the reason", |line| line.tells("etcd has not answered"));
    assert_eq!(told.role, "local");
    notes.promised("silent after", silent.at - since, 2600);
    pass(Duration::from_secs(5).saturating_sub(now() - since));
    for place in &stopped {
        etcd.signal(*place, Signal::CONT);
    }
    let healed = now();
    let leads = hall.line(leader, healed, "the leader to lead again", |line| line.role == "leader");
    notes.promised("leads again after", leads.at - healed, 4500);
    hall.settled();
    assert_eq!(hall.roles(), roles, "it goes on by the same fence\n{}", hall.report());
    hall.watch(&EVERYBODY, now(), 6);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

/// Fills etcd until it takes no more.
fn fill(etcd: &Etcd) {
    let value = "A".repeat(400_000);
    for _ in 0..200 {
        let full = etcd.ask(0, "/v3/kv/put", &format!("{{\"key\":\"Zmls\",\"value\":\"{value}\"}}"));
        if full.is_some_and(|answer| answer.contains("space exceeded")) {
            return;
        }
    }
    panic!("etcd takes everything");
}

/// Makes room again, as an operator does.
fn empty(etcd: &Etcd) {
    let field = |path: &str, body: &str, name: &str| {
        let answer = etcd.ask(0, path, body).unwrap_or_default();
        let (_, rest) = answer.split_once(&format!("\"{name}\":\"")).unwrap_or_else(|| panic!("{path}: {answer}"));
        rest.split('"').next().unwrap_or_default().to_owned()
    };
    let revision = field("/v3/kv/range", "{\"key\":\"AA==\"}", "revision");
    let member = field("/v3/maintenance/status", "{}", "member_id");
    for (path, body) in [
        ("/v3/kv/deleterange", "{\"key\":\"Zmls\"}".to_owned()),
        ("/v3/kv/compaction", format!("{{\"revision\":\"{revision}\",\"physical\":true}}")),
        ("/v3/maintenance/defragment", "{}".to_owned()),
        (
            "/v3/maintenance/alarm",
            format!("{{\"action\":\"DEACTIVATE\",\"memberID\":\"{member}\",\"alarm\":\"NOSPACE\"}}"),
        ),
    ] {
        let answer = etcd.ask(0, path, &body).unwrap_or_default();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
}

pub(super) fn a_full_etcd_keeps_its_leader_and_elects_none(notes: &mut Notes) -> Option<()> {
    let plan = Plan { etcd: 1, etcd_arguments: &["--quota-backend-bytes", "4000000"], ..Plan::default() };
    let mut hall = Hall::start(&plan)?;
    let (leader, roles, since) = (hall.leader(), hall.roles(), now());
    fill(hall.etcd.as_ref()?);
    hall.watch(&EVERYBODY, now(), 12);
    assert_eq!(hall.roles(), roles, "who leads leads on\n{}", hall.report());
    let ended = now();
    hall.seats[leader].signal(Signal::TERM);
    assert!(hall.seats[leader].reap()?.success());
    let others = hall.others(leader);
    for place in &others {
        hall.line(*place, ended, "the console to go on alone", |line| line.role == "local");
    }
    hall.assert_unbroken(&others, since);
    empty(hall.etcd.as_ref()?);
    let healed = now();
    hall.settled();
    notes.time("a leader again after", now() - healed);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn an_etcd_that_was_rebuilt_begins_a_new_epoch(notes: &mut Notes) -> Option<()> {
    let mut hall = Hall::start(&Plan { etcd: 1, ..Plan::default() })?;
    let since = now();
    let epoch = |hall: &Hall| hall.redis.as_ref()?.state(BOARD, "epoch")?.parse::<u64>().ok();
    let before = epoch(&hall)?;
    let fence = hall.roles()[hall.leader()].1;
    let etcd = hall.etcd.as_mut()?;
    etcd.kill(0);
    etcd.erase(0);
    etcd.restart(0);
    let rebuilt = now();
    let written = hall.wait("a write of the next epoch", |hall| {
        hall.beats(rebuilt).into_iter().find(|(_, (epoch, _))| *epoch > before).map(|(at, _)| at)
    });
    notes.promised("written again after", written - rebuilt, 5000);
    let leader = hall.settled();
    assert_eq!(epoch(&hall)?, before + 1, "{}", hall.report());
    assert!(hall.roles()[leader].1 > fence, "{}", hall.report());
    hall.watch(&EVERYBODY, now(), 6);
    hall.assert_unbroken(&EVERYBODY, since);
    hall.assert_one_voice(since);
    Some(())
}

pub(super) fn a_follower_that_missed_a_compaction_finds_the_leader(notes: &mut Notes) -> Option<()> {
    let mut hall = hall()?;
    let (old, since) = (hall.leader(), now());
    let stopped = hall.others(old)[0];
    hall.seats[stopped].signal(Signal::STOP);
    hall.seats[old].kill();
    let (new, _) = hall.successor(old, since);
    let etcd = hall.etcd.as_ref()?;
    let mut revision = String::new();
    for _ in 0..20 {
        let answer = etcd.ask(2, "/v3/kv/put", "{\"key\":\"eA==\",\"value\":\"eA==\"}").unwrap_or_default();
        answer.split_once("\"revision\":\"")?.1.split('"').next()?.clone_into(&mut revision);
    }
    let compacted = etcd.ask(2, "/v3/kv/compaction", &format!("{{\"revision\":\"{revision}\",\"physical\":true}}"));
    assert!(compacted?.starts_with("HTTP/1.1 200"));
    let thawed = now();
    hall.seats[stopped].signal(Signal::CONT);
    let fence = hall.roles()[new].1;
    let follows = hall.line(stopped, thawed, "the follower to follow", |line| line.fence == fence);
    notes.promised("shows the leader after", follows.at - thawed, 1000);
    assert_eq!(hall.settled(), new);
    hall.assert_one_voice(since);
    Some(())
}
