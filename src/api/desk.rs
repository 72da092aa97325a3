//! What the app has to answer: the board, its items, its runs, its frames.
//!
//! A trait and not closures, because each answer has questions of its own. What
//! is asked here may wait for the board's thread, so most answers are futures;
//! dropping one forgets the question.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::wire::{Board, Consoles, HourWire, ItemWire, RunWire};
use crate::config::Settings;
use crate::frame::{ItemId, Level, Span, Values};

/// An answer on its way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Refused>> + Send + 'a>>;

/// Why something is not done, in a sentence for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such item or run.
    Missing(String),
    /// It is there, but not so that this can be done.
    Conflict(String),
    /// It can't be done now, but may be soon.
    Busy(String),
    /// So much comes that this was left out.
    Flooded(String),
}

impl Refused {
    /// The sentence alone.
    #[must_use]
    pub fn into_words(self) -> String {
        match self {
            Self::Missing(why) | Self::Conflict(why) | Self::Busy(why) | Self::Flooded(why) => why,
        }
    }
}

/// News of an item from a program: checked and cleaned.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// Which item.
    pub id: ItemId,
    /// How bad it is.
    pub level: Level,
    /// What it says.
    pub text: Arc<str>,
    /// How long it is believed; `None`: as the config says of the item, else for ever.
    pub ttl: Option<Span>,
    /// What was measured.
    pub values: Arc<Values>,
    /// Whether something was taken out of its texts that no screen should see.
    pub filtered: bool,
}

/// The program behind the HTTP face.
pub trait Desk: Send + Sync {
    /// All items.
    fn board(&self) -> Answer<'_, Board>;

    /// One item.
    fn item(&self, id: ItemId) -> Answer<'_, ItemWire>;

    /// Takes an update; true: as a new item.
    fn put(&self, update: Update) -> Answer<'_, (bool, ItemWire)>;

    /// Takes many updates in their order; the refused ones, each by its place with its reason.
    fn push(&self, updates: Vec<Update>) -> Answer<'_, Vec<(usize, String)>>;

    /// Takes a pushed item from the board.
    fn remove(&self, id: ItemId) -> Answer<'_, ()>;

    /// Somebody knows of the alarm that an item shows, or takes that back: the item as it is then.
    fn acknowledge(&self, id: ItemId, known: bool) -> Answer<'_, ItemWire>;

    /// The settings of an item's plan that are in force.
    fn plan(&self, id: ItemId) -> Answer<'_, Settings>;

    /// Changes the settings of an item's plan from `present` to `wanted`; tells what is in force then.
    /// Refused where somebody else changed them in between.
    fn tune(&self, id: ItemId, present: Settings, wanted: Settings) -> Answer<'_, Settings>;

    /// Runs an item's plan now: the run's id. Where one is in flight already, that one's.
    fn run(&self, id: ItemId) -> Answer<'_, String>;

    /// A run's end.
    fn end_of(&self, run: String) -> Answer<'_, RunWire>;

    /// Cancels a run and waits for its end.
    fn cancel(&self, run: String) -> Answer<'_, RunWire>;

    /// A run.
    ///
    /// # Errors
    /// Where it is not known.
    fn find_run(&self, run: &str) -> Result<RunWire, Refused>;

    /// An item's runs of the last hour.
    fn hour(&self, id: ItemId) -> Answer<'_, HourWire>;

    /// Who leads and who follows.
    fn consoles(&self) -> Answer<'_, Consoles>;

    /// Every frame from now on as a line of JSON, the one that is shown first. The sender is dropped
    /// where the reader does not keep up; `None`: there are too many readers.
    fn frames(&self) -> Option<mpsc::Receiver<Arc<str>>>;
}
