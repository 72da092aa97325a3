//! From a body to the updates it says: checked field by field, and cleaned.
//!
//! What is refused is refused whole, with the field and what to write instead.

use std::sync::Arc;

use super::desk::Update;
use crate::config::parse_duration;
use crate::config::{json, shortened};
use crate::frame::{ItemId, Level, Safe, Span, Value, Values};

/// What an update of one item may say, for messages.
const FIELDS: [&str; 4] = ["level", "text", "ttl", "values"];

/// Values of one update, counted with all that is in them. A board keeps them
/// for every item, so ten thousand items must fit into memory.
const VALUES_MAX: usize = 256;

/// Bytes of the names and texts in one update's values, for the same reason.
const VALUES_BYTES_MAX: usize = 8 * 1024;

/// Updates of one batch: what the rate lets through in a second at most.
pub(super) const BATCH_MAX: usize = 20_000;

/// An update, and whether something had to be cleaned in it.
pub(super) type Checked = Result<(Update, bool), String>;

/// The update of `id` that a body says.
///
/// # Errors
/// What is wrong with it.
pub(super) fn one(id: ItemId, body: &[u8]) -> Checked {
    from(members(json::strict(body)?)?, Some(id))
}

/// The updates of a batch: a JSON array, or one JSON object a line.
///
/// # Errors
/// Where the body as a whole can't be read.
pub(super) fn batch(body: &[u8]) -> Result<Vec<Checked>, String> {
    let of = |value: Value| from(members(value)?, None);
    let checked: Vec<Checked> = if body.trim_ascii_start().first() == Some(&b'[') {
        match json::strict(body)? {
            Value::List(items) => items.into_iter().map(of).collect(),
            _ => Vec::new(),
        }
    } else {
        let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        lines.take(BATCH_MAX + 1).map(|line| of(json::strict(line)?)).collect()
    };
    if checked.is_empty() {
        return Err("a batch is a JSON array of updates, or an update a line; this one is empty".into());
    }
    if checked.len() > BATCH_MAX {
        return Err(format!("a batch has at most {BATCH_MAX} updates"));
    }
    Ok(checked)
}

/// The members of an object.
pub(super) fn members(value: Value) -> Result<Vec<(Arc<str>, Value)>, String> {
    match value {
        Value::Map(members) => Ok(members),
        other => Err(format!("an update is a JSON object, not {}", kind(&other))),
    }
}

/// The update that the members of an object say; its id among them where none is given.
fn from(members: Vec<(Arc<str>, Value)>, id: Option<ItemId>) -> Checked {
    let named = id.is_some();
    let (mut id, mut level, mut text, mut ttl, mut values) = (id, None, None, None, Values::new());
    let mut tainted = false;
    for (name, value) in members {
        match (&*name, value) {
            ("id", Value::Text(told)) if !named => id = Some(item_id(&told)?),
            ("level", Value::Text(word)) => level = Some(word.parse::<Level>().map_err(|why| why.to_string())?),
            ("text", Value::Text(told)) => text = Some(told),
            ("ttl", Value::Null) => {}
            ("ttl", Value::Text(told)) => ttl = Some(duration(&told)?),
            ("values", Value::Map(members)) => values = checked_values(members, &mut tainted)?,
            ("id", other) if !named => return Err(format!("`id` is a text, not {}", kind(&other))),
            ("ttl", other) => return Err(format!("`ttl` is a text such as \"30s\", not {}", kind(&other))),
            ("values", other) => return Err(format!("`values` is a JSON object, not {}", kind(&other))),
            ("level" | "text", other) => return Err(format!("`{name}` is a text, not {}", kind(&other))),
            _ => {
                let id = if named { "" } else { "id, " };
                let (name, known) = (shortened(&name), FIELDS.join(", "));
                return Err(format!("there is no field `{name}` here; known are {id}{known}"));
            }
        }
    }
    let id = id.ok_or("`id` is missing: each update of a batch names its item")?;
    let level = level.ok_or("`level` is missing: one of critical, unknown, warning, info, healthy")?;
    let text = text.ok_or("`text` is missing: what the item says")?;
    let safe = Safe::of(&text);
    tainted |= safe.is_tainted();
    // An item that says nothing would be an empty picture; its name is the least it can say.
    let text = if safe.trim().is_empty() { id.as_str().into() } else { safe.shared() };
    Ok((Update { id, level, text, ttl, values: Arc::new(values), filtered: tainted }, tainted))
}

/// The id that a text is.
pub(super) fn item_id(text: &str) -> Result<ItemId, String> {
    ItemId::new(text).map_err(|why| format!("`{}` is no id: {why}", shortened(text)))
}

fn duration(text: &str) -> Result<Span, String> {
    let span = parse_duration(text).map_err(|why| format!("`ttl`: {why}"))?;
    if span.is_zero() { Err("`ttl`: a value that is believed for no time says nothing".into()) } else { Ok(span) }
}

/// Values without anything that could harm a screen, within bounds.
pub(super) fn checked_values(members: Vec<(Arc<str>, Value)>, tainted: &mut bool) -> Result<Values, String> {
    let mut bounds = Bounds { values: VALUES_MAX, bytes: VALUES_BYTES_MAX, tainted: false };
    let mut values = Values::new();
    for (name, value) in members {
        let name = bounds.text(&name)?;
        values.set(name, bounds.value(value)?);
    }
    *tainted |= bounds.tainted;
    Ok(values)
}

