//! The format of the kept files: a seal around a body, each with a type of its own.
//!
//! ```json
//! {"format":"marquee","kind":"current","version":1,"checksum":"9ae1c2f0…","body":{…}}
//! ```
//!
//! The checksum (FNV-1a, 64 bit, over kind and body as written) finds a disk's
//! flipped bits and half-written files; it is no protection against a person.
//! Deliberately separate from the kernel's types: the stored format changes on
//! purpose alone, and then [`VERSION`] changes with it. A field that is left out
//! where it has nothing to say needs no other version: whoever does not know it
//! refuses the whole by its name, and misreads nothing.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::kernel::board::{ItemId, Level};
use crate::kernel::{BoardSnapshot, Current, ItemSnapshot, Moment, Span, digest};

/// The version of the format that this program writes and reads.
const VERSION: u32 = 1;

/// Between the seal and the body.
const SEAM: &str = ",\"body\":";

/// One kind of kept file.
pub(super) trait Kept: Sized {
    /// Its word in the seal and its file's name.
    const KIND: &'static str;
    /// The body's type.
    type Body: Serialize + DeserializeOwned;
    fn body(&self) -> Self::Body;
    fn from_body(body: Self::Body) -> Result<Self, String>;
}

/// The text of a kept file.
pub(super) fn write<K: Kept>(kept: &K) -> Result<String, String> {
    serde_json::to_string(&kept.body()).map(|body| sealed(K::KIND, &body)).map_err(|error| error.to_string())
}

/// What a kept file says.
///
/// # Errors
/// Why it can't be used, in words.
pub(super) fn read<K: Kept>(text: &[u8]) -> Result<K, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    let text = std::str::from_utf8(text).map_err(|_| "it is no text")?;
    let (seal, body) = text.split_once(SEAM).ok_or("it is cut short or no state of marquee")?;
    let seal: Seal = serde_json::from_str(&format!("{seal}}}")).map_err(|_| "it is no state of marquee")?;
    if seal.format != FORMAT {
        return Err("it is no state of marquee".into());
    }
    if seal.version != VERSION {
        return Err(format!("its format is version {}, this program reads {VERSION}", seal.version));
    }
    let body = body.strip_suffix("}\n").ok_or("it is cut short")?;
    // Compared whole, so that a flipped bit in the seal is found as well.
    if sealed(K::KIND, body) != text {
        return Err("its checksum is wrong".into());
    }
    serde_json::from_str(body).map_err(|error| error.to_string()).and_then(K::from_body)
}

const FORMAT: &str = "marquee";

#[derive(Deserialize)]
struct Seal {
    format: String,
    version: u32,
}

