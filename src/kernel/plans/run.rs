//! A plan's run in one atomic word: busy and cancelled cannot disagree.
//!
//! ```text
//!           start           cancel
//!   idle 0 ───────▶ busy 1 ───────▶ busy and cancelled 3
//!    │  ▲             │                ▲
//!    │  └── finish ───┘                │
//!    └──────────── cancel ─────────────┘
//! ```
//!
//! Cancelled without busy, 2, never occurs, and 3 is for ever: a plan that goes
//! on after a cancelled run gets a new word. A verdict is published while the
//! word still says busy; given up first and published after, it could come from
//! a run that everybody was told has ended.
//!
//! Deliberately without waiting: who cancels a busy run waits for the signal
//! that its owner gives after closing the I/O, by whatever the owner has for it.

use std::ops::Deref;

use super::sync::{AtomicU8, Ordering};

const IDLE: u8 = 0;
const BUSY: u8 = 1;
const CANCELLED: u8 = 3;

/// The word of one plan.
#[derive(Debug)]
pub struct RunWord(AtomicU8);

/// What a cancelled plan was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Was {
    /// Nothing was in flight, and nothing will start.
    Idle,
    /// A run was in flight: it is over when its owner has closed its I/O and said so.
    Busy,
    /// Somebody cancelled before.
    AlreadyCancelled,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// Its end came first; the plan is idle again.
    Done,
    /// A cancellation came first: the owner closes the I/O, says so, and nothing
    /// of the run counts, not even what was published a moment before.
    Cancelled,
}

impl RunWord {
    /// The word of a plan that has not run.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicU8::new(IDLE))
    }

    /// Cancels the run in flight, and every start to come.
    pub fn cancel(&self) -> Was {
        // Acquire: what the last run published is seen by who cancelled it.
        // Release: what was written before, say the reason, is seen by the run that finds itself cancelled.
        match self.0.fetch_or(CANCELLED, Ordering::AcqRel) {
            IDLE => Was::Idle,
            BUSY => Was::Busy,
            _ => Was::AlreadyCancelled,
        }
    }

    /// Whether a run was cancelled here, so that no other will start.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire) == CANCELLED
    }

    /// Whether a run is in flight.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.0.load(Ordering::Acquire) == BUSY
    }
}

impl Default for RunWord {
    fn default() -> Self {
        Self::new()
    }
}

/// A run in flight. It ends once: by [`Running::finish`], or when it is dropped,
/// so that a run that panics or is given up does not leave its plan busy.
#[derive(Debug)]
pub struct Running<W: Deref<Target = RunWord>> {
    word: W,
    ended: bool,
}

impl<W: Deref<Target = RunWord>> Running<W> {
    /// Starts a run; `None` where the plan is busy or cancelled, and the tick is skipped.
    pub fn start(word: W) -> Option<Self> {
        // Acquire: what the run before published is seen by this one. A refused start has seen nothing.
        word.0.compare_exchange(IDLE, BUSY, Ordering::Acquire, Ordering::Relaxed).ok()?;
        Some(Self { word, ended: false })
    }

    /// Whether the run should stop: to be asked between steps and just before I/O.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.word.is_cancelled()
    }

    /// Ends the run: publishes its verdict unless it was cancelled, then gives the word up.
    pub fn finish(mut self, publish: impl FnOnce()) -> Finish {
        if !self.is_cancelled() {
            publish();
        }
        self.end()
    }

    fn end(&mut self) -> Finish {
        self.ended = true;
        // Release: the verdict is seen by the next run and by who cancels from now on.
        // Acquire on failure: what was written before the cancellation is seen here.
        match self.word.0.compare_exchange(BUSY, IDLE, Ordering::Release, Ordering::Acquire) {
            Ok(_) => Finish::Done,
            Err(_) => Finish::Cancelled,
        }
    }
}

