//! The board thread: an ordinary thread that gives the kernel what happened,
//! carries out what it asks, and waits precisely until its next wake-up.
//!
//! It knows no check, no screen and no store: [`Effects`] carries out outputs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use super::bell::Bell;
use super::clock::Clock;
use crate::buffer::{Full, Ring};
use crate::frame::{Composer, Frame, Role};
use crate::kernel::{Concern, Input, Kernel, Moment, Output, Span};

/// Inputs that may wait for the board thread. It takes in 10,000 in less than a
/// frame's time; more waiting than this means that something floods it.
const INBOX: usize = 65_536;

/// Between two wake-ups of its own the board thread rests for so long: a wake-up costs
/// 20 µs of processor time, and nobody sees a tenth of a millisecond.
const BREATH: Span = Span::from_micros(100);

/// Without anything to do the board thread still wakes this often, so that the
/// heartbeat tells a waiting thread from a stuck one.
const HEARTBEAT: Span = Span::from_secs(1);

/// News in the rows that is not the shown item's reaches the screen at most this
/// often: a person reads no faster, and a board of 10,000 plans reports all the time.
const ROWS_EVERY: Span = Span::from_millis(50);

/// Something for the board thread.
enum Letter {
    /// Something happened.
    Input(Input),
    /// Somebody looks at the kernel, and may give it inputs, between two rounds of its own.
    Visit(Visit),
}

type Visit = Box<dyn FnOnce(&mut Kernel, Moment) + Send>;

/// The way into the board thread.
pub struct Inbox {
    ring: Ring<Letter>,
    bell: Bell,
    stop: AtomicBool,
    heartbeat: AtomicU64,
}

impl Inbox {
    /// An inbox that nobody reads yet.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            ring: Ring::new(INBOX),
            bell: Bell::default(),
            stop: AtomicBool::new(false),
            heartbeat: AtomicU64::new(0),
        })
    }

    /// Gives the board thread an input.
    ///
    /// # Errors
    /// Where too much waits already; the input is given back.
    pub fn send(&self, input: Input) -> Result<(), Full<Input>> {
        let sent = self.ring.push(Letter::Input(input));
        self.bell.ring();
        sent.map_err(|Full(letter)| match letter {
            Letter::Input(input) => Full(input),
            Letter::Visit(_) => unreachable!("what was pushed is an input"),
        })
    }

    /// Lets `visit` see the kernel as it is between two rounds, such as to give it inputs and
    /// read what became of them in one step. It runs on the board thread, so it must be short.
    ///
    /// # Errors
    /// Where too much waits already; nothing is done then.
    pub fn visit(&self, visit: impl FnOnce(&mut Kernel, Moment) + Send + 'static) -> Result<(), Full<()>> {
        let sent = self.ring.push(Letter::Visit(Box::new(visit)));
        self.bell.ring();
        sent.map_err(|_| Full(()))
    }

    /// Asks the board thread to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
    }

    /// When the board thread last went round, in milliseconds since the epoch of the shared clock.
    #[must_use]
    pub fn heartbeat(&self) -> u64 {
        self.heartbeat.load(Ordering::Relaxed)
    }
}

/// What carries out the kernel's outputs.
pub trait Effects: Send {
    /// Carries out one output; frames come by [`Effects::show`].
    fn carry_out(&mut self, output: Output, kernel: &Kernel);

    /// A frame that says something new, or has news in its rows under the same sequence number.
    fn show(&mut self, frame: Frame, kernel: &Kernel);

    /// The thread has nothing more to do for now; `ends`: for ever.
    fn rest(&mut self, _kernel: &Kernel, _now: Moment, _ends: bool) {}

    /// Why a lead that was told may not be shown any more; `None`: it may.
    fn lead_ran_out(&self, _now: Moment) -> Option<&'static str> {
        None
    }

    /// Adds to a frame what is known of the other consoles.
    fn accompany(&self, _frame: &mut Frame) {}

    /// Grows whenever [`Effects::accompany`] would add something else.
    fn company(&self) -> u64 {
        0
    }
}

/// Starts the board thread.
///
/// # Errors
/// Where the system has no thread to give.
pub(super) fn spawn(
    kernel: Kernel,
    clock: Clock,
    inbox: Arc<Inbox>,
    effects: impl Effects + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("board".into()).spawn(move || {
        #[cfg(feature = "cli")]
        super::clock::wake_precisely();
        drive(kernel, clock, &inbox, effects);
    })
}

/// Has everything carried out that the kernel asks for by now; true: a frame says something new.
fn carry_out(kernel: &mut Kernel, now: Moment, effects: &mut impl Effects) -> bool {
    kernel.handle(now, Input::Wake);
    let mut speaks = false;
    while let Some(output) = kernel.poll() {
        match output {
            Output::Frame => speaks = true,
            output => effects.carry_out(output, kernel),
        }
    }
    speaks
}

fn drive(mut kernel: Kernel, clock: Clock, inbox: &Inbox, mut effects: impl Effects) {
    let mut composer = Composer::default();
    let (mut composed_at, mut last) = (Moment::EPOCH, None);
    loop {
        let now = clock.now();
        inbox.heartbeat.store(now.unix_millis(), Ordering::Relaxed);
        let mut speaks = false;
        if let Role::Leader(fence) = kernel.role()
            && let Some(why) = effects.lead_ran_out(now)
        {
            kernel.handle(now, Input::Notice(Concern::Sync, Some(why.into())));
            kernel.handle(now, Input::Role(Role::Local(fence)));
        }
        while let Some(letter) = inbox.ring.pop() {
            match letter {
                Letter::Input(input) => kernel.handle(now, input),
                Letter::Visit(visit) => {
                    // A visitor sees a board on which everything that happened before has been worked out.
                    speaks |= carry_out(&mut kernel, now, &mut effects);
                    visit(&mut kernel, now);
                }
            }
        }
        speaks |= carry_out(&mut kernel, now, &mut effects);
        let news = Some((kernel.board().touched(), effects.company()));
        let rows_due = (last != news).then(|| composed_at + ROWS_EVERY);
        if speaks || rows_due.is_some_and(|due| due <= now) {
            (composed_at, last) = (now, news);
            let mut frame = composer.compose(&kernel, now, clock.wall());
            effects.accompany(&mut frame);
            effects.show(frame, &kernel);
        }
        let ends = inbox.stop.load(Ordering::Acquire);
        effects.rest(&kernel, now, ends);
        if ends {
            return;
        }
        let rows_due = rows_due.filter(|due| *due > now);
        // Plans that are due within a moment of each other share one wake-up.
        let kernel_wake = kernel.next_wake().map(|moment| moment.max(now + BREATH));
        let wake = [kernel_wake, rows_due, Some(now + HEARTBEAT)].into_iter().flatten().min();
        inbox.bell.wait(wake.map(|moment| clock.until(moment)));
    }
}
