//! The keyboard: a thread that waits for keys and for the program's end.
//!
//! It waits on the terminal and on a stop event at once, so that its end can be
//! awaited, and leaves at a hang-up, where reading on would spin.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossterm::event::{self as terminal, KeyModifiers};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

use super::stage::Stage;
use crate::renderers::tui::name_of;
use crate::renderers::{Event, Size};

/// How long the library may look for more once there was something. It does not look at all in no time.
const GLANCE: Duration = Duration::from_millis(1);

/// The keyboard's thread.
pub(super) struct Keyboard {
    stop: OwnedFd,
    thread: JoinHandle<()>,
}

impl Keyboard {
    /// Listens to the terminal at standard input; `gone` is called when it has hung up.
    ///
    /// # Errors
    /// Where the system has no event or thread to give.
    pub(super) fn listen(
        stage: Arc<Stage>,
        events: mpsc::Sender<Event>,
        gone: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let stop = eventfd(0, EventfdFlags::CLOEXEC)?;
        let stopped = stop.try_clone()?;
        let thread = thread::Builder::new().name("keyboard".into()).spawn(move || {
            if listen(&stopped, &stage, &events).is_err() {
                gone();
            }
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread and waits for it.
    pub(super) fn close(self) {
        if rustix::io::write(&self.stop, &1_u64.to_ne_bytes()).is_ok() {
            // A panic of the thread has been reported by the panic hook.
            let _ = self.thread.join();
        }
    }
}

/// Gives events to the stage until it is stopped; an error means that the terminal is gone.
fn listen(stop: &OwnedFd, stage: &Stage, events: &mpsc::Sender<Event>) -> io::Result<()> {
    let input = io::stdin();
    loop {
        let mut waits = [PollFd::new(stop, PollFlags::IN), PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
        match poll(&mut waits, None) {
            Err(rustix::io::Errno::INTR) => continue,
            polled => polled?,
        };
        let [stopped, typed] = waits.map(|wait| wait.revents());
        if !stopped.is_empty() {
            return Ok(());
        }
        if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        while terminal::poll(GLANCE)? {
            for event in told(terminal::read()?) {
                // A stage that has ended has no use for it.
                let _ = events.send(event);
            }
            stage.wake();
        }
    }
}

fn told(event: terminal::Event) -> Vec<Event> {
    match event {
        // Escape and a key that arrive together look like the key with alt held, and over a slow
        // link they do. The keymap has nothing with alt, so both keys are told.
        terminal::Event::Key(mut key) if key.modifiers.contains(KeyModifiers::ALT) => {
            key.modifiers.remove(KeyModifiers::ALT);
            [Some("esc".to_owned()), name_of(key)].into_iter().flatten().map(Event::Key).collect()
        }
        terminal::Event::Key(key) => name_of(key).map(Event::Key).into_iter().collect(),
        terminal::Event::Paste(text) => vec![Event::Pasted(text)],
        terminal::Event::Resize(columns, rows) => vec![Event::Resized(Size { columns, rows })],
        _ => Vec::new(),
    }
}
