//! Plans that are tuned while they run: the one keeps its beat and its run, the others notice nothing.

use super::*;
use crate::kernel::plans::{HostRules, Limit};
use Level::{Healthy, Unknown};

const EVERY: Span = Span::from_millis(100);

/// The settings that the item has now, changed.
fn tune(plant: &mut Plant, name: &str, change: impl FnOnce(&mut PlanSpec)) {
    let mut plan = plan_of(plant, name);
    change(&mut plan);
    plant.give(Input::Tune(id(name), Box::new(plan)));
}

fn plan_of(plant: &Plant, name: &str) -> PlanSpec {
    let Source::Plan(plan) = &plant.item(name).spec.source else { panic!("{name} has no plan") };
    plan.clone()
}

fn configured(name: &str, change: impl FnOnce(&mut PlanSpec)) -> ItemSpec {
    let mut item = planned(name, EVERY);
    if let Source::Plan(plan) = &mut item.source {
        change(plan);
    }
    item
}

/// When whose runs start within a while, in ms since the start of all; they end at once.
fn starts(plant: &mut Plant, span: Span) -> Vec<(String, u64)> {
    let end = plant.now + span;
    let mut seen = Vec::new();
    plant.starts();
    while let Some(wake) = plant.kernel.next_wake().filter(|wake| *wake <= end) {
        plant.now = wake.max(plant.now);
        plant.give(Input::Wake);
        for start in plant.starts() {
            seen.push((start.item.to_string(), plant.now.since(START).as_millis()));
            plant.reports(start.item.as_str(), Healthy, "told");
        }
    }
    plant.now = end;
    seen
}

fn of(name: &str, seen: &[(String, u64)]) -> Vec<u64> {
    seen.iter().filter(|(item, _)| item == name).map(|(_, at)| *at).collect()
}

#[test]
fn another_period_and_back_returns_to_the_old_beat() {
    let items = || vec![configured("a", |plan| plan.phase = Some(Span::from_millis(30))), planned("b", EVERY)];
    let (mut tuned, mut left) = (Plant::with(items()), Plant::with(items()));
    starts(&mut tuned, Span::from_secs(1));
    starts(&mut left, Span::from_secs(1));
    for every in [70, 250, 1_000, 100] {
        tune(&mut tuned, "a", |plan| plan.every = Span::from_millis(every));
        let (mine, usual) = (starts(&mut tuned, Span::from_secs(3)), starts(&mut left, Span::from_secs(3)));
        assert_eq!(of("b", &mine), of("b", &usual), "the other one keeps its beat");
        let since_epoch = START.unix_millis();
        assert!(of("a", &mine).iter().all(|at| (since_epoch + at) % every == 30), "{every}: {mine:?}");
        assert!(of("a", &mine).len() as u64 >= 3_000 / every - 1, "{every}: {mine:?}");
    }
    assert_eq!(of("a", &starts(&mut tuned, EVERY * 20)), of("a", &starts(&mut left, EVERY * 20)));
}

#[test]
fn a_run_in_flight_goes_on_and_its_result_counts() {
    let mut plant = Plant::with(vec![planned("a", EVERY), planned("b", EVERY)]);
    plant.pass(EVERY * 6);
    let (run, other) = (plant.run_of("a").unwrap(), plant.run_of("b"));
    plant.outputs.clear();
    tune(&mut plant, "a", |plan| {
        plan.every = Span::from_secs(5);
        plan.timeout = Span::from_secs(4);
        plan.retries = 2;
    });
    assert!(!plant.outputs.iter().any(|output| matches!(output, Output::Cancel(_))), "nothing is cancelled");
    assert_eq!((plant.run_of("a"), plant.run_of("b")), (Some(run), other));
    plant.reports("a", Healthy, "told");
    assert_eq!(plant.item("a").level(), Healthy);
    plant.pass(Span::from_secs(6));
    let next = plant.starts().into_iter().find(|start| start.item == id("a")).unwrap();
    assert_eq!((next.timeout, next.retries), (Span::from_secs(4), 2), "the next run keeps to it");
}

