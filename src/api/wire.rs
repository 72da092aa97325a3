//! JSON to the outside: the keys and their order are a promise to readers.
//!
//! Types of their own, so that what the program keeps may change without a word
//! to anybody. Times are RFC 3339 in UTC with milliseconds, made by the app.

use std::sync::Arc;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::frame::{Safe, Value, Values};

/// All items at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    /// What is watched.
    pub title: Safe,
    /// Grows by one each time that something is said differently.
    pub version: u64,
    /// This console's part among the consoles.
    pub role: &'static str,
    /// The items, in the order of their turns.
    pub items: Vec<ItemWire>,
}

/// One item.
#[derive(Clone, Debug, Serialize)]
pub struct ItemWire {
    /// Its name.
    pub id: String,
    /// What it says.
    pub text: Safe,
    /// The level's word.
    pub level: &'static str,
    /// Since when it is at this level.
    pub since: String,
    /// Since when somebody knows of its alarm; left out where nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<String>,
    /// When it last reported; null: never.
    pub updated: Option<String>,
    /// How long ago that was; null: never.
    pub age_ms: Option<u64>,
    /// Where its news comes from, without secrets.
    pub source: Safe,
    /// What was measured last, in base units: seconds, bytes, per cent.
    pub values: ValuesWire,
    /// Whether the news is young enough to be believed.
    pub fresh: bool,
    /// Whether it changes too often to be read.
    pub flapping: bool,
    /// When its plan is due next; null: it has none.
    pub next_run: Option<String>,
    /// The run in flight.
    pub run: Option<String>,
    /// The last run that ended.
    pub last_run: Option<RunWire>,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunWire {
    /// Its name.
    pub run: String,
    /// Whose plan.
    pub item: String,
    /// `running`, `done`, `failed`, `timed_out` or `cancelled`.
    pub state: &'static str,
    /// When it began.
    pub started: String,
    /// From its due moment until it began.
    pub waited_ms: u64,
    /// How long it ran, so far where it is under way.
    pub ran_ms: u64,
    /// How many tries beyond the first it needed.
    pub retries: u32,
    /// Bytes that came in.
    pub bytes: u64,
    /// What it said, or why it failed; empty where it is under way.
    pub detail: Safe,
}

/// An item's runs of the last hour. Cancelled runs don't count.
#[derive(Clone, Debug, Serialize)]
pub struct HourWire {
    /// The item.
    pub item: String,
    /// How many runs ended.
    pub runs: u64,
    /// What half of them stayed within; null: nothing ran.
    pub p50_ms: Option<f64>,
    /// What 95 of a hundred stayed within.
    pub p95_ms: Option<f64>,
    /// What 99 of a hundred stayed within.
    pub p99_ms: Option<f64>,
}

/// Who leads and who follows.
#[derive(Clone, Debug, Serialize)]
pub struct Consoles {
    /// The leader's name; null: nobody leads.
    pub leader: Option<Safe>,
    /// Every console that is known, this one first.
    pub consoles: Vec<ConsoleWire>,
}

/// One console.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleWire {
    /// Its name.
    pub name: Safe,
    /// Its part: `leader`, `follower`, `local` or `alone`.
    pub role: Safe,
    /// Since when it plays it.
    pub since: String,
    /// The program's version.
    pub version: Safe,
    /// How far the clock that all share is ahead of its own.
    pub offset_ms: f64,
    /// How wrong that may be.
    pub bound_ms: f64,
    /// When it was last heard of.
    pub last_seen: String,
}

impl Serialize for Safe {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
    }
}

/// Values as a JSON object, in the order in which they were measured.
#[derive(Clone, Debug)]
pub struct ValuesWire(pub Arc<Values>);

impl Serialize for ValuesWire {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &Wire(value))?;
        }
        map.end()
    }
}

struct Wire<'a>(&'a Value);

/// Beyond this a double is no longer exact to the unit, and is told as it is.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

impl Serialize for Wire<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within 53 bits")]
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => to.serialize_unit(),
            Value::Bool(yes) => to.serialize_bool(*yes),
            // Programs expect `3` where a check counted three.
            Value::Number(number, _) if number.fract() == 0.0 && number.abs() < WHOLE_MAX => {
                to.serialize_i64(*number as i64)
            }
            Value::Number(number, _) => to.serialize_f64(*number),
            Value::Text(text) => to.serialize_str(text),
            Value::List(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Wire(item))?;
                }
                list.end()
            }
            Value::Map(members) => {
                let mut map = to.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(&**name, &Wire(value))?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Unit;

    #[test]
    fn values_keep_their_order_and_whole_numbers_have_no_point() {
        let values = Values::new()
            .with("z", Value::plain(3.0))
            .with("latency", Value::Number(0.0125, Unit::Seconds))
            .with("big", Value::plain(1e300))
            .with("nan", Value::plain(f64::NAN))
            .with("a", Value::Map(vec![("list".into(), Value::List(vec![Value::Null, Value::Bool(true)]))]))
            .with("t", Value::text("x\"\u{1b}"));
        let told = serde_json::to_string(&ValuesWire(Arc::new(values))).unwrap();
        let wanted = r#"{"z":3,"latency":0.0125,"big":1e+300,"nan":null,"a":{"list":[null,true]},"t":"x\"\u001b"}"#;
        assert_eq!(told.replace("1e300", "1e+300"), wanted);
    }
}
