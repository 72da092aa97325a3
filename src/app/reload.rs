//! Reload: a saved config takes effect at once, a half-written one never.
//!
//! A thread of its own reads, checks and lowers the files whenever they may have
//! changed, and gives the result on in one step. What it gives it to, and how
//! the files are watched, is not its business.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::clock::Clock;
use super::file_system::LOOK_WITHOUT_EVENTS;
use super::watch::{Folders, Sign};
use crate::kernel::{Moment, Span, digest};

/// After a finished write: long enough for the two or three events of one save to be one.
const SETTLE: Span = Span::from_millis(3);

/// While somebody is writing: how long the file must rest before it is read without having been
/// closed. Editors close what they wrote; only a stream into the file leaves it open, and half of
/// what it writes may look whole.
const REST: Span = Span::from_millis(1_500);

/// How long a file must stay bad before the screen says so: an editor that
/// removes and creates again, or saves in two steps, is done by then.
const BAD_FOR: Span = Span::from_millis(400);

/// How often a bad file is looked at again within that time.
const AGAIN: Span = Span::from_millis(50);

/// The slow look, where events come.
const LOOK: Span = Span::from_secs(2);

/// What reading the files gave.
pub(super) enum Read<T> {
    /// All is well.
    Good(T),
    /// The files can't be used as they stand: why.
    Bad(T),
}

/// Reads the config and takes it up.
pub(super) trait Reader: Send {
    /// What reading gives.
    type Found;

    /// Reads everything anew.
    fn read(&mut self) -> Read<Self::Found>;

    /// The files that what was read came from, and those that would mend it.
    fn files(&self, found: &Self::Found) -> Vec<PathBuf>;

    /// Takes up what was read: a good config at once, a bad one when it has stayed so.
    fn take_up(&mut self, found: Read<Self::Found>);

    /// Takes up what was read again at the start, in case it changed before it was watched.
    fn catch_up(&mut self, found: Read<Self::Found>);
}

/// The reloading thread.
pub(super) struct Reload {
    signs: mpsc::Sender<Sign>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Reload {
    /// Starts it; `files` are those of the config in force.
    pub(super) fn spawn(clock: Clock, files: Vec<PathBuf>, reader: impl Reader + 'static) -> io::Result<Self> {
        let (signs, received) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let mut work = Work {
            clock,
            folders: Folders::new(signs.clone()),
            evented: false,
            prints: Vec::new(),
            files,
            reader,
            bad_since: None,
        };
        work.evented = work.folders.watch(work.files.iter().map(PathBuf::as_path));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new().name("reload".into()).spawn(move || work.run(&received, &stopped))?;
        Ok(Self { signs, stop, thread })
    }

    /// Ends the thread and waits for it.
    pub(super) fn close(self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.signs.send(Sign::Finished);
        let _ = self.thread.join();
    }
}

struct Work<R> {
    clock: Clock,
    folders: Folders,
    evented: bool,
    files: Vec<PathBuf>,
    prints: Vec<Print>,
    reader: R,
    bad_since: Option<Moment>,
}

/// What tells one content of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Print {
    Content(u64),
    Missing,
}

impl<R: Reader> Work<R> {
    fn run(&mut self, signs: &mpsc::Receiver<Sign>, stop: &AtomicBool) {
        let mut due: Option<Moment> = match self.read() {
            // A bad file is told by the look below, once it has stayed so.
            Read::Bad(_) => {
                self.prints.clear();
                Some(self.clock.now() + AGAIN)
            }
            good @ Read::Good(_) => {
                self.reader.catch_up(good);
                None
            }
        };
        loop {
            let look = if self.evented { LOOK } else { LOOK_WITHOUT_EVENTS };
            let wait: Duration = due.map_or(look.into(), |due| self.clock.until(due));
            match signs.recv_timeout(wait) {
                Ok(_) if stop.load(Ordering::Acquire) => return,
                Ok(Sign::Finished) => {
                    let soon = self.clock.now() + SETTLE;
                    due = Some(due.map_or(soon, |due| due.min(soon)));
                }
                // Each write starts the rest anew; a close ends it.
                Ok(Sign::Writing) => due = Some(self.clock.now() + REST),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if due.is_none() {
                        self.folders.renew();
                    }
                    due = self.look();
                }
            }
        }
    }

    /// Reads where something changed; gives the moment for another look, where one is wanted soon.
    fn look(&mut self) -> Option<Moment> {
        let prints: Vec<_> = self.files.iter().map(print).collect();
        if prints == self.prints && self.bad_since.is_none() {
            return None;
        }
        let now = self.clock.now();
        let found = self.read();
        if let Read::Bad(_) = &found {
            let since = *self.bad_since.get_or_insert(now);
            if now.since(since) < BAD_FOR {
                return Some(now + AGAIN);
            }
        }
        self.bad_since = None;
        self.reader.take_up(found);
        None
    }

    /// Reads everything, and watches the files it came from. What is remembered of them was
    /// looked at before they were read, so that no change can fall in between.
    fn read(&mut self) -> Read<R::Found> {
        loop {
            self.prints = self.files.iter().map(print).collect();
            let found = self.reader.read();
            let (Read::Good(what) | Read::Bad(what)) = &found;
            let files = self.reader.files(what);
            if files == self.files {
                return found;
            }
            self.evented = self.folders.watch(files.iter().map(PathBuf::as_path));
            self.files = files;
        }
    }
}

/// A file of more than this is not a config; reading would tell so.
const PRINT_BYTES: u64 = 16 * 1024 * 1024;

fn print(file: &PathBuf) -> Print {
    use std::io::Read as _;
    // Opening a pipe that nobody writes would hang; only plain files are looked into.
    let plain = std::fs::metadata(file).is_ok_and(|about| about.is_file());
    let mut content = Vec::new();
    let opened = plain.then(|| std::fs::File::open(file)).and_then(Result::ok);
    match opened.and_then(|opened| opened.take(PRINT_BYTES).read_to_end(&mut content).ok()) {
        Some(_) => Print::Content(digest(content)),
        None => Print::Missing,
    }
}
