//! Consoles in step: three show the same item at the same moment, whatever the wires do.

use super::fleet::{Fleet, LEAD, rough};
use super::*;
use Level::{Critical, Healthy, Info, Warning};

fn items() -> Vec<ItemSpec> {
    let mut long = fixed("c", Info);
    long.hold = Some(Span::from_millis(2_300));
    vec![fixed("a", Healthy), planned("db", Span::from_secs(1)), long, fixed("d", Warning), pushed("x", None)]
}

#[test]
fn three_consoles_show_the_same_item_at_the_same_moment() {
    let mut fleet = Fleet::new(3, &items());
    fleet.pass(Span::from_millis(1_200), |_| {});
    let since = fleet.now;
    fleet.pass(Span::from_secs(60), Fleet::agree);
    assert!(fleet.log[0].len() > 40);
    fleet.agreed(since);
    assert!(fleet.runs[0] > 50);
    assert_eq!(fleet.runs[1..], [0, 0], "who follows runs nothing");
    let boards: Vec<_> = fleet.consoles.iter().map(|plant| plant.kernel.mark()).collect();
    assert!(boards.iter().all(|mark| *mark == boards[0]));
}

#[test]
fn lost_late_doubled_and_reordered_messages_change_nothing_on_screen() {
    let mut fleet = Fleet::new(3, &items());
    fleet.pass(Span::from_secs(5), |_| {});
    fleet.weather = Box::new(rough);
    let since = fleet.now;
    fleet.pass(Span::from_secs(300), Fleet::agree);
    fleet.agreed(since);
}

#[test]
fn an_alarm_interrupts_all_at_once_in_every_phase_of_a_turn() {
    for phase in 0..46 {
        let mut fleet = Fleet::new(3, &items());
        fleet.pass(Span::from_millis(1_500 + 50 * phase), |_| {});
        let called = fleet.now;
        fleet.push("x", Critical);
        fleet.pass(Span::from_secs(5), Fleet::agree);
        let (at, _) = *fleet.log[0].iter().find(|(_, shown)| shown == "X!").expect("it is shown");
        assert_eq!(at, called + LEAD, "phase {phase}");
        fleet.push("x", Healthy);
        fleet.push("y", Critical);
        fleet.pass(Span::from_secs(20), Fleet::agree);
        fleet.agreed(called);
    }
}

#[test]
fn alarms_faster_than_the_lead_keep_all_together() {
    let mut fleet = Fleet::new(3, &items());
    fleet.pass(Span::from_secs(2), |_| {});
    for n in 0..60 {
        fleet.push(&format!("x{}", n % 7), if n % 3 == 0 { Healthy } else { Critical });
        fleet.pass(Span::from_millis(90), Fleet::agree);
    }
    fleet.pass(Span::from_secs(10), Fleet::agree);
    for shown in ["A", "DB", "C", "D"] {
        assert!(fleet.log[0].iter().any(|(_, text)| text == shown), "{shown} starves");
    }
}

#[test]
fn turns_shorter_than_the_lead_are_in_step_as_well() {
    let mut items = items();
    for item in &mut items {
        item.hold = Some(Span::from_millis(30));
    }
    let mut fleet = Fleet::new(3, &items);
    fleet.pass(Span::from_millis(1_500), |_| {});
    fleet.pass(Span::from_secs(3), Fleet::agree);
    fleet.push("x", Critical);
    fleet.pass(Span::from_secs(3), Fleet::agree);
    assert!(fleet.log[2].len() > 150);
}

#[test]
fn a_changed_config_of_the_leader_reaches_all() {
    let mut fleet = Fleet::new(3, &items());
    fleet.pass(Span::from_secs(3), |_| {});
    let mut other = items();
    other.remove(2);
    other.insert(0, fixed("new", Critical));
    fleet.consoles[0].now = fleet.now;
    fleet.consoles[0].board(other);
    fleet.tell();
    fleet.pass(Span::from_secs(2), |_| {});
    fleet.pass(Span::from_millis(20_700), Fleet::agree);
    let names = |plant: &Plant| plant.kernel.board().items().iter().map(|item| item.id().clone()).collect::<Vec<_>>();
    assert_eq!(names(&fleet.consoles[1]), names(&fleet.consoles[0]));
    assert_eq!(fleet.consoles[2].kernel.mark(), fleet.consoles[0].kernel.mark());
}

#[test]
fn a_silence_shorter_than_the_horizon_moves_nothing() {
    let mut fleet = Fleet::new(3, &items());
    fleet.pass(Span::from_secs(3), |_| {});
    fleet.weather = Box::new(|_, to| if to == 2 { Vec::new() } else { vec![Span::from_millis(1)] });
    fleet.pass(Span::from_secs(11), Fleet::agree);
    // Behind the horizon the rule goes on by itself, as on the leader.
    fleet.consoles[2].outputs.clear();
    fleet.pass(Span::from_secs(60), |fleet| {
        let shown = [0, 2].map(|console| fleet.consoles[console].kernel.marquee().turn().unwrap().entry);
        assert_eq!(shown[0], shown[1]);
    });
}

#[test]
fn a_beat_that_is_moved_by_microseconds_shows_nothing_again() {
    let mut fleet = Fleet::new(2, &items());
    fleet.pass(Span::from_secs(3), |_| {});
    let turns = fleet.consoles[1].kernel.stats().turns;
    let frames = fleet.consoles[1].kernel.stats().frames;
    let leader = fleet.leader.take();
    for step in 0..200 {
        let mut beat = fleet.consoles[0].kernel.beat(Span::from_secs(12));
        for turn in &mut beat.turns {
            turn.show_at =
                if step % 2 == 0 { turn.show_at + Span::from_micros(40) } else { turn.show_at - Span::from_micros(40) };
        }
        fleet.give(1, Input::Beat(Box::new(beat)));
        fleet.pass(Span::from_micros(12_345), |_| {});
    }
    fleet.leader = leader;
    let shown = fleet.consoles[0].kernel.stats();
    let followed = fleet.consoles[1].kernel.stats();
    assert!(followed.turns - turns <= 3 && followed.turns > turns, "{} {turns}", followed.turns);
    assert!(followed.frames - frames <= 4, "{}", followed.frames - frames);
    assert!(shown.turns >= 2);
}
