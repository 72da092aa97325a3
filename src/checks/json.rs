//! JSON from outside as a tree of values, in the order it came.
//!
//! Deliberately not `serde_json::Value`: it loses the order of members and has
//! no limit of ours on depth.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::frame::Value;

/// The deepest tree: what a person could still name in an expression, many
/// times over, and little enough for every walk over it.
const DEPTH_MAX: usize = 64;

/// Reads one whole JSON text; `None` where it is none, or deeper than 64.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Tree { depth: 0 }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

#[derive(Clone, Copy)]
struct Tree {
    depth: usize,
}

impl Tree {
    fn below<E: Error>(self) -> Result<Self, E> {
        if self.depth < DEPTH_MAX { Ok(Self { depth: self.depth + 1 }) } else { Err(E::custom("too deep")) }
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
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

    #[expect(clippy::cast_precision_loss, reason = "all values are fractions; exact up to 2^53")]
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::plain(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "all values are fractions; exact up to 2^53")]
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

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut map: Vec<(Arc<str>, Value)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            map.push((name.into(), members.next_value_seed(below)?));
        }
        Ok(Value::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn trees_keep_their_order_and_numbers_are_fractions() {
        let tree = read(br#" {"z": [1, -2, 0.5, null, true], "a": {"b": "c"}} "#).unwrap();
        assert_eq!(tree.to_string(), "z: 1, -2, 0.5, null, true, a: b: c");
        assert_eq!(tree.member("a").and_then(|it| it.member("b")), Some(&Value::text("c")));
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_none() {
        for bad in ["", "OK", "{", "1 2", "{\"a\":1e400}", "\"\\ud800\"", "[1,]"] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(read(nested(64).as_bytes()).is_some());
        assert_eq!(read(nested(65).as_bytes()), None);
        assert_eq!(read(nested(30_000).as_bytes()), None);
        assert_eq!(read(b"\"\xff\""), None);
    }

    proptest! {
        #[test]
        fn no_bytes_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _read = read(&bytes);
        }
    }
}
