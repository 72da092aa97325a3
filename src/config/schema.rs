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
        let pairs = [["level", "check"], ["level", "plan"], ["check", "plan"]];
        let pairs: Vec<_> = pairs.iter().map(|pair| json!({ "required": pair })).collect();
        map.insert("not".into(), json!({ "anyOf": pairs }));
    }
    if section == "items[].plan[]" {
        map.insert("minProperties".into(), json!(1));
        map.insert("maxProperties".into(), json!(1));
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
        Kind::Rate(units) => {
            json!({ "type": "string", "pattern": format!("^([0-9]+/({}){OR_SECRET})$", units.join("|")), "examples": ["12/s"] })
        }
        Kind::Share => json!({ "type": "string", "pattern": format!("^([0-9]+%{OR_SECRET})$"), "examples": ["30%"] }),
        Kind::Late => {
            json!({ "type": "string", "pattern": format!("^(skip|coalesce|burst [0-9]+{OR_SECRET})$"), "examples": ["coalesce", "burst 3"] })
        }
        Kind::Switch => {
            json!({ "anyOf": [{ "type": "boolean" }, { "enum": ["true", "false"] }, { "type": "string", "pattern": r"\$\{" }] })
        }
        Kind::Word(words) => json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": r"\$\{" }] }),
        Kind::WordOrUrl(words, schemes) => {
            json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": format!(r"^({}):|\$\{{", schemes.join("|")) }] })
        }
        Kind::List => json!({ "type": "array", "items": { "type": ["string", "number", "boolean"] } }),
        Kind::Map => Value::Object(map_of(path)),
        Kind::Short(_) => json!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, map_of(path)] }),
        Kind::Named => json!({ "type": "object", "additionalProperties": map_of(&format!("{path}.*")) }),
        Kind::Maps => json!({ "type": "array", "items": map_of(&format!("{path}[]")) }),
    })
}

