//! JSON from outside as a tree of values, in the order it came; depth is bounded while reading.
//!
//! Deliberately not `serde_json::Value`, which loses the order of members and has no limit of
//! ours, and no mapping to types: what a text means is its reader's business, who can then say
//! what is wrong in its own words.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::shortened;
use crate::frame::Value;

/// How deep a body may be nested: no honest one comes near, and each level costs stack.
const DEPTH_MAX: usize = 64;

/// Members of one object up to here are compared one by one; beyond, they are sorted first.
const FEW: usize = 16;

/// Reads the one JSON text that `bytes` are, from somebody who can be told to mend it: a field
/// that is there twice is refused.
///
/// # Errors
/// What is wrong with it, and where.
pub fn strict(bytes: &[u8]) -> Result<Value, String> {
    read(bytes, true).map_err(|why| format!("not the JSON that is taken here: {why}"))
}

/// Reads what a watched thing said; `None` where it is no JSON, or too deep. Of a field that is
/// there twice the first is found by its name, and both are kept.
#[must_use]
pub fn lenient(bytes: &[u8]) -> Option<Value> {
    read(bytes, false).ok()
}

fn read(bytes: &[u8], strict: bool) -> serde_json::Result<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Node { depth: 0, strict }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

/// A value at a depth.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
    /// Whether a field that is there twice is refused.
    strict: bool,
}

impl Node {
    fn below<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    #[expect(clippy::cast_precision_loss, reason = "all numbers of a board are doubles, as JSON's own are")]
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::plain(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "all numbers of a board are doubles, as JSON's own are")]
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::plain(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::plain(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut members: Vec<(Arc<str>, Value)> = Vec::new();
        while let Some(name) = entries.next_key::<String>()? {
            if self.strict && members.len() < FEW && members.iter().any(|(known, _)| **known == *name) {
                return Err(duplicate(&name));
            }
            members.push((name.into(), entries.next_value_seed(below)?));
        }
        if self.strict && members.len() > FEW {
            let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
            names.sort_unstable();
            if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(duplicate(twice[0]));
            }
        }
        Ok(Value::Map(members))
    }
}

fn duplicate<E: Error>(name: &str) -> E {
    E::custom(format!("the field `{}` is there twice", shortened(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_json_is_read_and_nothing_behind_it_is_taken() {
        assert_eq!(strict(b" [1, -2.5, null, \"\\u00e9\"] "), {
            let list = vec![Value::plain(1.0), Value::plain(-2.5), Value::Null, Value::text("é")];
            Ok(Value::List(list))
        });
        let deep = format!("{}1{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert!(strict(deep.as_bytes()).is_ok());
    }

    #[test]
    fn bad_json_is_refused_with_a_reason() {
        let deep = "[".repeat(10_000);
        let deep_objects = "{\"a\":".repeat(65);
        let many = (0..40).map(|n| format!("\"k{}\":1", n % 39)).collect::<Vec<_>>().join(",");
        for (bad, part) in [
            (&b""[..], "EOF"),
            (b"{} {}", "trailing"),
            (b"{\"a\":1,}", "trailing comma"),
            (b"nul", "EOF"),
            (b"1e400", "out of range"),
            (b"NaN", "expected"),
            (b"\"\\ud800\"", "hex escape"),
            (b"\"\\ud800\\u0041\"", "surrogate"),
            (b"\"\xff\"", "unicode"),
            (b"\"\x01\"", "control character"),
            (b"{\"a\":1,\"a\":2}", "`a` is there twice"),
            (b"{\"x\":{\"a\":1,\"\\u0061\":2}}", "`a` is there twice"),
            (format!("{{{many}}}").as_bytes(), "`k0` is there twice"),
            (deep.as_bytes(), "deeper than 64"),
            (deep_objects.as_bytes(), "deeper than 64"),
        ] {
            let why = strict(bad).unwrap_err();
            assert!(why.contains(part), "{}: {why}", String::from_utf8_lossy(&bad[..bad.len().min(40)]));
        }
    }

    #[test]
    fn what_a_watched_thing_says_is_taken_as_it_is() {
        let tree = lenient(br#" {"z": [1, -2, 0.5, null, true], "a": {"b": "c"}, "a": 2} "#).unwrap();
        assert_eq!(tree.to_string(), "z: 1, -2, 0.5, null, true, a: b: c, a: 2");
        assert_eq!(tree.member("a").and_then(|it| it.member("b")), Some(&Value::text("c")));
        for bad in ["", "OK", "{", "1 2", "{\"a\":1e400}", "\"\\ud800\"", "[1,]"] {
            assert_eq!(lenient(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(lenient("[".repeat(30_000).as_bytes()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_harm(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _read = (strict(&bytes), lenient(&bytes));
        }
    }
}
