//! The place that standard output is, the renderer for it, and what its drawing tells the program.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::acknowledge::acknowledge;
use super::cluster::Roster;
use super::driver::Inbox;
use super::run::RunOptions;
use super::settings::{Found, Settings};
use super::stage::Watch;
use super::threads::Alive;
use crate::config::theme_file;
use crate::kernel::Input;
use crate::kernel::board::ItemId;
use crate::metrics::{Dropped, Meters};
use crate::renderers::detect::{Facts, Forced, detect};
use crate::renderers::json::Json;
use crate::renderers::plain::Plain;
use crate::renderers::tui::Tui;
use crate::renderers::{Context, Locale, Registry, Request, Size};

/// The size that the terminal tells.
#[must_use]
pub fn terminal_size() -> Option<Size> {
    let (columns, rows) = crossterm::terminal::size().ok()?;
    Some(Size { columns, rows })
}

pub(super) fn place(options: &RunOptions, found: &Found) -> Context {
    let locale = found.config.as_ref().ok().and_then(|config| match config.locale.as_deref()? {
        "zh" => Some(Locale::Zh),
        _ => Some(Locale::En),
    });
    let env = |name: &str| std::env::var(name).ok();
    let stdout_is_tty = io::stdout().is_terminal();
    let facts = Facts { env: &env, stdout_is_tty, size: terminal_size().filter(|_| stdout_is_tty) };
    let forced = Forced { locale: options.forced.locale.or(locale), ..options.forced };
    detect(&facts, forced, found.theme.clone())
}

pub(super) fn renderer(
    options: &RunOptions,
    context: &Context,
    settings: &Settings,
    wrong: &Arc<AtomicU64>,
) -> anyhow::Result<Box<dyn crate::renderers::Renderer>> {
    let mut registry = Registry::default();
    registry.register(Box::new(Plain::new(io::stdout(), context.clone(), Arc::clone(wrong))));
    registry.register(Box::new(Json::new(io::stdout(), Arc::clone(wrong))));
    if options.render.as_deref().map_or(context.interactive, |name| name == "tui") {
        anyhow::ensure!(io::stdout().is_terminal(), "--render tui draws on a terminal, and standard output is none");
        let names = theme_file::available(&settings.folder());
        let themes = names.iter().map(|name| theme_file::load(name, &settings.folder()).theme).collect();
        let tui = Tui::new(io::stdout(), context, themes, Arc::clone(wrong));
        registry.register(Box::new(tui));
    }
    let chosen = match &options.render {
        Some(name) => registry.take(name),
        None => registry.choose(context),
    };
    chosen.context("there is no way to draw here; try --render plain")
}

/// What tells the program of the drawing.
pub(super) struct Watcher {
    pub(super) inbox: Arc<Inbox>,
    pub(super) meters: Arc<Meters>,
    pub(super) roster: Arc<Roster>,
    pub(super) over: CancellationToken,
    pub(super) wrong: Arc<AtomicU64>,
    pub(super) told: u64,
    pub(super) _alive: Alive,
}

impl Watcher {
    fn acknowledge(&self, id: ItemId, known: bool) {
        let leader = self.roster.leader();
        // The picture tells what came of it, and beforehand why it would be refused; a flooded inbox can be asked again.
        let asked = self.inbox.visit(move |kernel, now| {
            if let Err(why) = acknowledge((kernel, now), &id, known, "keyboard", leader.as_ref()) {
                info!(item = %id, error = why.into_words(), "an acknowledgement at the keyboard was refused");
            }
        });
        drop(asked);
    }
}

impl Watch for Watcher {
    fn drawn(&mut self, took: Duration) {
        self.meters.drawn(took.into(), 0);
        let wrong = self.wrong.load(std::sync::atomic::Ordering::Relaxed);
        for _ in self.told..wrong {
            self.meters.dropped(Dropped::Checksum);
        }
        self.told = wrong;
    }

    fn asked(&mut self, request: Request) {
        match request {
            Request::Quit => self.over.cancel(),
            // A flooded inbox runs it soon enough by itself.
            Request::RunNow(id) => drop(self.inbox.send(Input::RunNow(id))),
            Request::Acknowledge(id) => self.acknowledge(id, true),
            Request::Unacknowledge(id) => self.acknowledge(id, false),
            Request::Consoles(looks) => self.roster.look(looks),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.over.cancel();
    }
}
