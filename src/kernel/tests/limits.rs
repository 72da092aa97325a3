//! The limits of plans: concurrency, buckets, hosts, breakers, missed ticks, settling, the feed.

use super::*;
use crate::kernel::plans::{BreakerRules, HostRules, Late, Limit, SettleRules, SpikeRules};
use Level::{Critical, Healthy, Unknown, Warning};

const EVERY: Span = Span::from_millis(100);

fn plan(name: &str, change: impl FnOnce(&mut PlanSpec)) -> ItemSpec {
    let mut item = planned(name, EVERY);
    if let Source::Plan(plan) = &mut item.source {
        change(plan);
    }
    item
}

/// Who starts within a while, in order; runs end at once where `ends`.
fn runs(plant: &mut Plant, span: Span, ends: bool) -> Vec<String> {
    let mut seen = Vec::new();
    let end = plant.now + span;
    plant.starts();
    while plant.now < end {
        plant.now = plant.kernel.next_wake().unwrap_or(end).clamp(plant.now, end);
        plant.give(Input::Wake);
        for start in plant.starts() {
            seen.push(start.item.to_string());
            if ends {
                finish(plant, start.run, Outcome::Done);
            }
        }
    }
    seen
}

fn finish(plant: &mut Plant, run: RunId, outcome: Outcome) {
    let level = if outcome == Outcome::Done { Healthy } else { Unknown };
    let report = Some(report(level, "told"));
    plant.give(Input::Ended(Ended {
        run,
        outcome,
        report,
        took: Span::ZERO,
        retries: 0,
        waited: Span::ZERO,
        bytes: 0,
    }));
}

#[test]
fn no_more_runs_than_the_program_permits() {
    let mut plant = Plant::new();
    plant.board_spec(|spec| {
        spec.items = (0..20).map(|n| planned(&format!("p{n}"), EVERY)).collect();
        spec.concurrency = 3;
    });
    assert_eq!(runs(&mut plant, Span::from_secs(1), false).len(), 3);
    let busy = (0..20).find_map(|n| plant.run_of(&format!("p{n}")));
    finish(&mut plant, busy.unwrap(), Outcome::Done);
    assert_eq!(plant.starts().len(), 1, "one goes, one comes");
}

#[test]
fn items_in_alarm_go_first_then_by_priority() {
    let mut plant = Plant::new();
    let items =
        vec![planned("a", EVERY), plan("b", |plan| plan.priority = 9), planned("c", EVERY), planned("gate", EVERY)];
    plant.board_spec(|spec| spec.items = items.clone());
    runs(&mut plant, Span::from_millis(150), false);
    for (name, level) in [("a", Healthy), ("b", Healthy), ("c", Critical), ("gate", Healthy)] {
        plant.reports(name, level, "told");
    }
    plant.board_spec(|spec| {
        spec.items = items;
        spec.concurrency = 1;
    });
    plant.give(Input::RunNow(id("gate")));
    plant.pass(EVERY);
    let mut order = Vec::new();
    let mut next = plant.run_of("gate");
    while let Some(run) = next {
        plant.starts();
        finish(&mut plant, run, Outcome::Done);
        next = plant.starts().first().map(|start| {
            order.push(start.item.to_string());
            start.run
        });
    }
    assert_eq!(order[..3], ["c", "b", "a"]);
}

#[test]
fn a_plan_s_own_limit_holds_and_changes_live() {
    let limit = |tokens| Some(Limit::new(tokens, Span::from_secs(1), 1));
    let mut plant = Plant::with(vec![plan("a", |plan| plan.limit = limit(2)), planned("b", EVERY)]);
    let seen = runs(&mut plant, Span::from_secs(10), true);
    let count = |name: &str, seen: &[String]| seen.iter().filter(|item| *item == name).count();
    assert!((20..=21).contains(&count("a", &seen)), "{}", count("a", &seen));
    assert!(count("b", &seen) >= 99, "the limited one holds nobody up");
    plant.board(vec![plan("a", |plan| plan.limit = limit(5)), planned("b", EVERY)]);
    let seen = runs(&mut plant, Span::from_secs(10), true);
    assert!((49..=51).contains(&count("a", &seen)), "{}", count("a", &seen));
}

