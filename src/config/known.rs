//! The values that a text, an expression or a step may name, as far as a config can know them.

use std::ops::Range;

use super::error::quote;
use super::keys::proposal;
use super::schemes::{COMMON_VALUES, Scheme};

/// What is known of the values below a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Members {
    /// Nothing: any name may be there.
    Any,
    /// These names and no others; what is below them nobody knows.
    These(Vec<String>),
}

impl Members {
    /// What a check of `scheme` gives.
    pub(super) fn of_scheme(scheme: &Scheme) -> Self {
        if scheme.open { Self::Any } else { Self::These(scheme.values.iter().map(ToString::to_string).collect()) }
    }
}

/// Names there are.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// Who gives them, for messages.
    who: String,
    /// Names and what is known below them; of two of the same name the first counts.
    names: Vec<(String, Members)>,
    /// Whether there may be others too.
    open: bool,
}

/// A name that nothing gives.
#[derive(Debug)]
pub(super) struct Missing {
    /// Where it stands in the path.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

impl Known {
    /// No names yet.
    pub(super) fn new(who: impl Into<String>) -> Self {
        Self { who: who.into(), names: Vec::new(), open: false }
    }

    /// The values of a check.
    pub(super) fn of_scheme(scheme: &Scheme) -> Self {
        let mut known = Self::new(format!("a check of `{}`", scheme.name));
        known.add_all(&Members::of_scheme(scheme));
        known.add_common();
        known
    }

    /// What every measurement gives: whether it measured anything, and why not.
    pub(super) fn add_common(&mut self) {
        for name in COMMON_VALUES {
            self.add(*name, Members::Any);
        }
    }

    /// Adds a name.
    pub(super) fn add(&mut self, name: impl Into<String>, members: Members) {
        self.names.push((name.into(), members));
    }

    /// Adds these names bare.
    pub(super) fn add_all(&mut self, members: &Members) {
        match members {
            Members::Any => self.open = true,
            Members::These(names) => self.names.extend(names.iter().map(|name| (name.clone(), Members::Any))),
        }
    }

    /// Whether there is the value at `path`; of a `secret` text no word is told.
    pub(super) fn find(&self, path: &str, secret: bool) -> Result<(), Missing> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let found = self.names.iter().find(|(name, _)| name == first);
        let missing = |at: Range<usize>, name: &str, who: &str, known: Vec<&str>| {
            let shown = if secret { "***" } else { name };
            let message = format!("{who} gives no value {}", quote(shown));
            Err(Missing { at, message, help: proposal(shown, known, "it gives") })
        };
        match found {
            None if self.open => Ok(()),
            None => {
                missing(0..first.len(), first, &self.who, self.names.iter().map(|(name, _)| name.as_str()).collect())
            }
            Some((_, Members::Any)) => Ok(()),
            Some((step, Members::These(members))) => {
                let member = rest.split('.').next().unwrap_or_default();
                let known = members.iter().map(String::as_str).chain(COMMON_VALUES.iter().copied());
                if member.is_empty() {
                    // The step as a whole is a list of its values; a text may well show it.
                    return Ok(());
                }
                if known.clone().any(|name| name == member) {
                    return Ok(());
                }
                let at = first.len() + 1;
                missing(at..at + member.len(), member, &format!("the step `{step}`"), known.collect())
            }
        }
    }
}
