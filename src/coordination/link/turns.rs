//! The turns of a beat in as few bytes as stay readable: a follower on a thin link hears two beats a second.
//!
//! A turn is an array: item, content, next place, next call, flags, µs that it lasts, µs from the beat's own
//! moment to its beginning. What a turn has like the one before it is left out at the end: the next call,
//! no flags, its length, and that it begins where the other ends.

use serde_json::{Value as Json, json};

use crate::kernel::beat::Showing;
use crate::kernel::board::ItemId;
use crate::kernel::{Moment, Span};

/// More turns than this are in no horizon: an interval is 100 ms at least where a person reads it.
const TURNS_MAX: usize = 256;

/// A turn that begins so near to the end of the one before it, in µs, begins there: the shared clock runs a
/// little faster or slower than the leader's own, and each beat tells the nearest turn exactly again.
const AT_ITS_END: u64 = 100;

const CALLING: u64 = 1;
const AGAIN: u64 = 2;

/// What a turn is where nothing else is said.
#[derive(Clone, Copy)]
struct Usual {
    next_call: u64,
    dwell: u64,
    off: i64,
}

pub(super) fn written(at: Moment, turns: &[Showing]) -> Vec<Json> {
    let mut usual: Option<Usual> = None;
    let turn = |turn: &Showing| {
        let flags = if turn.calling { CALLING } else { 0 } | if turn.again { AGAIN } else { 0 };
        let own = Usual {
            next_call: turn.next_call as u64,
            dwell: turn.dwell.as_nanos() / 1_000,
            off: micros_between(at, turn.show_at),
        };
        let item = turn.item.as_ref().map(ItemId::as_str);
        let mut told = vec![json!(item), json!(turn.content), json!(turn.next_place)];
        let expected = usual.map(|usual| (usual.next_call, 0, usual.dwell, usual.off));
        let rest = [json!(own.next_call), json!(flags), json!(own.dwell), json!(own.off)];
        let like = expected.map_or(0, |(call, none, dwell, off)| {
            let follows = own.off.abs_diff(off) <= AT_ITS_END;
            let same = [own.next_call == call, flags == none, own.dwell == dwell, follows];
            same.iter().rev().take_while(|same| **same).count()
        });
        told.extend(rest.into_iter().take(4 - like));
        // What the reader takes for its beginning is what the next one follows on.
        let begins = usual.filter(|_| like > 0).map_or(own.off, |usual| usual.off);
        usual = Some(Usual { off: begins.saturating_add_unsigned(own.dwell), ..own });
        Json::Array(told)
    };
    turns.iter().take(TURNS_MAX).map(turn).collect()
}

pub(super) fn read(at: Moment, turns: &[Json]) -> Result<Vec<Showing>, &'static str> {
    const BAD: &str = "a turn in it is none";
    if turns.len() > TURNS_MAX {
        return Err("it has too many turns");
    }
    let mut usual: Option<Usual> = None;
    let turn = |turn: &Json| {
        let parts = turn.as_array().filter(|parts| (3..=7).contains(&parts.len())).ok_or(BAD)?;
        let number = |place: usize, usual: Option<u64>| match parts.get(place) {
            Some(told) => told.as_u64().ok_or(BAD),
            None => usual.ok_or(BAD),
        };
        let item = match &parts[0] {
            Json::Null => None,
            Json::String(id) => Some(ItemId::new(id).map_err(|_| "it has an item without a name of ours")?),
            _ => return Err(BAD),
        };
        let place = |number: u64| usize::try_from(number).map_err(|_| BAD);
        let flags = number(4, usual.map(|_| 0))?;
        let own = Usual {
            next_call: number(3, usual.map(|usual| usual.next_call))?,
            dwell: number(5, usual.map(|usual| usual.dwell))?,
            off: match parts.get(6) {
                Some(told) => told.as_i64().ok_or(BAD)?,
                None => usual.ok_or(BAD)?.off,
            },
        };
        usual = Some(Usual { off: own.off.saturating_add_unsigned(own.dwell), ..own });
        Ok(Showing {
            item,
            content: u16::try_from(number(1, None)?).map_err(|_| BAD)?,
            show_at: moved(at, own.off),
            dwell: Span::from_micros(own.dwell),
            calling: flags & CALLING > 0,
            next_place: place(number(2, None)?)?,
            next_call: place(own.next_call)?,
            again: flags & AGAIN > 0,
        })
    };
    turns.iter().map(turn).collect()
}

fn micros_between(from: Moment, to: Moment) -> i64 {
    let micros = |span: Span| i64::try_from(span.as_nanos() / 1_000).unwrap_or(i64::MAX);
    if to >= from { micros(to.since(from)) } else { -micros(from.since(to)) }
}

fn moved(at: Moment, micros: i64) -> Moment {
    let span = micros.unsigned_abs().saturating_mul(1_000);
    let nanos = at.unix_nanos();
    Moment::from_unix_nanos(if micros < 0 { nanos.saturating_sub(span) } else { nanos.saturating_add(span) })
}
