//! The board's own socket: where the commands find a running board without a port.
//!
//! It lies in a folder that is this user's alone, so its file is the guard and
//! no token is asked. One board, one socket: of several consoles one answers there, and which one
//! is decided elsewhere.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::coordination::store;

/// The socket of the board called `title`: in `$XDG_RUNTIME_DIR/marquee`, else
/// in a folder of this user's own among the temporary files.
#[must_use]
pub fn socket_path(title: &str, env: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let temporary = || {
        let temporary = absolute("TMPDIR").unwrap_or_else(|| Path::new("/tmp").to_owned());
        temporary.join(format!("marquee-{}-run", rustix::process::geteuid().as_raw()))
    };
    let folder = absolute("XDG_RUNTIME_DIR").map_or_else(temporary, |folder| folder.join("marquee"));
    folder.join(format!("{}.sock", store::slug(title)))
}

/// When a socket is wanted where another may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Only where nobody answers.
    Free,
    /// In the place of whoever answers there.
    Over,
}

/// A socket that this process listens at; its file goes with it.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// What tells the file from a later one at the same path, which may be another's.
    file: Print,
}

/// What binding gave: nothing where another console answers there already.
type Bound = Result<Option<(Socket, UnixListener)>, String>;

impl Socket {
    /// Listens at `path`; `Ok(None)`: another console of this board does already. `None`: one looks at this very
    /// moment, and nothing was done.
    ///
    /// # Errors
    /// Where nothing can listen there: what was tried, and why it failed.
    pub(super) fn bind(path: &Path, claim: Claim) -> Option<Bound> {
        let failed = |what: &str, why: &dyn std::fmt::Display| format!("can't {what} {}: {why}", path.display());
        if let Err(why) = path.parent().map_or(Ok(()), store::prepare) {
            return Some(Err(why.to_string()));
        }
        // Two consoles that find the same old socket must not replace each other's new one.
        let _held = match only_one(path) {
            Ok(held) => held?,
            Err(why) => return Some(Err(failed("make sure of", &why))),
        };
        if claim == Claim::Free {
            match is_answered(path) {
                Ok(false) => {}
                Ok(true) => return Some(Ok(None)),
                Err(why) => return Some(Err(failed("look at", &why))),
            }
        }
        if std::fs::symlink_metadata(path).is_ok_and(|about| !about.file_type().is_socket()) {
            return Some(Err(failed("listen at", &"something else than a socket lies there")));
        }
        Some(Self::put(path).map(Some).map_err(|why| failed("listen at", &why)))
    }

    /// Puts a socket at `path`, in the place of any that lies there, in one step.
    fn put(path: &Path) -> io::Result<(Self, UnixListener)> {
        // Whoever was killed between its making and its putting in place left it; the lock says that it is nobody's.
        let new = path.with_extension("new");
        match std::fs::remove_file(&new) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let listener = UnixListener::bind(&new)?;
        std::fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        std::fs::rename(&new, path)?;
        let file = print(&std::fs::symlink_metadata(path)?);
        Ok((Self { path: path.to_owned(), file }, listener))
    }

    /// Whether it still lies where it was put.
    pub(super) fn is_in_place(&self) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|about| print(&about) == self.file)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Under the lock, so that what is looked at is what is removed. One that can't be removed is found
        // deserted by the next console.
        if let Ok(Some(_held)) = only_one(&self.path)
            && self.is_in_place()
        {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether somebody listens at `path`. Never waits: one that is stopped takes no more connections at some point.
fn is_answered(path: &Path) -> io::Result<bool> {
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
        None,
    )?;
    match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::NOENT | Errno::CONNREFUSED) => Ok(false),
        Err(why) => Err(why.into()),
    }
}

/// Device, number, and the moment of its last change: numbers are given again at once.
type Print = (u64, u64, i64, i64);

fn print(about: &Metadata) -> Print {
    (about.dev(), about.ino(), about.ctime(), about.ctime_nsec())
}

/// A lock that is held while looking and binding, and freed by the system in any case; `None`: another has it.
fn only_one(path: &Path) -> io::Result<Option<File>> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
    let file = options.open(path.with_extension("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(why)) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_the_user_s_own() {
        let user = rustix::process::geteuid().as_raw();
        for (env, path) in [
            (&[("XDG_RUNTIME_DIR", "/run/user/7"), ("TMPDIR", "/x")][..], "/run/user/7/marquee/line-3.sock".to_owned()),
            (&[("XDG_RUNTIME_DIR", "relative"), ("TMPDIR", "/x")], format!("/x/marquee-{user}-run/line-3.sock")),
            (&[], format!("/tmp/marquee-{user}-run/line-3.sock")),
        ] {
            let told = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(socket_path("Line 3", &told), Path::new(&path));
        }
    }

    fn bind(path: &Path, claim: Claim) -> Option<(Socket, UnixListener)> {
        Socket::bind(path, claim).expect("nobody else looks").unwrap()
    }

    #[test]
    fn one_listens_the_second_goes_without_and_a_deserted_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marquee/line-3.sock");
        let (first, listener) = bind(&path, Claim::Free).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(bind(&path, Claim::Free).is_none());
        // A killed process leaves its file behind.
        drop(listener);
        let (second, _listener) = bind(&path, Claim::Free).unwrap();
        assert!(!first.is_in_place() && second.is_in_place());
        drop(first);
        assert!(path.exists(), "what lies there now is not the first one's");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn whoever_leads_takes_the_place_of_another_in_one_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marquee/line-3.sock");
        let (first, old) = bind(&path, Claim::Free).unwrap();
        let (second, new) = bind(&path, Claim::Over).unwrap();
        assert!(!first.is_in_place() && second.is_in_place());
        let _client = std::os::unix::net::UnixStream::connect(&path).unwrap();
        assert!(new.accept().is_ok() && old.accept().is_err());
        drop(first);
        assert!(path.exists());
    }

    #[test]
    fn nothing_is_done_while_another_looks_and_what_was_left_half_made_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marquee/line-3.sock");
        let (first, _listener) = bind(&path, Claim::Free).unwrap();
        let looking = only_one(&path).unwrap().unwrap();
        assert!(Socket::bind(&path, Claim::Over).is_none());
        drop(first);
        assert!(path.exists(), "it can't be sure that the file is its own");
        drop(looking);
        drop(UnixListener::bind(path.with_extension("new")).unwrap());
        assert!(bind(&path, Claim::Free).is_none_or(|(socket, _)| socket.is_in_place()));
    }

    #[test]
    fn one_that_takes_no_more_connections_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stopped.sock");
        let listener =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        for _ in 0..4 {
            assert!(is_answered(&path).unwrap());
        }
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marquee/line-3.sock");
        let refused = |path: &Path, claim| Socket::bind(path, claim).unwrap().unwrap_err();
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "keep me").unwrap();
        for claim in [Claim::Free, Claim::Over] {
            assert!(refused(&path, claim).contains("something else"));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "keep me");
        let shared = folder.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        assert!(refused(&shared.join("x.sock"), Claim::Free).contains("everybody may write"));
    }
}
