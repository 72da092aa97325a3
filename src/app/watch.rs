//! Watching files: tells when any of them may have changed.
//!
//! The folders are watched, never the files: a file's own watch is blind after
//! the first rename over it. Where the file system sends no events, and for the
//! folders that are themselves replaced, a slow look at size, time and content
//! finds what the events missed.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use super::file_system::{kind, sends_events};
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// What the file system said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Something was finished: a file was closed after writing, renamed, linked or removed.
    Finished,
    /// Somebody is still writing one of the files.
    Writing,
}

/// Watches the folders of a set of files.
pub(super) struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
    names: Arc<Mutex<HashSet<OsString>>>,
}

impl Folders {
    /// Watches nothing yet; signs go to `signs`.
    pub(super) fn new(signs: mpsc::Sender<Sign>) -> Self {
        let names = Arc::<Mutex<HashSet<OsString>>>::default();
        let known = Arc::clone(&names);
        let told = move |event: notify::Result<notify::Event>| {
            // A watch that failed is no reason to stop looking: what is missed is found by the slow look.
            let sign = event.map_or(Some(Sign::Finished), |event| sign(&event, &known));
            if let Some(sign) = sign {
                // The reader is gone only when the program ends.
                let _ = signs.send(sign);
            }
        };
        Self { watcher: notify::recommended_watcher(told).ok(), watched: HashSet::new(), names }
    }

    /// Watches the folders of these files from now on, and of the files that they link to.
    /// Tells whether events come from all of them.
    pub(super) fn watch<'a>(&mut self, files: impl IntoIterator<Item = &'a Path>) -> bool {
        let files: Vec<&Path> = files.into_iter().collect();
        let names = files.iter().flat_map(|file| chain(file)).filter_map(|file| Some(file.file_name()?.to_owned()));
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names.collect();
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

/// A file as it is named, and each file that it links to on the way.
fn chain(file: &Path) -> Vec<PathBuf> {
    let mut found = vec![file.to_owned()];
    // A chain of links longer than this is a mistake that opening the file will name.
    while let (Some(last), 0..8) = (found.last(), found.len()) {
        let Ok(next) = std::fs::read_link(last) else { break };
        found.push(folder(last).join(next));
    }
    found
}

fn folder(file: &Path) -> PathBuf {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// The folders of a file and of what it links to. A link may also be a folder on the way, as a
/// mounted ConfigMap has it.
fn folders(file: &Path) -> Vec<PathBuf> {
    let named = chain(file).into_iter().map(|file| folder(&file));
    named.flat_map(|folder| [folder.canonicalize().ok(), Some(folder)]).flatten().collect()
}

/// What an event says. Something finished is worth a look whatever its name, because the files may
/// be behind links; somebody who writes other files of the folder is nothing to wait for.
fn sign(event: &notify::Event, names: &Mutex<HashSet<OsString>>) -> Option<Sign> {
    let ours = || {
        let names = names.lock().unwrap_or_else(PoisonError::into_inner);
        event.paths.iter().any(|path| path.file_name().is_some_and(|name| names.contains(name)))
    };
    let is_link = || event.paths.iter().any(|path| path.is_symlink());
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Metadata(_))
        | EventKind::Remove(_) => Some(Sign::Finished),
        // A new link is whole at once; a new file is closed when it is.
        EventKind::Create(_) if is_link() => Some(Sign::Finished),
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            ours().then_some(Sign::Writing)
        }
        EventKind::Access(_) => None,
    }
}
