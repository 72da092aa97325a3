//! Plans and freshness: the grid, one run at a time, ghosts, stale news, pushes.

use super::*;
use Level::{Critical, Healthy, Unknown, Warning};

const EVERY: Span = Span::from_millis(100);

#[test]
fn the_first_run_is_soon_and_the_rest_on_the_grid() {
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    let mut times = Vec::new();
    for _ in 0..6 {
        plant.now = plant.kernel.next_wake().unwrap();
        plant.give(Input::Wake);
        if !plant.starts().is_empty() {
            times.push(plant.now.since(START).as_millis());
            plant.reports("db", Healthy, "ok");
        }
    }
    assert!(times[0] < 100);
    assert!(times[1..].iter().all(|at| at % 100 == 0), "{times:?}");
}

#[test]
fn one_run_at_a_time_and_the_skipped_ticks_are_counted() {
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    plant.pass(Span::from_millis(1_050));
    assert_eq!(plant.starts().len(), 1);
    assert!(plant.kernel.stats().ticks_skipped >= 9);
    plant.reports("db", Healthy, "ok");
    plant.pass(EVERY);
    assert_eq!(plant.starts().len(), 1);
}

#[test]
fn a_late_tick_fires_nothing() {
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    plant.pass(EVERY);
    plant.reports("db", Healthy, "ok");
    plant.starts();
    let due = plant.kernel.seat(0).0.unwrap();
    plant.now = due + Span::from_millis(51);
    plant.give(Input::Wake);
    assert_eq!(plant.starts(), []);
    assert_eq!(plant.kernel.seat(0).0, Some(due + EVERY), "the grid is kept");
}

#[test]
fn a_removed_or_changed_plan_is_cancelled_and_its_end_is_a_ghost() {
    for change in 0..3 {
        let mut plant = Plant::with(vec![planned("db", EVERY), planned("api", EVERY)]);
        plant.pass(EVERY);
        let (db, api) = (plant.run_of("db").unwrap(), plant.run_of("api").unwrap());
        plant.outputs.clear();
        let mut edited = planned("db", EVERY);
        edited.revision = 2;
        let items = match change {
            0 => vec![planned("api", EVERY)],
            1 => vec![edited, planned("api", EVERY)],
            _ => vec![fixed("db", Warning), planned("api", EVERY)],
        };
        plant.board(items);
        assert!(plant.outputs.contains(&Output::Cancel(db)), "change {change}");
        assert!(!plant.outputs.contains(&Output::Cancel(api)), "an unchanged plan runs on");
        let ended = |run| Ended {
            run,
            outcome: Outcome::Done,
            report: Some(report(Critical, "ghost")),
            took: EVERY,
            retries: 0,
            waited: Span::ZERO,
            bytes: 0,
        };
        plant.give(Input::Ended(ended(db)));
        assert!(plant.kernel.board().items().iter().all(|item| &*item.text != "ghost"));
        assert_eq!(plant.kernel.stats().ghosts_refused, 1);
        plant.give(Input::Ended(ended(api)));
        assert_eq!(plant.item("api").level(), Critical);
    }
}

#[test]
fn a_new_period_keeps_the_news_and_the_phase() {
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    plant.pass(EVERY);
    plant.reports("db", Healthy, "ok");
    plant.board(vec![planned("db", EVERY * 3)]);
    assert_eq!(&*plant.item("db").text, "ok");
    assert_eq!(plant.kernel.seat(0).0.unwrap().unix_millis() % 300, 0);
    plant.board(vec![planned("db", EVERY)]);
    assert_eq!(plant.kernel.seat(0).0.unwrap().unix_millis() % 100, 0);
}

#[test]
fn news_is_unknown_after_three_silent_periods_and_keeps_its_text() {
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    plant.pass(EVERY);
    plant.reports("db", Healthy, "all well");
    let told = plant.now;
    plant.pass(Span::from_millis(299));
    assert_eq!(plant.item("db").level(), Healthy);
    plant.pass(Span::from_millis(1));
    let item = plant.item("db");
    assert_eq!((item.level(), item.fresh, &*item.text), (Unknown, false, "all well"));
    assert_eq!((item.updated, item.since), (Some(told), told + EVERY * 3));
    plant.reports("db", Healthy, "all well");
    assert_eq!(plant.item("db").level(), Healthy);
}

