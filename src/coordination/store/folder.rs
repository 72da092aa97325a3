//! Where a board's state stands on this machine.
//!
//! The environment is an argument, so that the rule can be tested as a table.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The longest slug: with what stands around it, a name that every file system and etcd takes.
const SLUG_BYTES_MAX: usize = 64;

/// The folder of this user's boards: `$STATE_DIRECTORY` (systemd's word), else
/// `$XDG_STATE_HOME/marquee`, else `$HOME/.local/state/marquee`, else a folder
/// of this user's own among the temporary files. A board's own folder is the
/// one below it that is called by the [`slug`] of its title.
#[must_use]
pub fn default_folder(env: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    // The XDG rules say that a path which is not absolute is to be ignored; for the others it is as wise.
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let systemd = || {
        // Several folders may be configured there; the first is the service's main one.
        let folders = env("STATE_DIRECTORY")?;
        std::env::split_paths(&folders).next().filter(|path| path.is_absolute())
    };
    let user = rustix::process::geteuid().as_raw();
    systemd()
        .or_else(|| absolute("XDG_STATE_HOME").map(|folder| folder.join("marquee")))
        .or_else(|| absolute("HOME").map(|folder| folder.join(".local/state/marquee")))
        .unwrap_or_else(|| {
            let temporary = absolute("TMPDIR").unwrap_or_else(|| Path::new("/tmp").to_owned());
            temporary.join(format!("marquee-{user}"))
        })
}

/// A title as a name for files and keys: its ASCII letters and digits in lower case, anything between as one `-`.
#[must_use]
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars() {
        if slug.len() >= SLUG_BYTES_MAX {
            break;
        }
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let trimmed = slug.trim_end_matches('-');
    if trimmed.is_empty() { "board".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_found_by_precedence() {
        let user = rustix::process::geteuid().as_raw();
        let temporary = format!("/tmp/marquee-{user}");
        let own_temporary = format!("/scratch/marquee-{user}");
        for (env, folder) in [
            (
                &[("STATE_DIRECTORY", "/var/lib/marquee"), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")][..],
                "/var/lib/marquee",
            ),
            (&[("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")], "/var/lib/a"),
            (&[("STATE_DIRECTORY", ""), ("XDG_STATE_HOME", "/x"), ("HOME", "/h")], "/x/marquee"),
            (&[("XDG_STATE_HOME", "relative"), ("HOME", "/h")], "/h/.local/state/marquee"),
            (&[("XDG_STATE_HOME", ""), ("HOME", "")], &temporary),
            (&[("TMPDIR", "/scratch")], &own_temporary),
            (&[], &temporary),
        ] {
            let told = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
            assert_eq!(default_folder(&told), Path::new(folder), "{env:?}");
        }
    }

    #[test]
    fn slugs_are_plain_names() {
        for (title, expected) in [
            ("Line 3", "line-3"),
            ("  Press -- Hall / East!  ", "press-hall-east"),
            ("", "board"),
            ("产线", "board"),
            ("../../etc", "etc"),
            ("Höhe 2", "h-he-2"),
            ("A", "a"),
        ] {
            assert_eq!(slug(title), expected, "{title}");
        }
        assert_eq!(slug(&"ab ".repeat(1000)).len(), SLUG_BYTES_MAX);
        proptest::proptest!(|(title in "\\PC{0,200}")| {
            let slug = slug(&title);
            proptest::prop_assert!((1..=SLUG_BYTES_MAX).contains(&slug.len()) && !slug.starts_with('-') && !slug.ends_with('-'));
            proptest::prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        });
    }
}
