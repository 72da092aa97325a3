//! `marquee init`: a commented config to start from, and its schema for the editor.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use crate::config::{SCHEMA_FILE, STARTER, schema};

/// Writes the starter config at `path` and the schema beside it. What is there is never overwritten.
///
/// # Errors
/// Where nothing can be printed.
pub(super) fn init(path: &Path) -> io::Result<ExitCode> {
    let told = |why: io::Error| match why.kind() {
        io::ErrorKind::AlreadyExists => format!("{} is there already; name another path", path.display()),
        _ => format!("can't write {}: {why}", path.display()),
    };
    if let Err(why) = write_new(path, STARTER).map_err(told) {
        writeln!(io::stderr(), "marquee: {why}")?;
        return Ok(ExitCode::from(2));
    }
    let schema_path = path.with_file_name(SCHEMA_FILE);
    // The schema helps an editor and nothing else: one that is there already does as well.
    let schema_is_new = write_new(&schema_path, &format!("{:#}\n", schema())).is_ok();
    let mut out = io::stdout().lock();
    writeln!(out, "wrote {}", path.display())?;
    if schema_is_new {
        writeln!(out, "wrote {}, which editors read through the first line of the config", schema_path.display())?;
    }
    writeln!(out, "now: marquee --config {}", path.display())?;
    Ok(ExitCode::SUCCESS)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
