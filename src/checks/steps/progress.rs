//! One run of a plan: which steps may start, and what comes of them all.

use std::sync::Arc;

use super::super::{Fault, Measured};
use super::side_by_side::SideBySide;
use super::{End, Step, StepAccount, StepOutcome};
use crate::config::OnFailure;
use crate::frame::{Level, Span, Value, Values};

/// How far one step is.
enum Seat {
    Waiting,
    Running,
    Ended(Box<End>),
}

/// A run of a plan.
pub(super) struct Progress<'a> {
    steps: &'a [Step],
    seats: Vec<Seat>,
}

impl<'a> Progress<'a> {
    pub(super) fn new(steps: &'a [Step]) -> Self {
        Self { steps, seats: steps.iter().map(|_| Seat::Waiting).collect() }
    }

    /// Runs every step that can run; ends early where one fails that the plan can't do without.
    pub(super) async fn run(mut self) -> Result<Measured, Fault> {
        let mut running = SideBySide::new();
        self.start(&mut running);
        while let Some((place, end)) = running.next().await {
            let step = &self.steps[place];
            if let Some(fault) = end.account.fault.as_ref().filter(|_| step.on_failure == OnFailure::Fail) {
                return Err(Fault(format!("{}: {fault}", step.name)));
            }
            self.seats[place] = Seat::Ended(Box::new(end));
            // Between two steps the run can be cancelled, even where neither waits for anything.
            tokio::task::yield_now().await;
            self.start(&mut running);
        }
        self.measured()
    }

    /// Starts what waits for nothing more, and passes over what waits in vain.
    fn start(&mut self, running: &mut SideBySide<'a, End>) {
        let steps = self.steps;
        // A step that is passed over may be all that another one waited for.
        while let Some(place) = (0..steps.len()).find(|place| self.is_ready(*place)) {
            let step = &steps[place];
            self.seats[place] = if let Some(need) = step.needs.iter().find(|need| !self.is_done(**need)) {
                Seat::Ended(Box::new(skipped(step, &steps[*need])))
            } else {
                running.push(place, step.perform(self.scope(place)));
                Seat::Running
            };
        }
    }

    fn is_ready(&self, place: usize) -> bool {
        let needs = &self.steps[place].needs;
        let waits = matches!(self.seats[place], Seat::Waiting);
        waits && (needs.iter().all(|need| self.end(*need).is_some()) || needs.iter().any(|need| self.is_lost(*need)))
    }

    fn end(&self, place: usize) -> Option<&End> {
        match &self.seats[place] {
            Seat::Ended(end) => Some(end),
            Seat::Waiting | Seat::Running => None,
        }
    }

    fn is_done(&self, place: usize) -> bool {
        self.end(place).is_some_and(|end| end.account.outcome == StepOutcome::Done)
    }

    fn is_lost(&self, place: usize) -> bool {
        self.end(place).is_some() && !self.is_done(place)
    }

    /// What the step at `place` may name: every step that has ended, values with names of their own, and
    /// bare what the last of its needs gave.
    fn scope(&self, place: usize) -> Values {
        self.values(self.steps[place].needs.last().copied())
    }

    /// The values under the names of their steps, those with names of their own, and bare those of one step.
    fn values(&self, bare: Option<usize>) -> Values {
        let mut values = Values::new();
        let ended = || self.steps.iter().enumerate().filter_map(|(place, step)| Some((step, self.end(place)?)));
        for (step, end) in ended() {
            let mut members: Vec<(Arc<str>, Value)> =
                end.values.iter().map(|(name, value)| (name.into(), value.clone())).collect();
            let told = [
                ("up", Value::Bool(end.account.outcome == StepOutcome::Done)),
                ("error", Value::text(end.account.fault.as_ref().map_or("", |fault| fault.0.as_str()))),
            ];
            members.retain(|(name, _)| told.iter().all(|(common, _)| **name != **common));
            members.extend(told.map(|(name, value)| (name.into(), value)));
            values.set(Arc::clone(&step.name), Value::Map(members));
        }
        let named = ended().filter_map(|(step, end)| {
            let name = step.named.as_ref()?;
            Some((name, end.values.get(name)?.clone()))
        });
        for (name, value) in named {
            values.set(Arc::clone(name), value);
        }
        for (name, value) in bare.and_then(|place| self.end(place)).into_iter().flat_map(|end| end.values.iter()) {
            // The name of a step is its own, ended or not: a value of the same name is reached behind the dot.
            let taken = |step: &Step| *step.name == *name || step.named.as_deref() == Some(name);
            if !self.steps.iter().any(taken) {
                values.set(name, value.clone());
            }
        }
        values
    }

    /// What the whole plan measured, once every step has ended; a fault where that is nothing at all.
    fn measured(self) -> Result<Measured, Fault> {
        let values = self.values(self.steps.len().checked_sub(1));
        let ends = || (0..self.steps.len()).filter_map(|place| self.end(place));
        // The worst level sorts first.
        let level: Option<Level> = ends().filter_map(|end| end.level).min();
        let bytes = ends().map(|end| end.bytes).sum();
        let steps: Vec<StepAccount> = ends().map(|end| end.account.clone()).collect();
        // What was passed over only repeats what was lost.
        let lost = steps.iter().filter(|step| step.outcome != StepOutcome::Skipped);
        let lost: Vec<_> = lost.filter_map(|step| Some(format!("{}: {}", step.name, step.fault.as_ref()?))).collect();
        let degraded = (!lost.is_empty()).then(|| Fault(lost.join("; ")));
        match degraded {
            Some(fault) if steps.iter().all(|step| step.outcome != StepOutcome::Done) => Err(fault),
            degraded => Ok(Measured { values, level, bytes, steps, degraded }),
        }
    }
}

/// The end of a step that has nothing to work on.
fn skipped(step: &Step, need: &Step) -> End {
    let account = StepAccount {
        name: Arc::clone(&step.name),
        outcome: StepOutcome::Skipped,
        took: Span::ZERO,
        retries: 0,
        fault: Some(Fault(format!("not run: {} failed", need.name))),
    };
    End { account, values: Values::new(), level: None, bytes: 0 }
}