#[test]
fn news_grow_old_by_the_tuned_period() {
    let mut plant = Plant::with(vec![configured("a", |plan| plan.every = Span::from_secs(60))]);
    plant.pass(Span::from_secs(1));
    plant.reports("a", Healthy, "told");
    plant.pass(Span::from_secs(5));
    tune(&mut plant, "a", |plan| plan.every = Span::from_secs(1));
    assert_eq!(plant.item("a").level(), Unknown, "older than three of its periods");
    tune(&mut plant, "a", |plan| plan.every = Span::from_secs(4));
    assert_eq!(plant.item("a").level(), Healthy);
    plant.pass(Span::from_secs(7));
    assert_eq!(plant.item("a").level(), Unknown, "no run ended since");
}

#[test]
fn a_tuned_plan_outlasts_reloads_that_say_of_it_what_the_last_one_said() {
    let board = |every: u64| vec![configured("a", |plan| plan.every = Span::from_millis(every))];
    let mut plant = Plant::with(board(100));
    tune(&mut plant, "a", |plan| plan.priority = 9);
    tune(&mut plant, "a", |plan| plan.retries = 1);
    let in_force = plan_of(&plant, "a");
    assert_eq!((in_force.priority, in_force.retries), (9, 1));
    let mut more = board(100);
    more.push(planned("b", EVERY));
    plant.board(more);
    assert_eq!(plan_of(&plant, "a"), in_force, "another item came");
    let aimed = vec![ItemSpec { revision: 2, ..board(100).remove(0) }];
    plant.board(aimed);
    assert_eq!(plan_of(&plant, "a"), in_force, "it measures another thing at the same pace");
    plant.board(board(200));
    assert_eq!((plan_of(&plant, "a").priority, plan_of(&plant, "a").every), (0, Span::from_millis(200)));
    plant.board(board(100));
    assert_eq!(plan_of(&plant, "a").priority, 0, "it ended for good");
    tune(&mut plant, "a", |plan| plan.priority = 9);
    tune(&mut plant, "a", |plan| plan.priority = 0);
    plant.board(board(200));
    assert_eq!(plan_of(&plant, "a").every, Span::from_millis(200));
}

#[test]
fn who_waits_for_a_token_or_a_turn_goes_by_the_new_limits_and_once() {
    let slow = Some(Limit::new(1, Span::from_secs(3_600), 1));
    let mut plant = Plant::with(vec![configured("a", |plan| plan.limit = slow), planned("b", EVERY)]);
    assert_eq!(of("a", &starts(&mut plant, Span::from_secs(5))).len(), 1);
    tune(&mut plant, "a", |plan| plan.limit = None);
    plant.pass(Span::ZERO);
    assert!(plant.run_of("a").is_some(), "it waited for a token that nobody asks for any more");
    plant.reports("a", Healthy, "told");
    assert_eq!(of("a", &starts(&mut plant, Span::from_secs(1))).len(), 10);
    tune(&mut plant, "a", |plan| plan.limit = slow);
    assert!(of("a", &starts(&mut plant, Span::from_secs(60))).len() <= 1);
    // Out of turn, it does not wait for its token any more: that starts no second run when it comes.
    plant.give(Input::RunNow(id("a")));
    let run = plant.run_of("a");
    plant.pass(Span::from_secs(7_200));
    assert_eq!(plant.run_of("a"), run);
}

#[test]
fn what_is_asked_is_not_tuned_and_what_has_no_plan_is_left_alone() {
    let host: Arc<str> = "plc".into();
    let mut plant = Plant::new();
    plant.board_spec(|spec| {
        spec.items = vec![configured("a", |plan| plan.hosts = Arc::new(["plc".into()])), pushed("x", None)];
        spec.hosts = vec![HostRules { host, limit: None, at_once: Some(1) }];
    });
    plant.pass(EVERY);
    tune(&mut plant, "a", |plan| plan.hosts = Arc::default());
    assert_eq!(plan_of(&plant, "a").hosts.len(), 1);
    for name in ["x", "nobody"] {
        plant.give(Input::Tune(id(name), Box::new(PlanSpec::every(EVERY))));
    }
    assert!(matches!(plant.item("x").spec.source, Source::Pushed { .. }));
    assert_eq!(of("a", &starts(&mut plant, EVERY * 3)).len(), 0, "its run of before is in flight still");
}
