//! Folders and files that are this user's alone: how they are made sure of, opened and locked.
//!
//! The state, the election and the link of one machine all trust what lies in
//! such a folder, so they make sure of it in one way. Deliberately nothing
//! about what a file holds. Locks are not for network file systems.

use std::fs::{File, Metadata, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::store::StoreError;

/// How often a lock is tried whose file is removed between opening and locking: once is an
/// accident, as often as this is another program at work.
const LOCK_TRIES: u32 = 8;

/// Makes sure of the folder: there, this user's own, and no place where others can put things.
///
/// # Errors
/// Where it is not, or can't be made: why.
pub fn prepare(folder: &Path) -> Result<(), StoreError> {
    let created = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    created.map_err(|error| StoreError::new("create", folder, &error))?;
    let asked = |path: &Path| std::fs::symlink_metadata(path).map_err(|error| StoreError::new("use", path, &error));
    let (user, metadata) = (rustix::process::geteuid().as_raw(), asked(folder)?);
    let refuse = |path: &Path, why: &str| Err(StoreError::because("use", path, why));
    if !metadata.is_dir() {
        return refuse(folder, "it is not a folder but a link to one");
    }
    if metadata.uid() != user {
        return refuse(folder, "it belongs to another user");
    }
    if metadata.mode() & 0o002 != 0 {
        return refuse(folder, "everybody may write into it; chmod o-w it");
    }
    // Among temporary files somebody else may have been first with a link to a place of this user's.
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty())
        && ![0, user].contains(&asked(parent)?.uid())
    {
        return refuse(parent, "it belongs to another user");
    }
    Ok(())
}

/// Refuses all but a regular file of this user's own.
pub(super) fn own_file(metadata: &Metadata) -> Result<(), &'static str> {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        Err("it is a link, which is not followed")
    } else if kind.is_dir() {
        Err("it is a folder")
    } else if !kind.is_file() {
        Err("it is a pipe, socket or device")
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        Err("it belongs to another user")
    } else {
        Ok(())
    }
}

/// Opens a regular file of this user's own, for `access`; one that is created is for this user alone.
/// Whatever else lies there is neither followed nor waited for. `operation` is the word of the error.
pub(super) fn open_own(operation: &'static str, path: &Path, access: OFlags) -> Result<File, StoreError> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|error| {
        // What lies there says more than the system's word for not having opened it.
        let lying = std::fs::symlink_metadata(path).ok().and_then(|metadata| own_file(&metadata).err());
        lying.map_or_else(
            || StoreError::new(operation, path, &error.into()),
            |why| StoreError::because(operation, path, why),
        )
    })?;
    let file = File::from(opened);
    let metadata = file.metadata().map_err(|error| StoreError::new(operation, path, &error))?;
    own_file(&metadata).map_err(|why| StoreError::because(operation, path, why))?;
    Ok(file)
}

/// A side file whose lock was asked for.
#[derive(Debug)]
pub(super) enum Asked {
    /// Its lock is this process's until the file is closed, or the process ends in whatever way.
    Ours(File),
    /// Somebody else has its lock.
    Theirs(File),
}

/// Asks for the lock of the file at `path`, which is made where it is missing; never waits.
pub(super) fn ask_lock(path: &Path) -> Result<Asked, StoreError> {
    for _ in 0..LOCK_TRIES {
        let file = open_own("lock", path, OFlags::RDWR | OFlags::CREATE)?;
        match file.try_lock() {
            Ok(()) if lies_at(&file, path) => return Ok(Asked::Ours(file)),
            // Removed since it was opened: the next one asks for the lock of what lies there now, and so must we.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Asked::Theirs(file)),
            Err(TryLockError::Error(error)) => return Err(StoreError::new("lock", path, &error)),
        }
    }
    Err(StoreError::because("lock", path, "another program removes it again and again"))
}

/// Whether what lies at `path` is this very file.
pub(super) fn lies_at(file: &File, path: &Path) -> bool {
    // The number can't have been given anew: the file is open.
    let print = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(held), Ok(lying)) => print(held) == print(lying),
        _ => false,
    }
}
