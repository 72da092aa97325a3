//! What is counted by item, for the first thousand of them.
//!
//! The counts are plain numbers under one lock, not handles of the exporter: a
//! handle that is held can't be taken out of a scrape, and an item that a reload
//! removed must not stay there for ever. A turn or the end of a run is rare
//! enough for a lock.

use std::collections::BTreeMap;

use super::exposition::{family, sample};
use super::table::{ITEM_PROCESSED, RUN};
use crate::kernel::Outcome;
use crate::kernel::board::Level;

/// How many items have series of their own. At nine series each this keeps a scrape below a megabyte.
pub const ITEMS_MAX: usize = 1_000;

/// The label under which all further items count together.
pub const OTHER: &str = "_other";

/// The label of the turn that healthy items share.
pub const SUMMARY: &str = "_summary";

/// The counts of one item.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Turns, by level.
    turns: [u64; Level::ALL.len()],
    /// Runs, by outcome.
    runs: [u64; Outcome::ALL.len()],
}

/// The counts of all items, by the label they are told under.
#[derive(Debug, Default)]
pub(super) struct Items {
    counts: BTreeMap<Box<str>, Counts>,
}

impl Items {
    pub(super) fn turned(&mut self, item: &str, level: Level) {
        self.of(item).turns[level.index()] += 1;
    }

    pub(super) fn ran(&mut self, item: &str, outcome: Outcome) {
        self.of(item).runs[outcome as usize] += 1;
    }

    /// Forgets every item that the board no longer knows; their places are free for others.
    pub(super) fn keep(&mut self, known: impl Fn(&str) -> bool) {
        self.counts.retain(|label, _| matches!(&**label, OTHER | SUMMARY) || known(label));
    }

    /// Writes both families. An item that has one count of a family has all of
    /// them, so that a first failure is seen as a step from 0.
    pub(super) fn write(&self, out: &mut String) {
        family(out, &ITEM_PROCESSED);
        for (item, counts) in self.counts.iter().filter(|(_, counts)| counts.turns != [0; 5]) {
            for level in Level::ALL {
                sample(out, &ITEM_PROCESSED, &[item, level.word()], counts.turns[level.index()]);
            }
        }
        out.push('\n');
        family(out, &RUN);
        for (item, counts) in self.counts.iter().filter(|(_, counts)| counts.runs != [0; 4]) {
            for outcome in Outcome::ALL {
                sample(out, &RUN, &[item, outcome.word()], counts.runs[outcome as usize]);
            }
        }
        out.push('\n');
    }

    fn of(&mut self, item: &str) -> &mut Counts {
        let label = if self.counts.contains_key(item) || self.has_room_for(item) { item } else { OTHER };
        self.counts.entry(label.into()).or_default()
    }

    fn has_room_for(&self, item: &str) -> bool {
        matches!(item, OTHER | SUMMARY) || self.counts.len() < ITEMS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(items: &Items) -> String {
        let mut out = String::new();
        items.write(&mut out);
        out
    }

    #[test]
    fn outcomes_stand_in_the_order_of_their_table() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
        }
    }

    #[test]
    fn an_item_starts_every_count_from_nought() {
        let mut items = Items::default();
        items.turned("db", Level::Warning);
        let out = scrape(&items);
        assert!(out.contains("marquee_item_processed_total{item=\"db\",level=\"warning\"} 1\n"));
        assert!(out.contains("marquee_item_processed_total{item=\"db\",level=\"critical\"} 0\n"));
        assert!(!out.contains("marquee_run_total{"), "it never ran");
    }

    #[test]
    fn items_beyond_the_limit_count_together_and_no_series_stands_twice() {
        let mut items = Items::default();
        // An item may be called like the common label; the two then share one series.
        items.ran(OTHER, Outcome::Failed);
        for place in 0..3 * ITEMS_MAX {
            items.ran(&format!("i{place}"), Outcome::Failed);
        }
        items.turned(SUMMARY, Level::Healthy);
        let out = scrape(&items);
        let own = ITEMS_MAX - 1;
        let together = 3 * ITEMS_MAX - own + 1;
        assert!(out.contains(&format!("marquee_run_total{{item=\"_other\",outcome=\"failed\"}} {together}\n")));
        assert!(out.contains("marquee_item_processed_total{item=\"_summary\",level=\"healthy\"} 1\n"));
        let mut names: Vec<_> = out.lines().filter_map(|line| line.split_once("} ")).map(|(name, _)| name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_removed_item_leaves_and_frees_its_place() {
        let mut items = Items::default();
        for place in 0..ITEMS_MAX {
            items.ran(&format!("i{place}"), Outcome::Done);
        }
        items.keep(|id| id != "i7");
        items.ran("new", Outcome::Done);
        let out = scrape(&items);
        assert!(!out.contains("item=\"i7\""));
        assert!(out.contains("marquee_run_total{item=\"i8\",outcome=\"done\"} 1\n"), "the others keep their counts");
        assert!(out.contains("marquee_run_total{item=\"new\",outcome=\"done\"} 1\n"));
    }
}