impl<W: Deref<Target = RunWord>> Drop for Running<W> {
    fn drop(&mut self) {
        if !self.ended {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sync::explore;
    use super::*;

    /// What can be done to a word, and what it answers.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Answer {
        Started(bool),
        Cancelled(Was),
        Ended { published: bool, finish: Finish },
    }
    use Answer::{Cancelled, Ended, Started};

    fn word(state: u8) -> RunWord {
        RunWord(AtomicU8::new(state))
    }

    fn started(word: &RunWord) -> Answer {
        let run = Running::start(word);
        let answer = Started(run.is_some());
        // The word is to be seen as the start left it.
        std::mem::forget(run);
        answer
    }

    fn cancelled(word: &RunWord) -> Answer {
        Cancelled(word.cancel())
    }

    fn finished(word: &RunWord) -> Answer {
        let mut published = false;
        let finish = Running { word, ended: false }.finish(|| published = true);
        Ended { published, finish }
    }

    #[test]
    fn every_state_answers_every_verb() {
        type Verb = fn(&RunWord) -> Answer;
        const TABLE: [(u8, Verb, Answer, u8); 8] = [
            (IDLE, started, Started(true), BUSY),
            (BUSY, started, Started(false), BUSY),
            (CANCELLED, started, Started(false), CANCELLED),
            (IDLE, cancelled, Cancelled(Was::Idle), CANCELLED),
            (BUSY, cancelled, Cancelled(Was::Busy), CANCELLED),
            (CANCELLED, cancelled, Cancelled(Was::AlreadyCancelled), CANCELLED),
            // A run that ends was started, so an idle word has no end.
            (BUSY, finished, Ended { published: true, finish: Finish::Done }, IDLE),
            (CANCELLED, finished, Ended { published: false, finish: Finish::Cancelled }, CANCELLED),
        ];
        explore(|| {
            for (row, (before, verb, answer, after)) in TABLE.into_iter().enumerate() {
                let word = word(before);
                assert_eq!(verb(&word), answer, "row {row}");
                assert_eq!(word.0.load(Ordering::Relaxed), after, "row {row}");
            }
        });
    }

    #[test]
    fn a_cancellation_while_publishing_takes_the_verdict_back() {
        explore(|| {
            let word = RunWord::new();
            let run = Running::start(&word).unwrap();
            assert_eq!(run.finish(|| assert_eq!(word.cancel(), Was::Busy)), Finish::Cancelled);
            assert!(Running::start(&word).is_none());
        });
    }

    #[test]
    fn a_run_that_is_dropped_leaves_its_plan_idle_or_cancelled() {
        explore(|| {
            let word = RunWord::new();
            drop(Running::start(&word).unwrap());
            assert!(!word.is_busy());
            let run = Running::start(&word).unwrap();
            word.cancel();
            assert!(run.is_cancelled());
            drop(run);
            assert!(word.is_cancelled());
        });
    }

    /// Two ticks meet a cancellation, in every order.
    #[cfg(loom)]
    mod met {
        use loom::sync::Arc;
        use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release};
        use loom::sync::atomic::{AtomicBool, AtomicUsize};
        use loom::thread;

        use super::super::{Finish, RunWord, Running, Was};

        #[derive(Default)]
        struct Plant {
            word: RunWord,
            verdicts: AtomicUsize,
            running: AtomicUsize,
            started: AtomicUsize,
            done: AtomicUsize,
            cancelled: AtomicUsize,
            closed: AtomicBool,
        }

        impl Plant {
            // Relaxed, so that only the word itself can make a verdict seen.
            fn publish(&self) {
                self.verdicts.fetch_add(1, Relaxed);
            }

            fn tick(&self, rightly: bool) {
                let Some(run) = Running::start(&self.word) else { return };
                assert_eq!(self.running.fetch_add(1, Relaxed), 0, "two runs of one plan at once");
                self.started.fetch_add(1, Relaxed);
                self.running.fetch_sub(1, Relaxed);
                let finish = if rightly {
                    run.finish(|| self.publish())
                } else {
                    let finish = run.finish(|| ());
                    self.publish();
                    finish
                };
                match finish {
                    Finish::Done => _ = self.done.fetch_add(1, Relaxed),
                    Finish::Cancelled => {
                        self.cancelled.fetch_add(1, Relaxed);
                        self.closed.store(true, Release);
                    }
                }
            }
        }

        fn two_ticks_and_a_cancellation(rightly: bool) {
            loom::model(move || {
                let plant = Arc::new(Plant::default());
                let ticks = [(), ()].map(|()| {
                    let plant = Arc::clone(&plant);
                    thread::spawn(move || plant.tick(rightly))
                });
                let was = plant.word.cancel();
                if was == Was::Busy {
                    while !plant.closed.load(Acquire) {
                        thread::yield_now();
                    }
                }
                let told = plant.verdicts.load(Relaxed);
                for tick in ticks {
                    tick.join().unwrap();
                }
                assert_eq!(plant.verdicts.load(Relaxed), told, "a verdict came after the cancellation had returned");
                let ended = plant.done.load(Relaxed) + plant.cancelled.load(Relaxed);
                assert_eq!(plant.started.load(Relaxed), ended);
                assert_eq!(plant.cancelled.load(Relaxed), usize::from(was == Was::Busy));
                assert!(plant.word.is_cancelled());
            });
        }

        #[test]
        fn no_verdict_comes_after_a_cancellation_has_returned() {
            two_ticks_and_a_cancellation(true);
        }

        #[test]
        #[should_panic(expected = "a verdict came after the cancellation had returned")]
        fn publishing_after_the_word_is_given_up_is_a_ghost_and_is_found() {
            two_ticks_and_a_cancellation(false);
        }
    }
}
