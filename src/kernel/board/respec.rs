//! What of an item outlives a change of its spec, by a reload or by a tuned plan.
//!
//! News stay where the measurement is the same; a tuned plan stays where the config
//! says of it what it said before.

use std::sync::Arc;

use super::freshness::is_fresh;
use super::item::{Item, ItemSpec, Source};
use crate::kernel::Moment;
use crate::kernel::plans::PlanSpec;

/// The item of `spec`, with the news of the `known` one where it still holds.
pub(super) fn settled(known: Option<Item>, spec: ItemSpec, now: Moment) -> Item {
    let Some(mut item) = known else { return Item::new(spec, now) };
    let mut spec = spec;
    let configured = item.configured.take().filter(|configured| keep_tuned(&item, configured, &mut spec));
    let keeps = match (&item.spec.source, &spec.source) {
        (Source::Fixed(old), Source::Fixed(new)) => old == new && item.spec.text == spec.text,
        (Source::Plan(_), Source::Plan(_)) => item.spec.revision == spec.revision,
        (Source::Pushed { .. }, Source::Pushed { .. }) => true,
        _ => false,
    };
    if !keeps {
        let mut new = Item { configured, ..Item::new(spec, now) };
        // Other words for the same fixed alarm are no other alarm.
        if let (Source::Fixed(_), Source::Fixed(_)) = (&item.spec.source, &new.spec.source) {
            new.acknowledged = item.acknowledged;
            new.reconsider(item.known());
        }
        return new;
    }
    item.configured = configured;
    if item.updated.is_none() && item.text != spec.text {
        item.text = Arc::clone(&spec.text);
        item.columns = crate::kernel::width::columns(&item.text);
    }
    item.pushed_in = false;
    take_up(&mut item, spec, now);
    item
}

/// Puts the tuned plan of `item` into `spec`, where that has the plan that was `configured` before.
fn keep_tuned(item: &Item, configured: &PlanSpec, spec: &mut ItemSpec) -> bool {
    match (&item.spec.source, &mut spec.source) {
        // Whom it asks follows from what it measures, and is nothing that is tuned.
        (Source::Plan(tuned), Source::Plan(plan))
            if (PlanSpec { hosts: Arc::clone(&plan.hosts), ..configured.clone() }) == *plan =>
        {
            *plan = PlanSpec { hosts: Arc::clone(&plan.hosts), ..tuned.clone() };
            true
        }
        _ => false,
    }
}

/// Gives an item another spec of the same measurement; its news may be younger or older by it.
pub(super) fn take_up(item: &mut Item, spec: ItemSpec, now: Moment) {
    item.spec = Arc::new(spec);
    let (before, known) = (item.level(), item.known());
    item.fresh = is_fresh(item, now);
    if item.level() != before {
        item.since = now;
    }
    item.reconsider(known);
}
