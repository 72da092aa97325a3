//! `marquee list`: every item of the running board, a line each.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::args::{Format, ListArgs};
use super::client::{Client, USUAL, cleaned};
use super::tell::{Told, age, failed, refused};
use crate::frame::{Safe, columns};

/// # Errors
/// Where nothing can be printed.
pub(super) fn list(args: &ListArgs) -> io::Result<ExitCode> {
    let asked = Client::find(&args.reach).and_then(|client| client.ask("GET", "/v1/board", None, USUAL));
    let answer = match asked {
        Ok(answer) if answer.is_well() => answer,
        Ok(answer) => return refused(&answer),
        Err(failure) => return failed(&failure),
    };
    let mut out = io::stdout().lock();
    if args.format == Format::Json {
        writeln!(out, "{:#}", cleaned(&answer.body))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(&answer.body) {
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Level, id, age and text, in columns. The text comes last: it alone may be of any length.
fn lines(board: &Value) -> Vec<String> {
    let items: Vec<[Safe; 4]> = board["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| {
            let known = if item["acknowledged"].is_null() { "" } else { "  (acknowledged)" };
            let text = Safe::line(&format!("{}{known}", item.told("text")));
            [item.told("level"), item.told("id"), Safe::line(&age(item)), text]
        })
        .collect();
    let width = |column: usize| items.iter().map(|item| columns(&item[column])).max().unwrap_or(0);
    let (level, id, age) = (width(0), width(1), width(2));
    let pad = |text: &Safe, width: usize| " ".repeat(width.saturating_sub(text.columns()));
    items
        .iter()
        .map(|[l, i, a, text]| format!("{l}{}  {i}{}  {}{a}  {text}", pad(l, level), pad(i, id), pad(a, age)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_in_columns_and_harm_no_terminal() {
        let board = serde_json::json!({"items": [
            {"id": "db", "level": "healthy", "text": "OK", "age_ms": null},
            {"id": "press-7", "level": "warning", "text": "Hot \u{1b}[2J\u{202e}!", "age_ms": 134_000, "acknowledged": "A"},
        ]});
        assert_eq!(lines(&board), ["healthy  db               OK", "warning  press-7  2m 14s  Hot !  (acknowledged)"]);
        assert!(lines(&Value::Null).is_empty());
    }
}
