//! Taking over, going on alone, and coming back: no turn skipped, none repeated, no jump back.

use super::fleet::{Fleet, HORIZON, LEAD, calm};
use super::*;
use crate::kernel::beat::{Fence, Role};
use Level::{Critical, Healthy, Unknown, Warning};

fn items() -> Vec<ItemSpec> {
    let every = Span::from_secs(2);
    vec![planned("a", every), fixed("b", Warning), planned("c", every), fixed("d", Healthy), pushed("x", None)]
}

/// Who leads a fleet for ever shows what one shows whose leader is lost after `lost_at` and replaced after `gap`.
fn compare(lost_at: Span, gap: Span, alarm: Option<Span>) {
    let run = |fail: bool| {
        let mut fleet = Fleet::new(3, &items());
        let end = START + Span::from_secs(40);
        if let Some(alarm) = alarm {
            fleet.pass(alarm, |_| {});
            fleet.push("x", Critical);
        }
        let until = lost_at.saturating_sub(fleet.now.since(START));
        fleet.pass(until, |_| {});
        if fail {
            fleet.leader = None;
            fleet.pass(gap, |_| {});
            fleet.elect(1, 2);
        }
        fleet.pass(end.since(fleet.now), |_| {});
        (fleet.log[1].clone(), fleet.log[2].clone())
    };
    let (steady, _) = run(false);
    let (successor, third) = run(true);
    let differ = |log: &[(Moment, String)]| {
        steady.iter().zip(log).find(|(one, other)| one != other).map(|both| format!("{both:?}"))
    };
    assert_eq!(differ(&successor), None, "successor, lost at {lost_at}, gap {gap}, alarm {alarm:?}");
    assert_eq!(differ(&third), None, "third, lost at {lost_at}, gap {gap}, alarm {alarm:?}");
    assert_eq!((steady.len(), steady.len()), (successor.len(), third.len()));
}

#[test]
fn a_successor_goes_on_with_the_very_turn_and_schedule() {
    for step in 0..10 {
        for gap in [0, 90, 600, 3_600, 10_000] {
            compare(Span::from_millis(6_000 + 137 * step), Span::from_millis(gap), None);
        }
    }
}

#[test]
fn a_successor_goes_on_in_the_middle_of_a_call_and_with_one_decided() {
    for lost in [5, 100, 399, 401, 700, 1_399, 1_401, 2_000] {
        let alarm = Span::from_millis(6_300);
        for gap in [0, 90, 3_600] {
            compare(alarm + Span::from_millis(lost), Span::from_millis(gap), Some(alarm));
        }
    }
}

#[test]
fn a_successor_knows_what_was_known_and_asks_at_the_usual_ticks() {
    let mut fleet = Fleet::new(2, &items());
    fleet.push("extra", Warning);
    fleet.pass(Span::from_millis(9_300), |_| {});
    let known = fleet.consoles[0].kernel.mirror().items;
    fleet.elect(1, 2);
    fleet.give(1, Input::Wake);
    let board = fleet.consoles[1].kernel.mirror().items;
    for (news, old) in board.iter().zip(&known) {
        let same = (&news.id, &news.text, news.level, news.updated, news.took, news.since);
        assert_eq!(same, (&old.id, &old.text, old.level, old.updated, old.took, old.since));
    }
    assert_eq!(board.len(), known.len());
    assert_eq!(fleet.consoles[1].item("a").history.len(), 5);
    assert_eq!(fleet.runs[1], 0);
    fleet.leader = None;
    fleet.pass(Span::from_millis(699), |_| {});
    assert_eq!(fleet.runs[1], 0, "no run before its tick");
    fleet.pass(Span::from_millis(1), |_| {});
    assert_eq!(fleet.runs[1], 2);
}

#[test]
fn versions_of_two_leaders_are_never_the_same() {
    let mut fleet = Fleet::new(3, &items());
    let mut last = 0;
    for fence in [2, 3, 9, 9, 4, 1 << 40, u64::MAX] {
        fleet.elect(usize::try_from(fence % 3).unwrap(), fence);
        fleet.pass(Span::from_secs(2), |_| {});
        let versions: Vec<u64> =
            fleet.consoles[fleet.leader.unwrap()].kernel.mirror().items.iter().map(|item| item.version).collect();
        let known = fleet.consoles.iter().map(|plant| plant.kernel.board().touched()).max().unwrap();
        if fence != 9 || last >> 32 != 9 {
            assert!(versions.iter().all(|version| version >> 32 > last >> 32), "{fence} {last} {versions:?}");
        }
        last = known.max(*versions.iter().max().unwrap());
    }
}

