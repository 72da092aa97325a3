//! What travels between here and etcd's JSON gateway, and how it is written there.
//!
//! The gateway writes keys and values in base64, 64-bit numbers as texts, and
//! leaves out whatever is zero or empty. Deliberately no more of etcd's many
//! messages than the election, the beat and `doctor` need.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// What every answer begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header {
    /// How many changes the whole cluster has seen when it answered.
    #[serde(deserialize_with = "number")]
    pub(super) revision: u64,
}

/// A key with what stands under it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pair {
    #[serde(deserialize_with = "bytes")]
    pub(super) key: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    pub(super) value: Vec<u8>,
    #[serde(deserialize_with = "number")]
    pub(super) create_revision: u64,
    #[serde(deserialize_with = "number")]
    pub(super) mod_revision: u64,
    #[serde(deserialize_with = "number")]
    pub(super) lease: i64,
}

/// The answer to a range.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Range {
    pub(super) header: Header,
    pub(super) kvs: Vec<Pair>,
}

/// The answer to one operation of a transaction; for a put it is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Operated {
    response_range: Range,
}

/// The answer to a transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Transacted {
    pub(super) header: Header,
    pub(super) succeeded: bool,
    responses: Vec<Operated>,
}

impl Transacted {
    /// What the operation at `place` found under its key.
    pub(super) fn found(&mut self, place: usize) -> Option<Pair> {
        let operated = self.responses.get_mut(place)?;
        operated.response_range.kvs.pop()
    }
}

/// The answer to a lease's grant and to its renewal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Leased {
    #[serde(rename = "ID", deserialize_with = "number")]
    pub(super) lease: i64,
    /// Seconds.
    #[serde(rename = "TTL", deserialize_with = "number")]
    pub(super) ttl: i64,
}

/// The answer to a login.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct LoggedIn {
    pub(super) token: String,
}

/// A member's account of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) version: String,
    #[serde(rename = "dbSize", deserialize_with = "number")]
    pub(super) size: u64,
    #[serde(deserialize_with = "number")]
    pub(super) leader: u64,
    pub(super) errors: Vec<String>,
}

/// One message of a watch.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Watching {
    pub(super) header: Header,
    pub(super) created: bool,
    pub(super) canceled: bool,
    pub(super) cancel_reason: String,
    pub(super) events: Vec<Event>,
}

/// One change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    kind: String,
    pub(super) kv: Pair,
}

impl Event {
    pub(super) fn is_deletion(&self) -> bool {
        self.kind == "DELETE"
    }
}

/// A message of a stream, as the gateway wraps it.
#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct Streamed<T> {
    pub(super) result: Option<T>,
}

/// Bytes as the gateway wants them.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// That `key`'s `target` stands to `number` as `result` says, for a transaction.
pub(super) fn compare(key: &str, target: Target, result: &str, number: impl Display) -> Value {
    let (target, field) = match target {
        Target::Created => ("CREATE", "create_revision"),
        Target::Changed => ("MOD", "mod_revision"),
        Target::Lease => ("LEASE", "lease"),
    };
    json!({"key": base64(key.as_bytes()), "target": target, "result": result, field: number.to_string()})
}

/// What of a key is compared.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Created,
    Changed,
    Lease,
}

/// That `key` holds just `value`, for a transaction.
pub(super) fn holds(key: &str, value: &str) -> Value {
    json!({
        "key": base64(key.as_bytes()), "target": "VALUE", "result": "EQUAL", "value": base64(value.as_bytes()),
    })
}

/// Reading `key`, for a transaction.
pub(super) fn read(key: &str) -> Value {
    json!({"request_range": {"key": base64(key.as_bytes())}})
}

/// Putting `value` under `key`, for a transaction; with a lease other than 0 it lives as long as that.
pub(super) fn put(key: &str, value: &str, lease: i64) -> Value {
    json!({"request_put": {
        "key": base64(key.as_bytes()), "value": base64(value.as_bytes()), "lease": lease.to_string(),
    }})
}

/// The end of the range of all keys that begin with `prefix`, which ends in `/`.
pub(super) fn end_of(prefix: &str) -> String {
    let stem = prefix.strip_suffix('/').unwrap_or(prefix);
    // The character behind the slash.
    format!("{stem}0")
}

/// A number that is a text, a number, or not there.
fn number<'de, D: Deserializer<'de>, T: FromStr + Default>(from: D) -> Result<T, D::Error> {
    let text = match Value::deserialize(from)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Null => return Ok(T::default()),
        _ => return Err(D::Error::custom("no number")),
    };
    text.parse().map_err(|_| D::Error::custom("no number"))
}

fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    STANDARD.decode(text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_gateway_leaves_out_is_zero() {
        let read: Pair = serde_json::from_str(r#"{"key":"YQ==","create_revision":"2","lease":"-5"}"#).unwrap();
        assert_eq!((read.key.as_slice(), read.value.len()), (&b"a"[..], 0));
        assert_eq!((read.create_revision, read.mod_revision, read.lease), (2, 0, -5));
        let gone: Streamed<Leased> = serde_json::from_str(r#"{"result":{"header":{},"ID":"12"}}"#).unwrap();
        assert_eq!(gone.result.map(|leased| (leased.lease, leased.ttl)), Some((12, 0)));
        let mut empty: Transacted = serde_json::from_str("{}").unwrap();
        assert!(!empty.succeeded && empty.found(0).is_none());
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        for text in [r#"{"revision":"7"}"#, r#"{"revision":7}"#] {
            assert_eq!(serde_json::from_str::<Header>(text).unwrap().revision, 7);
        }
        for bad in [r#"{"revision":"x"}"#, r#"{"revision":-1}"#, r#"{"revision":[]}"#, r#"{"revision":"1e3"}"#] {
            assert!(serde_json::from_str::<Header>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Pair>(r#"{"value":"*"}"#).is_err());
    }

    #[test]
    fn a_prefix_ends_before_its_neighbour() {
        assert_eq!(end_of("/marquee/v1/a/"), "/marquee/v1/a0");
        let (start, end) = ("/marquee/v1/a/", end_of("/marquee/v1/a/"));
        for inside in ["/marquee/v1/a/leader", "/marquee/v1/a/\u{10ffff}"] {
            assert!(start <= inside && inside < end.as_str());
        }
        assert!("/marquee/v1/a-b/leader" < start && "/marquee/v1/ab/leader" > end.as_str());
    }
}
