//! Runs: carries out what the kernel starts, and gives back what came of it.
//!
//! Each run is a task of its own under the tracker, ends exactly once, and is
//! cancelled by dropping the check's future. When to run is the kernel's
//! business, what it means is the judge's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info};

use super::account::{Account, Hour, Record};
use super::clock::Clock;
use super::driver::Inbox;
use crate::buffer::{Full, Swap};
use crate::checks::{Check, Fault, Judge, Measured};
use crate::kernel::board::{ItemId, Level};
use crate::kernel::plans::{Finish, RunWord, Running};
use crate::kernel::{Ended, Input, Moment, Outcome, Report, RunId, Span, Start};
use crate::metrics::Meters;

/// How to measure one item, ready to run.
pub(super) struct Plan {
    pub(super) scheme: &'static str,
    pub(super) check: Box<dyn Check>,
    pub(super) judge: Judge,
    /// A digest of what is measured: the same digest is the same plan.
    pub(super) revision: u64,
    /// What was measured last, to tell it in other words after an edit.
    pub(super) last: Mutex<Option<Result<Measured, Fault>>>,
}

/// What reaches a run in flight.
#[derive(Clone)]
struct Flight {
    word: Arc<RunWord>,
    /// Wakes the run out of its I/O.
    token: CancellationToken,
}

/// The plans of the config that is in force.
pub(super) type Plans = HashMap<ItemId, Arc<Plan>>;

