//! One value of a row, as PostgreSQL sends it, and what it is on a board.

use std::error::Error;
use std::fmt::Write as _;

use tokio_postgres::types::{FromSql, Kind, Type};

use crate::config::json;
use crate::frame::{Unit, Value};

/// The value of one column.
pub(super) struct Cell(pub(super) Value);

/// A value that a board can't tell; its name is PostgreSQL's.
#[derive(Debug, thiserror::Error)]
#[error("the query's value is of type {0}; make it a number or a text, as in (…)::text")]
struct Untold(String);

/// A value that is no number although its type is one.
#[derive(Debug, thiserror::Error)]
#[error("the query's value is NaN, which is no number")]
struct NoNumber;

type Read<T> = Result<T, Box<dyn Error + Sync + Send>>;

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, bytes: &'a [u8]) -> Read<Self> {
        Ok(Self(read(kind, bytes)?))
    }

    fn from_sql_null(_kind: &Type) -> Read<Self> {
        Ok(Self(Value::Null))
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }
}

#[expect(clippy::cast_precision_loss, reason = "all values are fractions; exact up to 2^53")]
fn read(kind: &Type, bytes: &[u8]) -> Read<Value> {
    Ok(match *kind {
        Type::BOOL => Value::Bool(bool::from_sql(kind, bytes)?),
        Type::INT2 => Value::plain(i16::from_sql(kind, bytes)?.into()),
        Type::INT4 => Value::plain(i32::from_sql(kind, bytes)?.into()),
        Type::INT8 => Value::plain(i64::from_sql(kind, bytes)? as f64),
        Type::OID => Value::plain(u32::from_sql(kind, bytes)?.into()),
        Type::FLOAT4 => number(f32::from_sql(kind, bytes)?.into())?,
        Type::FLOAT8 => number(f64::from_sql(kind, bytes)?)?,
        Type::NUMERIC => number(numeric(bytes).ok_or("a broken numeric")?)?,
        Type::INTERVAL => Value::Number(interval(bytes).ok_or("a broken interval")?, Unit::Seconds),
        Type::JSON => json::lenient(bytes).unwrap_or_else(|| text(bytes)),
        // Behind one byte of version.
        Type::JSONB => bytes.get(1..).and_then(json::lenient).unwrap_or(Value::Null),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => text(bytes),
        _ => match kind.kind() {
            Kind::Enum(_) => text(bytes),
            Kind::Domain(of) => read(of, bytes)?,
            _ => return Err(Untold(kind.name().to_owned()).into()),
        },
    })
}

fn text(bytes: &[u8]) -> Value {
    Value::text(String::from_utf8_lossy(bytes))
}

fn number(number: f64) -> Result<Value, NoNumber> {
    if number.is_nan() { Err(NoNumber) } else { Ok(Value::plain(number)) }
}

/// A `numeric`: a head of four words (digits, weight of the first, sign, scale), then digits to the base of 10,000.
fn numeric(bytes: &[u8]) -> Option<f64> {
    let (words, _) = bytes.as_chunks::<2>();
    let mut words = words.iter().map(|word| u16::from_be_bytes(*word));
    let (count, weight, sign, _scale) = (words.next()?, words.next()?.cast_signed(), words.next()?, words.next()?);
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        0xd000 => return Some(f64::INFINITY),
        0xf000 => return Some(f64::NEG_INFINITY),
        _ => return Some(f64::NAN),
    };
    // Told in decimal and read as such, so that 0.1 is 0.1.
    let mut told = String::from(if negative { "-0" } else { "0" });
    for _ in 0..count {
        write!(told, "{:04}", words.next()?).ok()?;
    }
    let exponent = 4 * (i32::from(weight) + 1 - i32::from(count));
    format!("{told}e{exponent}").parse().ok()
}

/// An `interval` in seconds: microseconds, days and months, of which a month has 30 days as PostgreSQL counts.
#[expect(clippy::cast_precision_loss, reason = "exact for 285 years")]
fn interval(bytes: &[u8]) -> Option<f64> {
    let microseconds = i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let days = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    let months = i32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?);
    Some(microseconds as f64 / 1e6 + 86_400.0 * (f64::from(days) + 30.0 * f64::from(months)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for kind in [Type::NUMERIC, Type::INTERVAL, Type::JSONB, Type::INT4, Type::TEXT, Type::UUID] {
                let _read = read(&kind, &bytes);
            }
        }
    }

    #[test]
    fn numbers_of_any_size_are_read() {
        let numeric_of = |words: &[u16]| numeric(&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>());
        assert_eq!(numeric_of(&[1, 0, 0, 0, 42]), Some(42.0));
        assert_eq!(numeric_of(&[2, 0, 0x4000, 2, 3, 2500]), Some(-3.25));
        assert_eq!(numeric_of(&[1, 1, 0, 0, 5]), Some(50_000.0));
        assert_eq!(numeric_of(&[1, 0xffff, 0, 1, 1000]), Some(0.1));
        assert_eq!(numeric_of(&[0, 0, 0, 0]), Some(0.0));
        assert!(numeric_of(&[0, 0, 0xc000, 0]).is_some_and(f64::is_nan));
        assert_eq!(numeric_of(&[9, 0, 0, 0]), None);
    }
}
