//! The account of runs: those in flight, the last that ended, and how long each item's take.
//!
//! Bounded: a thousand ended runs, and beyond them the last of each item. What
//! carries out runs tells it; the API and the log ask it. It starts nothing and ends nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::percentiles::Percentiles;
use crate::kernel::board::ItemId;
use crate::kernel::{Moment, Outcome, RunId, Span};

/// Ended runs that can be asked for by their id: minutes of a plant's runs, and some 300 KiB.
const ENDED_MAX: usize = 1_000;

/// One run: what is known of it now, or how it ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record {
    pub(super) run: RunId,
    pub(super) item: ItemId,
    /// How it ended; `None`: it is under way.
    pub(super) outcome: Option<Outcome>,
    /// When it started, on the shared clock.
    pub(super) started: Moment,
    /// From its due moment until it began.
    pub(super) waited: Span,
    pub(super) ran: Span,
    pub(super) retries: u32,
    pub(super) bytes: u64,
    /// What it said, or why it failed, in one cleaned line.
    pub(super) detail: Arc<str>,
}

/// An item's runs of the last hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hour {
    pub(super) runs: u64,
    /// The times that 50, 95 and 99 % stayed within; `None`: nothing ran.
    pub(super) percentiles: Option<[Span; 3]>,
}

/// Every run that can be asked for.
#[derive(Debug, Default)]
pub(super) struct Account {
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    running: HashMap<RunId, Running>,
    ended: HashMap<RunId, Arc<Record>>,
    order: VecDeque<RunId>,
    items: HashMap<ItemId, PerItem>,
}

#[derive(Debug)]
struct Running {
    record: Record,
    waiting: Vec<oneshot::Sender<Arc<Record>>>,
}

#[derive(Debug, Default)]
struct PerItem {
    last: Option<Arc<Record>>,
    took: Percentiles,
}

/// The end of a run, now or later.
#[derive(Debug)]
pub(super) enum End {
    /// It has ended.
    Past(Arc<Record>),
    /// It comes by this, as soon as it is there.
    Coming(oneshot::Receiver<Arc<Record>>),
}

impl Account {
    /// A run is about to start; it may be told more than once.
    pub(super) fn started(&self, run: RunId, item: &ItemId, started: Moment, waited: Span) {
        let mut ledger = self.ledger();
        if ledger.ended.contains_key(&run) {
            return;
        }
        ledger.running.entry(run).or_insert_with(|| {
            let (item, detail) = (item.clone(), Arc::from(""));
            let record =
                Record { run, item, outcome: None, started, waited, ran: Span::ZERO, retries: 0, bytes: 0, detail };
            Running { record, waiting: Vec::new() }
        });
    }

    /// A run ended at `now`; tells its item's hour.
    pub(super) fn ended(&self, now: Moment, record: Record) -> Hour {
        let record = Arc::new(record);
        let mut ledger = self.ledger();
        let waiting = ledger.running.remove(&record.run).map_or_else(Vec::new, |running| running.waiting);
        if ledger.ended.insert(record.run, Arc::clone(&record)).is_none() {
            ledger.order.push_back(record.run);
        }
        if ledger.order.len() > ENDED_MAX
            && let Some(oldest) = ledger.order.pop_front()
        {
            ledger.ended.remove(&oldest);
        }
        let item = ledger.items.entry(record.item.clone()).or_default();
        item.last = Some(Arc::clone(&record));
        if record.outcome != Some(Outcome::Cancelled) {
            item.took.took(now, record.ran);
        }
        let hour = hour(item, now);
        drop(ledger);
        for waiter in waiting {
            // A client that has gone away does not wait any more.
            let _ = waiter.send(Arc::clone(&record));
        }
        hour
    }

    /// A run, as far as it is still known.
    pub(super) fn find(&self, run: RunId) -> Option<Record> {
        let ledger = self.ledger();
        let running = ledger.running.get(&run).map(|running| running.record.clone());
        running.or_else(|| ledger.past(run).map(|record| (*record).clone()))
    }

    /// The end of a run; `None`: it is not known.
    pub(super) fn end_of(&self, run: RunId) -> Option<End> {
        let mut ledger = self.ledger();
        if let Some(running) = ledger.running.get_mut(&run) {
            let (sender, receiver) = oneshot::channel();
            running.waiting.retain(|waiter| !waiter.is_closed());
            running.waiting.push(sender);
            return Some(End::Coming(receiver));
        }
        ledger.past(run).map(End::Past)
    }

