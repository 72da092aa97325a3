//! `file:`: a file's age, size and first line.
//!
//! Deliberately regular files alone: opening a pipe can hang and opening a
//! device can do things, so both are refused before they are opened.

use std::fs::Metadata;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags};

use super::blocking::{Lane, path_of, plain};
use super::exec::{TEXT_BYTES_MAX, one_line};
use super::{BadTarget, Check, Fault, Measured, Measuring};
use crate::frame::{Span, Value, Values};

struct FileCheck {
    path: PathBuf,
    lane: Lane,
}

/// The check of `file:PATH`.
///
/// # Errors
/// Where there is no path.
pub(super) fn build(target: &str) -> Result<Box<dyn Check>, BadTarget> {
    Ok(Box::new(FileCheck { path: path_of(target, "file:")?, lane: Lane::default() }))
}

impl Check for FileCheck {
    fn measure(&self) -> Measuring<'_> {
        let path = self.path.clone();
        Box::pin(self.lane.run(move || look(&path, wall_now())))
    }
}

/// The wall clock, because a file's time is one.
#[expect(
    clippy::disallowed_methods,
    reason = "a file's age is the distance of two wall clocks, this one and the file's"
)]
fn wall_now() -> SystemTime {
    SystemTime::now()
}

fn look(path: &Path, now: SystemTime) -> Result<Measured, Fault> {
    let fault = |error: io::Error| Fault(format!("{}: {}", path.display(), plain(&error)));
    // Asked by name first: a device may already act when it is opened.
    regular(path, &std::fs::metadata(path).map_err(fault)?)?;
    // And opened without waiting, should a pipe have taken the name since.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| fault(error.into()))?;
    let file = std::fs::File::from(file);
    let metadata = file.metadata().map_err(fault)?;
    regular(path, &metadata)?;
    let mut start = Vec::new();
    file.take(TEXT_BYTES_MAX as u64).read_to_end(&mut start).map_err(fault)?;
    // A file from a clock ahead of this one is new, not of a negative age.
    let age = metadata.modified().map_err(fault).map(|written| now.duration_since(written).unwrap_or_default())?;
    let bytes = start.len() as u64;
    let values = Values::new()
        .with("age", Value::span(Span::from(age)))
        .with("size", Value::bytes(metadata.len()))
        .with("text", Value::text(first_line(&start)));
    Ok(Measured { values, bytes, ..Measured::default() })
}

fn regular(path: &Path, metadata: &Metadata) -> Result<(), Fault> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() { "a folder" } else { "a pipe, socket or device" };
    Err(Fault(format!("{}: is {what}, not a file", path.display())))
}

/// The first line of what a file begins with.
fn first_line(start: &[u8]) -> String {
    // A byte order mark is no text.
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    one_line(&String::from_utf8_lossy(line))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(measured: &Measured) -> String {
        measured.values.iter().map(|(name, value)| format!("{name}={value};")).collect()
    }

    #[test]
    fn tells_age_size_and_first_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::fs::write(&path, "running\nsince noon\n").unwrap();
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        let later = look(&path, written + Duration::from_secs(90)).unwrap();
        assert_eq!(told(&later), "age=1m 30s;size=19 B;text=running;");
        assert_eq!((later.level, later.bytes), (None, 19));
        let clock_behind = look(&path, written - Duration::from_secs(90)).unwrap();
        assert_eq!(clock_behind.values.get("age"), Some(&Value::span(Span::ZERO)));
    }

    #[test]
    fn first_lines_are_one_short_line() {
        for (start, line) in [
            (&b""[..], String::new()),
            (b"\n\nthird", String::new()),
            (b"a\r\nb", "a".into()),
            (b"\xef\xbb\xbfbom", "bom".into()),
            (b"caf\xff\n", "caf\u{fffd}".into()),
            ("a\u{2028}b".as_bytes(), "a b".into()),
            (&[b'x'; TEXT_BYTES_MAX], "x".repeat(TEXT_BYTES_MAX)),
        ] {
            assert_eq!(first_line(start), line);
        }
        let cut = one_line(&"温".repeat(TEXT_BYTES_MAX));
        assert!(cut.len() <= TEXT_BYTES_MAX && cut.ends_with('…'));
    }

    #[tokio::test]
    async fn what_is_no_file_is_refused_without_hanging() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let gone = folder.path().join("gone");
        for (path, told) in [
            (folder.path(), "is a folder, not a file"),
            (&fifo, "is a pipe, socket or device, not a file"),
            (Path::new("/dev/zero"), "is a pipe, socket or device, not a file"),
            (&gone, "not found"),
        ] {
            let fault = build(&format!("file:{}", path.display())).unwrap().measure().await.unwrap_err();
            assert_eq!(fault.0, format!("{}: {told}", path.display()));
        }
    }

    #[tokio::test]
    async fn a_link_to_a_file_is_followed_and_a_proc_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("real"), "1.0\n").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("real", &link).unwrap();
        let measured = build(&format!("file:{}", link.display())).unwrap().measure().await.unwrap();
        assert_eq!(measured.values.get("text"), Some(&Value::text("1.0")));
        if Path::new("/proc/version").exists() {
            let measured = build("file:///proc/version").unwrap().measure().await.unwrap();
            assert!(matches!(measured.values.get("text"), Some(Value::Text(text)) if text.starts_with("Linux")));
        }
    }
}
