//! A home folder of its own for each test: nothing of the machine's user is read or written.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A home folder that goes with the test.
pub(crate) struct TempHome {
    folder: TempDir,
}

impl TempHome {
    /// An empty home.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        for name in ["config", "state", "cache", "data", "run", "plant"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// A home whose `marquee.yaml` says `text`.
    pub(crate) fn with_config(text: &str) -> Self {
        let home = Self::new();
        home.write("marquee.yaml", text);
        home
    }

    /// The folder the program runs in, where its config lies.
    pub(crate) fn plant(&self) -> PathBuf {
        self.folder.path().join("plant")
    }

    /// A file or folder beside the config.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.plant().join(name)
    }

    /// `marquee.yaml`.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("marquee.yaml")
    }

    /// Where the program keeps its state.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Writes a file beside the config, in place.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Replaces a file beside the config by renaming a new one over it.
    pub(crate) fn rename_over(&self, name: &str, text: impl AsRef<[u8]>) {
        let fresh = self.write(&format!(".{name}.new"), text);
        fs::rename(fresh, self.path(name)).unwrap();
    }

    /// A monitoring plugin made of shell lines; gives the `exec:` that runs it.
    ///
    /// The shell is named in the command, so that no test ever executes a file
    /// that another test's fork still holds open for writing.
    pub(crate) fn plugin(&self, name: &str, lines: &str) -> String {
        let path = self.write(name, lines);
        format!("exec:/bin/sh {}", path.display())
    }

    /// The whole environment of the program: clean, in UTC, and everything XDG in this home.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let root = self.folder.path();
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let at = |name: &str| root.join(name).into_os_string();
        [
            ("PATH", path),
            ("HOME", root.as_os_str().to_owned()),
            ("XDG_CONFIG_HOME", at("config")),
            ("XDG_STATE_HOME", at("state")),
            ("XDG_CACHE_HOME", at("cache")),
            ("XDG_DATA_HOME", at("data")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("TZ", "UTC".into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
        ]
        .into_iter()
        .map(|(key, value)| (key.into(), value))
        .collect()
    }

    /// Every file under the state folder, with its content.
    pub(crate) fn state_files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        gather(&self.state(), &mut found);
        found
    }
}

/// A config of so many items at level info, `unit-0` saying `Reading 0` and so on, below these lines.
pub(crate) fn crowd(head: &str, count: usize) -> String {
    let mut config = format!("{head}cluster: none\nitems:\n");
    for number in 0..count {
        let _ = writeln!(config, "  - {{id: unit-{number}, text: Reading {number}, level: info}}");
    }
    config
}

fn gather(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, found);
        } else if let Ok(content) = fs::read(&path) {
            found.push((path, content));
        }
    }
}
