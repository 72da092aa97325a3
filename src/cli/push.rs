//! `marquee push`: news of an item for the running board.

use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::json;

use super::args::PushArgs;
use super::client::{Client, USUAL, escaped};
use super::tell::{Told, failed, refused};

/// # Errors
/// Where nothing can be printed.
pub(super) fn push(args: &PushArgs) -> io::Result<ExitCode> {
    let path = format!("/v1/items/{}", escaped(&args.id));
    let mut body = json!({"level": args.level.word(), "text": args.text});
    if let Some(ttl) = &args.ttl {
        body["ttl"] = json!(ttl);
    }
    let asked = Client::find(&args.reach).and_then(|client| client.ask("PUT", &path, Some(&body), USUAL));
    match asked {
        Ok(answer) if answer.is_well() => {
            let item = &answer.body;
            let (id, level, text) = (item.told("id"), item.told("level"), item.told("text"));
            writeln!(io::stdout(), "{id} is {level}: {text}")?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => refused(&answer),
        Err(failure) => failed(&failure),
    }
}