#[test]
fn who_lost_the_others_asks_at_every_fourth_tick_and_believes_it_as_long() {
    let mut items = vec![planned("a", Span::from_secs(1)), fixed("d", Healthy)];
    items[0].hold = Some(Span::from_secs(2));
    let mut fleet = Fleet::new(3, &items);
    fleet.pass(Span::from_millis(5_300), |_| {});
    fleet.leader = None;
    for console in [1, 2] {
        fleet.give(console, Input::Role(Role::Local(Fence(1))));
    }
    fleet.runs.fill(0);
    fleet.pass(Span::from_secs(40), |fleet| {
        assert_eq!(fleet.runs[1], fleet.runs[2], "at the same ticks");
        assert_eq!((fleet.shows(1), fleet.shows(2)), (fleet.shows(0), fleet.shows(0)), "on the schedule that was told");
        assert_eq!(fleet.consoles[1].item("a").level(), Healthy, "three of the slower periods have not passed");
        let seat = fleet.consoles[1].kernel.seat(0).0.unwrap();
        assert_eq!(seat.unix_millis() % 4_000, 0);
    });
    assert_eq!(fleet.runs[1], 10);
    fleet.give(1, Input::RunNow(id("a")));
    assert_eq!(fleet.runs[1], 11, "an operator may ask at any time");
    // At full rate at once; what was measured slowly is not stale before its next run.
    fleet.pass(Span::from_millis(3_500), |_| {});
    fleet.give(1, Input::Role(Role::Alone));
    assert_eq!(fleet.consoles[1].item("a").level(), Healthy);
    fleet.pass(Span::from_secs(10), |fleet| assert_eq!(fleet.consoles[1].item("a").level(), Healthy));
    assert_eq!(fleet.runs[1], 22);
}

#[test]
fn who_was_stale_stays_so_until_it_is_measured() {
    let mut plant = Plant::with(vec![planned("a", Span::from_secs(1))]);
    plant.pass(Span::from_secs(1));
    plant.reports("a", Healthy, "A");
    plant.give(Input::Role(Role::Follower(Fence(1))));
    plant.pass(Span::from_secs(5));
    assert_eq!(plant.item("a").level(), Unknown);
    plant.give(Input::Role(Role::Local(Fence(1))));
    plant.pass(Span::from_millis(100));
    assert_eq!(plant.item("a").level(), Unknown, "a slower pace makes nothing young again");
}

/// Three consoles, of which the third has lost the others for so many milliseconds and has had ideas of its own.
fn with_one_away(away: u64) -> Fleet {
    let mut fleet = Fleet::new(3, &items());
    fleet.pass(Span::from_millis(5_150), |_| {});
    fleet.weather = Box::new(|_, to| if to == 2 { Vec::new() } else { vec![Span::from_millis(1)] });
    fleet.give(2, Input::Role(Role::Local(Fence(1))));
    let values = Arc::default();
    let push = Push { item: id("z"), level: Critical, text: "Z".into(), ttl: None, values, filtered: false };
    fleet.give(2, Input::Push(push));
    fleet.pass(Span::from_millis(away), |_| {});
    fleet
}

#[test]
fn who_rejoins_ends_its_turn_in_peace() {
    for away in [700, 2_000, 9_000, 31_450] {
        let mut fleet = with_one_away(away);
        let (shown, turn) = (fleet.shows(2), *fleet.consoles[2].kernel.marquee().turn().unwrap());
        fleet.weather = Box::new(calm);
        fleet.give(2, Input::Role(Role::Follower(Fence(1))));
        fleet.tell();
        fleet.pass(Span::from_millis(2), |_| {});
        let next = fleet.consoles[0].kernel.marquee().ends().unwrap();
        let back = fleet.now;
        fleet.pass(Span::from_secs(4), |fleet| {
            if fleet.now < next && shown != "Z!" {
                assert_eq!(fleet.shows(2), shown, "{away}: {turn:?}");
            }
            if fleet.now >= next {
                fleet.agree();
            }
        });
        fleet.agreed(back + Span::from_secs(2));
    }
}

