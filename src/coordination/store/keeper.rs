//! A thread that keeps what the board gives it, so that no disk ever holds up a picture.
//!
//! What could not be read at the start is read before the first write, and given back to be taken in: until the
//! board comes with it, what is kept there stays as it is.
//!
//! Deliberately no queue: only the newest current item and the newest board
//! wait, and a giver never does.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Store;
use crate::kernel::{BoardSnapshot, Current, Snapshot};

/// How long [`Keeper::close`] waits for the last write: a quarter of a second is
/// what a busy disk needs, and the program is to be gone within half a second.
const CLOSE_WITHIN: Duration = Duration::from_millis(300);

/// Where the program ends before the board could take in what the store held.
const TOO_LATE: &str = "the store answered too late; the board that it holds is left as it was";

/// How often is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The least time from one write to the next. A flood of news must not wear a flash disk out.
    pub gap: Duration,
    /// So many gaps lie at least between two writes of the board, which is the large part.
    pub board_gaps: u32,
    /// After a failed write the next try comes with the next news, or after so long.
    pub retry: Duration,
}

/// What the keeper tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// One part of the state was written, or could not be.
    Wrote(bool),
    /// A trouble has begun, or is another one; `None`: it is over.
    Trouble(Option<String>),
    /// The store could not be read at the start, and holds this: to be taken in and given by [`Keeper::keep_merged`].
    /// Told again until it was.
    Found(Snapshot),
}

impl Default for Pace {
    /// Four writes a second at most, the board every two seconds, a retry after one.
    fn default() -> Self {
        Self { gap: Duration::from_millis(250), board_gaps: 8, retry: Duration::from_secs(1) }
    }
}

/// The keeping thread's handle. Dropped, it closes.
#[derive(Debug)]
pub struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    desk: Mutex<Desk>,
    /// Something was put on the desk, or it is to be closed.
    given: Condvar,
    /// The thread has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Desk {
    current: Option<Current>,
    board: Option<BoardSnapshot>,
    /// The board has taken in what the store held.
    merged: bool,
    /// Grows with each thing given.
    gifts: u64,
    closing: bool,
    /// How the thread ended: with the trouble of its last write.
    end: Option<Result<(), String>>,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing is done under this lock that could be left half done.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, desk: MutexGuard<'a, Desk>, going_on: impl FnMut(&mut Desk) -> bool) -> MutexGuard<'a, Desk> {
        self.given.wait_while(desk, going_on).unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_at_most<'a>(
        &self,
        desk: MutexGuard<'a, Desk>,
        bound: Duration,
        going_on: impl FnMut(&mut Desk) -> bool,
    ) -> MutexGuard<'a, Desk> {
        self.given.wait_timeout_while(desk, bound, going_on).unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Keeper {
    /// Starts the thread that keeps in `store`; `report` hears what it tells. `unread`: why the store could not be
    /// read, which is to be done yet.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        store: Box<dyn Store>,
        pace: Pace,
        unread: Option<String>,
        report: impl Fn(Told) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let catch_up = if unread.is_some() { CatchUp::Unread } else { CatchUp::Done };
        let worker =
            Worker { shared: Arc::clone(&shared), store, pace, board_rest: 0, trouble: unread, catch_up, report };
        let thread = std::thread::Builder::new().name("keeper".into()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Gives the turn that is on. Returns at once.
    pub fn keep_current(&self, current: Current) {
        self.give(|desk| desk.current = Some(current));
    }

    /// Gives the board. Returns at once.
    pub fn keep_board(&self, board: BoardSnapshot) {
        self.give(|desk| desk.board = Some(board));
    }

    /// Gives the board with all that the store was found to hold, where that is missing in it. Returns at once.
    pub fn keep_merged(&self, board: BoardSnapshot) {
        self.give(|desk| (desk.board, desk.merged) = (Some(board), true));
    }

    fn give(&self, put: impl FnOnce(&mut Desk)) {
        let mut desk = self.shared.desk();
        put(&mut desk);
        desk.gifts += 1;
        self.shared.given.notify_one();
    }

    /// Writes what was given last and ends the thread, within 300 ms.
    ///
    /// # Errors
    /// Why the last state is not kept, or that the store did not answer in time. The thread is then left to itself.
    pub fn close(mut self) -> Result<(), String> {
        self.shut()
    }

    fn shut(&mut self) -> Result<(), String> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let mut desk = self.shared.desk();
        desk.closing = true;
        self.shared.given.notify_one();
        let waited = self.shared.ended.wait_timeout_while(desk, CLOSE_WITHIN, |desk| desk.end.is_none());
        let end = waited.unwrap_or_else(PoisonError::into_inner).0.end.take();
        let Some(end) = end else { return Err("the store did not answer in time; the last state is not kept".into()) };
        // It has nothing left to do, so this waits for nothing.
        thread.join().map_err(|_| "the keeper broke off".to_owned())?;
        end
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Whoever wants to know of the end calls `close`.
        let _ = self.shut();
    }
}

