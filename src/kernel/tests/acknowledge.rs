//! Acknowledged alarms: what they do no more, how long that holds, and what it outlives.

use proptest::prelude::*;

use super::*;
use crate::kernel::beat::{Fence, Role};
use Level::{Critical, Healthy, Info, Unknown, Warning};

/// A board that a push can bring to any level, where unknown and worse calls.
fn plant(level: Level) -> Plant {
    let mut plant = Plant::new();
    plant.board_spec(|spec| {
        spec.items = vec![fixed("a", Healthy), fixed("b", Info), pushed("x", None)];
        spec.interrupt = Some(Warning);
    });
    plant.push("x", level, None);
    plant
}

fn acknowledge(plant: &mut Plant, name: &str) {
    plant.give(Input::Acknowledge(id(name)));
}

fn acknowledge_all(plant: &mut Plant, names: &[&str]) {
    for name in names {
        acknowledge(plant, name);
    }
}

fn is_known(plant: &Plant, name: &str) -> bool {
    plant.item(name).acknowledged.is_some()
}

fn calls(plant: &Plant, name: &str) -> bool {
    plant.kernel.marquee().playlist().is_calling(plant.kernel.board().place(&id(name)).unwrap())
}

fn snapshot(plant: &Plant) -> Snapshot {
    Snapshot { current: plant.kernel.current(), board: plant.kernel.board().snapshot() }
}

#[test]
fn an_alarm_can_be_acknowledged_and_nothing_else() {
    for level in Level::ALL {
        let mut plant = plant(level);
        let version = plant.kernel.board().version();
        acknowledge(&mut plant, "x");
        assert_eq!(
            (is_known(&plant, "x"), plant.kernel.stats().acknowledged),
            (level.is_alarm(), level.is_alarm().into())
        );
        assert_eq!(plant.kernel.board().version() > version, level.is_alarm());
        acknowledge(&mut plant, "nobody");
        let first = plant.item("x").acknowledged;
        plant.pass(Span::from_secs(5));
        acknowledge(&mut plant, "x");
        assert_eq!(plant.item("x").acknowledged, first, "whoever says it again says nothing new");
        plant.give(Input::Unacknowledge(id("x")));
        assert!(!is_known(&plant, "x"));
        assert_eq!(calls(&plant, "x"), level.is_alarm());
    }
}

#[test]
fn it_holds_while_the_alarm_gets_no_worse() {
    for before in Level::ALL.into_iter().filter(|level| level.is_alarm()) {
        for after in Level::ALL {
            let mut plant = plant(before);
            acknowledge(&mut plant, "x");
            plant.push("x", after, None);
            let holds = after.is_alarm() && after >= before;
            assert_eq!(is_known(&plant, "x"), holds, "{before} and then {after}");
            assert_eq!(calls(&plant, "x"), after.is_alarm() && !holds, "{before} and then {after}");
            // What got better and bad again is news, whatever it was before.
            plant.push("x", before, None);
            assert_eq!(is_known(&plant, "x"), holds && after == before, "{before}, {after}, {before}");
        }
    }
}

#[test]
fn a_changed_text_is_no_other_alarm() {
    let mut plant = plant(Critical);
    acknowledge(&mut plant, "x");
    let text = "81 bar".into();
    let values = Arc::new(Values::new().with("bar", board::Value::plain(81.0)));
    plant.give(Input::Push(Push { item: id("x"), level: Critical, text, ttl: None, values, filtered: false }));
    assert_eq!((&*plant.item("x").text, is_known(&plant, "x")), ("81 bar", true));
}

#[test]
fn silence_makes_nothing_worse_than_it_was() {
    let ttl = Some(Span::from_secs(10));
    // Reported, shown after the silence, then reported again: whether it holds through each.
    for (reported, through_silence, again, holds) in [
        (Critical, true, Critical, true),
        (Critical, true, Healthy, false),
        (Unknown, true, Unknown, true),
        (Unknown, true, Critical, false),
        (Warning, false, Warning, false),
    ] {
        let mut plant = plant(Healthy);
        plant.push("x", reported, ttl);
        acknowledge(&mut plant, "x");
        plant.pass(Span::from_secs(11));
        assert_eq!((plant.item("x").level(), is_known(&plant, "x")), (Unknown, through_silence), "{reported}");
        plant.push("x", again, ttl);
        assert_eq!(is_known(&plant, "x"), holds, "{reported}, silent, {again}");
    }
    // Acknowledged when it was silent already: any level that is no worse than unknown is no news.
    for (again, holds) in [(Critical, false), (Unknown, true), (Warning, true), (Info, false), (Healthy, false)] {
        let mut plant = plant(Healthy);
        plant.push("x", Healthy, ttl);
        plant.pass(Span::from_secs(11));
        acknowledge(&mut plant, "x");
        plant.push("x", again, ttl);
        assert_eq!(is_known(&plant, "x"), holds, "healthy, silent, {again}");
    }
}

