//! The board itself: items in the order of their turns, replaced in one step.
//!
//! It knows what is said and whether it is still true, not what is shown.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use super::Level;
use super::begin::{flapping_rules, settle_rules};
use super::freshness::{is_fresh, stale_at};
use super::item::{HISTORY, Item, ItemId, ItemSpec, LastRun, Past, Source};
use super::respec::{settled, take_up};
use crate::kernel::input::{Push, Report};
use crate::kernel::plans::{PlanSpec, Settle};
use crate::kernel::snapshot::BoardSnapshot;
use crate::kernel::{Moment, Span};

/// All items at one moment.
#[derive(Debug)]
pub struct Board {
    pub(super) items: Vec<Item>,
    places: HashMap<ItemId, usize>,
    pub(super) version: u64,
    pub(super) touched: u64,
    /// At every how manieth of its ticks a plan runs.
    pub(super) slowness: u64,
    /// When items are to be looked at: to settle a level, or because they may be stale. For the latter
    /// an item has the one entry that it is `queued` at, never later than the moment it becomes stale.
    expiries: BinaryHeap<Reverse<(Moment, usize)>>,
    /// What was taken away last: a store that is read late must not bring it back.
    removed: VecDeque<ItemId>,
}

/// What a piece of news changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct Change {
    /// Something is said differently.
    pub(in crate::kernel) said: bool,
    /// The turns may differ: a level, or a text's width beyond what a turn shows at once.
    pub(in crate::kernel) turns: bool,
}

/// How many items the board takes by pushes that the config does not name. Ten
/// thousand are a whole plant; more come from a program that makes up ids, and
/// each costs memory for good.
pub const UNNAMED_MAX: usize = 10_000;

/// Entries left over in the queue of expiries, beyond three an item, that are not worth a sweep.
const LEFT_OVER: usize = 64;

/// As many of the items that were taken away are remembered: more than anybody takes away by hand while a store
/// is out of reach.
const REMOVED_MAX: usize = 1_000;

/// Why a push was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushRefused {
    /// The item is measured by a plan or fixed by the config.
    NotPushed,
    /// There are [`UNNAMED_MAX`] items already that the config does not name.
    Full,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
            version: 0,
            touched: 0,
            slowness: 1,
            expiries: BinaryHeap::new(),
            removed: VecDeque::new(),
        }
    }
}

impl Board {
    /// The items, in the order of their turns.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The place of an item in [`Board::items`].
    #[must_use]
    pub fn place(&self, id: &ItemId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The item called `id`.
    #[must_use]
    pub fn get(&self, id: &ItemId) -> Option<&Item> {
        self.place(id).map(|place| &self.items[place])
    }

    /// Whether a push of `id` would be taken; true: as a new item.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, id: &ItemId) -> Result<bool, PushRefused> {
        match self.get(id) {
            Some(item) if matches!(item.spec.source, Source::Pushed { .. }) => Ok(false),
            Some(_) => Err(PushRefused::NotPushed),
            None if self.unnamed() >= UNNAMED_MAX => Err(PushRefused::Full),
            None => Ok(true),
        }
    }

    /// Whether the item called `id` came by a push alone, so that it can go; `None`: there is none.
    #[must_use]
    pub fn is_removable(&self, id: &ItemId) -> Option<bool> {
        self.get(id).map(|item| item.pushed_in)
    }

    /// How many items the config does not name. They are always last in line.
    fn unnamed(&self) -> usize {
        self.items.len() - self.items.partition_point(|item| !item.pushed_in)
    }

    /// Grows by one each time that something is said differently.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Grows each time that anything of any item changes, its age included.
    #[must_use]
    pub const fn touched(&self) -> u64 {
        self.touched
    }

    /// Puts a whole new set of items in place. What is measured as before keeps
    /// its news; pushed items that the config does not name stay, last in line.
    pub(in crate::kernel) fn replace(&mut self, now: Moment, specs: Vec<ItemSpec>) {
        let old = self.items.drain(..).enumerate().map(|(place, item)| (item.id().clone(), (place, item)));
        let mut old: HashMap<ItemId, (usize, Item)> = old.collect();
        let named = specs.into_iter().map(|spec| {
            let known = old.remove(&spec.id).map(|(_, item)| item);
            (known, spec)
        });
        let mut items: Vec<Item> = named.map(|(known, spec)| settled(known, spec, now)).collect();
        let mut unnamed: Vec<_> = old.into_values().filter(|(_, item)| item.pushed_in).collect();
        unnamed.sort_by_key(|(place, _)| *place);
        items.extend(unnamed.into_iter().map(|(_, item)| item));
        self.items = items;
        self.version += 1;
        self.touched += 1;
        for item in &mut self.items {
            item.version = self.touched;
        }
        self.index();
    }

