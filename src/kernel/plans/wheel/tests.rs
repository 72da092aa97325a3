//! The wheel against a sorted list, and its corners.

use proptest::prelude::*;

use super::*;
use crate::kernel::Span;

const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);
const CENTURY: Span = Span::from_secs(100 * 365 * 86_400);

/// What happens to a wheel.
#[derive(Clone, Debug)]
enum Step {
    Insert(Span),
    InsertPast(Span),
    Cancel(prop::sample::Index),
    Advance(Span),
    /// To the moment that the wheel itself names.
    AdvanceToNext,
}

/// Spans of every size: within a tick, across ticks and levels, a hundred years.
fn span() -> impl Strategy<Value = Span> {
    prop_oneof![
        4 => 0..300_000_u64,
        4 => 0..200_000_000_u64,
        2 => 0..100_000_000_000_u64,
        1 => 0..=CENTURY.as_nanos(),
        1 => (0..45_u32).prop_map(|bits| 1_u64 << bits),
    ]
    .prop_map(Span::from_nanos)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => span().prop_map(Step::Insert),
        1 => span().prop_map(Step::InsertPast),
        3 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        2 => span().prop_map(Step::Advance),
        3 => Just(Step::AdvanceToNext),
    ]
}

/// A wheel beside the list that is plainly right.
struct Pair {
    now: Moment,
    wheel: Wheel<usize>,
    list: Vec<(Moment, usize)>,
    keys: Vec<Key>,
}

impl Pair {
    fn insert(&mut self, at: Moment) {
        let id = self.keys.len();
        self.keys.push(self.wheel.insert(at, id));
        self.list.push((at, id));
    }

    fn cancel(&mut self, id: usize) {
        let known = self.list.iter().position(|(_, other)| *other == id);
        known.map(|place| self.list.swap_remove(place));
        assert_eq!(self.wheel.cancel(self.keys[id]), known.map(|_| id));
    }

    fn advance(&mut self, now: Moment) -> usize {
        self.now = now;
        let mut due = Vec::new();
        self.wheel.advance(now, &mut due);
        assert!(due.is_sorted_by_key(|(at, _)| *at), "out of order: {due:?}");
        let count = due.len();
        let mut expected: Vec<_> = self.list.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_unstable();
        expected.sort_unstable();
        assert_eq!(due, expected);
        count
    }

    fn check(&self) {
        let earliest = self.list.iter().map(|(at, _)| *at).min();
        assert_eq!(self.wheel.len(), self.list.len());
        assert_eq!(self.wheel.next().is_some(), earliest.is_some());
        assert!(self.wheel.next() <= earliest, "{:?} is after {earliest:?}", self.wheel.next());
    }
}

fn pair() -> Pair {
    Pair { now: NOW, wheel: Wheel::new(NOW), list: Vec::new(), keys: Vec::new() }
}

proptest! {
    #[test]
    fn does_what_a_sorted_list_does(steps in prop::collection::vec(step(), 1..300)) {
        let mut pair = pair();
        for step in steps {
            match step {
                Step::Insert(after) => pair.insert(pair.now + after),
                Step::InsertPast(before) => pair.insert(pair.now - before),
                Step::Cancel(_) if pair.keys.is_empty() => {}
                Step::Cancel(which) => pair.cancel(which.index(pair.keys.len())),
                Step::Advance(by) => { pair.advance(pair.now + by); }
                Step::AdvanceToNext => if let Some(next) = pair.wheel.next() {
                    pair.advance(next.max(pair.now));
                },
            }
            pair.check();
        }
        // Going from wake-up to wake-up ends, and each entry costs one at most for every level.
        let mut wakes = 0;
        let waiting = pair.list.len();
        while let Some(next) = pair.wheel.next() {
            pair.advance(next);
            wakes += 1;
        }
        prop_assert!(wakes <= (LEVELS + 1) * waiting);
    }

    #[test]
    fn next_is_exact_while_nothing_is_cancelled(spans in prop::collection::vec(span(), 1..100)) {
        let mut pair = pair();
        for after in spans {
            pair.insert(NOW + after);
        }
        while let Some(next) = pair.wheel.next() {
            prop_assert!(pair.advance(next) > 0);
        }
    }
}

#[test]
fn deadlines_at_the_ends_of_time_are_held() {
    let end = Moment::from_unix_nanos(u64::MAX);
    let mut pair = pair();
    for at in [Moment::EPOCH, NOW - Span::from_nanos(1), NOW, NOW + Span::from_nanos(1), end - Span::from_nanos(1), end]
    {
        pair.insert(at);
    }
    assert_eq!(pair.advance(NOW), 3);
    assert_eq!(pair.advance(NOW + Span::from_nanos(1)), 1);
    assert_eq!(pair.advance(end - Span::from_nanos(1)), 1);
    assert_eq!(pair.wheel.next(), Some(end));
    assert_eq!(pair.advance(end), 1);
    assert!(pair.wheel.is_empty() && pair.wheel.next().is_none());
}