/// What is left of an update's bounds.
struct Bounds {
    values: usize,
    bytes: usize,
    tainted: bool,
}

impl Bounds {
    fn text(&mut self, raw: &Arc<str>) -> Result<Arc<str>, String> {
        let left = self.bytes.checked_sub(raw.len());
        self.bytes = left.ok_or_else(|| format!("`values` has at most {} KiB of text", VALUES_BYTES_MAX / 1024))?;
        let safe = Safe::of(raw);
        self.tainted |= safe.is_tainted();
        Ok(safe.shared())
    }

    fn value(&mut self, value: Value) -> Result<Value, String> {
        let left = self.values.checked_sub(1);
        self.values = left.ok_or_else(|| format!("`values` has at most {VALUES_MAX} values, those within counted"))?;
        Ok(match value {
            Value::Text(text) => Value::Text(self.text(&text)?),
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Value::Map(members) => {
                let each = |(name, value)| Ok((self.text(&name)?, self.value(value)?));
                Value::Map(members.into_iter().map(each).collect::<Result<_, String>>()?)
            }
            plain => plain,
        })
    }
}

/// What a value is, in JSON's words.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(..) => "a number",
        Value::Text(_) => "a text",
        Value::List(_) => "an array",
        Value::Map(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(body: &str) -> Checked {
        one(ItemId::new("press-7").unwrap(), body.as_bytes())
    }

    #[test]
    fn an_update_is_read_and_cleaned() {
        let body = r#"{"level":"warning","text":"Hot\u001b[31m \u202eX","ttl":"1m30s","values":{"t\u001b]0;x\u0007":[81.5,{"a":"\u0007b"}]}}"#;
        let (told, tainted) = update(body).unwrap();
        assert!(tainted);
        assert_eq!((told.level, &*told.text, told.ttl), (Level::Warning, "Hot X", Some(Span::from_secs(90))));
        let inner = Value::Map(vec![("a".into(), Value::text("\u{fffd}b"))]);
        assert_eq!(*told.values, Values::new().with("t", Value::List(vec![Value::plain(81.5), inner])));
        let (plain, tainted) = update(r#"{"text":"x","level":"info","ttl":null}"#).unwrap();
        assert!(!tainted && plain.ttl.is_none() && plain.values.is_empty());
        assert_eq!(&*update(r#"{"text":"\u200b","level":"info"}"#).unwrap().0.text, "press-7");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let many = format!(r#"{{"level":"info","text":"x","values":{{"a":[{}0]}}}}"#, "0,".repeat(300));
        let long = format!(r#"{{"level":"info","text":"x","values":{{"a":"{}"}}}}"#, "x".repeat(9_000));
        for (body, part) in [
            ("[]", "is a JSON object, not an array"),
            ("{}", "`level` is missing"),
            (r#"{"level":"info"}"#, "`text` is missing"),
            (r#"{"level":"purple","text":"x"}"#, "one of critical"),
            (r#"{"level":"INFO","text":"x"}"#, "one of critical"),
            (r#"{"level":1,"text":"x"}"#, "`level` is a text, not a number"),
            (r#"{"level":"info","text":null}"#, "`text` is a text, not null"),
            (r#"{"level":"info","text":"x","ttl":"30"}"#, "written"),
            (r#"{"level":"info","text":"x","ttl":30}"#, "`ttl` is a text such as"),
            (r#"{"level":"info","text":"x","ttl":"0s"}"#, "no time"),
            (r#"{"level":"info","text":"x","values":[1]}"#, "`values` is a JSON object"),
            (r#"{"level":"info","text":"x","txet":"x"}"#, "no field `txet`"),
            (r#"{"level":"info","text":"x","id":"other"}"#, "no field `id`"),
            (&many, "at most 256"),
            (&long, "at most 8 KiB"),
        ] {
            let why = update(body).unwrap_err();
            assert!(why.contains(part), "{body}: {why}");
        }
    }

    #[test]
    fn a_batch_is_an_array_or_lines_and_each_is_judged_alone() {
        let good = r#"{"id":"a","level":"info","text":"x"}"#;
        let bad = r#"{"id":"B","level":"info","text":"x"}"#;
        for body in [format!(" [{good},{bad},7]"), format!("{good}\r\n\n {bad}\n7")] {
            let told = batch(body.as_bytes()).unwrap();
            assert_eq!(told.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false], "{body}");
            assert!(told[1].as_ref().unwrap_err().contains("`B` is no id"));
        }
        assert!(batch(format!("{good}\n{{\n").as_bytes()).unwrap()[1].is_err(), "a broken line is one line's trouble");
        for (bad, part) in [("", "empty"), ("[]", "empty"), ("[{]", "not the JSON"), ("\n\n", "empty")] {
            assert!(batch(bad.as_bytes()).unwrap_err().contains(part), "{bad}");
        }
        let endless = "7\n".repeat(BATCH_MAX + 2);
        assert!(batch(endless.as_bytes()).unwrap_err().contains("at most 20000"));
    }
}
