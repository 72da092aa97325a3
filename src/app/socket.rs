//! The board's own socket: where the commands find a running board without a port.
//!
//! It lies in a folder that is this user's alone, so its file is the guard and
//! no token is asked. One board, one socket: the second console of a title goes without.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

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

/// A socket that this process listens at; its file goes with it.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    /// What tells the file from a later one at the same path, which may be another's.
    file: Print,
}

impl Socket {
    /// Listens at `path`; `None`: another console of this board does already.
    ///
    /// # Errors
    /// Where nothing can listen there: what was tried, and why it failed.
    pub(super) fn bind(path: &Path) -> Result<Option<(Self, UnixListener)>, String> {
        let failed = |what: &str, why: &dyn std::fmt::Display| format!("can't {what} {}: {why}", path.display());
        if let Some(folder) = path.parent() {
            store::prepare(folder).map_err(|why| why.to_string())?;
        }
        // Two consoles that start at once must not both find the same old socket and remove the other's new one.
        let _held = only_one(path).map_err(|why| failed("make sure of", &why))?;
        match UnixStream::connect(path) {
            Ok(_) => return Ok(None),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => {
                // A plain file refuses a connection too.
                let about = std::fs::symlink_metadata(path).map_err(|why| failed("look at", &why))?;
                if !about.file_type().is_socket() {
                    return Err(failed("listen at", &"something else than a socket lies there"));
                }
                std::fs::remove_file(path).map_err(|why| failed("remove the old socket", &why))?;
            }
            Err(why) => return Err(failed("look at", &why)),
        }
        let bound = UnixListener::bind(path).and_then(|listener| {
            std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            let about = std::fs::symlink_metadata(path)?;
            Ok((Self { path: path.to_owned(), file: print(&about) }, listener))
        });
        bound.map(Some).map_err(|why| failed("listen at", &why))
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path).is_ok_and(|about| print(&about) == self.file);
        if ours {
            // One that can't be removed is found stale by the next board.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Device, number, and the moment of its last change: numbers are given again at once.
type Print = (u64, u64, i64, i64);

fn print(about: &Metadata) -> Print {
    (about.dev(), about.ino(), about.ctime(), about.ctime_nsec())
}

/// A lock that is held while looking and binding, and freed by the system in any case.
fn only_one(path: &Path) -> io::Result<File> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).custom_flags(nofollow);
    let file = options.open(path.with_extension("lock"))?;
    file.lock()?;
    Ok(file)
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

    #[test]
    fn one_listens_the_second_goes_without_and_a_stale_one_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marquee/line-3.sock");
        let (first, listener) = Socket::bind(&path).unwrap().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert!(Socket::bind(&path).unwrap().is_none());
        // A killed process leaves its file behind.
        drop(listener);
        let (second, _listener) = Socket::bind(&path).unwrap().unwrap();
        drop(first);
        assert!(path.exists(), "what lies there now is not the first one's");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marquee/line-3.sock");
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "keep me").unwrap();
        assert!(Socket::bind(&path).unwrap_err().contains("something else"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "keep me");
        let shared = folder.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
        assert!(Socket::bind(&shared.join("x.sock")).unwrap_err().contains("everybody may write"));
    }
}
