//! `marquee run-now`: runs an item's plan out of turn and waits for its end.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::args::RunNowArgs;
use super::client::{Client, LONG, escaped};
use super::tell::{BAD, failed, refused, run_line};

/// # Errors
/// Where nothing can be printed.
pub(super) fn run_now(args: &RunNowArgs) -> io::Result<ExitCode> {
    let path = format!("/v1/items/{}/run?wait", escaped(&args.id));
    let asked = Client::find(&args.reach).and_then(|client| client.ask("POST", &path, None, LONG));
    match asked {
        Ok(answer) if answer.is_well() => {
            writeln!(io::stdout(), "{}", run_line(&answer.body))?;
            Ok(if answer.body["state"] == "done" { ExitCode::SUCCESS } else { ExitCode::from(BAD) })
        }
        Ok(answer) => refused(&answer),
        Err(failure) => failed(&failure),
    }
}