/// The runs in flight and what they need.
pub(super) struct Runs {
    plans: Swap<Plans>,
    flights: Mutex<HashMap<RunId, Flight>>,
    inbox: Arc<Inbox>,
    clock: Clock,
    meters: Arc<Meters>,
    account: Arc<Account>,
    runtime: Handle,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Runs {
    pub(super) fn new(inbox: Arc<Inbox>, clock: Clock, meters: Arc<Meters>, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            plans: Swap::default(),
            flights: Mutex::default(),
            inbox,
            clock,
            meters,
            account: Arc::default(),
            runtime,
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// The plans in force.
    pub(super) fn plans(&self) -> Arc<Plans> {
        self.plans.load()
    }

    /// Puts other plans in force. Runs of the old ones end as the kernel says.
    pub(super) fn replace(&self, plans: Plans) {
        self.plans.store(plans);
    }

    /// What came of the runs.
    pub(super) const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Starts a run.
    pub(super) fn start(self: &Arc<Self>, start: Start) {
        let asked = self.clock.now();
        self.meters.run_started(start.late);
        self.account.started(start.run, &start.item, asked, start.late);
        let flight = Flight { word: Arc::default(), token: self.stop.child_token() };
        self.flights().insert(start.run, flight.clone());
        let runs = Arc::clone(self);
        self.tracker.spawn_on(async move { runs.run(start, asked, flight).await }, &self.runtime);
    }

    /// Ends a run now.
    pub(super) fn cancel(&self, run: RunId) {
        if let Some(flight) = self.flights().get(&run) {
            // The word first: it decides whether the end or this comes first.
            flight.word.cancel();
            flight.token.cancel();
        }
    }

    /// Cancels everything and waits until it has ended.
    pub(super) async fn close(&self) {
        for flight in self.flights().values() {
            flight.word.cancel();
        }
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<RunId, Flight>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, start: Start, asked: Moment, flight: Flight) {
        let began = self.clock.now();
        let waited = start.late + began.since(asked);
        let running = Running::start(Arc::clone(&flight.word));
        let is_wanted = running.is_some();
        let mut end = End { runs: self, start: &start, began, waited, running, told: false };
        let plan = self.plans.load().get(&start.item).cloned();
        let mut retries = 0;
        let (outcome, result) = match plan.as_ref().filter(|plan| is_wanted && plan.revision == start.revision) {
            // Cancelled, or its plan replaced, between the tick and this moment: nothing is asked any more.
            None => (Outcome::Cancelled, None),
            Some(plan) => loop {
                let tried = attempt(plan.check.as_ref(), start.timeout, &flight.token).await;
                if !matches!(tried.0, Outcome::Failed | Outcome::TimedOut) || retries == start.retries {
                    break tried;
                }
                retries += 1;
            },
        };
        let bytes = result.as_ref().map_or(0, |result| result.as_ref().map_or(0, |measured| measured.bytes));
        let report = plan.filter(|_| outcome != Outcome::Cancelled).and_then(|plan| told(&plan, result));
        end.tell(outcome, report, retries, bytes);
    }

    fn note(&self, record: &Record, hour: &Hour) {
        let plans = self.plans.load();
        let Record { run, item, retries, bytes, detail, .. } = record;
        let outcome = record.outcome.unwrap_or(Outcome::Cancelled);
        let scheme = plans.get(item).map_or("", |plan| plan.scheme);
        self.meters.run_ended(item, scheme, outcome, record.ran, *retries);
        let (waited_ms, ran_ms) = (record.waited.as_millis(), record.ran.as_millis());
        let outcome_word = outcome.word();
        if outcome == Outcome::Done {
            debug!(%item, %run, outcome = outcome_word, waited_ms, ran_ms, retries, bytes, detail = &**detail, "run ended");
        } else {
            info!(%item, %run, outcome = outcome_word, waited_ms, ran_ms, retries, bytes, detail = &**detail, "run ended");
        }
        if let Some([p50, p95, p99]) = hour.percentiles {
            let (p50, p95, p99) = (p50.as_nanos() / 1_000, p95.as_nanos() / 1_000, p99.as_nanos() / 1_000);
            debug!(%item, runs = hour.runs, p50_us = p50, p95_us = p95, p99_us = p99, "runs of the last hour");
        }
    }

    fn end(&self, ended: Ended) {
        self.flights().remove(&ended.run);
        let mut input = Input::Ended(ended);
        // A run's end must arrive, or its item would be busy for ever. The board
        // thread empties its inbox in no time; only a flood makes this wait.
        while let Err(Full(back)) = self.inbox.send(input) {
            input = back;
            std::thread::yield_now();
        }
    }
}

/// The end of one run, told even where the check panics.
struct End<'a> {
    runs: &'a Runs,
    start: &'a Start,
    began: Moment,
    waited: Span,
    running: Option<Running<Arc<RunWord>>>,
    told: bool,
}

impl End<'_> {
    fn tell(&mut self, outcome: Outcome, report: Option<Report>, retries: u32, bytes: u64) {
        self.told = true;
        // The word decides, once, whether this end or a cancellation came first.
        let ended = self.running.take().map(|running| running.finish(|| {}));
        let (outcome, report) =
            if ended == Some(Finish::Done) { (outcome, report) } else { (Outcome::Cancelled, None) };
        let now = self.runs.clock.now();
        let took = now.since(self.began);
        let (run, item, waited) = (self.start.run, self.start.item.clone(), self.waited);
        let detail = report.as_ref().map_or_else(|| CANCELLED.into(), |report| Arc::clone(&report.text));
        let started = self.began;
        let filtered = report.as_ref().is_some_and(|report| report.filtered);
        // The kernel first: who waited for the end then finds the news on the board.
        self.runs.end(Ended { run, outcome, report, took, retries, waited, bytes });
        if filtered {
            self.runs.meters.text_filtered();
        }
        let outcome = Some(outcome);
        let record = Record { run, item, outcome, started, waited, ran: took, retries, bytes, detail };
        let hour = self.runs.account.ended(now, record.clone());
        self.runs.note(&record, &hour);
    }
}

/// What a run says that nobody wanted any more.
const CANCELLED: &str = "cancelled";

impl Drop for End<'_> {
    fn drop(&mut self) {
        if !self.told {
            let text = "the check broke off; the log says where".into();
            let report = Report { level: Level::Unknown, text, values: Arc::default(), filtered: false };
            self.tell(Outcome::Failed, Some(report), 0, 0);
        }
    }
}

async fn attempt(
    check: &dyn Check,
    timeout: Span,
    token: &CancellationToken,
) -> (Outcome, Option<Result<Measured, Fault>>) {
    tokio::select! {
        biased;
        () = token.cancelled() => (Outcome::Cancelled, None),
        measured = tokio::time::timeout(timeout.into(), check.measure()) => match measured {
            Ok(Ok(measured)) => (Outcome::Done, Some(Ok(measured))),
            Ok(Err(fault)) => (Outcome::Failed, Some(Err(fault))),
            Err(_) => (Outcome::TimedOut, Some(Err(Fault::timed_out(timeout)))),
        },
    }
}

fn told(plan: &Plan, result: Option<Result<Measured, Fault>>) -> Option<Report> {
    let result = result?;
    *plan.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
    Some(plan.judge.report(result))
}