fn default_value(kind: Kind, default: &str) -> Value {
    match kind {
        Kind::Count(..) => default.parse::<u32>().map_or(Value::Null, Value::from),
        Kind::List | Kind::Maps => json!([]),
        Kind::Switch => json!(default == "true"),
        _ => json!(default),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use regex::Regex;

    use super::*;
    use crate::config::error::Problems;
    use crate::config::keys::KEYS;
    use crate::config::source::Source;
    use crate::config::starter::STARTER;
    use crate::config::tree::{Form, Limits, Node, parse};

    /// A sample as an editor's YAML server sees it.
    fn typed(node: &Node) -> Value {
        match &node.form {
            Form::Scalar { null: true, .. } => Value::Null,
            Form::Scalar { text, style, .. } => {
                match (style, text.parse::<i64>(), text.parse::<f64>(), text.as_str()) {
                    (saphyr_parser::ScalarStyle::Plain, Ok(number), ..) => json!(number),
                    (saphyr_parser::ScalarStyle::Plain, _, Ok(number), _) => json!(number),
                    (saphyr_parser::ScalarStyle::Plain, _, _, "true") => json!(true),
                    _ => json!(text),
                }
            }
            Form::List(items) => items.iter().map(|item| typed(item)).collect(),
            Form::Map(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), typed(&entry.value))).collect())
            }
        }
    }

    fn value_of(text: &str) -> Value {
        let source = Source::new("sample".into(), PathBuf::new(), text);
        let limits = Limits { depth: 64, nodes: 10_000, entries: 1_000 };
        let mut problems = Problems::default();
        let tree = parse(&source, limits, &mut problems);
        typed(&tree.unwrap_or_else(|| panic!("{problems}")))
    }

    /// The part of draft-07 that the schema uses; any other word in it fails the test.
    fn fits(schema: &Value, value: &Value) -> bool {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is = |name: &Value| name == kind || (name == "number" && kind == "integer");
        schema.as_object().unwrap().iter().all(|(word, rule)| match word.as_str() {
            "$schema" | "title" | "description" | "default" | "examples" => true,
            "type" => rule.as_array().map_or_else(|| is(rule), |kinds| kinds.iter().any(is)),
            "enum" => rule.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
            "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
            "anyOf" => rule.as_array().unwrap().iter().any(|one| fits(one, value)),
            "not" => !fits(rule, value),
            "required" => value
                .as_object()
                .is_none_or(|map| rule.as_array().unwrap().iter().all(|key| map.contains_key(key.as_str().unwrap()))),
            "minProperties" => value.as_object().is_none_or(|map| map.len() as u64 >= rule.as_u64().unwrap()),
            "maxProperties" => value.as_object().is_none_or(|map| map.len() as u64 <= rule.as_u64().unwrap()),
            "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(rule, item))),
            "additionalProperties" => {
                if rule.is_object() {
                    return value.as_object().is_none_or(|map| map.values().all(|value| fits(rule, value)));
                }
                assert_eq!(rule, &json!(false));
                value.as_object().is_none_or(|map| map.keys().all(|key| schema["properties"].get(key).is_some()))
            }
            "properties" => value
                .as_object()
                .is_none_or(|map| map.iter().all(|(key, value)| rule.get(key).is_none_or(|rule| fits(rule, value)))),
            other => panic!("the test does not know `{other}`"),
        })
    }

    #[test]
    fn every_sample_fits_the_schema() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-configs");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let is_config = path.extension().is_some_and(|extension| extension == "yaml");
            // One that names `services` is for those who run containers.
            if is_config && !text.lines().any(|line| line == "services:") {
                assert!(fits(&schema(), &value_of(&text)), "{}", path.display());
            }
        }
        assert!(fits(&schema(), &value_of(STARTER)));
    }

    #[test]
    fn the_schema_refuses_what_the_program_refuses_and_lets_secrets_through() {
        for (text, good) in [
            ("{interval: 1h30m}", true),
            ("{interval: '${PERIOD}'}", true),
            ("{interval: 3}", false),
            ("{intervall: 3s}", false),
            ("{retries: 1}", false),
            ("{defaults: {retries: 1}}", true),
            ("{defaults: {retries: -1}}", false),
            ("{title: 1.10}", true),
            ("{items: [{id: a}]}", true),
            ("{items: [{text: a}]}", false),
            ("{items: [{id: A}]}", false),
            ("{items: [{id: a, level: info, check: 'load:'}]}", false),
            ("{items: [{id: a, level: bad}]}", false),
            ("{items: [{id: a, check: 'load:', levels: {healthy: up}}]}", false),
            ("{items: [{id: a, check: 'load:', plan: [{check: 'load:'}]}]}", false),
            ("{items: [{id: a, plan: [{check: 'load:'}, {expect: {that: up, needs: [check]}}]}]}", true),
            ("{items: [{id: a, plan: [{check: 'load:', json: x}]}]}", false),
            ("{items: [{id: a, plan: [{check: 'load:', needs: []}]}]}", false),
            ("{items: [{id: a, plan: [{chekc: 'load:'}]}]}", false),
            ("{items: [{id: a, plan: [{extract: 'x'}]}]}", false),
            ("{items: [{id: a, check: 'load:', late: burst 3, limit: 5/m, flapping: {start: 40%}}]}", true),
            ("{items: [{id: a, check: 'load:', late: burst}]}", false),
            ("{items: [{id: a, check: 'load:', limit: 5/d}]}", false),
            ("{hosts: {a: {limit: 20/s}, 10.0.0.1: {at_once: 3}}}", true),
            ("{hosts: {a: {limits: 20/s}}}", false),
            ("{interrupt: never, scroll: 5/s}", true),
            ("{scroll: 5/m}", false),
            ("{cluster: 'etcds://a,b', guardian: false, lease: {ttl: 5s}}", true),
            ("{cluster: etcd, guardian: 1}", false),
            ("{guardian: 1}", false),
            ("{guardian: '${GUARDED}', state: 'redis+sentinel://a/m'}", true),
            ("{lease: {ttl: 5}}", false),
            ("{interrupt: info}", false),
        ] {
            assert_eq!(fits(&schema(), &value_of(text)), good, "{text}");
        }
    }

    #[test]
    fn the_full_sample_has_every_key_with_its_default() {
        let text = include_str!("../../sample-configs/full.yaml");
        // `#key:` without a space is a key that is absent by default.
        let shown: String = text
            .lines()
            .map(|line| match line.trim_start().strip_prefix('#') {
                Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => {
                    format!("{}{key}\n", &line[..line.len() - line.trim_start().len()])
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let (present, shown) = (value_of(text), value_of(&shown));
        for key in KEYS {
            let found = places(&shown, key.path);
            assert!(!found.is_empty(), "{} is not in full.yaml", key.path);
            if let Some(default) = key.default.filter(|_| key.kind != Kind::Maps) {
                let found = places(&present, key.path);
                assert_eq!(found, [&default_value(key.kind, default)], "{}", key.path);
            }
        }
    }

    fn places<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
        path.split('.').fold(vec![value], |values, step| {
            if step == "*" {
                return values.into_iter().filter_map(Value::as_object).flat_map(Map::values).collect();
            }
            let name = step.trim_end_matches("[]");
            let within = values.into_iter().filter_map(|value| value.get(name));
            if step.ends_with("[]") { within.filter_map(Value::as_array).flatten().collect() } else { within.collect() }
        })
    }
}
