//! The JSON schema of the config, for editors; made from the table of keys.
//!
//! Draft-07, because editors' YAML servers know no later one. It is a help while
//! typing and accepts a little more than the program, never less.

use serde_json::{Map, Value, json};

use super::keys::{Kind, within};
use crate::kernel::board::ID_CHARACTERS_MAX;

/// A secret may stand in any string, so every pattern lets it through.
const OR_SECRET: &str = r"|\$\{.*";

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut schema = map_of("");
    schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".into(), json!("marquee"));
    schema.insert("description".into(), json!("The config of an andon board for the terminal."));
    Value::Object(schema)
}

fn map_of(section: &str) -> Map<String, Value> {
    let properties: Map<String, Value> = within(section)
        .map(|(name, key)| {
            let mut property = shape(key.kind, key.path);
            property.insert("description".into(), json!(key.doc));
            if let Some(default) = key.default {
                property.insert("default".into(), default_value(key.kind, default));
            }
            (name.to_owned(), Value::Object(property))
        })
        .collect();
    let mut map = object(json!({ "type": "object", "additionalProperties": false, "properties": properties }));
    if section == "items[]" {
        map.insert("required".into(), json!(["id"]));
        map.insert("not".into(), json!({ "required": ["level", "check"] }));
    }
    map
}

fn shape(kind: Kind, path: &str) -> Map<String, Value> {
    object(match kind {
        Kind::Text if path == "items[].id" => {
            json!({ "type": ["string", "number"], "pattern": format!("^([a-z0-9._-]{{1,{ID_CHARACTERS_MAX}}}{OR_SECRET})$") })
        }
        // An unquoted `1.10` or `no` is the text as it was written, whatever YAML calls it.
        Kind::Text | Kind::Expression => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Duration => {
            json!({ "type": "string", "pattern": format!("^(([0-9]+(d|h|ms|m|s))+{OR_SECRET})$"), "examples": ["250ms", "3s", "5m", "1h30m"] })
        }
        Kind::Count(min, max) => {
            json!({ "type": ["integer", "string"], "minimum": min, "maximum": max, "pattern": format!("^([0-9]+{OR_SECRET})$") })
        }
        Kind::Rate => json!({ "type": "string", "pattern": format!("^([0-9]+/s{OR_SECRET})$"), "examples": ["12/s"] }),
        Kind::Word(words) => json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": r"\$\{" }] }),
        Kind::List => json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] } }),
        Kind::Map => Value::Object(map_of(path)),
        Kind::Maps => json!({ "type": "array", "items": map_of(&format!("{path}[]")) }),
    })
}

fn default_value(kind: Kind, default: &str) -> Value {
    match kind {
        Kind::Count(..) => default.parse::<u32>().map_or(Value::Null, Value::from),
        Kind::List | Kind::Maps => json!([]),
        _ => json!(default),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
