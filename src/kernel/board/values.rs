//! What a check measured, under the names that texts and `levels` use.
//!
//! Numbers carry their unit so that `{latency}` reads `12 ms` and `{used}`
//! reads `3.2 GiB` wherever they are told. Deliberately no parsing and no
//! arithmetic: expressions are the config's business.

use std::fmt;
use std::sync::Arc;

/// What a number counts; it decides how the number is told, not its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A plain number.
    #[default]
    Plain,
    /// Seconds, with their fraction.
    Seconds,
    /// Bytes.
    Bytes,
    /// A share of a whole, `80.0` for 80 %.
    Percent,
}

/// One value: a number with a unit, a text, or a piece of JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON's `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A number and its unit.
    Number(f64, Unit),
    /// A text, as it came; it is cleaned where it is shown.
    Text(Arc<str>),
    /// A JSON array.
    List(Vec<Value>),
    /// A JSON object, in the order it came.
    Map(Vec<(Arc<str>, Value)>),
}

impl Value {
    /// A plain number.
    #[must_use]
    pub const fn plain(number: f64) -> Self {
        Self::Number(number, Unit::Plain)
    }

    /// A length of time.
    #[must_use]
    pub fn span(span: crate::kernel::Span) -> Self {
        Self::Number(span.as_secs_f64(), Unit::Seconds)
    }

    /// A number of bytes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "exact up to 8 PiB, and told in three digits")]
    pub const fn bytes(bytes: u64) -> Self {
        Self::Number(bytes as f64, Unit::Bytes)
    }

    /// A share of a whole: 80.0 for 80 %.
    #[must_use]
    pub const fn percent(percent: f64) -> Self {
        Self::Number(percent, Unit::Percent)
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// The value below `name` in a map, or at the index `name` of a list.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(key, _)| &**key == name).map(|(_, value)| value),
            Self::List(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// As an operator reads it: three significant digits and the unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Number(number, unit) => write_number(f, *number, *unit),
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                for (place, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if place == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Map(members) => {
                for (place, (name, value)) in members.iter().enumerate() {
                    write!(f, "{}{name}: {value}", if place == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
        }
    }
}

fn write_number(f: &mut fmt::Formatter<'_>, number: f64, unit: Unit) -> fmt::Result {
    match unit {
        Unit::Plain => write!(f, "{}", Rounded(number)),
        Unit::Percent => write!(f, "{} %", Rounded((number * 10.0).round() / 10.0)),
        Unit::Seconds => write_seconds(f, number),
        Unit::Bytes => {
            const STEPS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
            let mut rest = number;
            let mut step = 0;
            while rest.abs() >= 1024.0 && step + 1 < STEPS.len() {
                rest /= 1024.0;
                step += 1;
            }
            let digits = usize::from(step > 0 && rest.abs() < 100.0);
            write!(f, "{rest:.digits$} {}", STEPS[step])
        }
    }
}

fn write_seconds(f: &mut fmt::Formatter<'_>, seconds: f64) -> fmt::Result {
    let size = seconds.abs();
    if size < 0.001 && size > 0.0 {
        write!(f, "{:.2} ms", seconds * 1e3)
    } else if size < 0.01 {
        write!(f, "{:.1} ms", seconds * 1e3)
    } else if size < 1.0 {
        write!(f, "{:.0} ms", seconds * 1e3)
    } else if size < 60.0 {
        write!(f, "{seconds:.1} s")
    } else {
        write!(
            f,
            "{}",
            crate::kernel::Span::from(std::time::Duration::try_from_secs_f64(size).unwrap_or(std::time::Duration::MAX))
        )
    }
}

/// A plain number without a tail of zeros: `3`, `0.25`, `1234567`.
struct Rounded(f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        if !number.is_finite() || number.abs() >= 1e15 {
            return write!(f, "{number:e}");
        }
        // Three decimals are what an operator can compare at a glance.
        let three = format!("{number:.3}");
        let told = three.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if told == "-0" { "0" } else { told })
    }
}

/// The values of one run, in the order the check gave them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Vec<(Arc<str>, Value)>);

impl Values {
    /// No values.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Sets the value of `name`; a later one replaces an earlier one.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// The same, for building values in one expression.
    #[must_use]
    pub fn with(mut self, name: impl Into<Arc<str>>, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// The value at a path of names joined by dots: `latency`, `body.queue.depth`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        // A label of a monitoring plugin may itself contain dots.
        if let Some((_, value)) = self.0.iter().find(|(name, _)| &**name == path) {
            return Some(value);
        }
        let mut names = path.split('.');
        let first = names.next()?;
        let (_, start) = self.0.iter().find(|(name, _)| &**name == first)?;
        names.try_fold(start, |value, name| value.member(name))
    }

    /// The names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_with_their_units() {
        for (value, told) in [
            (Value::plain(3.0), "3"),
            (Value::plain(0.25), "0.25"),
            (Value::plain(-0.0001), "0"),
            (Value::Number(0.000_25, Unit::Seconds), "0.25 ms"),
            (Value::Number(0.0042, Unit::Seconds), "4.2 ms"),
            (Value::Number(0.0124, Unit::Seconds), "12 ms"),
            (Value::Number(2.54, Unit::Seconds), "2.5 s"),
            (Value::Number(134.0, Unit::Seconds), "2m 14s"),
            (Value::Number(512.0, Unit::Bytes), "512 B"),
            (Value::Number(3.2 * 1024.0 * 1024.0 * 1024.0, Unit::Bytes), "3.2 GiB"),
            (Value::percent(81.26), "81.3 %"),
            (Value::Bool(true), "true"),
            (Value::List(vec![Value::plain(1.0), Value::text("a")]), "1, a"),
        ] {
            assert_eq!(value.to_string(), told);
        }
    }

    #[test]
    fn paths_reach_into_maps_and_lists_but_a_whole_name_wins() {
        let body = Value::Map(vec![("queue".into(), Value::List(vec![Value::plain(7.0)]))]);
        let values = Values::new().with("body", body).with("a.b", Value::plain(1.0));
        assert_eq!(values.get("body.queue.0"), Some(&Value::plain(7.0)));
        assert_eq!(values.get("a.b"), Some(&Value::plain(1.0)));
        assert_eq!(values.get("body.none"), None);
    }
}
