//! The steps of a plan, lowered: names resolved, patterns and expressions compiled, no cycle.

use std::fmt;

use regex::Regex;

use super::Secret;
use crate::config::Expression;
use crate::kernel::Span;

/// One step of a plan.
#[derive(Clone, Debug)]
pub struct StepConfig {
    /// Its name in texts and expressions.
    pub name: String,
    /// The places of the steps it waits for; never its own, and never in a circle.
    pub needs: Vec<usize>,
    /// How long one try may take; `None`: as long as the plan.
    pub timeout: Option<Span>,
    /// How many more tries it has.
    pub retries: u32,
    /// What becomes of the plan when it fails.
    pub on_failure: OnFailure,
    /// What it does.
    pub work: StepWork,
}

/// What becomes of a plan when one of its steps fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The item is unknown, with the step's reason.
    #[default]
    Fail,
    /// What needs the step is left out, the others' values stand, and the item is a warning at least.
    Degrade,
}

/// What a step does; one variant for each line of [`crate::config::steps::STEP_KINDS`].
#[derive(Clone)]
pub enum StepWork {
    /// Asks what a check asks.
    Check {
        /// The scheme's name.
        scheme: &'static str,
        /// The URL, secrets expanded.
        target: Secret,
        /// The same without secrets.
        label: String,
    },
    /// Reads a text as JSON.
    Json {
        /// The path of the value that is read.
        from: String,
        /// The name of what is read.
        name: String,
        /// Whether the file gave that name, so that it stands beside the names of the steps.
        named: bool,
    },
    /// Finds values in a text.
    Extract {
        /// The path of the value that is searched.
        from: String,
        /// Its groups with names are the values.
        pattern: Regex,
        /// The name of the one value of a pattern that names no group.
        name: Option<String>,
    },
    /// Fails unless an expression holds.
    Expect {
        /// What has to hold.
        that: Expression,
    },
}

impl StepWork {
    /// The name in the table of kinds.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Json { .. } => "json",
            Self::Extract { .. } => "extract",
            Self::Expect { .. } => "expect",
        }
    }

    /// The value that its writer named, which all of the plan may name without the step.
    #[must_use]
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::Json { name, named: true, .. } | Self::Extract { name: Some(name), .. } => Some(name),
            _ => None,
        }
    }

    /// What it does, in one text with its secrets: two that do the same have the same.
    fn identity(&self) -> String {
        match self {
            Self::Check { target, .. } => target.reveal().to_owned(),
            Self::Json { from, name, .. } => format!("{from}\0{name}"),
            Self::Extract { from, pattern, name } => {
                format!("{from}\0{pattern}\0{}", name.as_deref().unwrap_or_default())
            }
            Self::Expect { that } => that.as_str().to_owned(),
        }
    }
}

/// All that says what `steps` measure, in one text: neither their limits of time nor their tries are part of it.
pub(in crate::config) fn identity(steps: &[StepConfig]) -> Secret {
    let one = |step: &StepConfig| {
        let StepConfig { name, needs, timeout: _, retries: _, on_failure, work } = step;
        format!("{name}\0{needs:?}\0{on_failure:?}\0{}\0{}\n", work.kind(), work.identity())
    };
    Secret::new(steps.iter().map(one).collect())
}

// A pattern, a path or an expression may hold an expanded secret: the kind alone is told.
impl fmt::Debug for StepWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}
