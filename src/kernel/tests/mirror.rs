//! The leader's board on another console: what is taken, what is kept, and what nobody may do there.

use super::*;
use crate::kernel::beat::{Beat, Fence, Mirrored, Origin, Role, Showing};
use Level::{Critical, Healthy, Unknown, Warning};

const EVERY: Span = Span::from_secs(2);

fn items() -> Vec<ItemSpec> {
    vec![planned("a", EVERY), fixed("b", Warning), planned("c", EVERY), pushed("x", Some(EVERY))]
}

/// A leader whose plans have reported once, and a follower with another config: it lacks `b`, measures `c`
/// in another way, and has one item more.
fn pair() -> (Plant, Plant) {
    let mut leader = Plant::with(items());
    leader.give(Input::Role(Role::Leader(Fence(3))));
    leader.pass(Span::from_secs(1));
    leader.reports("a", Warning, "slow");
    leader.reports("c", Healthy, "fine");
    leader.push("extra", Warning, None);
    let mut other = planned("c", EVERY);
    other.revision = 2;
    let mut own = planned("a", EVERY * 5);
    own.label = "own".into();
    let mut follower = Plant::with(vec![own, other, fixed("mine", Healthy), pushed("x", None)]);
    follower.now = leader.now;
    follower.give(Input::Role(Role::Follower(Fence(3))));
    (leader, follower)
}

fn mirror(leader: &Plant, follower: &mut Plant) {
    follower.now = leader.now.max(follower.now);
    follower.give(Input::Mirror(Box::new(leader.kernel.mirror())));
}

fn told(plant: &Plant) -> Vec<(String, String, Level, Option<Moment>, bool)> {
    let items = plant.kernel.board().items().iter();
    items
        .map(|item| (item.id().to_string(), item.text.to_string(), item.level(), item.updated, item.flapping))
        .collect()
}

#[test]
fn the_board_becomes_exactly_the_leader_s() {
    let (leader, mut follower) = pair();
    mirror(&leader, &mut follower);
    assert_eq!(told(&follower), told(&leader));
    assert_eq!(follower.kernel.mark(), leader.kernel.mark());
    assert_eq!(
        follower.kernel.mirror().items.iter().map(|item| item.version).collect::<Vec<_>>(),
        leader.kernel.mirror().items.iter().map(|item| item.version).collect::<Vec<_>>()
    );
    let plan = |name: &str| match &follower.item(name).spec.source {
        Source::Plan(plan) => plan.clone(),
        other => panic!("{other:?}"),
    };
    // Its own plan, at the leader's pace; a foreign one is made up.
    assert_eq!((&*follower.item("a").spec.label, plan("a").phase, plan("a").every), ("own", Some(Span::ZERO), EVERY));
    assert_eq!((follower.item("c").spec.revision, plan("c").phase), (1, None));
    assert_eq!(follower.kernel.next_wake().map(|wake| wake > follower.now), Some(true));
    assert_eq!(follower.kernel.seat(0), (None, None), "nothing is due where nothing runs");
}

#[test]
fn a_mirror_or_news_heard_again_change_nothing() {
    let (leader, mut follower) = pair();
    mirror(&leader, &mut follower);
    follower.outputs.clear();
    let (touched, frames) = (follower.kernel.board().touched(), follower.kernel.stats().frames);
    mirror(&leader, &mut follower);
    follower.give(Input::News(leader.kernel.news(0)));
    assert_eq!((follower.kernel.board().touched(), follower.kernel.stats().frames), (touched, frames));
    assert_eq!(follower.outputs, []);
    let mut renamed = leader.kernel.mirror();
    renamed.title = "Line 4".into();
    follower.give(Input::Mirror(Box::new(renamed)));
    assert_eq!(&**follower.kernel.title(), "Line 4");
    assert_ne!(follower.kernel.mark(), leader.kernel.mark());
}