#[test]
fn a_cancelled_run_says_nothing_but_frees_its_seat() {
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    plant.pass(EVERY);
    let run = plant.run_of("db").unwrap();
    plant.outputs.clear();
    plant.give(Input::Cancel(run));
    assert_eq!(plant.outputs, [Output::Cancel(run)]);
    plant.give(Input::Ended(Ended {
        run,
        outcome: Outcome::Cancelled,
        report: None,
        took: EVERY,
        retries: 0,
        waited: Span::ZERO,
        bytes: 0,
    }));
    assert_eq!((plant.item("db").updated, plant.run_of("db")), (None, None));
    plant.give(Input::Cancel(run));
    assert!(!plant.outputs[1..].contains(&Output::Cancel(run)), "an ended run can't be cancelled");
}

#[test]
fn run_now_runs_out_of_turn_but_never_twice() {
    let mut plant = Plant::with(vec![planned("db", Span::from_secs(3_600)), fixed("a", Healthy)]);
    plant.pass(Span::from_secs(1));
    plant.reports("db", Healthy, "ok");
    plant.starts();
    plant.give(Input::RunNow(id("db")));
    plant.give(Input::RunNow(id("db")));
    plant.give(Input::RunNow(id("a")));
    assert_eq!(plant.starts().len(), 1);
}

#[test]
fn a_follower_runs_nothing_and_what_was_running_is_cancelled() {
    use beat::{Fence, Role};
    let mut plant = Plant::with(vec![planned("db", EVERY)]);
    plant.pass(EVERY);
    let run = plant.run_of("db").unwrap();
    plant.outputs.clear();
    plant.give(Input::Role(Role::Follower(Fence(4))));
    assert!(plant.outputs.contains(&Output::Cancel(run)));
    plant.pass(Span::from_secs(1));
    assert_eq!(plant.starts(), []);
    plant.give(Input::Role(Role::Leader(Fence(5))));
    plant.pass(EVERY);
    assert_eq!(plant.starts().len(), 1);
}

#[test]
fn pushed_news_lives_as_long_as_its_ttl() {
    let mut plant = Plant::with(vec![pushed("press", Some(EVERY)), fixed("a", Healthy), planned("db", EVERY)]);
    assert_eq!(plant.item("press").level(), Unknown, "nothing was pushed yet");
    plant.push("press", Healthy, None);
    plant.pass(Span::from_millis(99));
    assert_eq!(plant.item("press").level(), Healthy);
    plant.pass(Span::from_millis(1));
    assert_eq!(plant.item("press").level(), Unknown);
    plant.push("press", Warning, Some(Span::from_secs(10)));
    plant.pass(Span::from_secs(9));
    assert_eq!(plant.item("press").level(), Warning, "the push's own ttl wins");
    plant.push("a", Critical, None);
    plant.push("db", Critical, None);
    assert_eq!((plant.item("a").level(), plant.kernel.stats().pushes_refused), (Healthy, 2));
}

#[test]
fn unnamed_pushed_items_come_last_survive_a_reload_and_can_go() {
    let mut plant = Plant::with(vec![fixed("a", Healthy)]);
    plant.push("y", Warning, None);
    plant.push("x", Warning, None);
    plant.board(vec![fixed("b", Healthy), fixed("a", Healthy)]);
    let names: Vec<_> = plant.kernel.board().items().iter().map(|item| item.id().to_string()).collect();
    assert_eq!(names, ["b", "a", "y", "x"]);
    plant.give(Input::Remove(id("y")));
    plant.give(Input::Remove(id("a")));
    assert_eq!(plant.kernel.board().items().len(), 3, "only a pushed item can go");
}

#[test]
fn ten_thousand_plans_run_for_an_hour_without_losing_a_beat() {
    let every = Span::from_secs(10);
    let items = (0..10_000).map(|n| {
        let mut item = planned(&format!("p{n}"), every);
        item.source = Source::Plan(PlanSpec::every(every));
        item
    });
    let mut plant = Plant::with(items.collect());
    let mut starts = 0;
    let end = plant.now + Span::from_secs(60);
    while plant.now < end {
        plant.now = plant.kernel.next_wake().unwrap();
        plant.give(Input::Wake);
        for start in plant.starts() {
            starts += 1;
            let report = Some(report(Healthy, "ok"));
            let took = Span::from_millis(1);
            plant.give(Input::Ended(Ended {
                run: start.run,
                outcome: Outcome::Done,
                report,
                took,
                retries: 0,
                waited: Span::ZERO,
                bytes: 0,
            }));
        }
    }
    assert_eq!(plant.kernel.stats().ticks_skipped, 0);
    assert!((60_000..=71_000).contains(&starts), "{starts}");
}
