//! What `doctor` and `themes` look at: this terminal, the config, the state folder, the clock, the servers.
//!
//! Gathers facts and judges none of them.

mod cluster;
#[cfg(feature = "redis")]
mod store;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use super::doctor::{ClockFacts, ConfigFacts, Facts, StateFacts, StoreFacts};
use crate::app::{Clock, Settings, file_system, terminal_size};
use crate::config::theme::Theme;
use crate::config::{Config, StateConfig, defaults, theme_file};
use crate::coordination::store::{default_folder, probe, slug};
use crate::renderers::Context;
use crate::renderers::detect::{self, Forced, detect};
use crate::renderers::tui;

/// The config's folder, and the place that standard output is in the config's theme or the default one.
///
/// # Errors
/// Where the current folder is gone.
pub(super) fn place() -> anyhow::Result<(PathBuf, Context)> {
    let settings = Settings::find(None)?;
    let theme = settings.config().map_or_else(|_| defaults::THEME.to_owned(), |config| config.theme);
    let folder = settings.folder();
    let context = context(theme_file::load(&theme, &folder).theme);
    Ok((folder, context))
}

fn context(theme: Theme) -> Context {
    let env = |name: &str| std::env::var(name).ok();
    let facts = detect::Facts { env: &env, stdout_is_tty: io::stdout().is_terminal(), size: terminal_size() };
    detect(&facts, Forced::default(), theme)
}

/// Everything that `doctor` judges.
///
/// # Errors
/// Where the current folder is gone.
pub(super) fn facts(config: Option<&Path>) -> anyhow::Result<Facts> {
    let settings = Settings::find(config)?;
    let read = settings.config();
    let name = read.as_ref().map_or(defaults::THEME, |config| config.theme.as_str());
    let theme = theme_file::load(name, &settings.folder());
    let context = context(theme.theme);
    let config = ConfigFacts {
        path: settings.path().map(Path::to_owned),
        items: read.as_ref().map_or(0, |config| config.items.len()),
        problems: read
            .as_ref()
            .err()
            .map_or_else(Vec::new, |problems| problems.list().iter().map(ToString::to_string).collect()),
        file_system: settings.path().and_then(|_| file_system::kind(&settings.folder())),
    };
    let state = read.as_ref().ok().filter(|config| config.state == StateConfig::File).map(|config| {
        let folder = default_folder(&|name| std::env::var_os(name)).join(slug(&config.title));
        StateFacts { writable: probe(&folder).map_err(|why| why.to_string()), folder }
    });
    Ok(Facts {
        stdout_is_tty: io::stdout().is_terminal(),
        term: std::env::var("TERM").unwrap_or_default(),
        glyph_rows: tui::banner_rows(context.size, context.charset),
        context,
        theme_problems: theme.problems,
        config,
        state,
        clock: ClockFacts { wall: Clock::start().wall(), synchronised: synchronised() },
        store: read.as_ref().ok().and_then(kept_on),
        cluster: read.as_ref().ok().map(cluster::cluster),
    })
}

#[cfg(feature = "redis")]
fn kept_on(config: &Config) -> Option<StoreFacts> {
    store::store(config)
}

/// No server keeps the state where the program was built without any.
#[cfg(not(feature = "redis"))]
fn kept_on(_: &Config) -> Option<StoreFacts> {
    None
}

/// Whether a time service says that it keeps the clock right.
fn synchronised() -> Option<bool> {
    Path::new("/run/systemd/timesync/synchronized").exists().then_some(true)
}
