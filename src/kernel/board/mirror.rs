//! The board of a leader, on this console: what is taken from it, and how it becomes one's own again.
//!
//! A mirrored item keeps this console's own spec where both configs measure it the
//! same way, so that its plan is at hand when this console has to take over. How
//! long a turn lasts and how old news may grow go by the leader's word. Whether
//! news is stale each console judges for itself.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::acknowledge::Known;
use super::begin::{flapping_rules, settle_rules};
use super::freshness::{PERIODS_UNTIL_STALE, is_fresh, stale_at};
use super::item::{HISTORY, Item, ItemId, ItemSpec, Led, Past, Source};
use super::table::{Board, Change};
use crate::kernel::beat::{Mirrored, Origin};
use crate::kernel::marquee::WIDE_COLUMNS;
use crate::kernel::plans::{PlanSpec, Settle};
use crate::kernel::{Moment, Span};

/// Versions of two leaders lie so far apart that neither ever counts up to the other's: two to the
/// power of 32 changes are a thousand a second over seven weeks of one leadership.
const VERSIONS_PER_LEADER: u64 = 1 << 32;

/// What this console's own config says of an item.
pub(in crate::kernel) type OwnSpecs<'a> = HashMap<&'a ItemId, &'a ItemSpec>;

impl Board {
    /// Becomes exactly the leader's board. `same_leader`: as the board is already, so that what is
    /// known of an item is not replaced by older news. Tells whether anything changed.
    pub(in crate::kernel) fn mirror(
        &mut self,
        now: Moment,
        news: Vec<Mirrored>,
        own: &OwnSpecs<'_>,
        same_leader: bool,
    ) -> bool {
        let before = self.items.drain(..).enumerate().map(|(place, item)| (item.id().clone(), (place, item)));
        let mut before: HashMap<ItemId, (usize, Item)> = before.collect();
        let mut seen = HashSet::new();
        let mut changed = false;
        let touched = self.touched + 1;
        for news in news {
            if !seen.insert(news.id.clone()) {
                continue;
            }
            let known = before.remove(&news.id);
            changed |= known.as_ref().is_none_or(|(place, _)| *place != self.items.len());
            let mut item = known.map_or_else(|| Item::new(foreign(&news), now), |(_, item)| item);
            let known = item.led.map(|led| led.version);
            let (newer, older) = (known != Some(news.version), same_leader && known > Some(news.version));
            if !older && (respec(&mut item, &news, own.get(&news.id).copied(), now) | newer) {
                if newer {
                    take(&mut item, news, now);
                }
                item.version = touched;
                changed = true;
            }
            self.items.push(item);
        }
        changed |= !before.is_empty();
        if changed {
            (self.version, self.touched) = (self.version + 1, touched);
        }
        self.index();
        changed
    }

    /// Whether this news comes with another spec than its item has.
    pub(in crate::kernel) fn is_respecified(&self, news: &Mirrored) -> bool {
        self.get(&news.id).is_some_and(|item| !describes(&item.spec, news))
    }

    /// Takes what is newer than what is known; of an item that this board does not mirror, nothing.
    pub(in crate::kernel) fn hear(&mut self, now: Moment, news: Mirrored, own: &OwnSpecs<'_>) -> Change {
        let Some(place) = self.place(&news.id) else { return Change::default() };
        let item = &mut self.items[place];
        if item.led.is_none_or(|led| news.version <= led.version) {
            return Change::default();
        }
        let (level, fresh, columns, hold) = (item.level(), item.fresh, item.columns, item.spec.hold);
        let acknowledged = item.acknowledged;
        let text = Arc::clone(&item.text);
        if !describes(&item.spec, &news) {
            respec(item, &news, own.get(&news.id).copied(), now);
        }
        take(item, news, now);
        let same_level = (item.level(), item.fresh, item.acknowledged) == (level, fresh, acknowledged);
        let wide = item.columns.max(columns) > WIDE_COLUMNS && item.columns != columns;
        let change =
            Change { said: !same_level || item.text != text, turns: !same_level || wide || item.spec.hold != hold };
        self.queue(place);
        self.touch(place, change.said);
        change
    }

    /// The news is this console's own from now on. Where `own_config` is not there to say how items are
    /// measured, nothing measures those that the leader's plans did: their news are left to grow old.
    pub(in crate::kernel) fn own(&mut self, own_config: bool) {
        self.touch_head();
        for item in &mut self.items {
            if let (Some(_), Source::Plan(plan), false) = (item.led.take(), &item.spec.source, own_config) {
                let source = Source::Pushed { ttl: Some(plan.every * PERIODS_UNTIL_STALE) };
                item.spec = Arc::new(ItemSpec { source, ..ItemSpec::clone(&item.spec) });
                // No report comes any more that would say whether what is silent got worse.
                if let (false, Some(at)) = (item.fresh, item.acknowledged) {
                    item.reconsider(Known::at(item, at));
                }
            }
        }
    }

    /// Numbers all changes anew as a leader of this fence, above all that was ever told to this console.
    ///
    /// A third console that knows an item by another leader's version must never take this one's for the
    /// same, so each leader counts in a block of its own: the block of its fence, as no two have the same,
    /// or where that is behind what is known here, the next one.
    pub(in crate::kernel) fn count_as_leader(&mut self, fence: u64) {
        let told = self.items.iter().filter_map(|item| item.led).map(|led| led.version).max();
        let next = (self.touched.max(told.unwrap_or(0)) / VERSIONS_PER_LEADER + 1).min(u64::from(u32::MAX));
        let block = next.max(fence % (VERSIONS_PER_LEADER / 2));
        self.touched = block * VERSIONS_PER_LEADER;
        for item in &mut self.items {
            item.version = self.touched;
        }
    }

