//! Renderers: how a frame becomes something that a person or a program reads.
//!
//! Each renderer is a plug-in behind [`Renderer`]; the [`Registry`] picks the
//! one of highest priority that supports the [`Context`]. Renderers see frames,
//! themes and keys, never the kernel. The trait needs nothing but `std`, so that
//! an embedding program can bring a renderer of its own.

mod context;
pub mod detect;
#[cfg(feature = "lines")]
pub mod json;
#[cfg(feature = "lines")]
pub mod plain;
#[cfg(all(test, feature = "lines"))]
mod sample;
pub mod sgr;
#[cfg(feature = "tui")]
pub mod tui;
pub mod words;

pub use context::{ASCII_SYMBOLS, Charset, ColourDepth, Context, Locale, NoSuchChoice, Size};

use std::io;

use crate::frame::{Frame, ItemId, Moment};

/// One way to show frames.
pub trait Renderer: Send {
    /// The name that `--render` takes.
    fn name(&self) -> &'static str;

    /// Whether it can show anything in this context. Only asked where several are to choose from.
    fn supports(&self, _context: &Context) -> bool {
        true
    }

    /// Among those that can, the highest is taken.
    fn priority(&self) -> i32 {
        0
    }

    /// Shows a frame.
    ///
    /// # Errors
    /// Where the other end is gone: nothing more can be shown.
    fn draw(&mut self, frame: &Frame) -> io::Result<()>;

    /// Whether it must see each frame, as a log does; a screen needs the newest alone.
    fn draws_every_frame(&self) -> bool {
        false
    }

    /// When the picture of this same frame next changes by time alone: a clock, a scroll, a blink.
    fn next_change(&self, _frame: &Frame) -> Option<Moment> {
        None
    }

    /// Somebody did something at the keyboard, or the terminal changed.
    fn event(&mut self, _event: Event, _frame: &Frame) -> Option<Request> {
        None
    }

    /// Gives back what it took: the screen as it was found.
    ///
    /// # Errors
    /// Where the other end is gone; there is nothing left to restore then.
    fn close(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What reaches a renderer from its terminal, and from the files it draws by.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A key, by the name that the keymap gives it; a printable one is its own name.
    Key(String),
    /// Text pasted in one piece.
    Pasted(String),
    /// The terminal has another size now.
    Resized(Size),
    /// The theme to draw with from now on.
    Theme(Box<crate::config::theme::Theme>),
}

/// What a viewer asks of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// End the program.
    Quit,
    /// Run this item's plan now.
    RunNow(ItemId),
    /// Somebody knows of the alarm that this item shows.
    Acknowledge(ItemId),
    /// They take that back.
    Unacknowledge(ItemId),
    /// Somebody looks at the list of the consoles from now on, or no more: [`Frame::peers`] costs the others
    /// an answer every few seconds, so it is filled only as long.
    Consoles(bool),
}

/// The known renderers.
#[derive(Default)]
pub struct Registry {
    renderers: Vec<Box<dyn Renderer>>,
}

impl Registry {
    /// Knows one more renderer.
    pub fn register(&mut self, renderer: Box<dyn Renderer>) {
        self.renderers.push(renderer);
    }

    /// The names of all, in the order they came.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.renderers.iter().map(|renderer| renderer.name()).collect()
    }

    /// Takes the renderer called `name`.
    #[must_use]
    pub fn take(mut self, name: &str) -> Option<Box<dyn Renderer>> {
        let place = self.renderers.iter().position(|renderer| renderer.name() == name)?;
        Some(self.renderers.swap_remove(place))
    }

    /// Takes the renderer of highest priority that supports `context`.
    #[must_use]
    pub fn choose(mut self, context: &Context) -> Option<Box<dyn Renderer>> {
        let fitting = self.renderers.iter().enumerate().filter(|(_, renderer)| renderer.supports(context));
        let (place, _) = fitting.max_by_key(|(_, renderer)| renderer.priority())?;
        Some(self.renderers.swap_remove(place))
    }
}