#[test]
fn plans_of_one_host_share_its_limits() {
    let host: Arc<str> = "plc".into();
    let mut plant = Plant::new();
    plant.board_spec(|spec| {
        spec.items = (0..4).map(|n| plan(&format!("p{n}"), |plan| plan.hosts = Arc::new(["plc".into()]))).collect();
        spec.items.push(planned("other", EVERY));
        spec.hosts = vec![HostRules { host, limit: None, at_once: Some(1) }];
    });
    let seen = runs(&mut plant, Span::from_secs(1), false);
    assert_eq!(seen.len(), 2, "one of the host, and the other: {seen:?}");
    for _ in 0..3 {
        let run = (0..4).find_map(|n| plant.run_of(&format!("p{n}"))).unwrap();
        finish(&mut plant, run, Outcome::Done);
    }
    let seen = plant.starts();
    let mut names: Vec<_> = seen.iter().map(|start| start.item.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 3, "each of the others got its turn: {seen:?}");
}

#[test]
fn a_failing_plan_is_left_alone_probed_and_taken_back() {
    let breaker = BreakerRules { open_after: 3, retry_after: Span::from_secs(1), retry_at_most: Span::from_secs(4) };
    let mut plant = Plant::with(vec![plan("a", |plan| plan.breaker = breaker)]);
    let mut starts = Vec::new();
    let end = plant.now + Span::from_secs(20);
    while plant.now < end {
        plant.now = plant.kernel.next_wake().unwrap();
        plant.give(Input::Wake);
        for start in plant.starts() {
            starts.push(plant.now.since(START).as_millis());
            finish(&mut plant, start.run, Outcome::Failed);
        }
    }
    assert!(starts.len() <= 3 + 1 + 1 + 5, "{starts:?}");
    assert_eq!(plant.kernel.stats().breakers_opened, 1);
    assert!(plant.kernel.stats().left_alone > 100);
    let probe = loop {
        plant.now = plant.kernel.next_wake().unwrap();
        plant.give(Input::Wake);
        if let Some(start) = plant.starts().first() {
            break start.run;
        }
    };
    finish(&mut plant, probe, Outcome::Done);
    assert_eq!(runs(&mut plant, Span::from_secs(1), true).len(), 10, "closed: every tick again");
}

#[test]
fn missed_ticks_are_skipped_made_one_or_made_up_for() {
    for (late, expected) in [(Late::Skip, 1), (Late::Coalesce, 2), (Late::Burst(3), 4)] {
        let mut plant = Plant::with(vec![plan("a", |plan| plan.late = late)]);
        runs(&mut plant, Span::from_millis(90), false);
        // Five more ticks find it busy.
        plant.pass(EVERY * 5);
        let mut count = 1;
        let mut next = plant.run_of("a");
        plant.starts();
        while let Some(run) = next {
            finish(&mut plant, run, Outcome::Done);
            next = plant.starts().first().map(|start| start.run);
            count += u32::from(next.is_some());
        }
        assert_eq!(count, expected, "{late:?}");
    }
}

#[test]
fn a_level_settles_by_results_and_by_time() {
    let settle = SettleRules { bad: 2, good: 1, on_delay: Span::ZERO, off_delay: Span::from_millis(250) };
    let mut plant = Plant::with(vec![plan("a", |plan| plan.settle = settle)]);
    let mut levels = Vec::new();
    for level in [Healthy, Critical, Critical, Healthy, Healthy] {
        let due = plant.kernel.next_wake().unwrap();
        plant.pass(due.since(plant.now));
        while plant.run_of("a").is_none() {
            plant.pass(Span::from_millis(1));
        }
        plant.reports("a", level, "told");
        levels.push(plant.item("a").level());
    }
    assert_eq!(levels, [Healthy, Healthy, Critical, Critical, Critical]);
    plant.pass(Span::from_millis(160));
    assert_eq!(plant.item("a").level(), Healthy, "good for long enough, without another result");
}