    /// The last ended run of each of these items.
    pub(super) fn last<'a>(&self, items: impl Iterator<Item = &'a ItemId>) -> Vec<Option<Arc<Record>>> {
        let ledger = self.ledger();
        items.map(|item| ledger.items.get(item)?.last.clone()).collect()
    }

    /// An item's runs of the hour before `now`.
    pub(super) fn hour(&self, item: &ItemId, now: Moment) -> Hour {
        self.ledger().items.get(item).map_or_else(Hour::default, |item| hour(item, now))
    }

    /// Forgets items that the board no longer has.
    pub(super) fn keep(&self, known: impl Fn(&ItemId) -> bool) {
        self.ledger().items.retain(|item, _| known(item));
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    fn past(&self, run: RunId) -> Option<Arc<Record>> {
        let mut last = self.items.values().filter_map(|item| item.last.as_ref());
        self.ended.get(&run).or_else(|| last.find(|record| record.run == run)).cloned()
    }
}

fn hour(item: &PerItem, now: Moment) -> Hour {
    Hour { runs: item.took.runs(now), percentiles: item.took.at(now, [500, 950, 990]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_700_000_000_000);

    fn id(text: &str) -> ItemId {
        ItemId::new(text).unwrap()
    }

    fn start(account: &Account, run: u64, item: &str) {
        account.started(RunId(run), &id(item), NOW, Span::from_millis(1));
    }

    fn end(account: &Account, run: u64, item: &str, outcome: Outcome) -> Hour {
        let (run, item, waited, ran) = (RunId(run), id(item), Span::from_millis(1), Span::from_millis(3));
        let detail = "ok".into();
        let outcome = Some(outcome);
        account.ended(NOW, Record { run, item, outcome, started: NOW, waited, ran, retries: 0, bytes: 2, detail })
    }

    #[test]
    fn a_run_is_known_from_its_start_to_long_after_its_end() {
        let account = Account::default();
        assert!(account.find(RunId(1)).is_none() && account.end_of(RunId(1)).is_none());
        start(&account, 1, "db");
        start(&account, 1, "db");
        assert_eq!(account.find(RunId(1)).unwrap().outcome, None);
        let Some(End::Coming(mut coming)) = account.end_of(RunId(1)) else { panic!("it runs") };
        assert_eq!(end(&account, 1, "db", Outcome::Done).runs, 1);
        assert_eq!(coming.try_recv().unwrap().outcome, Some(Outcome::Done));
        assert!(matches!(account.end_of(RunId(1)), Some(End::Past(_))));
        start(&account, 1, "db");
        assert_eq!(account.find(RunId(1)).unwrap().outcome, Some(Outcome::Done), "an end is an end");
    }

    #[test]
    fn ended_runs_are_bounded_but_each_items_last_stays() {
        let account = Account::default();
        end(&account, 0, "quiet", Outcome::Failed);
        for run in 1..=2 * ENDED_MAX as u64 {
            start(&account, run, "busy");
            end(&account, run, "busy", Outcome::Done);
        }
        assert_eq!(account.find(RunId(1)), None);
        assert!(account.find(RunId(1_500)).is_some() && account.find(RunId(0)).is_some());
        let (quiet, other) = (id("quiet"), id("other"));
        let last = account.last([&quiet, &other].into_iter());
        assert_eq!((last[0].as_ref().map(|record| record.run), &last[1]), (Some(RunId(0)), &None));
        assert!(account.ledger().running.is_empty() && account.ledger().ended.len() == ENDED_MAX);
        account.keep(|item| item.as_str() == "busy");
        assert_eq!((account.find(RunId(0)), account.hour(&quiet, NOW)), (None, Hour::default()));
    }

    #[test]
    fn a_cancelled_run_says_nothing_of_how_long_runs_take() {
        let account = Account::default();
        assert_eq!(end(&account, 1, "db", Outcome::Cancelled), Hour::default());
        assert_eq!(account.last([&id("db")].into_iter())[0].as_ref().unwrap().outcome, Some(Outcome::Cancelled));
    }
}
