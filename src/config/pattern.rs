//! The patterns of `extract`: regular expressions, with the place of what is wrong in one.
//!
//! They search in time that grows with the text alone, so that no text from
//! outside can hold a run up.

use regex::{Regex, RegexBuilder};

use super::defaults::PATTERN_BYTES_MAX;

/// Why a text is no pattern, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadPattern {
    /// Bytes of the text.
    pub(super) at: std::ops::Range<usize>,
    pub(super) message: String,
}

/// Compiles `text`.
pub(super) fn compile(text: &str) -> Result<Regex, BadPattern> {
    if let Err(why) = regex_syntax::Parser::new().parse(text) {
        let (span, message) = match &why {
            regex_syntax::Error::Parse(why) => (Some(why.span()), why.kind().to_string()),
            regex_syntax::Error::Translate(why) => (Some(why.span()), why.kind().to_string()),
            other => (None, other.to_string()),
        };
        let at = span.map_or(0..text.len(), |span| span.start.offset..span.end.offset);
        let first = message.lines().next().unwrap_or_default();
        return Err(BadPattern { at, message: format!("the pattern does not parse: {first}") });
    }
    let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
    built.map_err(|_| BadPattern { at: 0..text.len(), message: "the pattern is too large".into() })
}

/// The names of its groups, in their order.
pub(super) fn groups(pattern: &Regex) -> Vec<String> {
    pattern.capture_names().flatten().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_its_bytes() {
        for (text, at, part) in [
            ("é(?<a>x", 2..3, "unclosed group"),
            ("[z-a]", 1..4, "invalid character class range"),
            ("a**{", 3..4, ""),
            (r"(?<a>x)(?<a>y)", 10..11, "duplicate capture group name"),
            (r"(a)\1", 3..5, "backreferences"),
            (r"(?=a)", 0..3, "look-around"),
            (r"\w{5000}{500}", 0..13, "too large"),
        ] {
            let Err(why) = compile(text) else { panic!("{text} is accepted") };
            assert!(why.message.contains(part), "{text}: {}", why.message);
            assert_eq!(why.at, at, "{text}: {}", why.message);
        }
        assert_eq!(groups(&compile(r"(?<bar>[0-9.]+) bar, (x), (?P<t>\d+)").unwrap()), ["bar", "t"]);
    }
}
