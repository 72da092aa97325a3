//! A YAML scanner's complaints in an operator's words, pointed at the line that is to blame.

use std::sync::Arc;

use saphyr_parser::ScanError;

use super::error::{Problem, quote};
use super::source::{Place, Source};

/// What the scanner says, what is wrong, what to do; the first whose words occur counts.
const WORDS: &[(&str, &str, &str)] = &[
    ("unexpected end of stream", "a quote that is never closed", "close the text with the same quote"),
    ("unexpected document indicator", "a quote that is never closed", "close the text with the same quote"),
    (
        "invalid indentation in quoted scalar",
        "a quote that is never closed, or a quoted text whose next line is not indented",
        "close the text with the same quote",
    ),
    (
        "unknown escape character",
        "a backslash in double quotes that means nothing",
        "write `\\\\` for a backslash (`\\\\${` for a literal `${`), or use single quotes",
    ),
    ("hexadecimal number", "a `\\x`, `\\u` or `\\U` without its hexadecimal digits", "write for example `\\u00e9`"),
    ("Unicode character escape code", "an escape that is no character", "write for example `\\u00e9`"),
    ("trailing content after double-quoted", "text behind a closing quote", "put all of it inside the quotes"),
    ("unknown anchor", "an alias (`*name`) without its anchor (`&name`)", "define `&name` above, or quote the text"),
    ("anchor or alias", "a `*` or `&` without a name", "quote the text: `\"*\"`"),
    ("expected ',' or ']'", "a list `[…]` that is not closed, or lacks a comma", "write `[a, b]`"),
    ("expected ',' or '}'", "a map `{…}` that is not closed, or lacks a comma", "write `{a: 1, b: 2}`"),
    ("indentation in flow", "a `[…]` or `{…}` that is not closed", "close it, or indent its next line"),
    ("misplaced bracket", "a closing bracket that nothing opens", "remove it, or quote the text"),
    (
        "mapping values are not allowed",
        "a `:` where no key can be",
        "quote a text that contains `: `, or mend the indentation",
    ),
    (
        "illegal placement of ':'",
        "a `:` where no key can be; a `[…]` or `{…}` above may not be closed",
        "close what is open, or quote the text",
    ),
    ("mapping keys are not allowed", "a key where no key can be", "mend the indentation"),
    ("entries are not allowed", "a `- ` where no list can be", "begin the list on a line of its own, below its key"),
    ("simple key expect", "a line without `:`", "write `key: value`; a text over several lines needs `|` or quotes"),
    ("expected '-' indicator", "a line that does not fit its list", "begin it with `- `, or mend the indentation"),
    (
        "block mapping, did not find expected key",
        "a line that does not fit its map",
        "mend the indentation: one level is two spaces",
    ),
    (
        "invalid indentation",
        "a line that is indented like nothing above it",
        "mend the indentation: one level is two spaces",
    ),
    (
        "block scalar",
        "a text block (`|` or `>`) that does not begin well",
        "write `|`, then the text indented on the next lines",
    ),
    ("directive", "a `%` at the start of a line", "quote the text"),
    ("only valid inside a block", "a `-` inside `[…]` or `{…}`", "quote a text that begins with `-`"),
    ("comment intercepting", "a comment in the middle of a text", "move the comment, or quote the text"),
    ("unexpected character", "a character that begins no value", "quote the text"),
    ("plain scalar cannot start", "a `-` that begins neither a list nor a text", "quote the text"),
    ("node content", "a value that is missing or not closed", "write a value, or close what is open"),
    ("tag", "a tag (`!…`)", "quote the text, or write it without `!`"),
];

/// The scanner's mistake as a problem.
pub(super) fn in_plain_words(source: &Arc<Source>, why: &ScanError, depth: usize) -> Problem {
    let at = source.byte_of(why.marker().index());
    let (line, _) = source.position(at);
    // A scanner trips over a tab one line late or early; the tab itself is what is to be mended.
    for near in [line, line + 1, line.saturating_sub(1)] {
        let span = source.line(near);
        let text = &source.text[span.clone()];
        let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
        if near > 0
            && let Some(tab) = text[..indent].find('\t')
        {
            let place = Place::new(source, span.start + tab..span.start + tab + 1);
            return Problem::at(&place, "a tab in the indentation").help("indent with spaces");
        }
    }
    let info = why.info();
    let at = if info.contains("unknown escape") { at + wrong_escape(&source.text[at..]) } else { at };
    let place = Place::new(source, at..source.text[at..].chars().next().map_or(at, |next| at + next.len_utf8()));
    if info.contains("recursion limit") {
        return Problem::at(&place, format!("nested deeper than {depth} levels")).help("the config needs five levels");
    }
    let before = source.text[source.line(line).start..at].trim_end();
    if info.contains("did not find expected key") && before.ends_with(['}', ']']) {
        return Problem::at(&place, "text behind a closing bracket").help("quote a text that begins with `{` or `[`");
    }
    match WORDS.iter().find(|(theirs, _, _)| info.contains(theirs)) {
        Some((_, ours, help)) => Problem::at(&place, ours).help(help),
        None => {
            Problem::at(&place, format!("this is no YAML: {}", quote(info))).help("mend the line or quote the text")
        }
    }
}

/// The offset of the first backslash in a double-quoted text that begins no escape of YAML.
fn wrong_escape(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) = text[at..].find('\\').map(|next| at + next) {
        let Some(escaped) = text[next + 1..].chars().next() else { return next };
        if !"0abt\tnvfre \"/\\N_LPxuU\r\n".contains(escaped) {
            return next;
        }
        at = next + 1 + escaped.len_utf8();
    }
    0
}
