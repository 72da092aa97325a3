//! Watching files: tells when any of them may have changed.
//!
//! The folders are watched, never the files: a file's own watch is blind after
//! the first rename over it. Where the file system sends no events, and for the
//! folders that are themselves replaced, a slow look at size, time and content
//! finds what the events missed.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::file_system::{kind, sends_events};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// What the file system said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Something was finished: a file was closed after writing, renamed, linked or removed.
    Finished,
    /// Somebody is still writing.
    Writing,
}

/// Watches the folders of a set of files.
pub(super) struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
}

impl Folders {
    /// Watches nothing yet; signs go to `signs`.
    pub(super) fn new(signs: mpsc::Sender<Sign>) -> Self {
        let told = move |event: notify::Result<notify::Event>| {
            // A watch that failed is no reason to stop looking: what is missed is found by the slow look.
            let sign = event.map_or(Some(Sign::Finished), |event| sign(event.kind));
            if let Some(sign) = sign {
                // The reader is gone only when the program ends.
                let _ = signs.send(sign);
            }
        };
        Self { watcher: notify::recommended_watcher(told).ok(), watched: HashSet::new() }
    }

    /// Watches the folders of these files from now on, and of the files that they link to.
    /// Tells whether events come from all of them.
    pub(super) fn watch<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) -> bool {
        let wanted: HashSet<PathBuf> = files.into_iter().flat_map(folders).collect();
        let Some(watcher) = &mut self.watcher else { return false };
        for gone in self.watched.difference(&wanted) {
            // A folder that no longer exists has no watch to take away.
            let _ = watcher.unwatch(gone);
        }
        let known = std::mem::take(&mut self.watched);
        self.watched = wanted
            .into_iter()
            .filter(|folder| known.contains(folder) || watcher.watch(folder, RecursiveMode::NonRecursive).is_ok())
            .collect();
        !self.watched.is_empty()
            && self.watched.iter().all(|folder| kind(folder).is_none_or(|kind| sends_events(&kind)))
    }

    /// Watches every folder anew: one of them may have been replaced by another of its name.
    pub(super) fn renew(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        for folder in &self.watched {
            let _ = watcher.unwatch(folder);
            let _ = watcher.watch(folder, RecursiveMode::NonRecursive);
        }
    }
}

/// The folder of a file as it is named, and of each file that it links to on the way.
fn folders(file: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut path = file.to_owned();
    // A chain of links longer than this is a mistake that opening the file will name.
    for _ in 0..8 {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        found.push(folder.to_owned());
        // A link may also be a folder on the way, as a mounted ConfigMap has it.
        if let Ok(real) = folder.canonicalize() {
            found.push(real);
        }
        let Ok(next) = std::fs::read_link(&path) else { break };
        path = folder.join(next);
    }
    found
}

fn sign(kind: EventKind) -> Option<Sign> {
    match kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Metadata(_))
        | EventKind::Remove(_)
        | EventKind::Create(_) => Some(Sign::Finished),
        EventKind::Access(_) => None,
        EventKind::Modify(_) | EventKind::Any | EventKind::Other => Some(Sign::Writing),
    }
}