/// What the thread has.
struct Worker<R: Fn(Told)> {
    shared: Arc<Shared>,
    store: Box<dyn Store>,
    pace: Pace,
    /// How many gaps the board has to wait yet.
    board_rest: u32,
    trouble: Option<String>,
    catch_up: CatchUp,
    report: R,
}

/// How far what the store held has been taken in.
enum CatchUp {
    /// It could not be read yet.
    Unread,
    /// The board has to take this in before it is written over.
    Found(Snapshot),
    Done,
}

/// Tells the end of the thread, also by a panic.
struct Ending(Arc<Shared>, Result<(), String>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.desk().end = Some(std::mem::replace(&mut self.1, Ok(())));
        self.0.ended.notify_all();
    }
}

impl<R: Fn(Told)> Worker<R> {
    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let mut ending = Ending(Arc::clone(&shared), Err("the keeper broke off".into()));
        loop {
            let (current, board, gifts, closing) = self.next();
            self.write(current, board, closing);
            if closing {
                ending.1 = self.trouble.take().map_or(Ok(()), Err);
                return;
            }
            let desk = shared.wait_at_most(shared.desk(), self.pace.gap, |desk| !desk.closing);
            self.board_rest = self.board_rest.saturating_sub(1);
            if self.trouble.is_some() {
                drop(shared.wait_at_most(desk, self.pace.retry, |desk| !desk.closing && desk.gifts == gifts));
            }
        }
    }

    /// Waits for something to write, and takes it.
    fn next(&mut self) -> (Option<Current>, Option<BoardSnapshot>, u64, bool) {
        let shared = Arc::clone(&self.shared);
        let mut desk = shared.desk();
        // A board whose time has not come is waited for gap by gap, beside whatever else comes.
        while self.board_rest > 0 && !desk.closing && desk.current.is_none() {
            desk = if desk.board.is_none() {
                shared.wait(desk, |desk| !desk.closing && desk.current.is_none() && desk.board.is_none())
            } else {
                let waited = shared.wait_at_most(desk, self.pace.gap, |desk| !desk.closing && desk.current.is_none());
                self.board_rest -= 1;
                waited
            };
        }
        desk = shared.wait(desk, |desk| !desk.closing && desk.current.is_none() && desk.board.is_none());
        let board_due = self.board_rest == 0 || desk.closing;
        if desk.merged {
            self.catch_up = CatchUp::Done;
        }
        let board = if board_due { desk.board.take() } else { None };
        (desk.current.take(), board, desk.gifts, desk.closing)
    }

    /// Reads what could not be read at the start; the trouble with it.
    fn catch_up(&mut self) -> Option<String> {
        if matches!(self.catch_up, CatchUp::Unread) {
            let loaded = self.store.load();
            if !loaded.unread {
                self.catch_up = loaded.snapshot.map_or(CatchUp::Done, CatchUp::Found);
            }
            if let Some(trouble) = loaded.troubles.into_iter().next() {
                return Some(trouble);
            }
        }
        if let CatchUp::Found(found) = &self.catch_up {
            (self.report)(Told::Found(found.clone()));
        }
        None
    }

    /// Writes once. What fails goes back on the desk, unless something newer lies there.
    fn write(&mut self, current: Option<Current>, board: Option<BoardSnapshot>, closing: bool) {
        let mut trouble = self.catch_up();
        let (mut current, mut board) = (current, board);
        if trouble.is_some() {
            (self.report)(Told::Wrote(false));
            self.put_back(current.take(), board.take());
        } else if matches!(self.catch_up, CatchUp::Found(_)) && board.is_some() {
            trouble = closing.then(|| TOO_LATE.to_owned());
            self.put_back(None, board.take());
        }
        if let Some(current) = current {
            let kept = self.store.keep_current(&current);
            (self.report)(Told::Wrote(kept.is_ok()));
            if let Err(error) = kept {
                trouble = Some(error.to_string());
                self.put_back(Some(current), None);
            }
        }
        if let Some(board) = board {
            let kept = self.store.keep_board(&board);
            (self.report)(Told::Wrote(kept.is_ok()));
            match kept {
                Ok(()) => self.board_rest = self.pace.board_gaps,
                Err(error) => {
                    trouble.get_or_insert(error.to_string());
                    self.put_back(None, Some(board));
                }
            }
        }
        if trouble != self.trouble {
            self.trouble.clone_from(&trouble);
            (self.report)(Told::Trouble(trouble));
        }
    }

    fn put_back(&self, current: Option<Current>, board: Option<BoardSnapshot>) {
        let mut desk = self.shared.desk();
        desk.current = desk.current.take().or(current);
        desk.board = desk.board.take().or(board);
    }
}

#[cfg(test)]
mod tests;