#[test]
fn news_count_by_their_version_in_any_order() {
    let (mut leader, mut follower) = pair();
    mirror(&leader, &mut follower);
    let mut since = leader.kernel.board().touched();
    let mut news = Vec::new();
    for (n, level) in [Critical, Healthy, Warning, Critical, Healthy].into_iter().enumerate() {
        leader.pass(EVERY);
        leader.reports("a", level, &format!("told {n}"));
        news.push(leader.kernel.news(since));
        since = leader.kernel.board().touched();
    }
    assert!(news.iter().all(|news| news.iter().any(|item| item.id == id("a")) && news.len() < 4));
    follower.pass(leader.now.since(follower.now));
    for order in [1, 0, 3, 3, 2, 4, 1, 0] {
        follower.give(Input::News(news[order].clone()));
    }
    assert_eq!((&*follower.item("a").text, follower.item("a").level()), ("told 4", Healthy));
    let levels: Vec<_> = follower.item("a").history.iter().map(|past| past.level).collect();
    assert_eq!(levels, [Warning, Healthy, Critical, Healthy], "what came in time is in its history");
    assert_eq!(follower.item("a").took(), Some(Span::from_millis(3)));
    let stranger = Mirrored { id: id("stranger"), version: u64::MAX, ..leader.kernel.news(0)[0].clone() };
    follower.give(Input::News(vec![stranger]));
    assert!(follower.kernel.board().get(&id("stranger")).is_none());
    let c = leader.kernel.mark();
    follower.give(Input::News(leader.kernel.news(0)));
    assert_eq!(follower.kernel.mark(), c);
}

#[test]
fn each_console_judges_for_itself_what_is_stale() {
    let (leader, mut follower) = pair();
    mirror(&leader, &mut follower);
    let mark = follower.kernel.mark();
    follower.pass(EVERY * 3 + Span::from_millis(1));
    assert_eq!((follower.item("a").level(), &*follower.item("a").text), (Unknown, "slow"));
    assert_eq!(follower.kernel.mark(), mark, "that is no news of the leader's");
    assert_eq!(follower.item("a").since, leader.now + EVERY * 3);
    // Told anew, it is as old as it was.
    mirror(&leader, &mut follower);
    assert_eq!(follower.item("a").level(), Unknown);
}

#[test]
fn nothing_of_a_leader_reaches_who_does_not_follow() {
    let (leader, _) = pair();
    for role in [Role::Alone, Role::Leader(Fence(9)), Role::Local(Fence(3))] {
        let mut plant = Plant::with(vec![fixed("mine", Healthy)]);
        plant.give(Input::Role(role));
        let before = (told(&plant), plant.kernel.mark(), plant.kernel.seq());
        plant.give(Input::Mirror(Box::new(leader.kernel.mirror())));
        plant.give(Input::News(leader.kernel.news(0)));
        plant.give(Input::Beat(Box::new(leader.kernel.beat(Span::from_secs(12)))));
        assert_eq!((told(&plant), plant.kernel.mark(), plant.kernel.seq()), before, "{role:?}");
    }
}

#[test]
fn nothing_is_applied_to_a_mirrored_board_but_the_leader_s_word() {
    let (leader, mut follower) = pair();
    mirror(&leader, &mut follower);
    let before = (told(&follower), follower.kernel.board().touched());
    follower.push("x", Critical, None);
    follower.push("new", Critical, None);
    follower.give(Input::Remove(id("extra")));
    follower.give(Input::Retold(id("a"), report(Critical, "mine")));
    follower.give(Input::Tune(id("a"), Box::new(PlanSpec::every(EVERY * 9))));
    follower.give(Input::RunNow(id("a")));
    follower.give(Input::Board(Box::new(board_spec(vec![fixed("other", Critical)]))));
    assert_eq!((told(&follower), follower.kernel.board().touched()), before);
    assert_eq!(follower.kernel.stats().pushes_refused, 2);
    assert_eq!(follower.starts(), []);
    // The config of the reload is the one that counts when this console goes on alone; what nobody named stays.
    follower.give(Input::Role(Role::Local(Fence(3))));
    assert_eq!(told(&follower).iter().map(|told| told.0.as_str()).collect::<Vec<_>>(), ["other", "extra"]);
}

#[test]
fn who_takes_over_keeps_the_news_of_what_it_measures_the_same_way() {
    let (leader, mut follower) = pair();
    mirror(&leader, &mut follower);
    follower.give(Input::Role(Role::Leader(Fence(4))));
    let names: Vec<_> = told(&follower).into_iter().map(|(name, text, level, ..)| (name, text, level)).collect();
    let expected = [
        ("a", "slow", Warning),
        ("c", "C", Unknown),
        ("mine", "MINE", Healthy),
        ("x", "X", Unknown),
        ("extra", "EXTRA", Warning),
    ];
    assert_eq!(names, expected.map(|(name, text, level)| (name.to_owned(), text.to_owned(), level)));
    let Source::Plan(plan) = &follower.item("a").spec.source else { panic!("a plan") };
    assert_eq!((plan.every, follower.item("a").history.len()), (EVERY * 5, 1));
    assert_ne!(follower.kernel.mark(), leader.kernel.mark());
}

