//! `marquee cancel`: ends a run and waits until it has ended.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::args::CancelArgs;
use super::client::{Client, USUAL, escaped};
use super::tell::{failed, refused, run_line};

/// # Errors
/// Where nothing can be printed.
pub(super) fn cancel(args: &CancelArgs) -> io::Result<ExitCode> {
    let path = format!("/v1/runs/{}", escaped(&args.run));
    // The board itself gives up after the usual time; its word is worth waiting for.
    let patience = USUAL * 2;
    let asked = Client::find(&args.reach).and_then(|client| client.ask("DELETE", &path, None, patience));
    match asked {
        Ok(answer) if answer.is_well() => {
            writeln!(io::stdout(), "{}", run_line(&answer.body))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => refused(&answer),
        Err(failure) => failed(&failure),
    }
}
