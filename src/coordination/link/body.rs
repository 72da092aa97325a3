//! The bodies of messages: the kernel's types in as few bytes as stay readable.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::turns;
use super::value::{read_values, written_values};
use super::wire::Said;
use crate::frame::Safe;
use crate::kernel::beat::{Beat, Mark, Mirror, Mirrored, Origin};
use crate::kernel::board::{ItemId, Level};
use crate::kernel::{Moment, Span};

/// More items than a board may have.
const ITEMS_MAX: usize = 20_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BeatBody {
    n: u64,
    s: u64,
    c: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    h: bool,
    m: (usize, u64),
    t: Vec<serde_json::Value>,
}

impl BeatBody {
    /// The body with the first `turns` of the beat's.
    pub(super) fn of(at: Moment, number: u64, consoles: u32, handover: bool, beat: &Beat, turns: usize) -> Self {
        let turns = turns::written(at, &beat.turns[..turns.min(beat.turns.len())]);
        let mark = (beat.mark.items, beat.mark.digest);
        Self { n: number, s: beat.seq, c: consoles, h: handover, m: mark, t: turns }
    }

    pub(super) fn into_said(self, at: Moment) -> Result<Said, &'static str> {
        let turns = turns::read(at, &self.t)?;
        let mark = Mark { items: self.m.0, digest: self.m.1 };
        let beat = Beat { seq: self.s, turns, mark };
        Ok(Said::Beat { number: self.n, consoles: self.c, handover: self.h, beat })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardBody {
    mark: (usize, u64),
    title: Arc<str>,
    fallback: Arc<str>,
    interval: u64,
    scroll: u32,
    interrupt: Option<String>,
    summarise: usize,
    items: Vec<ItemBody>,
}

impl BoardBody {
    pub(super) fn of(mark: Mark, mirror: &Mirror) -> Self {
        Self {
            mark: (mark.items, mark.digest),
            title: Arc::clone(&mirror.title),
            fallback: Arc::clone(&mirror.fallback),
            interval: mirror.interval.as_nanos(),
            scroll: mirror.scroll,
            interrupt: mirror.interrupt.map(|level| level.word().to_owned()),
            summarise: mirror.summarise_after,
            items: mirror.items.iter().map(ItemBody::of).collect(),
        }
    }

    pub(super) fn into_said(self) -> Result<Said, &'static str> {
        let interrupt = self.interrupt.as_deref().map(level).transpose()?;
        let mirror = Mirror {
            title: Safe::line(&self.title).shared(),
            fallback: Safe::line(&self.fallback).shared(),
            interval: Span::from_nanos(self.interval),
            scroll: self.scroll,
            interrupt,
            summarise_after: self.summarise,
            items: items(self.items)?,
        };
        Ok(Said::Board { mark: Mark { items: self.mark.0, digest: self.mark.1 }, mirror })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewsBody {
    items: Vec<ItemBody>,
}

impl NewsBody {
    pub(super) fn of(items: &[Mirrored]) -> Self {
        Self { items: items.iter().map(ItemBody::of).collect() }
    }

    pub(super) fn into_said(self) -> Result<Said, &'static str> {
        items(self.items).map(Said::News)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemBody {
    id: String,
    v: u64,
    text: Arc<str>,
    level: String,
    since: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    took: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    flapping: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    filtered: bool,
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    values: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold: Option<u64>,
    from: OriginBody,
    label: Arc<str>,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum OriginBody {
    Fixed,
    Every(u64),
    Pushed(Option<u64>),
    Unnamed(Option<u64>),
}

impl ItemBody {
    fn of(item: &Mirrored) -> Self {
        let micros = |moment: Moment| moment.unix_nanos() / 1_000;
        let nanos = |ttl: Option<Span>| ttl.map(Span::as_nanos);
        Self {
            id: item.id.to_string(),
            v: item.version,
            text: Arc::clone(&item.text),
            level: item.level.word().to_owned(),
            since: micros(item.since),
            updated: item.updated.map(micros),
            acknowledged: item.acknowledged.map(micros),
            took: item.took.map(Span::as_nanos),
            flapping: item.flapping,
            filtered: item.filtered,
            values: written_values(&item.values),
            hold: item.hold.map(Span::as_nanos),
            from: match item.origin {
                Origin::Fixed => OriginBody::Fixed,
                Origin::Plan { every } => OriginBody::Every(every.as_nanos()),
                Origin::Pushed { ttl, unnamed: false } => OriginBody::Pushed(nanos(ttl)),
                Origin::Pushed { ttl, unnamed: true } => OriginBody::Unnamed(nanos(ttl)),
            },
            label: Arc::clone(&item.label),
            revision: item.revision,
        }
    }

    fn into_item(self) -> Result<Mirrored, &'static str> {
        let moment = |micros: u64| Moment::from_unix_nanos(micros.saturating_mul(1_000));
        let span = |nanos: Option<u64>| nanos.map(Span::from_nanos);
        let text = Safe::line(&self.text);
        Ok(Mirrored {
            id: id(&self.id)?,
            version: self.v,
            filtered: self.filtered || text.is_tainted(),
            text: text.shared(),
            level: level(&self.level)?,
            since: moment(self.since),
            updated: self.updated.map(moment),
            acknowledged: self.acknowledged.map(moment),
            took: span(self.took),
            flapping: self.flapping,
            values: Arc::new(read_values(&self.values)),
            hold: span(self.hold),
            origin: match self.from {
                OriginBody::Fixed => Origin::Fixed,
                OriginBody::Every(every) => Origin::Plan { every: Span::from_nanos(every.max(1_000_000)) },
                OriginBody::Pushed(ttl) => Origin::Pushed { ttl: span(ttl), unnamed: false },
                OriginBody::Unnamed(ttl) => Origin::Pushed { ttl: span(ttl), unnamed: true },
            },
            label: Safe::line(&self.label).shared(),
            revision: self.revision,
        })
    }
}

fn items(bodies: Vec<ItemBody>) -> Result<Vec<Mirrored>, &'static str> {
    if bodies.len() > ITEMS_MAX {
        return Err("it has too many items");
    }
    bodies.into_iter().map(ItemBody::into_item).collect()
}

fn id(text: &str) -> Result<ItemId, &'static str> {
    ItemId::new(text).map_err(|_| "it has an item without a name of ours")
}

fn level(word: &str) -> Result<Level, &'static str> {
    word.parse().map_err(|_| "it has a level that is none")
}
