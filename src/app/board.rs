//! From a valid config to the kernel's board and the plans that keep it fresh.
//!
//! No I/O: checks are aimed here, not asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::flow;
use super::runs::{Plan, Plans};
use crate::checks::{self, Judge};
use crate::config::{CheckConfig, Config, ItemConfig, ItemKind};
use crate::frame::Safe;
use crate::kernel::board::{ItemId, ItemSpec, Source, Values};
use crate::kernel::{BoardSpec, Report, digest};

/// What a config makes.
pub(super) struct Lowered {
    pub(super) board: BoardSpec,
    pub(super) plans: Plans,
    /// What is measured as before but told in other words now.
    pub(super) retold: Vec<(ItemId, Report)>,
    /// Targets that no check can be aimed at, in words.
    pub(super) refused: Vec<String>,
}

/// Lowers `config`; plans of `old` that measure the same thing hand on what they measured last.
pub(super) fn lower(config: &Config, old: &Plans) -> Lowered {
    let mut lowered = Lowered {
        board: BoardSpec {
            title: Safe::line(&config.title).shared(),
            items: Vec::with_capacity(config.items.len()),
            interval: config.interval,
            scroll: config.scroll,
            interrupt: config.interrupt,
            summarise_after: config.summarise_after,
            fallback: Safe::line(&config.fallback).shared(),
            concurrency: usize::try_from(config.concurrency).unwrap_or(usize::MAX),
            hosts: flow::hosts(config),
            feed: flow::feed(config),
        },
        plans: HashMap::new(),
        retold: Vec::new(),
        refused: Vec::new(),
    };
    for item in &config.items {
        let spec = match &item.kind {
            ItemKind::Fixed(level) => spec(item, Source::Fixed(*level), "fixed", 0),
            ItemKind::Pushed { ttl } => spec(item, Source::Pushed { ttl: *ttl }, "pushed", 0),
            ItemKind::Check(check) => lowered.plan(item, check, old),
        };
        lowered.board.items.push(spec);
    }
    lowered
}

impl Lowered {
    fn plan(&mut self, item: &ItemConfig, check: &CheckConfig, old: &Plans) -> ItemSpec {
        let revision = measured(check);
        let source = Source::Plan(flow::plan(check));
        let aimed = match checks::build(check) {
            Ok(aimed) => aimed,
            Err(bad) => {
                self.refused.push(format!("{}: {}", item.id, bad.0));
                return spec(item, source, &check.label, revision);
            }
        };
        let judge = Judge::new(&item.text, check);
        let known = old.get(&item.id).filter(|plan| plan.revision == revision);
        let last = known.and_then(|plan| plan.last.lock().unwrap_or_else(PoisonError::into_inner).clone());
        if let Some(last) = last.clone() {
            self.retold.push((item.id.clone(), judge.report(last)));
        }
        let plan = Plan { scheme: check.scheme, check: aimed, judge, revision, last: Mutex::new(last) };
        self.plans.insert(item.id.clone(), Arc::new(plan));
        spec(item, source, &check.label, revision)
    }
}

fn spec(item: &ItemConfig, source: Source, label: &str, revision: u64) -> ItemSpec {
    let text = Safe::line(&item.text.fill(&Values::new())).shared();
    let label = Safe::line(label).shared();
    ItemSpec { id: item.id.clone(), text, hold: item.hold, source, label, revision }
}

/// A digest of what is measured.
fn measured(check: &CheckConfig) -> u64 {
    digest(check.scheme.bytes().chain([0]).chain(check.target.reveal().bytes()))
}