#[test]
fn without_a_config_of_its_own_a_console_keeps_the_news_until_they_are_old_and_runs_nothing() {
    let (leader, _) = pair();
    let mut bare = Plant::new();
    bare.now = leader.now;
    bare.give(Input::Role(Role::Follower(Fence(3))));
    mirror(&leader, &mut bare);
    assert_eq!(told(&bare), told(&leader));
    bare.give(Input::Role(Role::Local(Fence(3))));
    bare.pass(Span::from_millis(5_999));
    assert_eq!(bare.item("a").level(), Warning);
    bare.pass(EVERY);
    assert_eq!((bare.item("a").level(), bare.starts()), (Unknown, Vec::new()));
    bare.board(items());
    bare.pass(EVERY);
    assert!(!bare.starts().is_empty(), "and begins when it has one");
}

#[test]
fn an_item_that_is_not_here_yet_leaves_its_span_to_the_own_rule() {
    let mut plant = Plant::with(vec![fixed("a", Healthy), fixed("b", Healthy), fixed("c", Healthy)]);
    plant.give(Input::Role(Role::Follower(Fence(1))));
    let names = ["a", "new", "c", "b", "gone"];
    let showing = |(place, name): (usize, &str)| Showing {
        item: Some(id(name)),
        content: 0,
        show_at: START + Span::from_secs(place as u64),
        dwell: Span::from_secs(1),
        calling: false,
        next_place: if name == "b" { 2 } else { usize::MAX },
        next_call: usize::MAX,
        again: false,
    };
    let turns: Vec<_> = (0..).zip(names).map(showing).collect();
    let beat = Beat { seq: 70, turns, mark: Mark::default() };
    plant.give(Input::Beat(Box::new(beat.clone())));
    plant.frames();
    plant.pass(Span::from_millis(1_500));
    plant.give(Input::Beat(Box::new(beat)));
    plant.pass(Span::from_secs(4));
    let shown = [(1_000, "A"), (2_000, "C"), (3_000, "B"), (4_000, "C"), (5_000, "A")];
    assert_eq!(plant.frames(), shown.map(|(at, text)| (at, text.to_owned())));
    assert!(plant.kernel.seq() > 70);
}

#[test]
fn nonsense_told_by_a_leader_breaks_nothing() {
    let (leader, mut follower) = pair();
    let mut board = leader.kernel.mirror();
    let mut twin = board.items[0].clone();
    (twin.version, twin.updated, twin.since) =
        (u64::MAX, Some(Moment::from_unix_nanos(u64::MAX)), Moment::from_unix_nanos(u64::MAX));
    twin.hold = Some(Span::MAX);
    twin.origin = Origin::Plan { every: Span::ZERO };
    board.items.insert(0, twin);
    board.scroll = 0;
    board.interval = Span::ZERO;
    follower.give(Input::Mirror(Box::new(board)));
    assert_eq!(follower.kernel.board().items().len(), leader.kernel.board().items().len());
    let mut beat = leader.kernel.beat(Span::from_secs(12));
    for turn in &mut beat.turns {
        (turn.show_at, turn.dwell) = (Moment::from_unix_nanos(u64::MAX), Span::MAX);
    }
    follower.give(Input::Beat(Box::new(beat.clone())));
    beat.turns.reverse();
    beat.turns.iter_mut().for_each(|turn| (turn.show_at, turn.dwell) = (Moment::EPOCH, Span::ZERO));
    follower.give(Input::Beat(Box::new(beat)));
    follower.give(Input::Beat(Box::default()));
    follower.pass(Span::from_secs(1));
    follower.give(Input::Role(Role::Leader(Fence(u64::MAX))));
    follower.pass(Span::from_secs(5));
}

#[test]
fn a_follower_of_ten_thousand_plans_is_not_woken_by_them() {
    let items: Vec<_> = (0..10_000).map(|n| planned(&format!("p{n}"), Span::from_secs(10))).collect();
    let mut leader = Plant::with(items.clone());
    leader.give(Input::Role(Role::Leader(Fence(1))));
    let mut follower = Plant::with(items);
    follower.give(Input::Role(Role::Follower(Fence(1))));
    mirror(&leader, &mut follower);
    assert_eq!(follower.kernel.mark(), leader.kernel.mark());
    let mut woken = 0;
    let end = follower.now + Span::from_secs(20);
    while let Some(wake) = follower.kernel.next_wake().filter(|wake| *wake <= end) {
        follower.now = wake;
        follower.give(Input::Wake);
        woken += 1;
    }
    assert_eq!(woken, 20, "one for each turn");
}
