//! The leader's end of the link.
//!
//! One task lets followers in, one more serves each of them, and all of them
//! have ended when [`Speaker::close`] has. Who speaks has the election's lock,
//! so whoever listened at the path before is dead, and no second one comes.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::door::{self, Door};
use super::hall::{Hall, Seat};
use super::lines::{Incoming, Sending};
use super::{Ending, TO_FOLLOWER_BYTES_MAX, TO_LEADER_BYTES_MAX, can_be_sent, is_own};

/// How many lines wait to be heard, of all followers together. Who tells more waits for its turn, in a
/// row with the others, so one that floods slows down nobody but itself.
const TOLD_MAX: usize = 64;

/// How long the last words may take once this is closed. The whole program has 100 ms for its end.
const GRACE: Duration = Duration::from_millis(50);

/// Speaks to all who follow, and hears them.
#[derive(Debug)]
pub struct Speaker {
    hall: Arc<Hall>,
    told: mpsc::Receiver<Told>,
    /// Keeps the channel open also when no task is left.
    _tell: mpsc::Sender<Told>,
    tracker: TaskTracker,
    /// Ends the tasks also where this is dropped without being closed.
    stop: DropGuard,
}

/// What the leader hears of a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Which one, by a number that no other of this speaker has or had.
    pub follower: u64,
    /// What it told; `None`, and nothing after it: it left.
    pub line: Option<String>,
}

impl Speaker {
    /// Speaks at `path` from now on, in the place of whoever did before; its tasks run on `runtime`.
    /// Only for who has the election's lock.
    ///
    /// # Errors
    /// Where nobody can be let in there: what was tried, and why it failed.
    pub fn listen(path: &Path, runtime: &Handle) -> Result<Self, String> {
        Self::listen_with(path, runtime, GRACE)
    }

    pub(super) fn listen_with(path: &Path, runtime: &Handle, grace: Duration) -> Result<Self, String> {
        let door = door::open(path, runtime, grace).map_err(|why| why.to_string())?;
        let (tell, told) = mpsc::channel(TOLD_MAX);
        let (hall, tracker, stop) = (Arc::<Hall>::default(), TaskTracker::new(), CancellationToken::new());
        let letting_in = let_in(door, Arc::clone(&hall), tell.clone(), stop.clone());
        tracker.spawn_on(letting_in, runtime);
        Ok(Self { hall, told, _tell: tell, tracker, stop: stop.drop_guard() })
    }

    /// Says a line to all who follow; never waits for any of them. One whose queue is full is let go.
    /// A line that no follower would take is not said, and the log tells.
    pub fn say(&self, line: &Arc<str>) {
        match can_be_sent(line, TO_FOLLOWER_BYTES_MAX) {
            Ok(()) => self.hall.say(line),
            Err(why) => warn!(bytes = line.len(), "a line is not said to the followers: {why}"),
        }
    }

    /// What newcomers hear first, in place of what it was before. Greet first and say afterwards:
    /// a newcomer in between then hears the news twice instead of never.
    pub fn greet(&self, mut lines: Vec<Arc<str>>) {
        lines.retain(|line| {
            let can = can_be_sent(line, TO_FOLLOWER_BYTES_MAX);
            can.inspect_err(|why| warn!(bytes = line.len(), "a line is left out of the greeting: {why}")).is_ok()
        });
        self.hall.greet(lines);
    }

    /// Says a line to one follower; `false`: it is not there any more.
    pub fn answer(&self, follower: u64, line: &Arc<str>) -> bool {
        match can_be_sent(line, TO_FOLLOWER_BYTES_MAX) {
            Ok(()) => self.hall.answer(follower, line),
            Err(why) => {
                warn!(bytes = line.len(), "an answer is not given: {why}");
                false
            }
        }
    }

    /// The next thing that a follower told, waited for. A future that is dropped has lost nothing.
    pub async fn heard(&mut self) -> Told {
        match self.told.recv().await {
            Some(told) => told,
            // Not while this has a sender of its own.
            None => std::future::pending().await,
        }
    }

    /// How many follow.
    #[must_use]
    pub fn followers(&self) -> usize {
        self.hall.followers()
    }

    /// How many connections have ended so since this speaks.
    #[must_use]
    pub fn ended(&self, ending: Ending) -> u64 {
        self.hall.ended(ending)
    }

    /// Lets nobody in any more, gives what was said a moment to reach those who keep up, and ends the rest.
    pub async fn close(self) {
        let Self { tracker, stop, told, .. } = self;
        drop(stop);
        tracker.close();
        tracker.wait().await;
        // Until here: a follower that still tells something must not be taken for one that left.
        drop(told);
    }
}

/// Lets followers in until `stop`.
async fn let_in(door: Door, hall: Arc<Hall>, tell: mpsc::Sender<Told>, stop: CancellationToken) {
    let admit = |stream: UnixStream| {
        if !is_own(&stream) {
            warn!("a connection to the link: {}", Ending::Stranger.words());
            hall.count(Ending::Stranger);
            return None;
        }
        let (hall, tell, stop) = (Arc::clone(&hall), tell.clone(), stop.clone());
        Some(serve(stream, hall, tell, stop))
    };
    let crowded = || {
        debug!("a connection to the link: {}", Ending::Crowded.words());
        hall.count(Ending::Crowded);
    };
    door.serve(&stop, admit, crowded).await;
}

/// One follower from its first line to its last.
async fn serve(stream: UnixStream, hall: Arc<Hall>, tell: mpsc::Sender<Told>, stop: CancellationToken) {
    let (follower, seat, greeting) = hall.enter();
    debug!(follower, "follows");
    let ending = tokio::select! {
        biased;
        () = seat.let_go.cancelled() => Ending::TooSlow,
        ending = speak(&stream, greeting, &seat, &stop) => ending,
        ending = hear(&stream, follower, &tell) => ending,
    };
    hall.leave(follower, ending);
    // The follower is to notice at once, however long the leader takes to hear of it.
    drop(stream);
    debug!(follower, "follows no more: {}", ending.words());
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        // Nobody is left to hear it where this fails.
        _ = tell.send(Told { follower, line: None }) => {}
    }
}

/// Sends the greeting and what is said; once stopped, what has been said until then.
async fn speak(stream: &UnixStream, greeting: Vec<Arc<str>>, seat: &Seat, stop: &CancellationToken) -> Ending {
    let send = async |line| Sending::new(line).finish(stream).await;
    let spoken: io::Result<()> = async {
        for line in greeting {
            send(line).await?;
        }
        loop {
            // Before the queue is looked at: what is said after the look has to wake this.
            let stopped = stop.is_cancelled();
            while let Some(line) = seat.next() {
                send(line).await?;
            }
            if stopped {
                return Ok(());
            }
            tokio::select! {
                () = seat.news() => {}
                () = stop.cancelled() => {}
            }
        }
    }
    .await;
    if spoken.is_ok() { Ending::Closed } else { Ending::Left }
}

/// Passes on what the follower tells, as fast as it is heard.
async fn hear(stream: &UnixStream, follower: u64, tell: &mpsc::Sender<Told>) -> Ending {
    let mut incoming = Incoming::new(TO_LEADER_BYTES_MAX);
    loop {
        match incoming.next(stream).await {
            Ok(line) => {
                if tell.send(Told { follower, line: Some(line) }).await.is_err() {
                    return Ending::Closed;
                }
            }
            Err(ending) => return ending,
        }
    }
}
