//! Measured values as JSON and back, with their units.
//!
//! A plain number, text, truth or null is itself; what JSON has no word for is an array whose first
//! element says what it is: `["s", 0.012]` for 12 ms, `["l", …]` for a list, `["m", ["key", …], …]` for a map.

use serde_json::{Value as Json, json};

use crate::kernel::board::{Unit, Value, Values};

/// The words for what is no plain number.
const UNITS: [(Unit, &str); 3] = [(Unit::Seconds, "s"), (Unit::Bytes, "b"), (Unit::Percent, "%")];

const LIST: &str = "l";
const MAP: &str = "m";

pub(super) fn written_values(values: &Values) -> Json {
    // Pairs and no object, because the order in which the check told them is the order in which they are shown.
    let members: Vec<Json> = values.iter().map(|(name, value)| json!([name, written(value)])).collect();
    if members.is_empty() { Json::Null } else { Json::Array(members) }
}

/// What can't be read is left out: a value alone is never worth a lost item.
pub(super) fn read_values(values: &Json) -> Values {
    let Json::Array(members) = values else { return Values::new() };
    members.iter().filter_map(member).fold(Values::new(), |values, (name, value)| values.with(name, value))
}

fn written(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(yes) => json!(yes),
        Value::Number(number, Unit::Plain) => json!(number),
        Value::Number(number, unit) => {
            let word = UNITS.iter().find(|(known, _)| known == unit).map_or("", |(_, word)| word);
            json!([word, number])
        }
        Value::Text(text) => json!(&**text),
        Value::List(items) => Json::Array(std::iter::once(json!(LIST)).chain(items.iter().map(written)).collect()),
        Value::Map(members) => {
            let member = members.iter().map(|(name, value)| json!([&**name, written(value)]));
            Json::Array(std::iter::once(json!(MAP)).chain(member).collect())
        }
    }
}

fn read(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => Value::plain(number.as_f64()?),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(parts) => {
            let (word, rest) = parts.split_first()?;
            match word.as_str()? {
                LIST => Value::List(rest.iter().filter_map(read).collect()),
                MAP => Value::Map(rest.iter().filter_map(member).collect()),
                word => {
                    let (unit, _) = UNITS.iter().find(|(_, known)| *known == word)?;
                    Value::Number(rest.first()?.as_f64()?, *unit)
                }
            }
        }
        Json::Object(_) => return None,
    })
}

fn member(json: &Json) -> Option<(std::sync::Arc<str>, Value)> {
    let [name, value] = json.as_array()?.as_slice() else { return None };
    Some((name.as_str()?.into(), read(value)?))
}