#[test]
fn flapping_is_a_mark_and_goes() {
    let mut plant = Plant::with(vec![pushed("x", None)]);
    for n in 0..20 {
        plant.push("x", if n % 2 == 0 { Warning } else { Healthy }, None);
    }
    assert!(plant.item("x").flapping);
    for _ in 0..20 {
        plant.push("x", Healthy, None);
    }
    assert!(!plant.item("x").flapping);
}

#[test]
fn a_feed_gone_wild_is_sampled_told_and_healed() {
    let mut plant = Plant::new();
    plant.board_spec(|spec| {
        spec.items = vec![pushed("x", None)];
        spec.feed = SpikeRules { window: Span::from_secs(1), ratio: 4.0, floor: 100, sample: 10 };
    });
    let flood = |plant: &mut Plant, count: u64, seconds: u64| {
        for _ in 0..seconds * 10 {
            for _ in 0..count / 10 {
                plant.push("x", Healthy, None);
            }
            plant.pass(Span::from_millis(100));
        }
    };
    flood(&mut plant, 50, 5);
    assert_eq!(plant.kernel.stats().pushes_sampled, 0);
    flood(&mut plant, 1_000, 6);
    let told = plant.kernel.board().get(&id(FEED_ITEM)).expect("an item tells").text.to_string();
    assert!(told.contains("one of 10"), "{told}");
    assert!(plant.kernel.stats().pushes_sampled > 1_000);
    plant.pass(Span::from_secs(10));
    assert!(plant.kernel.board().get(&id(FEED_ITEM)).is_none(), "healed by itself");
}

#[test]
fn a_ghost_can_not_be_made_in_a_hundred_thousand_tries() {
    let mut seed = 7_u64;
    let mut random = move |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % bound
    };
    let mut plant = Plant::new();
    let mut revision = 1;
    let items = |revision: u64, count: u64| {
        (0..count)
            .map(|n| ItemSpec { revision, ..planned(&format!("p{n}"), Span::from_millis(10 + n)) })
            .collect::<Vec<_>>()
    };
    plant.board(items(revision, 8));
    let mut live: Vec<(RunId, u64)> = Vec::new();
    let mut dead: Vec<RunId> = Vec::new();
    for round in 0..100_000_u64 {
        match random(100) {
            0 => {
                revision += 1;
                plant.board(items(revision, 1 + random(8)));
                dead.extend(live.drain(..).map(|(run, _)| run));
            }
            1..5 => {
                if let Some((run, _)) = live.first().copied() {
                    plant.give(Input::Cancel(run));
                }
            }
            5..40 if !dead.is_empty() => {
                let run = dead.swap_remove(usize::try_from(random(dead.len() as u64)).unwrap());
                let ghost = Some(report(Critical, "ghost"));
                plant.give(Input::Ended(Ended {
                    run,
                    outcome: Outcome::Done,
                    report: ghost,
                    took: EVERY,
                    retries: 0,
                    waited: Span::ZERO,
                    bytes: 0,
                }));
            }
            40..70 if !live.is_empty() => {
                let (run, _) = live.swap_remove(usize::try_from(random(live.len() as u64)).unwrap());
                finish(&mut plant, run, Outcome::Done);
                dead.push(run);
            }
            _ => plant.pass(Span::from_micros(500 + random(3_000))),
        }
        live.extend(plant.starts().iter().map(|start| (start.run, round)));
        let in_flight = (0..8).filter_map(|n| plant.run_of(&format!("p{n}"))).count();
        assert_eq!(in_flight, live.len(), "round {round}");
        plant.frames();
    }
    assert!(plant.kernel.stats().ghosts_refused > 1_000);
    assert!(plant.kernel.board().items().iter().all(|item| &*item.text != "ghost"));
}
