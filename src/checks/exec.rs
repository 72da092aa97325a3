//! `exec:`: a monitoring plugin. Its exit says the level, its first line the
//! text, its performance data the values.
//!
//! Deliberately no shell, no interpolation and no judgement: the plugin's own
//! verdict stands. How the child is kept in bounds is `child.rs`'s business.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::child::{self, Finished, OUTPUT_BYTES_MAX};
use super::{BadTarget, Check, Measured, Measuring, perfdata, words};
use crate::frame::{Level, Value};

/// The longest text that is kept of a plugin's first line.
pub(super) const TEXT_BYTES_MAX: usize = 4 * 1024;

/// A plugin and its arguments.
#[derive(Debug)]
struct Exec {
    program: String,
    args: Vec<String>,
}

/// The check of `exec:PROGRAM ARGS`.
///
/// # Errors
/// Where there is no program, or a quote is never closed.
pub(super) fn build(target: &str) -> Result<Box<dyn Check>, BadTarget> {
    let line = target.strip_prefix("exec:").unwrap_or(target);
    let mut words = words::split(line).map_err(|why| BadTarget(format!("exec: has {why}")))?.into_iter();
    match words.next() {
        Some(program) if !program.is_empty() => Ok(Box::new(Exec { program, args: words.collect() })),
        _ => Err(BadTarget("exec: needs a program, as in exec:check_load -w 5 -c 10".into())),
    }
}

impl Check for Exec {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async move { Ok(verdict(&child::run(&self.program, &self.args).await?)) })
    }
}

/// What a finished plugin says.
fn verdict(finished: &Finished) -> Measured {
    let stdout = String::from_utf8_lossy(&finished.stdout);
    let stderr = String::from_utf8_lossy(&finished.stderr);
    let output = perfdata::read(&stdout);
    let complaint = stderr.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = one_line(if output.text.is_empty() { complaint } else { output.text });
    let (level, text) = match finished.status.code() {
        _ if finished.flooded => {
            (Level::Unknown, format!("stopped: it printed more than {} KiB", OUTPUT_BYTES_MAX / 1024))
        }
        Some(0) => (Level::Healthy, line),
        Some(1) => (Level::Warning, line),
        Some(2) => (Level::Critical, line),
        Some(3) => (Level::Unknown, line),
        Some(other) => (Level::Unknown, reason(&format!("exit {other}"), &line)),
        None => (Level::Unknown, reason(&format!("ended by {}", signal_name(finished.status)), &line)),
    };
    let text = if text.is_empty() { "no output".to_owned() } else { text };
    let exit = exit_number(finished.status);
    // The table's own names come last, so that a label called `exit` can't take their place.
    let values = output.values.with("exit", Value::plain(f64::from(exit))).with("text", Value::text(text));
    Measured {
        values,
        level: Some(level),
        bytes: (finished.stdout.len() + finished.stderr.len()) as u64,
        ..Measured::default()
    }
}

fn reason(end: &str, line: &str) -> String {
    if line.is_empty() { end.to_owned() } else { format!("{end}: {line}") }
}

/// The exit's number; for a signal 128 and its number, as shells count.
fn exit_number(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// The name of the signal that ended a child.
fn signal_name(status: ExitStatus) -> String {
    const NAMES: &[(i32, &str)] = &[
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (14, "SIGALRM"),
        (15, "SIGTERM"),
    ];
    let number = status.signal().unwrap_or_default();
    let known = NAMES.iter().find(|(signal, _)| *signal == number);
    known.map_or_else(|| format!("signal {number}"), |(_, name)| (*name).to_owned())
}

/// `line` without anything that would make two lines of it, at most [`TEXT_BYTES_MAX`] bytes.
pub(super) fn one_line(line: &str) -> String {
    // Everything that some reader takes for the end of a line; the rest is the cleaner's business.
    let breaks = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let spaced = line.replace(breaks, " ");
    let text = spaced.trim();
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(TEXT_BYTES_MAX - '…'.len_utf8());
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests;