#[test]
fn what_calls_ends_its_turn_in_peace_and_calls_no_more() {
    let mut plant = plant(Critical);
    plant.pass(Span::from_millis(300));
    plant.frames();
    acknowledge(&mut plant, "x");
    plant.pass(Span::from_millis(4_000));
    let told: Vec<_> = plant.frames().into_iter().map(|(at, text)| format!("{at} {text}")).collect();
    assert_eq!(told, ["1000 A", "2000 B", "3000 X", "4000 A"]);
    plant.give(Input::Unacknowledge(id("x")));
    assert_eq!(plant.texts(), "X", "who is acknowledged no more calls at once");
}

#[test]
fn a_level_that_settles_is_judged_when_it_shows() {
    let settle = crate::kernel::plans::SettleRules { bad: 2, ..Default::default() };
    let mut item = planned("db", Span::from_secs(2));
    let Source::Plan(plan) = &mut item.source else { panic!("a plan") };
    plan.settle = settle;
    let mut plant = Plant::with(vec![item]);
    let report = |plant: &mut Plant, level| {
        plant.pass(Span::from_secs(2));
        plant.reports("db", level, "told");
    };
    report(&mut plant, Warning);
    report(&mut plant, Warning);
    acknowledge(&mut plant, "db");
    report(&mut plant, Critical);
    assert_eq!((plant.item("db").level(), is_known(&plant, "db")), (Warning, true));
    report(&mut plant, Critical);
    assert_eq!((plant.item("db").level(), is_known(&plant, "db")), (Critical, false));
}

#[test]
fn a_reload_keeps_it_where_the_alarm_is_the_same() {
    let items =
        || vec![fixed("a", Healthy), fixed("b", Critical), planned("db", Span::from_secs(2)), pushed("x", None)];
    let known = |plant: &Plant| ["b", "db", "x"].map(|name| is_known(plant, name));
    let acknowledged = || {
        let mut plant = Plant::with(items());
        plant.pass(Span::from_secs(2));
        plant.reports("db", Warning, "slow");
        plant.push("x", Unknown, None);
        acknowledge_all(&mut plant, &["b", "db", "x"]);
        assert_eq!(known(&plant), [true; 3]);
        plant
    };
    let mut plant = acknowledged();
    plant.board(items());
    assert_eq!(known(&plant), [true; 3]);
    let mut order = items();
    order.reverse();
    order[2].text = "another text".into();
    plant.board(order);
    assert_eq!(known(&plant), [true; 3], "neither order nor a fixed item's words are a level");
    let mut changed = items();
    changed[1] = fixed("b", Warning);
    changed[2].revision = 2;
    plant.board(changed);
    assert_eq!(known(&plant), [true, false, true], "another measurement is another item");
    plant.board(items());
    assert_eq!(known(&plant), [false, false, true], "a fixed item that gets worse is news");
}

