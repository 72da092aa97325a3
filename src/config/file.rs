//! Reads a file the careful way: never a hang, never more than its limit.
//!
//! Deliberately not a parser: it gives text, or says in an operator's words why not.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// What was read.
pub(super) struct Text {
    pub(super) text: String,
    /// Whether everybody on this machine may write the file.
    pub(super) world_writable: bool,
}

/// Why there is no text.
pub(super) struct NoText {
    /// The object and the reason: "it is a folder".
    pub(super) reason: String,
    /// What to do about it.
    pub(super) help: String,
    /// What could be read before the first byte that is no UTF-8.
    pub(super) readable: Option<String>,
}

impl NoText {
    fn new(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: help.into(), readable: None }
    }
}

/// Reads at most `limit` bytes of the regular file at `path`.
pub(super) fn read(path: &Path, limit: u64) -> Result<Text, NoText> {
    // Without NONBLOCK the opening of a FIFO waits for a writer for ever.
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path).map_err(|why| cannot_open(&why))?;
    let about = file.metadata().map_err(|why| cannot_open(&why))?;
    let kind = about.file_type();
    if !kind.is_file() {
        let what = match kind {
            kind if kind.is_dir() => "a folder",
            kind if kind.is_fifo() => "a FIFO",
            kind if kind.is_socket() => "a socket",
            _ => "a device",
        };
        return Err(NoText::new(format!("it is {what}, not a file"), "give the path of a text file"));
    }
    let mut bytes = Vec::new();
    // The size in the metadata may lie (/proc) or grow; the reader itself stops.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|why| cannot_open(&why))?;
    if bytes.len() as u64 > limit {
        return Err(NoText::new(
            format!("it is longer than {} KiB", limit >> 10),
            "split it with `include:`, or give the right file",
        ));
    }
    let world_writable = about.mode() & 0o002 != 0;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Text { text, world_writable }),
        Err(why) => {
            let valid = why.utf8_error().valid_up_to();
            let readable = String::from_utf8_lossy(&why.as_bytes()[..valid]).into_owned();
            let reason = format!("byte {valid} is not UTF-8 text (0x{:02X})", why.as_bytes()[valid]);
            Err(NoText { reason, help: "save the file as UTF-8".into(), readable: Some(readable) })
        }
    }
}

fn cannot_open(why: &io::Error) -> NoText {
    match why.kind() {
        io::ErrorKind::NotFound => NoText::new("there is no such file", "check the path"),
        io::ErrorKind::PermissionDenied => {
            NoText::new("permission refused", "let the user that runs marquee read the file")
        }
        io::ErrorKind::IsADirectory => NoText::new("it is a folder, not a file", "give the path of a text file"),
        _ => NoText::new(plain(why), "check the path and the file system"),
    }
}

/// The system's words without the number that only a programmer reads.
fn plain(why: &io::Error) -> String {
    let words = why.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}
