//! Texts with `{value}` placeholders: `API {body.version} {latency}`.
//!
//! Deliberately no formats, conditions or defaults: a value tells itself with
//! its unit, and what a value means is the business of `levels:`.

use std::fmt::Write;

use crate::kernel::board::Values;

/// What stands in the place of a value that is not there.
const MISSING: &str = "…";

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    Value {
        path: String,
        /// Where the path stands in the text as it was written.
        at: usize,
    },
}

/// Why a text is no template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Byte offset into the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for TemplateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (at byte {})", self.message, self.at)
    }
}

impl std::error::Error for TemplateError {}

impl Template {
    /// Reads `text`; `{{` and `}}` stand for the braces themselves.
    ///
    /// A path is names joined by dots: letters, digits, `_`, `-` and `/`, the
    /// last two because the values of monitoring plugins are called so. A
    /// name that is a number is the place in a list: `{body.list.0}`.
    ///
    /// # Errors
    /// Where a brace is not closed or a placeholder names no value.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let doubled = characters.peek().is_some_and(|(_, next)| *next == character);
            match character {
                '{' | '}' if doubled => {
                    characters.next();
                    plain.push(character);
                }
                '{' => {
                    let path = path(text, at)?;
                    let end = at + 1 + path.len();
                    while characters.next_if(|(next, _)| *next <= end).is_some() {}
                    if !plain.is_empty() {
                        pieces.push(Piece::Plain(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Value { path: path.into(), at: at + 1 });
                }
                '}' => return Err(error(at, "this `}` closes nothing; a brace itself is written `}}`")),
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain));
        }
        Ok(Self { pieces })
    }

    /// What it says before its first placeholder, without the signs that lead on to it: what the
    /// text is about even where there are no values. Empty where it begins with one.
    #[must_use]
    pub fn subject(&self) -> &str {
        let Some(Piece::Plain(text)) = self.pieces.first() else { return "" };
        text.trim_matches(|sign: char| sign.is_whitespace() || ",:;=-–—·|(".contains(sign))
    }

    /// The paths of its placeholders, with their byte offsets.
    #[must_use]
    pub fn names(&self) -> Vec<(String, usize)> {
        let name = |piece: &Piece| match piece {
            Piece::Plain(_) => None,
            Piece::Value { path, at } => Some((path.clone(), *at)),
        };
        self.pieces.iter().filter_map(name).collect()
    }

    /// The text with every placeholder filled; `…` where there is no such value.
    #[must_use]
    pub fn fill(&self, values: &Values) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(text) => filled.push_str(text),
                Piece::Value { path, .. } => match values.get(path) {
                    // Writing into a string cannot fail.
                    Some(value) => drop(write!(filled, "{value}")),
                    None => filled.push_str(MISSING),
                },
            }
        }
        filled
    }
}

fn error(at: usize, message: impl Into<String>) -> TemplateError {
    TemplateError { at, message: message.into() }
}

/// The path in the placeholder that opens at `open`.
fn path(text: &str, open: usize) -> Result<&str, TemplateError> {
    let rest = &text[open + 1..];
    let Some(length) = rest.find(['}', '{', '\n']).filter(|end| rest[*end..].starts_with('}')) else {
        return Err(error(open, "this `{` is not closed; a brace itself is written `{{`"));
    };
    let path = &rest[..length];
    if path.is_empty() {
        return Err(error(open, "an empty placeholder: a value's name belongs between the braces"));
    }
    let fits = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '/' | '.');
    if let Some((place, bad)) = path.char_indices().find(|(_, character)| !fits(*character)) {
        return Err(error(open + 1 + place, format!("{bad:?} can't be part of a value's name")));
    }
    if path.split('.').any(str::is_empty) {
        return Err(error(open + 1, format!("`{path}` has a dot without a name beside it")));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::board::{Unit, Value};

    fn filled(text: &str) -> String {
        let list = Value::List(vec![Value::plain(7.0)]);
        let body = Value::Map(vec![("version".into(), Value::text("v2.4")), ("list".into(), list)]);
        let values = Values::new()
            .with("latency", Value::Number(0.012, Unit::Seconds))
            .with("body", body)
            .with("used.max", Value::plain(3.0))
            .with("/var", Value::percent(81.0));
        Template::parse(text).map_or_else(|e| e.to_string(), |template| template.fill(&values))
    }

    #[test]
    fn placeholders_are_filled() {
        for (text, expected) in [
            ("", ""),
            ("PostgreSQL OK", "PostgreSQL OK"),
            ("{latency}", "12 ms"),
            ("API {body.version} {latency}", "API v2.4 12 ms"),
            ("first: {body.list.0}", "first: 7"),
            ("{used.max}", "3"),
            ("{/var}", "81 %"),
            ("{none} {body.none} {body.list.9}", "… … …"),
            ("{{latency}}", "{latency}"),
            ("{{{latency}}}", "{12 ms}"),
            ("负载 {latency} ok", "负载 12 ms ok"),
            ("a }} b {{ c", "a } b { c"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_byte() {
        for (text, at, part) in [
            ("a {latency", 2, "not closed"),
            ("é {", 3, "not closed"),
            ("{a{b}}", 0, "not closed"),
            ("{lat\nency}", 0, "not closed"),
            ("a {} b", 2, "empty"),
            ("a } b", 2, "closes nothing"),
            ("{latency:.2}", 8, "':'"),
            ("{ latency }", 1, "' '"),
            ("{a..b}", 1, "dot"),
            ("{.a}", 1, "dot"),
            ("{a\u{202e}b}", 2, "202e"),
        ] {
            let Err(e) = Template::parse(text) else { panic!("{text} is accepted") };
            assert_eq!(e.at, at, "{text}: {}", e.message);
            assert!(e.message.contains(part), "{text}: {}", e.message);
        }
    }

    #[test]
    fn names_are_paths_with_their_bytes() {
        let names = |text: &str| Template::parse(text).unwrap().names();
        assert_eq!(names("é {body.version} {{x}} {latency}"), [("body.version".into(), 4), ("latency".into(), 25)]);
        assert_eq!(names("plain"), []);
    }

    proptest! {
        #[test]
        fn what_escaping_gives_is_read_back(text in "\\PC{0,40}") {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(filled(&escaped), text);
        }

        #[test]
        fn every_error_points_into_the_text(text in "[a{}. é]{0,20}") {
            if let Err(e) = Template::parse(&text) {
                prop_assert!(text.is_char_boundary(e.at) && e.at < text.len());
            }
        }
    }
}