#[test]
fn time_that_goes_back_turns_nothing_back() {
    let mut pair = pair();
    pair.insert(NOW + Span::from_secs(60));
    assert_eq!(pair.advance(NOW + Span::from_secs(59)), 0);
    assert_eq!(pair.advance(NOW), 0);
    pair.insert(NOW + Span::from_secs(1));
    assert_eq!(pair.advance(NOW + Span::from_nanos(999_999_999)), 0);
    assert_eq!(pair.advance(NOW + Span::from_secs(1)), 1);
    assert_eq!(pair.advance(NOW + Span::from_secs(60)), 1);
}

#[test]
fn a_key_is_worth_nothing_after_its_entry() {
    let mut wheel = Wheel::new(NOW);
    let first = wheel.insert(NOW + Span::from_secs(1), "first");
    assert_eq!(wheel.cancel(first), Some("first"));
    assert_eq!(wheel.cancel(first), None);
    let second = wheel.insert(NOW + Span::from_secs(1), "second");
    assert_eq!((second.index, second == first), (first.index, false));
    assert_eq!(wheel.cancel(first), None);
    wheel.advance(NOW + Span::from_secs(1), &mut Vec::new());
    assert_eq!(wheel.cancel(second), None);
}

#[test]
fn an_entry_with_used_up_generations_is_left_out() {
    let mut wheel = Wheel::new(NOW);
    let key = wheel.insert(NOW, 1);
    wheel.cancel(key);
    wheel.entries[0].generation = u32::MAX;
    let last = wheel.insert(NOW, 2);
    assert_eq!(wheel.cancel(last), Some(2));
    assert_eq!(wheel.cancel(last), None);
    let other = wheel.insert(NOW, 3);
    assert_ne!(other.index, last.index);
    let mut due = Vec::new();
    wheel.advance(NOW, &mut due);
    assert_eq!(due, [(NOW, 3)]);
}

#[test]
fn a_million_entries_fit_their_memory_and_reuse_it() {
    const MILLION: usize = 1_000_000;
    // The entry itself, and its number in a list that may have grown to twice its length.
    assert!(size_of::<Entry<u32>>() + 2 * size_of::<u32>() <= 40 + size_of::<u32>());
    let mut wheel = Wheel::new(NOW);
    let mut due = Vec::new();
    for round in 0..3_u64 {
        let start = NOW + Span::from_secs(10) * round;
        for n in 0..MILLION as u64 {
            wheel.insert(start + Span::from_nanos(1 + n * 10_000), n);
        }
        assert_eq!(wheel.entries.len(), MILLION);
        wheel.advance(start + Span::from_secs(10), &mut due);
        assert_eq!(due.len(), MILLION);
        assert!(due.drain(..).map(|(_, n)| n).eq(0..MILLION as u64));
    }
}

#[test]
fn a_herd_leaves_no_memory_in_the_slots_it_passed() {
    let mut wheel = Wheel::new(NOW);
    let mut due = Vec::new();
    for second in 1..200 {
        let then = NOW + Span::from_secs(second);
        let keys: Vec<_> = (0..10_000).map(|n| wheel.insert(then, n)).collect();
        if second % 2 == 0 {
            assert!(keys.into_iter().all(|key| wheel.cancel(key).is_some()));
        }
        wheel.advance(then, &mut due);
    }
    let lists = wheel.slots.iter().map(|slot| &slot.list).chain(&wheel.spare);
    assert!(lists.map(Vec::capacity).all(|capacity| capacity <= KEPT_AT_MOST));
    assert!(wheel.spare.len() < LEVELS * SLOTS && wheel.slots.iter().all(|slot| slot.list.is_empty()));
    assert_eq!((wheel.entries.len(), due.len()), (10_000, 1_000_000));
}

#[test]
fn cancelling_within_the_tick_leaves_no_heap_of_dead_ones() {
    let mut wheel = Wheel::new(NOW);
    for n in 0..100_000 {
        let key = wheel.insert(NOW + Span::from_nanos(1), n);
        wheel.insert(NOW, 0);
        wheel.cancel(key);
        wheel.advance(NOW, &mut Vec::new());
    }
    for n in 0..100_000 {
        let key = wheel.insert(NOW + Span::from_nanos(2), n);
        if n > 0 {
            wheel.cancel(key);
        }
    }
    assert_eq!(wheel.len(), 1);
    assert!(wheel.near.len() <= 2 + DEAD_AT_MOST, "{}", wheel.near.len());
}
