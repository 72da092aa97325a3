//! The commands that only print what the program knows of itself: schema, completions, man page.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use crate::config::schema;

/// `marquee schema`.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn print_schema() -> io::Result<ExitCode> {
    writeln!(io::stdout(), "{:#}", schema())?;
    Ok(ExitCode::SUCCESS)
}

/// `marquee completions`.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn completions(shell: Shell) -> io::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "marquee", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// `marquee man`.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn man() -> io::Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    io::stdout().write_all(&page)?;
    Ok(ExitCode::SUCCESS)
}
