//! Who follows, and what waits for whom.
//!
//! One lock over the seats and the greeting, held for as long as it takes to
//! push a pointer to each of them: so no line falls between the greeting of a
//! newcomer and what is said to all. Deliberately no socket.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::lines::Waiting;
use super::{Ending, TO_FOLLOWER};

/// Where the followers are.
#[derive(Debug, Default)]
pub(super) struct Hall {
    inside: Mutex<Inside>,
    endings: [AtomicU64; Ending::ALL.len()],
}

#[derive(Debug, Default)]
struct Inside {
    greeting: Vec<Arc<str>>,
    seats: BTreeMap<u64, Arc<Seat>>,
    last: u64,
}

/// What waits for one follower.
#[derive(Debug)]
pub(super) struct Seat {
    waiting: Mutex<Waiting>,
    news: Notify,
    /// It did not keep up.
    pub(super) let_go: CancellationToken,
}

impl Hall {
    /// Lets a follower in: its number, its seat, and what it hears first.
    pub(super) fn enter(&self) -> (u64, Arc<Seat>, Vec<Arc<str>>) {
        let mut inside = self.inside();
        inside.last += 1;
        let (number, seat) = (inside.last, Arc::new(Seat::new()));
        inside.seats.insert(number, Arc::clone(&seat));
        (number, seat, inside.greeting.clone())
    }

    /// The end of a follower that was let in.
    pub(super) fn leave(&self, number: u64, ending: Ending) {
        self.inside().seats.remove(&number);
        self.count(ending);
    }

    pub(super) fn greet(&self, lines: Vec<Arc<str>>) {
        self.inside().greeting = lines;
    }

    pub(super) fn say(&self, line: &Arc<str>) {
        self.inside().seats.retain(|_, seat| seat.push(line));
    }

    /// Whether the line had somebody to wait for.
    pub(super) fn answer(&self, number: u64, line: &Arc<str>) -> bool {
        let mut inside = self.inside();
        let pushed = inside.seats.get(&number).is_some_and(|seat| seat.push(line));
        if !pushed {
            inside.seats.remove(&number);
        }
        pushed
    }

    pub(super) fn followers(&self) -> usize {
        self.inside().seats.len()
    }

    pub(super) fn count(&self, ending: Ending) {
        self.endings[ending as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, ending: Ending) -> u64 {
        self.endings[ending as usize].load(Ordering::Relaxed)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn new() -> Self {
        Self { waiting: Mutex::new(Waiting::new(TO_FOLLOWER)), news: Notify::new(), let_go: CancellationToken::new() }
    }

    /// Whether its follower keeps up; one that does not is let go.
    fn push(&self, line: &Arc<str>) -> bool {
        let kept_up = self.waiting().push(Arc::clone(line));
        if kept_up {
            self.news.notify_one();
        } else {
            self.let_go.cancel();
        }
        kept_up
    }

    /// The next line that waits.
    pub(super) fn next(&self) -> Option<Arc<str>> {
        self.waiting().pop()
    }

    /// Waits until something has been pushed since this was waited for last.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
