//! The stage: the thread on which the renderer draws.
//!
//! Apart from the board thread, because a terminal may block for as long as a
//! slow link likes. What is drawn then is the newest frame, never a queue of old
//! ones; only line renderers see every frame, as far as the ring holds them.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use super::bell::Bell;
use super::clock::Clock;
use crate::buffer::{Ring, Swap};
use crate::frame::{Frame, Moment};
use crate::renderers::{Event, Renderer, Request};

/// Frames that a line renderer may be behind: at the shortest interval 10 s of turns.
const BEHIND: usize = 1_024;

/// Where frames go to be drawn, and the newest one for anybody who asks.
#[derive(Debug)]
pub struct Stage {
    newest: Swap<Option<Frame>>,
    queue: Ring<Frame>,
    bell: Bell,
    stop: AtomicBool,
    drawn: AtomicBool,
}

/// What a stage tells of its drawing.
pub trait Watch: Send {
    /// A frame was drawn in so long.
    fn drawn(&mut self, took: std::time::Duration);
    /// A viewer asks something of the program.
    fn asked(&mut self, request: Request);
}

impl Stage {
    /// An empty stage.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            newest: Swap::new(None),
            queue: Ring::new(BEHIND),
            bell: Bell::default(),
            stop: AtomicBool::new(false),
            drawn: AtomicBool::new(false),
        })
    }

    /// Shows a frame from now on.
    pub fn show(&self, frame: Frame) {
        // A full queue loses what nobody reads in time; the newest is never lost.
        let _ = self.queue.push(frame.clone());
        self.newest.store(Some(frame));
        self.bell.ring();
    }

    /// The newest frame; `None`: there was none yet.
    #[must_use]
    pub fn newest(&self) -> Arc<Option<Frame>> {
        self.newest.load()
    }

    /// Whether a frame has been drawn.
    #[must_use]
    pub fn has_drawn(&self) -> bool {
        self.drawn.load(Ordering::Relaxed)
    }

    /// Wakes the stage: there is an event for its renderer.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Asks the stage to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
    }
}

/// Starts the stage's thread. It ends when it is stopped, or with an error when
/// nothing more can be drawn; the renderer is closed in both cases.
///
/// # Errors
/// Where the system has no thread to give.
pub(super) fn spawn(
    stage: Arc<Stage>,
    clock: Clock,
    mut renderer: Box<dyn Renderer>,
    events: mpsc::Receiver<Event>,
    mut watch: impl Watch + 'static,
) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new().name("stage".into()).spawn(move || {
        let played = play(&stage, clock, renderer.as_mut(), &events, &mut watch);
        let closed = renderer.close();
        played.and(closed)
    })
}

fn play(
    stage: &Stage,
    clock: Clock,
    renderer: &mut dyn Renderer,
    events: &mpsc::Receiver<Event>,
    watch: &mut impl Watch,
) -> io::Result<()> {
    let mut last: Option<Frame> = None;
    loop {
        if let Some(frame) = &last {
            let now = frame.at(clock.now(), clock.wall());
            for request in events.try_iter().filter_map(|event| renderer.event(event, &now)) {
                watch.asked(request);
            }
        }
        while let Some(frame) = stage.queue.pop() {
            if renderer.draws_every_frame() {
                draw(stage, clock, renderer, &frame, watch)?;
            }
            last = Some(frame);
        }
        // What the queue had no room for is still the newest.
        if let Some(newest) = stage.newest().as_ref()
            && last.as_ref().is_some_and(|last| last.seq < newest.seq)
        {
            last = Some(newest.clone());
        }
        let mut next: Option<Moment> = None;
        if let Some(frame) = &last {
            let frame = frame.at(clock.now(), clock.wall());
            if !renderer.draws_every_frame() {
                draw(stage, clock, renderer, &frame, watch)?;
            }
            next = renderer.next_change(&frame);
        }
        if stage.stop.load(Ordering::Acquire) {
            return Ok(());
        }
        stage.bell.wait(next.map(|moment| clock.until(moment)));
    }
}

fn draw(
    stage: &Stage,
    clock: Clock,
    renderer: &mut dyn Renderer,
    frame: &Frame,
    watch: &mut impl Watch,
) -> io::Result<()> {
    let began = clock.now();
    renderer.draw(frame)?;
    stage.drawn.store(true, Ordering::Relaxed);
    watch.drawn(clock.now().since(began).into());
    Ok(())
}
