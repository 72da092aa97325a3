//! `marquee consoles`: who leads, who follows, and how far their clocks are off.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use super::args::{ConsolesArgs, Format};
use super::client::{Client, USUAL, cleaned};
use super::tell::{Told, failed, refused};
use crate::frame::Safe;

/// # Errors
/// Where nothing can be printed.
pub(super) fn consoles(args: &ConsolesArgs) -> io::Result<ExitCode> {
    let asked = Client::find(&args.reach).and_then(|client| client.ask("GET", "/v1/consoles", None, USUAL));
    let known = match asked {
        Ok(answer) if answer.is_well() => answer.body,
        Ok(answer) => return refused(&answer),
        Err(failure) => return failed(&failure),
    };
    let mut out = io::stdout().lock();
    if args.format == Format::Json {
        writeln!(out, "{:#}", cleaned(&known))?;
    } else {
        for line in lines(&known) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(known: &Value) -> Vec<String> {
    let consoles: Vec<&Value> = known["consoles"].as_array().into_iter().flatten().collect();
    let names: Vec<Safe> = consoles.iter().map(|console| console.told("name")).collect();
    let width = names.iter().map(Safe::columns).max().unwrap_or(0);
    let line = |(console, name): (&&Value, &Safe)| {
        let pad = " ".repeat(width - name.columns());
        let role = console.told("role");
        let (offset, bound) = (console["offset_ms"].as_f64(), console["bound_ms"].as_f64());
        let clock = format!("{:+.1} ms, within {:.1} ms", offset.unwrap_or(0.0), bound.unwrap_or(0.0));
        format!("{name}{pad}  {role:<8}  since {}  clock {clock}", console.told("since"))
    };
    consoles.iter().zip(&names).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_console_has_a_line() {
        let known = serde_json::json!({"leader": "a", "consoles": [
            {"name": "a\u{1b}[2J", "role": "leader", "since": "S", "offset_ms": 0.0, "bound_ms": 0.0},
            {"name": "press-hall", "role": "follower", "since": "T", "offset_ms": -1.25, "bound_ms": 0.4},
        ]});
        assert_eq!(
            lines(&known),
            [
                "a           leader    since S  clock +0.0 ms, within 0.0 ms",
                "press-hall  follower  since T  clock -1.2 ms, within 0.4 ms"
            ]
        );
    }
}
