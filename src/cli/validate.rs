//! `marquee validate`: every error of a config at once.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use super::args::{Format, ValidateArgs};
use crate::config::{Config, Problems, WIDTH};

/// Checks the config that `read` gives for `args`, and tells what is wrong with it.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn validate(
    args: &ValidateArgs,
    path: Option<&Path>,
    config: &Result<Config, Problems>,
) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    match (args.format, config) {
        (Format::Json, Ok(_)) => writeln!(out, "[]")?,
        (Format::Json, Err(problems)) => writeln!(out, "{:#}", problems.to_json())?,
        (Format::Text, Ok(config)) => {
            let name = path.map_or_else(|| "the built-in board".to_owned(), |path| path.display().to_string());
            let items = config.items.len();
            writeln!(out, "{name}: good, {items} {}", if items == 1 { "item" } else { "items" })?;
        }
        (Format::Text, Err(problems)) => {
            let styled = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
            let width = crossterm::terminal::size().map_or(WIDTH, |(columns, _)| usize::from(columns));
            eprintln!("{}", problems.render(styled, width));
        }
    }
    Ok(ExitCode::from(u8::from(config.is_err())))
}
