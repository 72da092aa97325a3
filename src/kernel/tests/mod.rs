//! Scenarios over the whole kernel on virtual time, which jumps to the next wake-up.

mod acknowledge;
mod any_board;
mod fleet;
mod handover;
mod limits;
mod mirror;
mod plans;
mod pushes;
mod step;
mod store;
mod tune;
mod turns;

use std::sync::Arc;

use super::board::{ItemId, ItemSpec, Level, PlanSpec, Source, Values};
use super::*;

/// A kernel and the world around it, without a clock.
pub(super) struct Plant {
    pub(super) kernel: Kernel,
    pub(super) now: Moment,
    pub(super) outputs: Vec<Output>,
    /// Every frame: when, and what it showed.
    pub(super) shown: Vec<(u64, String)>,
}

pub(super) const START: Moment = Moment::from_unix_millis(1_000_000_000);

pub(super) fn id(text: &str) -> ItemId {
    ItemId::new(text).unwrap()
}

pub(super) fn spec(name: &str, source: Source) -> ItemSpec {
    let text = name.to_uppercase().into();
    ItemSpec { id: id(name), text, hold: None, source, label: "test".into(), revision: 1 }
}

pub(super) fn fixed(name: &str, level: Level) -> ItemSpec {
    spec(name, Source::Fixed(level))
}

pub(super) fn planned(name: &str, every: Span) -> ItemSpec {
    let plan = PlanSpec { phase: Some(Span::ZERO), timeout: Span::from_secs(1), ..PlanSpec::every(every) };
    spec(name, Source::Plan(plan))
}

pub(super) fn pushed(name: &str, ttl: Option<Span>) -> ItemSpec {
    spec(name, Source::Pushed { ttl })
}

pub(super) fn report(level: Level, text: &str) -> Report {
    Report { level, text: text.into(), values: Arc::new(Values::new()), filtered: false }
}

/// A config of these items at 1 s a turn, calling at critical.
pub(super) fn board_spec(items: Vec<ItemSpec>) -> BoardSpec {
    BoardSpec {
        title: "Line 3".into(),
        items,
        interval: Span::from_secs(1),
        scroll: 12,
        interrupt: Some(Level::Critical),
        summarise_after: 8,
        fallback: "nothing".into(),
        concurrency: crate::kernel::plans::CONCURRENCY,
        hosts: Vec::new(),
        feed: FEED,
    }
}

impl Plant {
    pub(super) fn new() -> Self {
        let kernel = Kernel::new(START, "Line 3", "System initializing…");
        let mut plant = Self { kernel, now: START, outputs: Vec::new(), shown: Vec::new() };
        plant.drain();
        plant
    }

    /// With a board of these items at 1 s a turn, calling at critical.
    pub(super) fn with(items: Vec<ItemSpec>) -> Self {
        let mut plant = Self::new();
        plant.board(items);
        plant
    }

    pub(super) fn board(&mut self, items: Vec<ItemSpec>) {
        self.board_spec(|spec| spec.items = items);
    }

    pub(super) fn board_spec(&mut self, change: impl FnOnce(&mut BoardSpec)) {
        let mut spec = board_spec(Vec::new());
        change(&mut spec);
        self.give(Input::Board(Box::new(spec)));
    }

    pub(super) fn give(&mut self, input: Input) {
        self.kernel.handle(self.now, input);
        self.drain();
    }

    pub(super) fn push(&mut self, name: &str, level: Level, ttl: Option<Span>) {
        let push = Push {
            item: id(name),
            level,
            text: name.to_uppercase().into(),
            ttl,
            values: Arc::default(),
            filtered: false,
        };
        self.give(Input::Push(push));
    }

    /// Ends the item's run in flight with a report.
    pub(super) fn reports(&mut self, name: &str, level: Level, text: &str) {
        let run = self.run_of(name).expect("a run is in flight");
        let report = Some(report(level, text));
        self.give(Input::Ended(Ended {
            run,
            outcome: Outcome::Done,
            report,
            took: Span::from_millis(3),
            retries: 0,
            waited: Span::ZERO,
            bytes: 0,
        }));
    }

    pub(super) fn run_of(&self, name: &str) -> Option<RunId> {
        self.kernel.seat(self.kernel.board().place(&id(name))?).1
    }

    pub(super) fn item(&self, name: &str) -> &board::Item {
        self.kernel.board().get(&id(name)).unwrap()
    }

    /// Jumps from wake-up to wake-up for so long.
    pub(super) fn pass(&mut self, span: Span) {
        let end = self.now + span;
        while let Some(wake) = self.kernel.next_wake().filter(|wake| *wake <= end) {
            self.now = wake.max(self.now);
            self.give(Input::Wake);
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.kernel.poll() {
            if output == Output::Frame {
                let text = self.kernel.shown_text().to_string();
                self.shown.push((self.now.since(START).as_millis(), text));
            }
            self.outputs.push(output);
        }
    }

    /// What was shown since the last call, with its time in ms since the start.
    pub(super) fn frames(&mut self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.shown)
    }

    /// The texts alone.
    pub(super) fn texts(&mut self) -> String {
        let frames = self.frames();
        frames.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn starts(&mut self) -> Vec<Start> {
        let starts = |output| if let Output::Start(start) = output { Some(start) } else { None };
        std::mem::take(&mut self.outputs).into_iter().filter_map(starts).collect()
    }
}
