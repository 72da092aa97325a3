//! `state: file`: two small files in a folder of the board's own.
//!
//! A write is a new file beside the old one, put on the disk and then renamed
//! over it, so that a kill or a power cut at any moment leaves the one or the
//! other, whole. Deliberately only one writer at a time: hold the folder's
//! [`lock`](super::lock) while using it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::wire::{self, Kept};
use super::{Loaded, Store, StoreError, plain};
use crate::coordination::private::{open_own, own_file, prepare};
use crate::kernel::{BoardSnapshot, Current, Snapshot};

/// The largest file that is read or written: 100,000 items with a line of text each are half of it.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What a file that is being written ends with, by which one left behind by a kill is known.
const UNFINISHED: &str = ".tmp";

/// What the name of a file that can't be used gets behind it.
const SET_ASIDE: &str = ".bad";

/// A store in a folder.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// A store in `folder`, which is created with the first write, for this user alone.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn path<K: Kept>(&self) -> PathBuf {
        self.folder.join(format!("{}.json", K::KIND))
    }

    /// Reads one part; what can't be used is told in `troubles`.
    fn part<K: Kept>(&self, troubles: &mut Vec<String>) -> Option<K> {
        let path = self.path::<K>();
        let text = match read_own(&path) {
            Ok(text) => text?,
            Err(error) => {
                troubles.push(error.to_string());
                return None;
            }
        };
        let read =
            if text.len() as u64 > FILE_BYTES_MAX { Err("it is too large".to_owned()) } else { wire::read(&text) };
        read.map_err(|reason| troubles.push(set_aside(&path, &reason))).ok()
    }

    fn keep<K: Kept>(&self, kept: &K) -> Result<(), StoreError> {
        let path = self.path::<K>();
        let text = wire::write(kept).map_err(|reason| StoreError::because("write", &path, reason))?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(StoreError::because("write", &path, "the board is too large to be kept"));
        }
        prepare(&self.folder)?;
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) => own_file(&metadata).map_err(|why| StoreError::because("replace", &path, why))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::new("replace", &path, &error)),
        }
        self.replace(&path, text.as_bytes()).map_err(|error| StoreError::new("write", &path, &error))
    }

    fn replace(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Created exclusively and with mode 0600: nobody can have put something in its place.
        let mut unfinished =
            tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(UNFINISHED).tempfile_in(&self.folder)?;
        unfinished.write_all(text)?;
        unfinished.as_file().sync_all()?;
        unfinished.persist(path)?;
        match File::open(&self.folder)?.sync_all() {
            // Some network file systems have no such thing; there the rename is all that can be had.
            Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes what killed writers left unfinished.
    fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let ours =
                [Current::KIND, BoardSnapshot::KIND].iter().any(|kind| name.starts_with(&format!(".{kind}.json.")));
            if ours && name.ends_with(UNFINISHED) {
                // One that can't be removed does no harm but to take room.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

impl Store for FileStore {
    fn load(&mut self) -> Loaded {
        self.sweep();
        let mut troubles = Vec::new();
        let current = self.part::<Current>(&mut troubles);
        let board = self.part::<BoardSnapshot>(&mut troubles);
        let snapshot = (current.is_some() || board.is_some())
            .then(|| Snapshot { current: current.unwrap_or_default(), board: board.unwrap_or_default() });
        Loaded { snapshot, troubles, unread: false }
    }

    fn keep_current(&mut self, current: &Current) -> Result<(), StoreError> {
        self.keep(current)
    }

    fn keep_board(&mut self, board: &BoardSnapshot) -> Result<(), StoreError> {
        self.keep(board)
    }
}

/// Whether this process could keep anything in `folder`: makes it where it is missing, and leaves no file there.
///
/// # Errors
/// What stands in the way.
pub fn probe(folder: &Path) -> Result<(), StoreError> {
    prepare(folder)?;
    let tried = tempfile::tempfile_in(folder);
    tried.map(drop).map_err(|error| StoreError::new("write", folder, &error))
}

/// The content of a regular file of this user's own; `None` where there is nothing.
fn read_own(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::new("read", path, &error)),
        Ok(metadata) => own_file(&metadata).map_err(|why| StoreError::because("read", path, why))?,
    }
    let file = open_own("read", path, OFlags::RDONLY)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| StoreError::new("read", path, &error))?;
    Ok(Some(text))
}

/// Moves a file that can't be used out of the way, over an older one of its kind, and tells so.
fn set_aside(path: &Path, reason: &str) -> String {
    let mut aside = path.as_os_str().to_owned();
    aside.push(SET_ASIDE);
    match std::fs::rename(path, &aside) {
        Ok(()) => {
            let name = Path::new(&aside).file_name().unwrap_or_default().to_string_lossy();
            format!("can't use {}: {reason}; it is set aside as {name}", path.display())
        }
        Err(error) => {
            format!("can't use {}: {reason}; it could not be set aside: {}", path.display(), plain(&error))
        }
    }
}

#[cfg(test)]
mod tests;
