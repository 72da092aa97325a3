//! What the kinds of steps do: one asks, the others work over what came before.

use std::borrow::Cow;

use regex::Regex;

use super::super::judge::default_levels;
use super::super::{BadTarget, Check, CheckTarget, Fault, Measured, aim};
use crate::config::json;
use crate::config::{Expression, Levels, StepWork};
use crate::frame::{Value, Values};

/// A step's work, aimed; one variant for each kind in `config::steps`.
pub(super) enum Work {
    /// Asks, and judges the answer where the plan leaves that to the scheme.
    Ask { check: Box<dyn Check>, levels: Levels },
    /// Reads a text as JSON.
    Json { from: String, name: String },
    /// Finds values in a text.
    Extract { from: String, pattern: Regex, name: Option<String> },
    /// Fails unless it holds.
    Expect { that: Expression },
}

impl Work {
    pub(super) fn build(config: &StepWork, by_scheme: bool) -> Result<Self, BadTarget> {
        Ok(match config.clone() {
            StepWork::Check { scheme, target, .. } => Self::Ask {
                check: aim(&CheckTarget { scheme, target: target.reveal() })?,
                levels: if by_scheme { default_levels(scheme) } else { Levels::default() },
            },
            StepWork::Json { from, name, .. } => Self::Json { from, name },
            StepWork::Extract { from, pattern, name } => Self::Extract { from, pattern, name },
            StepWork::Expect { that } => Self::Expect { that },
        })
    }

    /// Does it over `scope`, the values that came before.
    pub(super) async fn perform(&self, scope: &Values) -> Result<Measured, Fault> {
        let values = match self {
            Self::Ask { check, levels } => {
                let measured = check.measure().await?;
                // What its own levels can't tell is left to the plan's.
                let own = levels.judge(&measured.values).ok().flatten();
                return Ok(Measured { level: own.or(measured.level), ..measured });
            }
            Self::Json { from, name } => parsed(scope, from).map(|tree| Values::new().with(name.as_str(), tree)),
            Self::Extract { from, pattern, name } => extracted(scope, from, pattern, name.as_deref()),
            Self::Expect { that } => held(scope, that),
        };
        Ok(Measured { values: values?, ..Measured::default() })
    }
}

/// The value at `path`.
fn taken<'s>(scope: &'s Values, path: &str) -> Result<&'s Value, Fault> {
    scope.get(path).ok_or_else(|| Fault(format!("there is no value {path}")))
}

/// The JSON that stands in a text; what an earlier step has read as a tree already is that tree.
fn parsed(scope: &Values, from: &str) -> Result<Value, Fault> {
    match taken(scope, from)? {
        Value::Text(text) => json::lenient(text.as_bytes()).ok_or_else(|| Fault(format!("{from} is no JSON"))),
        tree => Ok(tree.clone()),
    }
}

/// What the pattern finds first: its groups with names, or the first group, or all that matches.
fn extracted(scope: &Values, from: &str, pattern: &Regex, name: Option<&str>) -> Result<Values, Fault> {
    let text: Cow<'_, str> = match taken(scope, from)? {
        Value::Text(text) => Cow::Borrowed(text),
        Value::Number(number, _) => Cow::Owned(number.to_string()),
        _ => return Err(Fault(format!("{from} is no text"))),
    };
    let found = pattern.captures(&text).ok_or_else(|| Fault(format!("nothing in {from} matches the pattern")))?;
    let value = |found: Option<regex::Match<'_>>| found.map_or(Value::Null, |found| number_or_text(found.as_str()));
    if let Some(name) = name {
        return Ok(Values::new().with(name, value(found.get(usize::from(pattern.captures_len() > 1)))));
    }
    let groups = pattern.capture_names().flatten();
    Ok(groups.fold(Values::new(), |values, group| values.with(group, value(found.name(group)))))
}

/// A number where it is written as one. A whole number that begins with a zero is the mark of
/// something, such as a lot, and would lose its zeros.
fn number_or_text(text: &str) -> Value {
    let digits = text.trim_start_matches(['-', '+']);
    let mark = digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    let written = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && written && !mark => Value::plain(number),
        _ => Value::text(text),
    }
}

fn held(scope: &Values, that: &Expression) -> Result<Values, Fault> {
    match that.holds(scope) {
        Ok(true) => Ok(Values::new()),
        // The expression itself may hold a secret; the name of the step says what was expected.
        Ok(false) => Err(Fault("not as expected".into())),
        Err(why) => Err(Fault(format!("can't tell: {why}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Values {
        Values::new()
            .with("text", Value::text("Line 3: 181.5 bar, lot 0042, -7 °C"))
            .with("tree", Value::List(vec![Value::plain(1.0)]))
            .with("json", Value::text(r#"{"queue": {"depth": 7}}"#))
            .with("number", Value::plain(12.5))
    }

    fn extract(from: &str, pattern: &str, name: Option<&str>) -> Result<Values, String> {
        extracted(&scope(), from, &Regex::new(pattern).unwrap(), name).map_err(|fault| fault.0)
    }

    #[test]
    fn patterns_give_numbers_where_there_are_numbers() {
        let pattern = r"(?<bar>[\d.]+) bar, lot (?<lot>\d+), (?<degrees>-?\d+)( (?<unit>K))?";
        let values = extract("text", pattern, None).unwrap();
        assert_eq!(values.get("bar"), Some(&Value::plain(181.5)));
        assert_eq!(values.get("lot"), Some(&Value::text("0042")));
        assert_eq!(values.get("degrees"), Some(&Value::plain(-7.0)));
        assert_eq!(values.get("unit"), Some(&Value::Null));
        assert_eq!(extract("text", r"Line (\d)", Some("line")).unwrap().get("line"), Some(&Value::plain(3.0)));
        assert_eq!(extract("text", r"^\w+", Some("first")).unwrap().get("first"), Some(&Value::text("Line")));
        assert_eq!(extract("number", r"\.(\d)", Some("x")).unwrap().get("x"), Some(&Value::plain(5.0)));
        for (text, number) in
            [("inf", false), ("nan", false), ("1e999", false), (".5", true), ("0", true), ("0.5", true)]
        {
            assert_eq!(matches!(number_or_text(text), Value::Number(..)), number, "{text}");
        }
    }

    #[test]
    fn what_is_not_there_is_told() {
        for (from, pattern, told) in [
            ("text", "psi", "nothing in text matches the pattern"),
            ("tree", ".", "tree is no text"),
            ("gone.x", ".", "there is no value gone.x"),
        ] {
            assert_eq!(extract(from, pattern, Some("x")), Err(told.to_owned()));
        }
        assert_eq!(parsed(&scope(), "text"), Err(Fault("text is no JSON".into())));
    }

    #[test]
    fn json_is_read_and_a_tree_stays_one() {
        let tree = parsed(&scope(), "json").unwrap();
        assert_eq!(Values::new().with("v", tree).get("v.queue.depth"), Some(&Value::plain(7.0)));
        assert_eq!(parsed(&scope(), "tree").unwrap(), Value::List(vec![Value::plain(1.0)]));
    }

    #[test]
    fn what_is_expected_holds_or_fails() {
        let held = |text: &str| held(&scope(), &Expression::compile(text).unwrap()).map_err(|fault| fault.0);
        assert_eq!(held("number > 12"), Ok(Values::new()));
        assert_eq!(held("number > 13"), Err("not as expected".into()));
        assert_eq!(held("gone > 13"), Err("can't tell: there is no value `gone`".into()));
    }
}