    pub(super) fn index(&mut self) {
        self.places = self.items.iter().enumerate().map(|(place, item)| (item.id().clone(), place)).collect();
        self.queue_all();
    }

    pub(super) fn queue_all(&mut self) {
        for item in &mut self.items {
            item.queued = stale_at(item).filter(|_| item.fresh);
        }
        let due = |(place, item): (usize, &Item)| {
            let settles = item.settle.next_wake(&settle_rules(item));
            item.queued.into_iter().chain(settles).map(move |at| Reverse((at, place)))
        };
        self.expiries = self.items.iter().enumerate().flat_map(due).collect();
    }

    /// Sees to it that the item is looked at when its news becomes stale, or earlier.
    pub(super) fn queue(&mut self, place: usize) {
        let item = &mut self.items[place];
        let Some(at) = stale_at(item).filter(|at| item.fresh && item.queued.is_none_or(|queued| *at < queued)) else {
            return;
        };
        item.queued = Some(at);
        self.expire_at(at, place);
    }

    fn expire_at(&mut self, at: Moment, place: usize) {
        self.expiries.push(Reverse((at, place)));
        // Entries are left over where a push shortens its predecessor's `ttl`, or a level is long in settling.
        if self.expiries.len() > 3 * self.items.len() + LEFT_OVER {
            self.queue_all();
        }
    }

    /// Takes the news that a snapshot has of items that are measured as they were, and of which nothing is known yet.
    pub(in crate::kernel) fn restore(&mut self, now: Moment, snapshot: BoardSnapshot) {
        self.version = self.version.max(snapshot.version) + 1;
        self.touched += 1;
        let mut unnamed = self.unnamed();
        for news in snapshot.items {
            let is_new = !self.places.contains_key(&news.id);
            if is_new && self.removed.contains(&news.id) {
                continue;
            }
            if is_new && news.pushed && unnamed < UNNAMED_MAX {
                unnamed += 1;
                self.places.insert(news.id.clone(), self.items.len());
                self.items.push(Item::pushed_in(news.id.clone(), now, self.touched));
            }
            let Some(place) = self.place(&news.id) else { continue };
            let item = &mut self.items[place];
            let same = item.updated.is_none() && item.spec.revision == news.revision;
            if same {
                item.restore(news, now);
                item.version = self.touched;
            }
        }
        self.index();
    }

    /// What outlives the process.
    #[must_use]
    pub fn snapshot(&self) -> BoardSnapshot {
        let items = self.items.iter().map(Item::snapshot).collect();
        BoardSnapshot { version: self.version, items }
    }

    /// An item's plan reported.
    pub(in crate::kernel) fn report(&mut self, now: Moment, place: usize, report: Report, took: Span) -> Change {
        let item = &mut self.items[place];
        if item.history.len() == HISTORY {
            item.history.pop_front();
        }
        item.history.push_back(Past { level: report.level, took });
        item.updated = Some(now);
        item.slowness = self.slowness;
        item.flapping = item.changes.result(&flapping_rules(item), report.level);
        item.settle = item.settle.result(&settle_rules(item), report.level, now);
        let level = item.settle.shown().unwrap_or(report.level);
        if let Some(at) = item.settle.next_wake(&settle_rules(item)) {
            self.expire_at(at, place);
        }
        self.say(now, place, Report { level, ..report })
    }

    /// Notes what an item's last run cost.
    pub(in crate::kernel) fn note_run(&mut self, place: usize, run: LastRun) {
        self.items[place].last_run = Some(run);
    }

    /// The same measurement is told in other words, after an edit of its text or levels.
    pub(in crate::kernel) fn retell(&mut self, now: Moment, place: usize, report: Report) -> Change {
        // An edit is meant, and shows at once: it is no result that has to settle.
        let item = &mut self.items[place];
        item.settle = Settle::default().result(&settle_rules(item), report.level, now);
        self.say(now, place, report)
    }

    /// An item's plan gets other settings; `None` where it has no plan.
    pub(in crate::kernel) fn tune(&mut self, now: Moment, place: usize, plan: &PlanSpec) -> Option<Change> {
        let item = &mut self.items[place];
        let Source::Plan(present) = &item.spec.source else { return None };
        let plan = PlanSpec { hosts: Arc::clone(&present.hosts), ..plan.clone() };
        let configured = item.configured.take().unwrap_or_else(|| Box::new(present.clone()));
        item.configured = Some(configured).filter(|configured| **configured != plan);
        let before = item.level();
        let spec = ItemSpec { source: Source::Plan(plan), ..ItemSpec::clone(&item.spec) };
        take_up(item, spec, now);
        let changed = item.level() != before;
        if let Some(at) = item.settle.next_wake(&settle_rules(item)) {
            self.expire_at(at, place);
        }
        self.queue(place);
        self.touch(place, changed);
        Some(Change { said: changed, turns: changed })
    }

