//! The queue of what is due: who goes first when not all can go at once.
//!
//! Order: the plans of items in alarm, then the usual ones, then those in the
//! background; among these the greater priority; among equals who was due first.
//! That order alone would let a few busy plans keep the others out for ever, so
//! who has waited for a second is overdue, and of four that go one is the overdue
//! that was due first, whatever it ranks. The other three keep the order: news
//! that matters is at worst a quarter slower under a load that nobody can serve,
//! where to promote all that waits would make it queue behind the backlog.
//!
//! A plan waits here once, by its first due time that was not served: one that
//! is due a thousand times a second has one place like everybody else, and keeps
//! its age when later ticks are skipped. Pushing, taking and removing are O(log n).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::board::Level;
use crate::kernel::{Moment, Span};

/// After so long a wait a plan is overdue: the shortest time that an operator notices.
pub const PATIENCE: Span = Span::from_secs(1);
/// Of so many that go one is an overdue one, where there is one: the background
/// gets on, and what ranks first keeps three quarters of the room.
pub const OVERDUE_SHARE: u32 = 4;

/// How much a plan's news matters; the first goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Its item is in alarm, so somebody is waiting to see it get better.
    Urgent,
    /// As usual.
    #[default]
    Normal,
    /// It may wait until there is room.
    Background,
}

impl Urgency {
    /// The urgency while the item is at `level`: an alarm promotes every plan.
    #[must_use]
    pub const fn at(self, level: Level) -> Self {
        if level.is_alarm() { Self::Urgent } else { self }
    }
}

/// Where a plan belongs in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// How much its news matters now.
    pub urgency: Urgency,
    /// The plan's own priority; greater goes first.
    pub priority: u8,
    /// The first due time that was not served.
    pub due: Moment,
}

/// Names one waiting entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    urgency: Urgency,
    priority: Reverse<u8>,
    due: Moment,
    number: u64,
}

impl Ticket {
    const fn age(self) -> (Moment, u64, Urgency, Reverse<u8>) {
        (self.due, self.number, self.urgency, self.priority)
    }
}

/// What is due and has no room yet. See the module's head.
#[derive(Debug)]
pub struct Ready<T> {
    by_rank: BTreeMap<Ticket, T>,
    by_age: BTreeSet<(Moment, u64, Urgency, Reverse<u8>)>,
    last_number: u64,
    /// How many went since the last overdue one.
    since_overdue: u32,
}

impl<T> Default for Ready<T> {
    fn default() -> Self {
        Self { by_rank: BTreeMap::new(), by_age: BTreeSet::new(), last_number: 0, since_overdue: 0 }
    }
}