    /// Pushed values are believed until `cut_off` at most; `None`: as long as they say themselves.
    pub(in crate::kernel) fn cut_off(&mut self, now: Moment, cut_off: Option<Moment>) {
        for item in &mut self.items {
            if !matches!(item.spec.source, Source::Pushed { .. }) || item.cut_off == cut_off {
                continue;
            }
            item.cut_off = cut_off;
            // A push has come through again, or is to come from whoever leads now.
            if !item.fresh && is_fresh(item, now) {
                let known = item.known();
                (item.fresh, item.since) = (true, now);
                item.reconsider(known);
            }
        }
        self.touch_head();
        let touched = self.touched;
        self.items.iter_mut().for_each(|item| item.version = touched);
        self.queue_all();
    }

    /// Plans run at every `slowness`-th of their ticks from now on, and news are given the time for it.
    /// What is stale stays so, and what was measured slowly is not stale at once when the pace is full again.
    pub(in crate::kernel) fn pace(&mut self, slowness: u64) {
        self.slowness = slowness;
        for item in &mut self.items {
            item.slowness = item.slowness.max(slowness);
        }
        self.queue_all();
    }
}

/// Whether `spec` is one that the leader's news can stand on.
fn describes(spec: &ItemSpec, news: &Mirrored) -> bool {
    let source = match (&spec.source, news.origin) {
        (Source::Fixed(level), Origin::Fixed) => *level == news.level && spec.text == news.text,
        (Source::Plan(plan), Origin::Plan { every }) => plan.every == every,
        (Source::Pushed { ttl: known }, Origin::Pushed { ttl, .. }) => *known == ttl,
        _ => false,
    };
    source && (spec.revision, spec.hold) == (news.revision, news.hold)
}

/// Gives a mirrored item the spec that belongs to the leader's news of it; tells whether it is another one.
fn respec(item: &mut Item, news: &Mirrored, own: Option<&ItemSpec>, now: Moment) -> bool {
    // A plan that was tuned here stays tuned; else the config's own words count.
    let tuned = item.configured.is_some().then(|| ItemSpec::clone(&item.spec));
    let own = tuned.or_else(|| own.cloned()).map(|own| by_leader(own, news)).filter(|own| describes(own, news));
    let spec = own.unwrap_or_else(|| foreign(news));
    if *item.spec == spec {
        return false;
    }
    let kind = |source: &Source| std::mem::discriminant(source);
    if item.spec.revision == spec.revision && kind(&item.spec.source) == kind(&spec.source) {
        item.spec = Arc::new(spec);
    } else {
        *item = Item::new(spec, now);
    }
    true
}

/// This console's own spec, with what goes by the leader's word.
fn by_leader(own: ItemSpec, news: &Mirrored) -> ItemSpec {
    let source = match (own.source, news.origin) {
        (Source::Plan(plan), Origin::Plan { every }) => Source::Plan(PlanSpec { every, ..plan }),
        (Source::Pushed { .. }, Origin::Pushed { ttl, .. }) => Source::Pushed { ttl },
        (source, _) => source,
    };
    ItemSpec { source, hold: news.hold, ..own }
}

/// A spec for an item that this console's own config does not have, or measures in another way.
fn foreign(news: &Mirrored) -> ItemSpec {
    let source = match news.origin {
        Origin::Fixed => Source::Fixed(news.level),
        Origin::Plan { every } => Source::Plan(PlanSpec::every(every)),
        Origin::Pushed { ttl, .. } => Source::Pushed { ttl },
    };
    ItemSpec {
        id: news.id.clone(),
        text: Arc::clone(&news.text),
        hold: news.hold,
        source,
        label: Arc::clone(&news.label),
        revision: news.revision,
    }
}

/// Takes a leader's news.
fn take(item: &mut Item, news: Mirrored, now: Moment) {
    let reported = news.updated > item.led.map_or(item.updated, |led| led.updated);
    if reported {
        if item.history.len() == HISTORY {
            item.history.pop_front();
        }
        item.history.push_back(Past { level: news.level, took: news.took.unwrap_or(Span::ZERO) });
        item.changes.result(&flapping_rules(item), news.level);
        item.settle = Settle::default().result(&settle_rules(item), news.level, now);
    }
    if item.text != news.text {
        item.columns = crate::kernel::width::columns(&news.text);
        item.text = news.text;
    }
    item.reported = news.level;
    item.values = news.values;
    (item.flapping, item.filtered) = (news.flapping, news.filtered);
    // A leader whose clock is ahead of ours must not make news from the future.
    item.since = news.since.min(now);
    item.updated = news.updated.map(|at| at.min(now));
    (item.ttl, item.pushed_in) = match news.origin {
        Origin::Pushed { ttl, unnamed } => (ttl, unnamed),
        Origin::Fixed | Origin::Plan { .. } => (None, false),
    };
    item.slowness = 1;
    item.led = Some(Led { version: news.version, updated: news.updated });
    item.fresh = is_fresh(item, now);
    if let (false, Some(stale)) = (item.fresh, stale_at(item)) {
        item.since = item.since.max(stale.min(now));
    }
    item.acknowledge(news.acknowledged.map(|at| at.min(now)));
}
