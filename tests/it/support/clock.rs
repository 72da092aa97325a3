//! The only clock of the tests, and how long they have patience.

use std::time::{Duration, Instant};

/// How long a test waits for what should happen at once. Only a failure waits
/// so long: it is far above what a busy machine needs, and below the patience of a person.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The moment that is now.
#[expect(clippy::disallowed_methods, reason = "the tests run a real program and bound their waits by the real clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What is left until `deadline`; `None` once it has passed.
pub(crate) fn left(deadline: Instant) -> Option<Duration> {
    deadline.checked_duration_since(now()).filter(|left| !left.is_zero())
}

/// Asks again and again until something is found. For what gives no sign by
/// itself, such as a port that opens or a file that changes.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(left(deadline).is_some(), "waited for {what} for {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Lets time pass: for how long a fault lasts, never to wait for something.
pub(crate) fn pass(time: Duration) {
    let deadline = now() + time;
    while let Some(left) = left(deadline) {
        std::thread::park_timeout(left);
    }
}
