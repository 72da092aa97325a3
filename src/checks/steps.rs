//! Plans of steps: what to ask, in which order, and what goes on without what.
//!
//! Steps whose needs are met run side by side in the one task of their run, so
//! that dropping the run drops every socket and child of every step. A step that
//! fails keeps those that need it from running, and ends the plan unless it may
//! be gone without. Deliberately no level and no text: what the values mean is
//! the judge's business, as with any check.

mod pause;
mod progress;
mod side_by_side;
mod work;

use std::sync::Arc;

use tokio::time::Instant;

use self::progress::Progress;
use self::work::Work;
use super::{BadTarget, Check, Fault, Measured, Measuring};
use crate::config::{CheckConfig, OnFailure, StepConfig};
use crate::frame::{Level, Span, Values};

/// What one step did in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct StepAccount {
    /// Its name.
    pub name: Arc<str>,
    /// How it ended.
    pub outcome: StepOutcome,
    /// From its start to its end, tries and pauses included.
    pub took: Span,
    /// How many more tries it took.
    pub retries: u32,
    /// Why it failed or did not run, in words; as it came from outside, so it is cleaned where it is shown.
    pub fault: Option<Fault>,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It gave its values.
    Done,
    /// It measured nothing, or found what it may not find.
    Failed,
    /// It was cut off by its own limit.
    TimedOut,
    /// It did not run, because a step that it needs failed.
    Skipped,
}

impl StepOutcome {
    /// The word of the API and the log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
        }
    }
}

/// A plan, aimed.
struct Steps {
    steps: Vec<Step>,
}

/// One step, aimed.
struct Step {
    name: Arc<str>,
    /// The places of the steps it waits for.
    needs: Vec<usize>,
    timeout: Option<Span>,
    retries: u32,
    on_failure: OnFailure,
    /// The value that all of the plan may name without the step.
    named: Option<Arc<str>>,
    work: Work,
}

/// How a step ended, with what it gave.
struct End {
    account: StepAccount,
    values: Values,
    level: Option<Level>,
    bytes: u64,
}

/// The check of an item with steps.
///
/// # Errors
/// Where a step's target names nothing that can be asked, or this build has no such check.
pub(super) fn build(config: &CheckConfig) -> Result<Box<dyn Check>, BadTarget> {
    // Without levels of the item's own, each question is judged as its scheme would.
    let by_scheme = config.levels.0.is_empty();
    let steps: Result<Vec<_>, _> = config.steps.iter().map(|step| aim(step, by_scheme)).collect();
    Ok(Box::new(Steps { steps: steps? }))
}

fn aim(config: &StepConfig, by_scheme: bool) -> Result<Step, BadTarget> {
    let work = Work::build(&config.work, by_scheme).map_err(|bad| BadTarget(format!("{}: {}", config.name, bad.0)))?;
    Ok(Step {
        name: config.name.as_str().into(),
        needs: config.needs.clone(),
        timeout: config.timeout,
        retries: config.retries,
        on_failure: config.on_failure,
        named: config.work.named().map(Into::into),
        work,
    })
}

impl Check for Steps {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(Progress::new(&self.steps).run())
    }
}

impl Step {
    /// Does the step's work over what came before, with its tries.
    async fn perform(&self, scope: Values) -> End {
        let began = Instant::now();
        let seed = pause::seed(&self.name);
        let mut retries = 0;
        let (outcome, result) = loop {
            let (outcome, result) = self.attempt(&scope).await;
            if outcome == StepOutcome::Done || retries == self.retries {
                break (outcome, result);
            }
            tokio::time::sleep(pause::before(retries, seed).into()).await;
            retries += 1;
        };
        let (measured, fault) = match result {
            Ok(measured) => (measured, None),
            Err(fault) => (Measured::default(), Some(fault)),
        };
        let took = Span::from(began.elapsed());
        let Measured { values, level, bytes, .. } = measured;
        let account = StepAccount { name: Arc::clone(&self.name), outcome, took, retries, fault };
        End { account, values, level, bytes }
    }

    async fn attempt(&self, scope: &Values) -> (StepOutcome, Result<Measured, Fault>) {
        let work = self.work.perform(scope);
        let result = match self.timeout {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit.into(), work).await {
                Ok(result) => result,
                Err(_) => return (StepOutcome::TimedOut, Err(Fault::timed_out(limit))),
            },
        };
        (if result.is_ok() { StepOutcome::Done } else { StepOutcome::Failed }, result)
    }
}

#[cfg(test)]
mod tests;