#[test]
fn who_rejoins_just_behind_the_others_leaves_nothing_out() {
    for behind in [1, 40, 150, 400].map(Span::from_millis) {
        let mut fleet = Fleet::new(2, &items());
        fleet.pass(Span::from_millis(5_150), |_| {});
        fleet.weather = Box::new(|_, _| Vec::new());
        fleet.give(1, Input::Role(Role::Local(Fence(1))));
        fleet.pass(Span::from_secs(3), |_| {});
        // The others have just turned; by its own clock this one is yet to.
        let next = fleet.consoles[0].kernel.marquee().ends().unwrap();
        fleet.pass(next.since(fleet.now).saturating_sub(behind) + Span::from_micros(500), |_| {});
        let mut told = fleet.consoles[0].kernel.beat(HORIZON);
        for showing in &mut told.turns {
            showing.show_at = showing.show_at - behind;
        }
        let after = told.turns[1].item.clone();
        let item = |kernel: &Kernel| kernel.beat(Span::ZERO).turns[0].item.clone();
        assert_ne!(item(&fleet.consoles[1].kernel), after, "{behind}");
        fleet.give(1, Input::Role(Role::Follower(Fence(1))));
        fleet.give(1, Input::Beat(Box::new(told)));
        assert_eq!(item(&fleet.consoles[1].kernel), after, "{behind}");
    }
}

#[test]
fn who_rejoins_and_leads_in_the_same_turn_shows_what_the_others_do() {
    for away in [700, 2_000, 9_000, 31_450] {
        let mut fleet = with_one_away(away);
        fleet.weather = Box::new(calm);
        fleet.give(2, Input::Role(Role::Follower(Fence(1))));
        fleet.tell();
        fleet.pass(Span::from_millis(2), |_| {});
        let shown = fleet.shows(0);
        fleet.elect(2, 2);
        fleet.pass(Span::from_millis(2), |_| {});
        let all: Vec<String> = (0..3).map(|console| fleet.shows(console)).collect();
        assert_eq!(all, [shown.as_str(); 3], "{away}");
    }
}

#[test]
fn a_fresh_console_adopts_at_once() {
    let mut fleet = Fleet::new(2, &items());
    fleet.pass(Span::from_millis(2_400), |_| {});
    let beat = fleet.consoles[0].kernel.beat(HORIZON);
    let mut fresh = Plant::new();
    fresh.now = fleet.now;
    fresh.board(items());
    fresh.give(Input::Role(Role::Follower(Fence(1))));
    assert_eq!(&*fresh.kernel.shown_text(), "A");
    fresh.give(Input::Mirror(Box::new(fleet.consoles[0].kernel.mirror())));
    fresh.give(Input::Beat(Box::new(beat)));
    assert_eq!(fresh.kernel.shown_text(), fleet.consoles[0].kernel.shown_text());
    let began = |plant: &Plant| plant.kernel.marquee().turn().unwrap().began;
    assert_eq!(began(&fresh), began(&fleet.consoles[0]), "with its true beginning");
    assert_eq!(fresh.kernel.mark(), fleet.consoles[0].kernel.mark());
    assert!(fresh.kernel.seq() >= fleet.consoles[0].kernel.seq());
}

#[test]
fn a_deposed_leader_follows_and_its_runs_are_cancelled() {
    let mut fleet = Fleet::new(2, &items());
    fleet.pass(Span::from_millis(5_400), |_| {});
    fleet.elect(1, 2);
    assert!(fleet.consoles[0].kernel.next_wake().is_some());
    fleet.runs.fill(0);
    let since = fleet.now + Span::from_secs(2);
    fleet.pass(Span::from_secs(20), |_| {});
    fleet.agreed(since);
    assert_eq!(fleet.runs[0], 0);
    assert!(fleet.runs[1] >= 18);
    assert_eq!(fleet.consoles[0].item("a").level(), Healthy);
}

#[test]
fn a_lead_of_nothing_is_the_rule_itself() {
    let told = |lead: Option<Span>| {
        let mut plant = Plant::with(items());
        plant.give(Input::Role(Role::Leader(Fence(1))));
        plant.give(Input::Lead(LEAD));
        plant.give(Input::Lead(lead.unwrap_or(Span::ZERO)));
        for n in 0..40_u64 {
            plant.push(if n % 3 == 0 { "x" } else { "y" }, if n % 2 == 0 { Critical } else { Healthy }, None);
            plant.pass(Span::from_millis(150 + n * 37 % 700));
        }
        plant.frames()
    };
    assert_eq!(told(None), told(Some(Span::ZERO)));
    assert_ne!(told(None), told(Some(LEAD)));
    // A lead delays what is decided and nothing else: the turns come on the same grid.
    let mut plant = Plant::with(vec![fixed("a", Healthy), fixed("b", Warning)]);
    plant.give(Input::Role(Role::Leader(Fence(1))));
    plant.give(Input::Lead(LEAD));
    for k in 1..=100 {
        plant.now = START + Span::from_millis(k * 1_000 + 9);
        plant.give(Input::Wake);
        assert_eq!(plant.kernel.marquee().turn().unwrap().began, START + Span::from_secs(k));
    }
}

