//! `marquee acknowledge`: an alarm of the running board that somebody knows of.

use std::io::{self, Write as _};
use std::process::ExitCode;

use super::args::AcknowledgeArgs;
use super::client::{Client, USUAL, escaped};
use super::tell::{Told, failed, refused};

/// # Errors
/// Where nothing can be printed.
pub(super) fn acknowledge(args: &AcknowledgeArgs) -> io::Result<ExitCode> {
    let path = format!("/v1/items/{}/acknowledgement", escaped(&args.id));
    let method = if args.undo { "DELETE" } else { "PUT" };
    let asked = Client::find(&args.reach).and_then(|client| client.ask(method, &path, None, USUAL));
    match asked {
        Ok(answer) if answer.is_well() => {
            let item = &answer.body;
            let (id, level, text) = (item.told("id"), item.told("level"), item.told("text"));
            let known = if item["acknowledged"].is_null() { "not acknowledged" } else { "acknowledged" };
            writeln!(io::stdout(), "{id} is {level}, {known}: {text}")?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => refused(&answer),
        Err(failure) => failed(&failure),
    }
}