fn sealed(kind: &str, body: &str) -> String {
    let checksum = digest(kind.bytes().chain([b':']).chain(body.bytes()));
    format!(
        "{{\"format\":\"{FORMAT}\",\"kind\":\"{kind}\",\"version\":{VERSION},\"checksum\":\"{checksum:016x}\"{SEAM}{body}}}\n"
    )
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CurrentBody {
    seq: u64,
    item: Option<String>,
    show_at_ns: u64,
    dwell_ns: u64,
    fence: u64,
}

impl Kept for Current {
    const KIND: &'static str = "current";
    type Body = CurrentBody;

    fn body(&self) -> CurrentBody {
        CurrentBody {
            seq: self.seq,
            item: self.item.as_ref().map(ToString::to_string),
            show_at_ns: self.show_at.unix_nanos(),
            dwell_ns: self.dwell.as_nanos(),
            fence: self.fence,
        }
    }

    fn from_body(body: CurrentBody) -> Result<Self, String> {
        Ok(Self {
            seq: body.seq,
            item: body.item.as_deref().map(id).transpose()?,
            show_at: Moment::from_unix_nanos(body.show_at_ns),
            dwell: Span::from_nanos(body.dwell_ns),
            fence: body.fence,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardBody {
    version: u64,
    items: Vec<ItemBody>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemBody {
    id: String,
    text: Arc<str>,
    level: String,
    since_ns: u64,
    updated_ns: Option<u64>,
    revision: u64,
    pushed: bool,
    ttl_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged_ns: Option<u64>,
}

impl Kept for BoardSnapshot {
    const KIND: &'static str = "board";
    type Body = BoardBody;

    fn body(&self) -> BoardBody {
        let item = |item: &ItemSnapshot| ItemBody {
            id: item.id.to_string(),
            text: Arc::clone(&item.text),
            level: item.level.word().to_owned(),
            since_ns: item.since.unix_nanos(),
            updated_ns: item.updated.map(Moment::unix_nanos),
            revision: item.revision,
            pushed: item.pushed,
            ttl_ns: item.ttl.map(Span::as_nanos),
            acknowledged_ns: item.acknowledged.map(Moment::unix_nanos),
        };
        BoardBody { version: self.version, items: self.items.iter().map(item).collect() }
    }

    fn from_body(body: BoardBody) -> Result<Self, String> {
        let item = |item: ItemBody| {
            Ok(ItemSnapshot {
                id: id(&item.id)?,
                text: item.text,
                level: item.level.parse::<Level>().map_err(|_| format!("it has a level {:?}", item.level))?,
                since: Moment::from_unix_nanos(item.since_ns),
                updated: item.updated_ns.map(Moment::from_unix_nanos),
                revision: item.revision,
                pushed: item.pushed,
                ttl: item.ttl_ns.map(Span::from_nanos),
                acknowledged: item.acknowledged_ns.map(Moment::from_unix_nanos),
            })
        };
        let items = body.items.into_iter().map(item).collect::<Result<_, String>>()?;
        Ok(Self { version: body.version, items })
    }
}

fn id(text: &str) -> Result<ItemId, String> {
    ItemId::new(text).map_err(|_| format!("it has an id {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Current {
        Current {
            seq: 7,
            item: ItemId::new("db").ok(),
            show_at: Moment::from_unix_millis(1_000),
            dwell: Span::from_secs(3),
            fence: 2,
        }
    }

    #[test]
    fn the_format_changes_on_purpose_alone() {
        assert_eq!(
            write(&example()).unwrap(),
            "{\"format\":\"marquee\",\"kind\":\"current\",\"version\":1,\"checksum\":\"7c7209b1b5a33375\",\"body\":\
             {\"seq\":7,\"item\":\"db\",\"show_at_ns\":1000000000,\"dwell_ns\":3000000000,\"fence\":2}}\n"
        );
        let mut board = BoardSnapshot {
            version: 3,
            items: vec![ItemSnapshot {
                id: ItemId::new("db").unwrap(),
                text: "a \"b\"".into(),
                level: Level::Warning,
                since: Moment::from_unix_nanos(1),
                updated: None,
                revision: u64::MAX,
                pushed: true,
                ttl: Some(Span::from_nanos(5)),
                acknowledged: None,
            }],
        };
        assert_eq!(
            write(&board).unwrap(),
            "{\"format\":\"marquee\",\"kind\":\"board\",\"version\":1,\"checksum\":\"8c0a42024f9608be\",\"body\":\
             {\"version\":3,\"items\":[{\"id\":\"db\",\"text\":\"a \\\"b\\\"\",\"level\":\"warning\",\"since_ns\":1,\
             \"updated_ns\":null,\"revision\":18446744073709551615,\"pushed\":true,\"ttl_ns\":5}]}}\n"
        );
        // What a program from before acknowledgements kept is read, and where there are none it reads what we keep.
        assert_eq!(read::<BoardSnapshot>(write(&board).unwrap().as_bytes()), Ok(board.clone()));
        board.items[0].acknowledged = Some(Moment::from_unix_nanos(7));
        let text = write(&board).unwrap();
        assert!(text.contains("\"pushed\":true,\"ttl_ns\":5,\"acknowledged_ns\":7}]}}\n"), "{text}");
        assert_eq!(read(text.as_bytes()), Ok(board));
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // The test vectors of the algorithm's authors.
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(digest(text.bytes()), hash, "{text}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let good = write(&example()).unwrap().into_bytes();
        assert_eq!(read::<Current>(&good), Ok(example()));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read::<Current>(&bad).is_err(), "bit {bit}: {}", String::from_utf8_lossy(&bad));
        }
        for length in 0..good.len() {
            assert!(read::<Current>(&good[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn what_can_not_be_used_says_why() {
        let body = |body: &str| sealed("current", body).into_bytes();
        let newer = write(&example()).unwrap().replace("\"version\":1", "\"version\":2").into_bytes();
        for (text, why) in [
            (Vec::new(), "it is empty"),
            (vec![0; 4096], "it is cut short or no state of marquee"),
            (b"\xff\xfe".to_vec(), "it is no text"),
            (b"{\"a\":1,\"body\":{}}\n".to_vec(), "it is no state of marquee"),
            (newer, "its format is version 2, this program reads 1"),
            (write(&BoardSnapshot::default()).unwrap().into_bytes(), "its checksum is wrong"),
            (body("{\"seq\":1,\"item\":\"A B\",\"show_at_ns\":1,\"dwell_ns\":1,\"fence\":1}"), "it has an id \"A B\""),
        ] {
            assert_eq!(read::<Current>(&text), Err(why.to_owned()));
        }
        for odd in ["{}", "{\"seq\":-1}", "[]", &"[".repeat(10_000)] {
            assert!(read::<Current>(&body(odd)).is_err(), "{odd:.20}");
        }
    }
}
