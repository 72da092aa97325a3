//! When news is too old to be believed.
//!
//! The rule alone; the board asks it and turns stale items to unknown.

use super::item::{Item, Source};
use crate::kernel::{Moment, Span};

/// How many periods a plan may stay silent before its news is stale. One lost
/// run is a hiccup and two are bad luck; three in a row mean that nobody knows.
pub const PERIODS_UNTIL_STALE: u64 = 3;

/// How long a console that lost the others believes what was pushed to them: whoever pushes speaks to the
/// leader, and news that nobody can take back must not stay green (reliability 2.7).
pub(in crate::kernel) const CUT_OFF_AFTER: Span = Span::from_secs(60);

/// When the news of `item` becomes stale; `None`: never, or it never had any.
pub(super) fn stale_at(item: &Item) -> Option<Moment> {
    let updated = item.updated?;
    match &item.spec.source {
        Source::Fixed(_) => None,
        Source::Plan(plan) => Some(updated + plan.every * item.slowness * PERIODS_UNTIL_STALE),
        Source::Pushed { ttl } => {
            let outlived = item.ttl.or(*ttl).map(|ttl| updated + ttl);
            outlived.into_iter().chain(item.cut_off).min()
        }
    }
}

/// Whether `item` may be believed at `now`.
pub(super) fn is_fresh(item: &Item, now: Moment) -> bool {
    match item.spec.source {
        Source::Fixed(_) => true,
        Source::Plan(_) | Source::Pushed { .. } => {
            item.updated.is_some() && stale_at(item).is_none_or(|stale| now < stale)
        }
    }
}