#[test]
fn a_restart_keeps_it() {
    for after in [Span::ZERO, Span::from_secs(3_600)] {
        let items =
            || vec![fixed("b", Critical), planned("db", Span::from_secs(2)), pushed("x", None), pushed("t", None)];
        let mut plant = Plant::with(items());
        plant.pass(Span::from_secs(2));
        plant.reports("db", Warning, "slow");
        plant.push("x", Critical, None);
        plant.push("t", Healthy, Some(Span::from_secs(1)));
        plant.push("extra", Warning, None);
        plant.pass(Span::from_millis(1_500));
        let names = ["b", "db", "x", "t", "extra"];
        acknowledge_all(&mut plant, &names);
        let snapshot = snapshot(&plant);
        let mut again = Plant::new();
        again.now = plant.now + after;
        again.give(Input::Snapshot(Box::new(snapshot.clone())));
        again.board(items());
        for name in names {
            assert_eq!(again.item(name).acknowledged, Some(plant.now), "{name} after {after}");
        }
        assert!(again.kernel.marquee().playlist().calls().is_empty());
        // It was stale for an hour; its plan says now how it is.
        again.pass(Span::from_secs(2));
        again.reports("db", Warning, "slow");
        assert!(is_known(&again, "db"));
        let mut worse = Plant::new();
        worse.now = again.now;
        worse.give(Input::Snapshot(Box::new(snapshot)));
        worse.board(vec![fixed("b", Warning), planned("db", Span::from_secs(2)), pushed("x", None)]);
        worse.pass(Span::from_secs(2));
        worse.reports("db", Critical, "gone");
        assert_eq!((is_known(&worse, "b"), is_known(&worse, "db")), (false, false));
    }
}

#[test]
fn a_restart_does_not_hide_what_fell_silent_meanwhile() {
    let items = || vec![pushed("w", Some(Span::from_secs(5))), pushed("c", Some(Span::from_secs(5)))];
    let mut plant = Plant::with(items());
    plant.push("w", Warning, None);
    plant.push("c", Critical, None);
    acknowledge_all(&mut plant, &["w", "c"]);
    let mut again = Plant::new();
    again.now = plant.now + Span::from_secs(60);
    again.give(Input::Snapshot(Box::new(snapshot(&plant))));
    again.board(items());
    assert_eq!((again.item("w").level(), is_known(&again, "w")), (Unknown, false), "unknown is worse than a warning");
    assert_eq!((again.item("c").level(), is_known(&again, "c")), (Unknown, true));
    // A store of a clock ahead of ours.
    let mut ahead = snapshot(&plant);
    ahead.board.items[1].acknowledged = Some(again.now + Span::from_secs(1_000));
    let mut late = Plant::new();
    late.now = plant.now;
    late.give(Input::Snapshot(Box::new(ahead)));
    late.board(items());
    assert_eq!(late.item("c").acknowledged, Some(late.now));
}

/// A leader of these items, and a follower of it.
fn pair() -> (Plant, Plant) {
    let items = || vec![fixed("b", Critical), planned("db", Span::from_secs(1)), pushed("x", None)];
    let (mut leader, mut follower) = (Plant::with(items()), Plant::with(items()));
    leader.give(Input::Role(Role::Leader(Fence(1))));
    leader.pass(Span::from_secs(1));
    leader.reports("db", Warning, "slow");
    leader.push("x", Critical, None);
    follower.give(Input::Role(Role::Follower(Fence(1))));
    tell(&leader, &mut follower);
    (leader, follower)
}

fn tell(leader: &Plant, follower: &mut Plant) {
    follower.now = follower.now.max(leader.now);
    follower.give(Input::Mirror(Box::new(leader.kernel.mirror())));
}

#[test]
fn a_follower_refuses_it_and_takes_the_leader_s_word() {
    let (mut leader, mut follower) = pair();
    let before = (follower.kernel.board().touched(), follower.kernel.mark());
    acknowledge(&mut follower, "x");
    assert!(!is_known(&follower, "x"));
    assert_eq!((follower.kernel.board().touched(), follower.kernel.mark()), before);
    let since = leader.kernel.board().touched();
    leader.pass(Span::from_millis(10));
    acknowledge(&mut leader, "x");
    follower.now = leader.now;
    follower.give(Input::News(leader.kernel.news(since)));
    assert_eq!((follower.item("x").acknowledged, calls(&follower, "x")), (Some(leader.now), false));
    assert_eq!(follower.kernel.mark(), leader.kernel.mark());
    follower.give(Input::Unacknowledge(id("x")));
    assert!(is_known(&follower, "x"));
    let since = leader.kernel.board().touched();
    leader.give(Input::Unacknowledge(id("x")));
    follower.give(Input::News(leader.kernel.news(since)));
    assert_eq!((is_known(&follower, "x"), calls(&follower, "x")), (false, true));
}

