//! File systems: what holds a folder, and whether it tells of changes.

use std::path::{Path, PathBuf};

use crate::kernel::Span;

/// File systems that tell nobody of changes made elsewhere, by the beginning of their name.
const WITHOUT_EVENTS: &[&str] =
    &["nfs", "cifs", "smb", "9p", "overlay", "fuse", "afs", "ceph", "gluster", "lustre", "virtiofs", "vboxsf"];

/// How often a config is looked at where no event tells of its change: often
/// enough for somebody who waits for it, seldom enough for a network's sake.
pub const LOOK_WITHOUT_EVENTS: Span = Span::from_millis(500);

/// Whether a file system of this type tells of changes, so that nobody has to look again and again.
#[must_use]
pub fn sends_events(kind: &str) -> bool {
    !WITHOUT_EVENTS.iter().any(|name| kind.starts_with(name))
}

/// The type of the file system that holds `folder`, as the mount table names it.
#[must_use]
pub fn kind(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    kind_in(&std::fs::read_to_string("/proc/self/mounts").ok()?, &folder)
}

fn kind_in(mounts: &str, folder: &Path) -> Option<String> {
    let holding = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        // The table writes a blank in a path as its octal number.
        let place = PathBuf::from(fields.next()?.replace("\\040", " "));
        folder.starts_with(&place).then_some((place, fields.next()?))
    });
    // Of two mounts at one place the later one is seen, and `max_by_key` gives the last.
    holding.max_by_key(|(place, _)| place.as_os_str().len()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_and_latest_mount_holds_a_folder() {
        let mounts =
            "none / ext4 rw 0 0\nhost:/x /mnt/my\\040line nfs4 rw 0 0\nnone /mnt tmpfs rw 0 0\nnone /mnt xfs rw 0 0";
        for (folder, expected) in
            [("/etc", "ext4"), ("/mnt/my line/a", "nfs4"), ("/mnt/other", "xfs"), ("/mntx", "ext4")]
        {
            assert_eq!(kind_in(mounts, Path::new(folder)).as_deref(), Some(expected), "{folder}");
        }
        assert!(!sends_events("nfs4") && sends_events("ext4"));
    }
}