impl<T> Ready<T> {
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_rank.len()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_rank.is_empty()
    }

    /// Lets `value` wait. One whose rank changes is removed and pushed anew with
    /// the due time it had, so that it keeps its age.
    pub fn push(&mut self, rank: Rank, value: T) -> Ticket {
        self.last_number += 1;
        let Rank { urgency, priority, due } = rank;
        let ticket = Ticket { urgency, priority: Reverse(priority), due, number: self.last_number };
        self.by_age.insert(ticket.age());
        self.by_rank.insert(ticket, value);
        ticket
    }

    /// Takes an entry out of the queue; `None` where it went or was removed before.
    pub fn remove(&mut self, ticket: Ticket) -> Option<T> {
        self.by_age.remove(&ticket.age());
        self.by_rank.remove(&ticket)
    }

    /// Who goes next at `now`; `None` where nobody waits.
    pub fn pop(&mut self, now: Moment) -> Option<T> {
        let &(due, number, urgency, priority) = self.by_age.first()?;
        let oldest = Ticket { urgency, priority, due, number };
        let is_turn = now.since(due) >= PATIENCE && self.since_overdue + 1 >= OVERDUE_SHARE;
        if is_turn {
            self.since_overdue = 0;
            return self.remove(oldest);
        }
        let (first, value) = self.by_rank.pop_first()?;
        self.by_age.remove(&first.age());
        self.since_overdue = if first == oldest { 0 } else { self.since_overdue.saturating_add(1) };
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Urgency::{Background, Normal, Urgent};

    const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);

    fn rank(urgency: Urgency, priority: u8, due: Moment) -> Rank {
        Rank { urgency, priority, due }
    }

    fn ms(millis: u64) -> Span {
        Span::from_millis(millis)
    }

    #[test]
    fn urgency_then_priority_then_age() {
        let mut ready = Ready::default();
        let table = [
            ("second of equals", rank(Normal, 0, NOW)),
            ("background", rank(Background, 255, NOW - ms(900))),
            ("more important", rank(Normal, 1, NOW)),
            ("older", rank(Normal, 0, NOW - ms(1))),
            ("alarm", rank(Urgent, 0, NOW)),
            ("third of equals", rank(Normal, 0, NOW)),
        ];
        for (name, rank) in table {
            ready.push(rank, name);
        }
        let order: Vec<_> = std::iter::from_fn(|| ready.pop(NOW)).collect();
        assert_eq!(order, ["alarm", "more important", "older", "second of equals", "third of equals", "background"]);
        assert!(ready.is_empty() && ready.by_age.is_empty());
    }

    #[test]
    fn an_alarm_promotes_every_plan() {
        for level in Level::ALL {
            for urgency in [Urgent, Normal, Background] {
                let expected = if level.is_alarm() { Urgent } else { urgency };
                assert_eq!(urgency.at(level), expected);
            }
        }
    }

    #[test]
    fn what_was_removed_does_not_go_and_a_new_rank_keeps_the_age() {
        let mut ready = Ready::default();
        let gone = ready.push(rank(Urgent, 9, NOW), "gone");
        let moved = ready.push(rank(Background, 0, NOW - ms(50)), "moved");
        ready.push(rank(Urgent, 0, NOW), "other");
        assert_eq!((ready.remove(gone), ready.remove(gone)), (Some("gone"), None));
        let value = ready.remove(moved).unwrap();
        ready.push(rank(Urgent, 0, NOW - ms(50)), value);
        assert_eq!((ready.pop(NOW), ready.pop(NOW), ready.pop(NOW)), (Some("moved"), Some("other"), None));
    }

    /// A server that takes 10 ms for each, and plans that want more than it has.
    struct Room {
        now: Moment,
        ready: Ready<usize>,
        /// Urgency, priority, period, next due time, and whether it waits.
        plans: Vec<(Urgency, u8, Span, Moment, bool)>,
        served: Vec<u32>,
        longest: Vec<Span>,
    }

    impl Room {
        fn new(plans: &[(Urgency, u8, u64)]) -> Self {
            let plans: Vec<_> =
                plans.iter().map(|(urgency, priority, every)| (*urgency, *priority, ms(*every), NOW, false)).collect();
            let (served, longest) = (vec![0; plans.len()], vec![Span::ZERO; plans.len()]);
            Self { now: NOW, ready: Ready::default(), plans, served, longest }
        }

        fn serve(&mut self, times: u32) {
            for _ in 0..times {
                for (n, (urgency, priority, _, due, waits)) in self.plans.iter_mut().enumerate() {
                    if !*waits && *due <= self.now {
                        self.ready.push(rank(*urgency, *priority, *due), n);
                        *waits = true;
                    }
                }
                if let Some(n) = self.ready.pop(self.now) {
                    let (_, _, every, due, waits) = &mut self.plans[n];
                    self.served[n] += 1;
                    self.longest[n] = self.longest[n].max(self.now.since(*due));
                    *waits = false;
                    while *due <= self.now {
                        *due += *every;
                    }
                }
                self.now += ms(10);
            }
        }
    }

    #[test]
    fn nothing_starves_behind_alarms_that_fill_all_the_room() {
        // Five alarms of 10 ms each want five times what there is.
        let mut plans = vec![(Urgent, 9, 10); 5];
        plans.extend([(Urgent, 0, 100), (Normal, 0, 1_000), (Background, 0, 1_000)]);
        let mut room = Room::new(&plans);
        room.serve(60_000);
        for n in 5..8 {
            // A second of patience, and then its turn among at most all the others, one in four.
            assert!(room.longest[n] <= PATIENCE + ms(10) * 4 * 8, "plan {n} waited {}", room.longest[n]);
        }
        // The alarms kept their three quarters, and shared them evenly.
        let alarms = &room.served[..5];
        assert!(
            alarms.iter().sum::<u32>() >= 45_000
                && alarms.iter().max().unwrap() - alarms.iter().min().unwrap() <= 60_000 / 20,
            "{alarms:?}"
        );
    }

    #[test]
    fn no_plan_goes_twice_while_one_of_its_rank_waits() {
        let mut plans = vec![(Normal, 0, 10)];
        plans.extend([(Normal, 0, 100); 20]);
        plans.extend([(Normal, 0, 50); 5]);
        let mut room = Room::new(&plans);
        let mut went = vec![Moment::EPOCH; plans.len()];
        for _ in 0..26_000 {
            let before = room.served.clone();
            let now = room.now;
            room.serve(1);
            let Some(n) = (0..plans.len()).find(|n| room.served[*n] != before[*n]) else { continue };
            let passed_over = room.plans.iter().find(|(.., due, waits)| *waits && *due <= went[n]);
            assert_eq!(passed_over, None, "plan {n} went at {:?} and {now:?}", went[n]);
            went[n] = now;
        }
        // What asks ten times as often gets no more than twice as much of a room that is too small.
        let (least, most) = (room.served.iter().min().unwrap(), room.served.iter().max().unwrap());
        assert!(*most <= 2 * least, "{:?}", room.served);
    }

    #[test]
    fn a_backlog_does_not_hold_up_an_alarm() {
        let mut room = Room::new(&[(Normal, 0, 10); 500]);
        room.serve(1_000);
        room.plans.push((Urgent, 0, ms(200), room.now, false));
        room.served.push(0);
        room.longest.push(Span::ZERO);
        room.serve(10_000);
        assert!(room.served[500] >= 499 && room.longest[500] <= ms(10), "{} {}", room.served[500], room.longest[500]);
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out_once(ranks in prop::collection::vec((0..3_u8, 0..3_u8, 0..3_000_u64), 0..200), remove in prop::collection::vec(any::<prop::sample::Index>(), 0..50)) {
            let mut ready = Ready::default();
            let tickets: Vec<_> = ranks.iter().enumerate().map(|(n, (urgency, priority, age))| {
                ready.push(rank([Urgent, Normal, Background][usize::from(*urgency)], *priority, NOW - ms(*age)), n)
            }).collect();
            let mut left: Vec<_> = (0..tickets.len()).collect();
            for index in remove {
                if !tickets.is_empty() && let Some(n) = ready.remove(tickets[index.index(tickets.len())]) {
                    left.retain(|other| *other != n);
                }
            }
            let mut out: Vec<_> = std::iter::from_fn(|| ready.pop(NOW)).collect();
            out.sort_unstable();
            prop_assert_eq!(out, left);
            prop_assert!(ready.is_empty() && ready.by_age.is_empty());
        }
    }
}