#[test]
fn whoever_takes_over_keeps_it() {
    for role in [Role::Leader(Fence(2)), Role::Local(Fence(1))] {
        let (mut leader, mut follower) = pair();
        acknowledge_all(&mut leader, &["b", "db", "x"]);
        tell(&leader, &mut follower);
        // For so long nobody leads that the plan's news are old.
        follower.pass(Span::from_secs(5));
        assert_eq!((follower.item("db").level(), is_known(&follower, "db")), (Unknown, true));
        follower.give(Input::Role(role));
        follower.pass(Span::from_secs(8));
        assert_eq!(["b", "db", "x"].map(|name| is_known(&follower, name)), [true; 3], "{role:?}");
        follower.reports("db", Warning, "slow");
        assert!(is_known(&follower, "db"));
        follower.pass(Span::from_secs(8));
        follower.reports("db", Critical, "gone");
        assert!(!is_known(&follower, "db"));
    }
}

#[test]
fn who_can_not_measure_what_fell_silent_does_not_vouch_for_it() {
    let (mut leader, _) = pair();
    leader.pass(Span::from_secs(1));
    leader.reports("db", Warning, "slow");
    acknowledge_all(&mut leader, &["db", "x"]);
    let mut bare = Plant::new();
    bare.now = leader.now;
    bare.give(Input::Role(Role::Follower(Fence(1))));
    tell(&leader, &mut bare);
    bare.pass(Span::from_secs(5));
    assert_eq!(["db", "x"].map(|name| is_known(&bare, name)), [true, true]);
    bare.give(Input::Role(Role::Local(Fence(1))));
    assert_eq!(["db", "x"].map(|name| is_known(&bare, name)), [false, true]);
}

#[test]
fn who_goes_on_alone_takes_it_until_the_leader_is_back() {
    let (mut leader, mut follower) = pair();
    follower.give(Input::Role(Role::Local(Fence(1))));
    acknowledge(&mut follower, "x");
    assert!(is_known(&follower, "x") && !calls(&follower, "x"));
    follower.give(Input::Role(Role::Follower(Fence(1))));
    leader.pass(Span::from_secs(1));
    tell(&leader, &mut follower);
    assert!(!is_known(&follower, "x") && calls(&follower, "x"));
}

#[derive(Clone, Debug)]
enum Act {
    Push(u8, Level),
    Acknowledge(u8),
    Unacknowledge(u8),
}

fn act() -> impl Strategy<Value = (u64, Act)> {
    let item = 0..5_u8;
    let act = prop_oneof![
        3 => (item.clone(), prop::sample::select(Level::ALL.to_vec())).prop_map(|(item, level)| Act::Push(item, level)),
        2 => item.clone().prop_map(Act::Acknowledge),
        1 => item.prop_map(Act::Unacknowledge),
    ];
    (0..4_000_u64, act)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn who_is_acknowledged_never_calls_and_nothing_starves(acts in prop::collection::vec(act(), 1..40)) {
        let names: Vec<String> = (0..5).map(|n| format!("p{n}")).collect();
        let mut plant = Plant::new();
        plant.board_spec(|spec| {
            spec.items = names.iter().map(|name| pushed(name, Some(Span::from_secs(9)))).collect();
            spec.interrupt = Some(Warning);
        });
        for (wait, act) in acts {
            plant.pass(Span::from_millis(wait));
            let name = |item: u8| names[usize::from(item)].as_str();
            match act {
                Act::Push(item, level) => plant.push(name(item), level, None),
                Act::Acknowledge(item) => acknowledge(&mut plant, name(item)),
                Act::Unacknowledge(item) => plant.give(Input::Unacknowledge(id(name(item)))),
            }
            for name in &names {
                prop_assert!(!(is_known(&plant, name) && calls(&plant, name)), "{} calls", name);
                prop_assert!(!is_known(&plant, name) || plant.item(name).level().is_alarm());
            }
        }
        // Five items, of which every other turn may be a call, and five that begin to call on the way.
        plant.frames();
        let began = plant.now;
        plant.pass(Span::from_secs(22));
        let on: Vec<String> = plant.kernel.beat(Span::ZERO).turns.iter().filter_map(|turn| turn.item.as_ref()).map(ToString::to_string).collect();
        let texts = plant.texts();
        for name in &names {
            let shown = texts.split(' ').any(|text| text == name.to_uppercase()) || on.contains(name);
            prop_assert!(shown, "{} is never shown in {} from {:?}", name, texts, began);
        }
    }
}
