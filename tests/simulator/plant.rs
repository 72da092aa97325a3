//! The plant that the consoles watch: a few items with plans, one that is pushed, one that never changes.

use std::sync::Arc;

use marquee::kernel::board::{ItemId, ItemSpec, Level, Source};
use marquee::kernel::plans::{CONCURRENCY, PlanSpec};
use marquee::kernel::{BoardSpec, FEED, Input, Moment, Outcome, Push, Report, RunId, Span};

use crate::app::{end, report};
use crate::voice::Voice;

/// The board's name.
pub(crate) const BOARD: &str = "line-3";

/// How long a turn lasts.
pub(crate) const INTERVAL: Span = Span::from_secs(1);

/// How often each planned item is measured.
pub(crate) const EVERY: Span = Span::from_secs(2);

/// Planned items, in the order of their turns; the fixed one comes before, the pushed one after them.
const PLANNED: [&str; 4] = ["press", "oven", "belt", "crane"];

fn id(text: &str) -> ItemId {
    match ItemId::new(text) {
        Ok(id) => id,
        Err(_) => unreachable!("the plant's names are ids"),
    }
}

/// How many items have a turn.
pub(crate) const ITEMS: usize = PLANNED.len() + 2;

/// The place of an item in the order of turns.
pub(crate) fn place(item: &ItemId) -> Option<usize> {
    std::iter::once("shift").chain(PLANNED).chain(["gate"]).position(|name| name == item.as_str())
}

/// The board, whose items' sources are called as `voice` calls them.
pub(crate) fn board(voice: &Voice) -> BoardSpec {
    let item = |name: &str, source: Source| ItemSpec {
        id: id(name),
        text: name.into(),
        hold: None,
        source,
        label: voice.label(name),
        revision: 1,
    };
    let plan = |name| item(name, Source::Plan(PlanSpec { timeout: INTERVAL, ..PlanSpec::every(EVERY) }));
    let items = std::iter::once(item("shift", Source::Fixed(Level::Info)))
        .chain(PLANNED.map(plan))
        .chain([item("gate", Source::Pushed { ttl: None })]);
    BoardSpec {
        title: "Line 3".into(),
        items: items.collect(),
        interval: INTERVAL,
        scroll: 12,
        interrupt: Some(Level::Critical),
        summarise_after: usize::MAX,
        fallback: "nothing".into(),
        concurrency: CONCURRENCY,
        hosts: Vec::new(),
        feed: FEED,
    }
}

/// What a run that ends at `now` has measured.
pub(crate) fn measured(now: Moment, run: RunId, item: &ItemId) -> Input {
    let text = format!("{item} at {}", now.unix_millis() / 4_000);
    ended(run, Outcome::Done, Some(report(Level::Healthy, text)))
}

pub(crate) fn ended(run: RunId, outcome: Outcome, report: Option<Report>) -> Input {
    Input::Ended(end(run, outcome, report))
}

/// Somebody at the gate says how it is there.
pub(crate) fn push(now: Moment, level: Level) -> Input {
    let text = format!("gate {} at {}", level.word(), now.unix_millis());
    Input::Push(Push { item: id("gate"), level, text: text.into(), ttl: None, values: Arc::default(), filtered: false })
}
