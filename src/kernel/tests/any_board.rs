//! Any board, any lead, any weather: who heard of a decision never shows anything else.

use proptest::prelude::*;

use super::fleet::Fleet;
use super::*;

/// What happens to the leader.
#[derive(Clone, Debug)]
enum Act {
    Push(u8, Level, bool),
    Acknowledge(u8, bool),
    Remove(u8),
    Turn(u8),
    Silence,
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

fn act() -> impl Strategy<Value = (u64, Act)> {
    let act = prop_oneof![
        6 => (0..6_u8, level(), any::<bool>()).prop_map(|(item, level, wide)| Act::Push(item, level, wide)),
        2 => (0..6_u8, any::<bool>()).prop_map(|(item, known)| Act::Acknowledge(item, known)),
        1 => (0..6_u8).prop_map(Act::Remove),
        1 => (0..6_u8).prop_map(Act::Turn),
        2 => Just(Act::Silence),
    ];
    (1..2_500_u64, act)
}

fn board() -> impl Strategy<Value = Vec<ItemSpec>> {
    let kind = prop_oneof![
        level().prop_map(Source::Fixed),
        Just(Source::Pushed { ttl: Some(Span::from_secs(4)) }),
        (300..3_000_u64).prop_map(|every| Source::Plan(PlanSpec::every(Span::from_millis(every)))),
    ];
    let hold = prop::option::of((10..3_000_u64).prop_map(Span::from_millis));
    prop::collection::vec((kind, hold), 1..7).prop_map(|items| {
        let item = |(place, (source, hold))| ItemSpec { hold, ..spec(&format!("p{place}"), source) };
        items.into_iter().enumerate().map(item).collect()
    })
}

/// A fleet of which every third message may be late, lost or doubled.
fn fleet(items: &[ItemSpec], lead: Span, seed: u64) -> Fleet {
    let mut fleet = Fleet::new(3, items);
    fleet.all(|_| Input::Lead(lead));
    fleet.pass(Span::from_millis(600), |_| {});
    fleet.weather = Box::new(move |number, to| {
        let dice = digest([seed, number, to as u64].into_iter().flat_map(u64::to_le_bytes));
        let late = |dice: u64| Span::from_millis(dice % 300);
        match dice % 12 {
            0..3 => Vec::new(),
            3..5 => vec![late(dice >> 8), late(dice >> 24)],
            _ => vec![late(dice >> 8)],
        }
    });
    fleet
}

fn turn(fleet: &Fleet, console: usize) -> Option<(Option<ItemId>, Moment, bool)> {
    let beat = fleet.consoles[console].kernel.beat(Span::ZERO);
    beat.turns.first().map(|turn| (turn.item.clone(), turn.show_at, turn.calling))
}

fn ids(fleet: &Fleet, console: usize) -> Vec<ItemId> {
    fleet.consoles[console].kernel.board().items().iter().map(|item| item.id().clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn who_heard_of_a_decision_shows_the_leader_s_turn(
        items in board(),
        lead in 0..1_500_u64,
        acts in prop::collection::vec(act(), 1..25),
        seed: u64,
    ) {
        let lead = Span::from_millis(lead);
        let mut fleet = fleet(&items, lead, seed);
        // Since when the leader's items are these, in this order; and say the same.
        let (mut same_items, mut said) = (fleet.now, (fleet.now, 0));

        for (wait, act) in acts {
            fleet.pass(Span::from_millis(wait), |fleet| {
                let version = fleet.consoles[0].kernel.board().version();
                if version != said.1 {
                    said = (fleet.now, version);
                }
                for console in [1, 2] {
                    let told = fleet.heard_from[console];
                    let in_time = fleet.now < told + lead && told > same_items;
                    // Without anything new since, the rule alone says it, however long ago it was told.
                    let nothing_new = told > said.0 && fleet.consoles[console].kernel.mark() == fleet.consoles[0].kernel.mark();
                    if (in_time || nothing_new) && ids(fleet, console) == ids(fleet, 0) {
                        // What is shown already and is told to begin in a blink is not shown again for that.
                        let shown = turn(fleet, console);
                        let blink = Span::from_millis(50);
                        let beat = fleet.consoles[0].kernel.beat(blink);
                        let soon = beat.turns.iter().filter(|turn| turn.show_at <= fleet.now + blink).any(|turn| Some((turn.item.clone(), turn.show_at, turn.calling)) == shown);
                        assert!(soon, "console {console} at {}: {shown:?} {:?}", fleet.now.since(START).as_millis(), turn(fleet, 0));
                    }
                }
            });
            match act {
                Act::Push(item, level, wide) => {
                    let text = if wide { "w".repeat(100) } else { format!("P{item}") };
                    let push = Push { item: id(&format!("p{item}")), level, text: text.into(), ttl: None, values: Arc::default(), filtered: false };
                    let new = ids(&fleet, 0);
                    fleet.give(0, Input::Push(push));
                    if ids(&fleet, 0) != new {
                        same_items = fleet.now;
                    }
                }
                Act::Acknowledge(item, known) => {
                    let input = if known { Input::Acknowledge } else { Input::Unacknowledge };
                    fleet.give(0, input(id(&format!("p{item}"))));
                }
                Act::Remove(item) => {
                    fleet.give(0, Input::Remove(id(&format!("p{item}"))));
                    same_items = fleet.now;
                }
                Act::Turn(by) => {
                    let mut items = items.clone();
                    let by = usize::from(by) % items.len();
                    items.rotate_left(by);
                    fleet.consoles[0].now = fleet.now;
                    fleet.consoles[0].board(items);
                    same_items = fleet.now;
                }
                Act::Silence => fleet.leader = if fleet.leader.is_some() { None } else { Some(0) },
            }
            fleet.tell();
        }
        prop_assert_eq!((fleet.runs[1], fleet.runs[2]), (0, 0));
    }

    #[test]
    fn all_who_are_left_alone_stay_together(items in board(), acts in prop::collection::vec(act(), 1..12), seed: u64) {
        let lead = Span::from_millis(400);
        let mut fleet = fleet(&items, lead, seed);
        for (wait, act) in acts {
            fleet.pass(Span::from_millis(wait), |_| {});
            match act {
                Act::Push(item, level, _) => fleet.push(&format!("p{item}"), level),
                Act::Acknowledge(item, true) => fleet.give(0, Input::Acknowledge(id(&format!("p{item}")))),
                _ => {}
            }
        }
        // Both hear the same for a last time, and then nobody says anything.
        fleet.weather = Box::new(fleet::calm);
        fleet.pass(Span::from_secs(2), |_| {});
        fleet.leader = None;
        fleet.pass(Span::from_secs(30), |fleet| {
            assert_eq!(turn(fleet, 1), turn(fleet, 2));
            let known = |console: usize| fleet.consoles[console].kernel.board().items().iter().map(|item| item.acknowledged).collect::<Vec<_>>();
            assert_eq!(known(1), known(2));
        });
    }
}
