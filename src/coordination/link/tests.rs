//! What travels, what is believed of it, and what of it is heard.

mod listener;
mod reference;
mod wire;

use std::sync::Arc;

use super::*;
use crate::coordination::Token;
use crate::frame::Safe;
use crate::kernel::beat::{Beat, Mark, Mirror, Mirrored, Origin, Showing};
use crate::kernel::board::{ItemId, Level, Unit, Value, Values};
use crate::kernel::{Moment, Span};

pub(super) const NOW: Moment = Moment::from_unix_millis(1_760_000_000_000);

pub(super) fn ms(count: u64) -> Span {
    Span::from_millis(count)
}

pub(super) fn token(rev: u64) -> Token {
    Token { epoch: 1, rev }
}

pub(super) fn id(text: &str) -> ItemId {
    ItemId::new(text).unwrap()
}

pub(super) fn head(rev: u64, at: Moment) -> Head {
    Head {
        board: "line-3".into(),
        console: Safe::line("press-hall-east"),
        boot: "9f2c".into(),
        token: token(rev),
        at,
        clock: "redis:4f".into(),
    }
}

pub(super) fn turn(item: Option<&str>, show_at: Moment) -> Showing {
    Showing {
        item: item.map(id),
        content: u16::MAX,
        show_at,
        dwell: ms(2_500),
        calling: item.is_none(),
        next_place: 7,
        next_call: 1,
        again: item.is_some(),
    }
}

/// A beat of this leader, told at `at` as its `number`-th.
pub(super) fn beat(rev: u64, number: u64, at: Moment) -> Message {
    let turns = vec![turn(Some("press.oil"), at - ms(1_200)), turn(None, at + ms(1_300))];
    let beat = Beat { seq: 4, turns, mark: Mark { items: 3, digest: 99 } };
    Message { head: head(rev, at), said: Said::Beat { number, consoles: 3, handover: false, beat } }
}

/// Values of every kind, in an order that no sorting makes.
fn values() -> Values {
    let map = Value::Map(vec![("z".into(), Value::plain(1.0)), ("a".into(), Value::Number(0.5, Unit::Percent))]);
    Values::new()
        .with("took", Value::span(ms(12)))
        .with("size", Value::Number(1_048_576.0, Unit::Bytes))
        .with("code", Value::plain(-3.25))
        .with("text", Value::text("[\"s\", 1] ä"))
        .with("fine", Value::Bool(true))
        .with("nothing", Value::Null)
        .with("list", Value::List(vec![Value::text("s"), Value::plain(1.0), Value::List(Vec::new())]))
        .with("map", map)
}

pub(super) fn item(name: &str, origin: Origin) -> Mirrored {
    Mirrored {
        id: id(name),
        version: (7 << 32) + 3,
        text: "Press 4 — 82 °C".into(),
        level: Level::Warning,
        since: NOW - ms(61_000),
        updated: Some(NOW - ms(900)),
        acknowledged: None,
        took: Some(Span::from_nanos(12_345_678)),
        flapping: true,
        filtered: false,
        values: Arc::new(values()),
        hold: Some(ms(4_000)),
        origin,
        label: "http://plc/4".into(),
        revision: u64::MAX,
    }
}

pub(super) fn news() -> Vec<Mirrored> {
    let ttl = Some(ms(90_000));
    let mut items = vec![
        item("a", Origin::Fixed),
        item("b", Origin::Plan { every: ms(2_000) }),
        item("c", Origin::Pushed { ttl, unnamed: false }),
        item("d", Origin::Pushed { ttl: None, unnamed: true }),
    ];
    items[1].acknowledged = Some(NOW - ms(30_000));
    let last = Mirrored { updated: None, took: None, hold: None, values: Arc::default(), ..item("e", Origin::Fixed) };
    items.push(last);
    items
}

pub(super) fn board() -> Message {
    let mirror = Mirror {
        title: "Line 3".into(),
        fallback: "nothing".into(),
        interval: ms(3_000),
        scroll: 12,
        interrupt: Some(Level::Critical),
        summarise_after: usize::MAX,
        items: news(),
    };
    Message { head: head(5, NOW), said: Said::Board { mark: Mark { items: 5, digest: 1 }, mirror } }
}