    /// Somebody pushed news of an item.
    pub(in crate::kernel) fn push(&mut self, now: Moment, push: Push) -> Result<Change, PushRefused> {
        let is_new = self.admits(&push.item)?;
        let place = self.place(&push.item).unwrap_or_else(|| {
            self.places.insert(push.item.clone(), self.items.len());
            self.items.push(Item::pushed_in(push.item.clone(), now, self.touched));
            self.items.len() - 1
        });
        self.items[place].ttl = push.ttl;
        let Push { level, text, values, filtered, .. } = push;
        let report = Report { level, text, values, filtered };
        let change = self.report(now, place, report, Span::ZERO);
        Ok(if is_new { Change { said: true, turns: true } } else { change })
    }

    /// Takes away a pushed item that the config does not name.
    pub(in crate::kernel) fn remove(&mut self, id: &ItemId) -> bool {
        match self.place(id) {
            Some(place) if self.items[place].pushed_in => {
                self.items.remove(place);
                if self.removed.len() >= REMOVED_MAX {
                    self.removed.pop_front();
                }
                self.removed.push_back(id.clone());
                self.version += 1;
                self.touched += 1;
                self.index();
                true
            }
            _ => false,
        }
    }

    fn say(&mut self, now: Moment, place: usize, report: Report) -> Change {
        let item = &mut self.items[place];
        let (before, known) = (item.level(), item.known());
        let was_fresh = item.fresh;
        let was_wide = item.columns;
        let same_text = item.text == report.text;
        item.reported = report.level;
        if !same_text {
            item.columns = crate::kernel::width::columns(&report.text);
            item.text = report.text;
        }
        item.values = report.values;
        item.filtered = report.filtered;
        item.fresh = is_fresh(item, now);
        if item.level() != before {
            item.since = now;
        }
        item.reconsider(known);
        let said = item.level() != before || !same_text || item.fresh != was_fresh;
        let wide = item.columns.max(was_wide) > crate::kernel::marquee::WIDE_COLUMNS;
        let turns = item.level() != before || item.fresh != was_fresh || (wide && item.columns != was_wide);
        self.queue(place);
        self.touch(place, said);
        Change { said, turns }
    }

    /// Marks an item as changed in a way that a viewer may see; `said`: in what it says.
    pub(in crate::kernel) fn touch(&mut self, place: usize, said: bool) {
        self.version += u64::from(said);
        self.touched += 1;
        self.items[place].version = self.touched;
    }

    /// Marks the board as changed in what is said of no item.
    pub(in crate::kernel) const fn touch_head(&mut self) {
        self.version += 1;
        self.touched += 1;
    }

    /// Turns items to unknown whose news is stale at `now`, and settles levels; tells how many of each.
    pub(in crate::kernel) fn expire(&mut self, now: Moment) -> (u64, u64) {
        let (mut expired, mut settled) = (0, 0);
        while let Some(Reverse((at, place))) = self.expiries.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.expiries.pop();
            settled += u64::from(self.settle(now, place));
            if self.items[place].queued != Some(at) {
                continue;
            }
            self.items[place].queued = None;
            match stale_at(&self.items[place]) {
                Some(truly) if truly > now => self.queue(place),
                Some(_) if self.items[place].fresh => {
                    let item = &mut self.items[place];
                    if item.level() != Level::Unknown {
                        // The age of the silence counts from when it was due to be known, not from when we woke.
                        item.since = at.max(item.since);
                    }
                    let known = item.known();
                    item.fresh = false;
                    // A leader's own silence says nothing of its items: what it or the next one reports does.
                    item.reconsider_silence(known, item.led.is_some());
                    expired += 1;
                    self.touch(place, true);
                }
                _ => {}
            }
        }
        (expired, settled)
    }

    /// Changes the level of an item whose results have lasted long enough by now; tells whether it did.
    fn settle(&mut self, now: Moment, place: usize) -> bool {
        let item = &mut self.items[place];
        item.settle = item.settle.woken(&settle_rules(item), now);
        let shown = item.settle.shown().filter(|shown| *shown != item.reported);
        let Some(level) = shown.filter(|_| item.updated.is_some()) else { return false };
        let (before, known) = (item.level(), item.known());
        item.reported = level;
        item.reconsider(known);
        let changed = item.level() != before;
        if changed {
            item.since = now;
            self.touch(place, true);
        }
        changed
    }

    /// The next moment when some news becomes stale, or earlier.
    #[must_use]
    pub(in crate::kernel) fn next_expiry(&self) -> Option<Moment> {
        self.expiries.peek().map(|Reverse((at, _))| *at)
    }
}
