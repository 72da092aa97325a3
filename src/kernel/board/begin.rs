//! How an item begins, and what of it outlives the process.

use std::collections::VecDeque;
use std::sync::Arc;

use super::acknowledge::Known;
use super::freshness::is_fresh;
use super::item::{Item, ItemId, ItemSpec, Source};
use super::{Level, Values};
use crate::kernel::Moment;
use crate::kernel::plans::{Flapping, FlappingRules, Settle, SettleRules};
use crate::kernel::snapshot::ItemSnapshot;

/// When an item changes too often to be read.
pub(super) fn flapping_rules(item: &Item) -> FlappingRules {
    match &item.spec.source {
        Source::Plan(plan) => plan.flapping,
        Source::Fixed(_) | Source::Pushed { .. } => FlappingRules::default(),
    }
}

/// How an item's results become its level.
pub(super) fn settle_rules(item: &Item) -> SettleRules {
    match &item.spec.source {
        Source::Plan(plan) => plan.settle,
        Source::Fixed(_) | Source::Pushed { .. } => SettleRules::default(),
    }
}

impl Item {
    pub(super) fn new(spec: ItemSpec, now: Moment) -> Self {
        let (reported, fresh) = match spec.source {
            Source::Fixed(level) => (level, true),
            Source::Plan(_) | Source::Pushed { .. } => (Level::Unknown, false),
        };
        let columns = crate::kernel::width::columns(&spec.text);
        Self {
            text: Arc::clone(&spec.text),
            spec: Arc::new(spec),
            columns,
            reported,
            since: now,
            updated: None,
            fresh,
            acknowledged: None,
            flapping: false,
            filtered: false,
            settle: Settle::default(),
            changes: Flapping::default(),
            values: Arc::new(Values::new()),
            last_run: None,
            history: VecDeque::new(),
            ttl: None,
            pushed_in: false,
            configured: None,
            queued: None,
            slowness: 1,
            cut_off: None,
            led: None,
            version: 0,
        }
    }

    pub(super) fn pushed_in(id: ItemId, now: Moment, version: u64) -> Self {
        let text = Arc::from(id.as_str());
        let source = Source::Pushed { ttl: None };
        let spec = ItemSpec { id, text, hold: None, source, label: Arc::from("pushed"), revision: 0 };
        Self { pushed_in: true, version, ..Self::new(spec, now) }
    }

    pub(super) fn snapshot(&self) -> ItemSnapshot {
        ItemSnapshot {
            id: self.id().clone(),
            text: Arc::clone(&self.text),
            level: self.reported,
            since: self.since,
            updated: self.updated,
            revision: self.spec.revision,
            pushed: self.pushed_in,
            ttl: self.ttl,
            acknowledged: self.acknowledged,
        }
    }

    pub(super) fn restore(&mut self, news: ItemSnapshot, now: Moment) {
        let acknowledged = news.acknowledged.map(|at| at.min(now));
        if matches!(self.spec.source, Source::Fixed(_)) {
            // The config says all of a fixed item but whether somebody knows of it.
            self.acknowledge(acknowledged.filter(|_| news.level == self.reported));
            return;
        }
        self.columns = crate::kernel::width::columns(&news.text);
        self.text = news.text;
        self.reported = news.level;
        // A store written by a clock ahead of ours must not make news from the future.
        self.since = news.since.min(now);
        self.updated = news.updated.map(|at| at.min(now));
        self.ttl = news.ttl;
        self.fresh = is_fresh(self, now);
        self.settle = self.settle.result(&settle_rules(self), self.reported, now);
        if let Some(at) = acknowledged {
            self.acknowledge(Some(at));
            self.reconsider_silence(Known::at(self, at), true);
        }
    }
}