#[test]
fn the_moment_of_deciding_wakes_and_what_is_decided_stands() {
    let mut plant = Plant::with(vec![fixed("a", Healthy), fixed("b", Warning), pushed("x", None)]);
    plant.give(Input::Role(Role::Leader(Fence(1))));
    plant.give(Input::Lead(LEAD));
    let decides = START + Span::from_secs(1) - LEAD;
    assert_eq!(plant.kernel.next_wake(), Some(decides));
    plant.now = decides + Span::from_millis(100);
    plant.push("x", Critical, None);
    let beat = plant.kernel.beat(Span::from_secs(3));
    let turns: Vec<_> = beat.turns.iter().map(|turn| (turn.item.clone().unwrap(), turn.show_at.since(START))).collect();
    let at = |millis| Span::from_millis(millis);
    // b begins as it was decided, and is cut off as soon as all can know of it; nobody could read it.
    let expected =
        [("a", 0), ("b", 1_000), ("x", 1_100), ("b", 2_100), ("x", 3_100)].map(|(name, millis)| (id(name), at(millis)));
    assert_eq!(turns, expected);
    assert_eq!(beat.turns[1].dwell, at(100));
    assert!(beat.turns[2].calling && beat.turns[2].again && beat.turns[3].again);
}

#[test]
fn a_decided_item_that_goes_is_replaced_by_the_next() {
    let mut plant = Plant::with(vec![fixed("a", Healthy), fixed("b", Warning), fixed("c", Warning)]);
    plant.give(Input::Role(Role::Leader(Fence(1))));
    plant.give(Input::Lead(LEAD));
    plant.pass(Span::from_millis(800));
    plant.board(vec![fixed("a", Healthy), fixed("c", Warning)]);
    plant.frames();
    plant.pass(Span::from_millis(2_000));
    assert_eq!(plant.frames(), [(1_200, "C".into()), (2_200, "A".into())], "in time for all to hear of it");
}

#[test]
fn a_turn_that_became_shorter_than_it_lasted_ends_now() {
    let mut plant = Plant::with(vec![pushed("x", None), fixed("b", Warning), fixed("c", Healthy)]);
    let wide = |plant: &mut Plant, text: &str| {
        let push = Push {
            item: id("x"),
            level: Warning,
            text: text.into(),
            ttl: None,
            values: Arc::default(),
            filtered: false,
        };
        plant.give(Input::Push(push));
    };
    wide(&mut plant, &"w".repeat(300));
    plant.pass(Span::from_secs(10));
    plant.frames();
    wide(&mut plant, "short");
    plant.pass(Span::from_millis(2_500));
    let frames = plant.frames();
    assert_eq!(frames[frames.len() - 3..], [(10_000, "B".into()), (11_000, "C".into()), (12_000, "short".into())]);
}

#[test]
fn what_was_pushed_to_others_does_not_stay_green_on_a_console_that_lost_them() {
    let mut plant = Plant::with(vec![pushed("x", None), pushed("y", Some(Span::from_secs(20))), fixed("b", Healthy)]);
    plant.give(Input::Role(Role::Leader(Fence(1))));
    plant.push("x", Healthy, None);
    plant.push("y", Healthy, None);
    let levels = |plant: &Plant| ["x", "y", "b"].map(|name| plant.item(name).level());
    plant.give(Input::Role(Role::Local(Fence(1))));
    plant.pass(Span::from_millis(59_999));
    assert_eq!(levels(&plant), [Healthy, Unknown, Healthy], "its own word counts as well");
    plant.pass(Span::from_millis(1));
    assert_eq!(levels(&plant), [Unknown, Unknown, Healthy]);
    // Suspended, and then sure again that it leads: what was pushed to it is still the last word.
    plant.give(Input::Role(Role::Leader(Fence(1))));
    assert_eq!(levels(&plant), [Healthy, Unknown, Healthy]);
    plant.pass(Span::from_secs(3_600));
    assert_eq!(levels(&plant)[0], Healthy);
}
