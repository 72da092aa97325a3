//! The table of step kinds: what each is called, how it is written and what it gives.
//!
//! Facts alone. The keys of each kind are in `keys.rs`, what a kind does is in
//! `checks/steps/`; a step that sees or reads something new is a line here, a
//! variant of [`StepWork`](super::StepWork), its keys and its work.

/// One kind of step.
#[derive(Debug)]
pub struct StepKind {
    /// The step's only key.
    pub name: &'static str,
    /// How it is written, for messages and docs.
    pub form: &'static str,
    /// What it does, for the docs.
    pub tells: &'static str,
    /// The values it gives, for the docs.
    pub gives: &'static str,
}

/// What stands for a scheme where an item has a plan of steps.
pub const PLAN: &str = "plan";

/// Every kind, in the order of the docs.
pub const STEP_KINDS: &[StepKind] = &[
    StepKind {
        name: "check",
        form: "check: URL",
        tells: "asks what a `check` of an item asks",
        gives: "the values of its scheme",
    },
    StepKind {
        name: "json",
        form: "json: {from: STEP.VALUE, as: NAME}",
        tells: "reads a text as JSON",
        gives: "`NAME`, or `value` without `as`; what is in it is reached by dots",
    },
    StepKind {
        name: "extract",
        form: "extract: {from: STEP.VALUE, pattern: '(?<NAME>…)'}",
        tells: "finds values in a text by a regular expression",
        gives: "one value for each group with a name; with `as: NAME` the first group, or all that matches",
    },
    StepKind {
        name: "expect",
        form: "expect: EXPRESSION",
        tells: "fails unless an expression holds",
        gives: "nothing",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::names;

    #[test]
    fn every_kind_has_its_keys_and_every_step_key_its_kind() {
        let kinds: Vec<_> = STEP_KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(kinds, names("items[].plan[]").collect::<Vec<_>>());
        for kind in STEP_KINDS {
            assert!(kind.form.starts_with(&format!("{}: ", kind.name)), "{}", kind.form);
            let of_it = names(&format!("items[].plan[].{}", kind.name)).filter(|name| *name == "needs").count();
            assert_eq!(of_it, 1, "{}", kind.name);
        }
    }
}
