//! The face for embedding programs: a marquee of one's own items on a thread.
//!
//! Needs nothing but `std`: no config file, no checks, no terminal. The items
//! are what the program gives; how they are drawn is what its renderer does.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::Clock;
use super::driver::{self, Effects, Inbox};
use super::stage::{self, Stage, Watch};
use crate::frame::{Frame, Safe};
use crate::kernel::board::{BadItemId, ItemId, ItemSpec, Level, Source};
use crate::kernel::plans::CONCURRENCY;
use crate::kernel::{BoardSpec, FEED, Input, Kernel, Output, Span};
use crate::renderers::{Event, Renderer, Request};

/// One item of an embedding program: shown as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedItem(ItemSpec);

impl FixedItem {
    /// An item called `id` that says `text` at `level`.
    ///
    /// # Errors
    /// Where `id` is not 1 to 64 of `a-z 0-9 . _ -`.
    pub fn new(id: &str, text: &str, level: Level) -> Result<Self, BadItemId> {
        let text = Safe::line(text).shared();
        let (source, label) = (Source::Fixed(level), Arc::from("fixed"));
        Ok(Self(ItemSpec { id: ItemId::new(id)?, text, hold: None, source, label, revision: 0 }))
    }

    /// The same with a turn of its own length.
    #[must_use]
    pub fn hold(mut self, hold: Duration) -> Self {
        self.0.hold = Some(hold.into());
        self
    }
}

/// Builds a marquee.
pub struct Builder {
    spec: BoardSpec,
    order: Vec<String>,
    renderer: Option<Box<dyn Renderer>>,
}

/// A marquee on its thread; it ends when it is stopped or dropped.
pub struct Marquee {
    inbox: Arc<Inbox>,
    stage: Arc<Stage>,
    events: mpsc::Sender<Event>,
    spec: BoardSpec,
    order: Vec<String>,
    board: Option<JoinHandle<()>>,
    drawing: Option<JoinHandle<io::Result<()>>>,
}

impl Builder {
    /// The items, in file order.
    #[must_use]
    pub fn items(mut self, items: impl IntoIterator<Item = FixedItem>) -> Self {
        self.spec.items = items.into_iter().map(|item| item.0).collect();
        self
    }

    /// How long each turn lasts; at least 10 ms.
    #[must_use]
    pub fn interval(mut self, interval: Duration) -> Self {
        self.spec.interval = interval.into();
        self
    }

    /// The ids that come first, in this order; the rest follows as given.
    #[must_use]
    pub fn order<'a>(mut self, ids: impl IntoIterator<Item = &'a str>) -> Self {
        self.order = ids.into_iter().map(str::to_owned).collect();
        self
    }

    /// What is shown without any item.
    #[must_use]
    pub fn fallback(mut self, text: &str) -> Self {
        self.spec.fallback = Safe::line(text).shared();
        self
    }

    /// Items at this level or worse interrupt; `None`: none does.
    #[must_use]
    pub fn interrupt(mut self, level: Option<Level>) -> Self {
        self.spec.interrupt = level;
        self
    }

    /// What draws the frames; without one they can be read by [`Marquee::frame`] alone.
    #[must_use]
    pub fn renderer(mut self, renderer: impl Renderer + 'static) -> Self {
        self.renderer = Some(Box::new(renderer));
        self
    }

    /// Runs it on a thread of its own until it is stopped.
    ///
    /// # Errors
    /// Where the system has no thread to give.
    pub fn start(self) -> io::Result<Marquee> {
        let (clock, inbox, stage) = (Clock::start(), Inbox::new(), Stage::new());
        let kernel = Kernel::new(clock.now(), Arc::clone(&self.spec.title), Arc::clone(&self.spec.fallback));
        let (events, receiver) = mpsc::channel();
        let mut marquee = Marquee {
            inbox: Arc::clone(&inbox),
            stage: Arc::clone(&stage),
            events,
            spec: BoardSpec { items: Vec::new(), ..self.spec.clone() },
            order: self.order,
            board: None,
            drawing: None,
        };
        marquee.give(self.spec.items);
        let asked = Asked(Arc::clone(&inbox));
        if let Some(renderer) = self.renderer {
            marquee.drawing = Some(stage::spawn(Arc::clone(&stage), clock, renderer, receiver, asked)?);
        }
        marquee.board = Some(driver::spawn(kernel, clock, inbox, Shown(stage))?);
        Ok(marquee)
    }
}

impl Marquee {
    /// A marquee of nothing yet, called `title`.
    #[must_use]
    pub fn builder(title: &str) -> Builder {
        let spec = BoardSpec {
            title: Safe::line(title).shared(),
            items: Vec::new(),
            interval: Span::from_secs(3),
            scroll: 12,
            interrupt: Some(Level::Critical),
            summarise_after: 8,
            fallback: "System initializing…".into(),
            concurrency: CONCURRENCY,
            hosts: Vec::new(),
            feed: FEED,
        };
        Builder { spec, order: Vec::new(), renderer: None }
    }

    /// Replaces all items in one step; those that did not change keep their turn.
    pub fn replace(&self, items: impl IntoIterator<Item = FixedItem>) {
        self.give(items.into_iter().map(|item| item.0).collect());
    }

    fn give(&self, mut items: Vec<ItemSpec>) {
        let rank = |item: &ItemSpec| self.order.iter().position(|id| id == item.id.as_str()).unwrap_or(usize::MAX);
        items.sort_by_key(rank);
        let mut board = Input::Board(Box::new(BoardSpec { items, ..self.spec.clone() }));
        // The board thread empties the inbox in no time; only a flood makes this wait.
        while let Err(full) = self.inbox.send(board) {
            board = full.0;
            std::thread::yield_now();
        }
    }

    /// The frame that is shown now; `None` before the first.
    #[must_use]
    pub fn frame(&self) -> Option<Frame> {
        self.stage.newest().as_ref().clone()
    }

    /// Gives the renderer an event, such as a key.
    pub fn event(&self, event: Event) {
        // A renderer that is gone has no use for it.
        let _ = self.events.send(event);
        self.stage.wake();
    }

    /// Whether a viewer asked to quit, or the marquee was stopped.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.board.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends it and waits until its threads are gone.
    ///
    /// # Errors
    /// Where the renderer could not draw, or give back what it took.
    pub fn stop(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.inbox.stop();
        self.stage.stop();
        let board = self.board.take().map(JoinHandle::join);
        let drawing = self.drawing.take().map(JoinHandle::join);
        let panicked = || io::Error::other("a thread of the marquee panicked");
        board.transpose().map_err(|_| panicked())?;
        drawing.transpose().map_err(|_| panicked())?.unwrap_or(Ok(()))
    }
}

impl Drop for Marquee {
    fn drop(&mut self) {
        // There is nobody left to tell of a renderer's error.
        let _ = self.end();
    }
}

struct Shown(Arc<Stage>);

impl Effects for Shown {
    fn carry_out(&mut self, _output: Output, _kernel: &Kernel) {}

    fn show(&mut self, frame: Frame, _kernel: &Kernel) {
        self.0.show(frame);
    }
}

struct Asked(Arc<Inbox>);

impl Watch for Asked {
    fn drawn(&mut self, _took: Duration) {}

    fn asked(&mut self, request: Request) {
        if request == Request::Quit {
            self.0.stop();
        }
    }
}
