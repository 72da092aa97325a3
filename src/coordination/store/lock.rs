//! One writer for each folder: a lock on a side file, freed by the kernel when
//! the process ends in whatever way.
//!
//! Deliberately not on a kept file itself: those are renamed over, and a lock
//! would stay behind with the old one. Not for network file systems.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::coordination::private::{Asked, ask_lock, prepare};

/// The side file's name in the folder.
const NAME: &str = "lock";

/// This process may write the folder, as long as this lives.
#[derive(Debug)]
pub struct Lock {
    // Closing the file frees the lock.
    _file: File,
}

/// The folder can't be locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Another console has it.
    Elsewhere {
        /// The locked folder.
        folder: PathBuf,
        /// The other's process number, where it told one.
        process: Option<u32>,
    },
    /// The lock's file can't be used.
    Trouble(StoreError),
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere { folder, process } => {
                write!(f, "the state in {} is another console's", folder.display())?;
                process.map_or(Ok(()), |process| write!(f, " (process {process})"))
            }
            Self::Trouble(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Held {}

/// Takes the folder for this process, or says at once who has it.
///
/// # Errors
/// Where another console has it, or the lock's file can't be used.
pub fn lock(folder: &Path) -> Result<Lock, Held> {
    prepare(folder).map_err(Held::Trouble)?;
    let mut file = match ask_lock(&folder.join(NAME)).map_err(Held::Trouble)? {
        Asked::Ours(file) => file,
        Asked::Theirs(file) => {
            let mut told = String::new();
            // The number is a courtesy; without it the refusal stands all the same.
            let _ = file.take(16).read_to_string(&mut told);
            return Err(Held::Elsewhere { folder: folder.to_owned(), process: told.trim().parse().ok() });
        }
    };
    // Also on a full disk the lock holds; only its courtesy is lost then.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Lock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_free_again_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("line-3");
        let held = lock(&folder).unwrap();
        let second = lock(&folder).unwrap_err();
        let process = Some(std::process::id());
        assert_eq!(second, Held::Elsewhere { folder: folder.clone(), process });
        assert!(second.to_string().contains(&format!("another console's (process {})", std::process::id())));
        drop(held);
        drop(lock(&folder).unwrap());
        assert!(lock(&folder).is_ok(), "the file that is left behind holds nothing");
    }

    #[test]
    fn a_lock_that_is_no_file_is_refused_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "keep me").unwrap();
        let path = folder.path().join(NAME);
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(matches!(lock(folder.path()), Err(Held::Trouble(_))));
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "keep me");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(lock(folder.path()), Err(Held::Trouble(_))));
        std::fs::remove_dir(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(matches!(lock(folder.path()), Err(Held::Trouble(_))));
    }
}
