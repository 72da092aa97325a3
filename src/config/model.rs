//! The lowered config: every value checked, every default filled in, every secret expanded.
//!
//! Nothing here can be wrong any more; what could be was refused with its place in the text.

mod cluster;
mod flow;
mod step;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use cluster::{ClusterConfig, Endpoint, EtcdConfig};
pub use flow::{BreakerConfig, Confirm, Delay, FeedConfig, FlappingConfig, Flow, HostLimit, Late, Rate};
pub(super) use step::identity;
pub use step::{OnFailure, StepConfig, StepWork};

use super::{Expression, Template, hosts};
use crate::kernel::Span;
use crate::kernel::board::{ItemId, Level, Values};

/// A whole valid config.
#[derive(Clone)]
pub struct Config {
    /// What is watched.
    pub title: String,
    /// How long an item's turn lasts.
    pub interval: Span,
    /// Items at this level or worse call; `None`: none ever does.
    pub interrupt: Option<Level>,
    /// What is shown where there is nothing to show.
    pub fallback: String,
    /// A theme's name, or the path of a theme file.
    pub theme: String,
    /// Columns a second at which too long a text scrolls.
    pub scroll: u32,
    /// More healthy items than this share one turn.
    pub summarise_after: usize,
    /// `en` or `zh`; `None`: from the environment.
    pub locale: Option<String>,
    /// The items, in the order of their turns.
    pub items: Vec<ItemConfig>,
    /// Where the current item and the board outlive the process.
    pub state: StateConfig,
    /// How consoles find their leader.
    pub cluster: ClusterConfig,
    /// This console's name; `None`: host and terminal.
    pub console: Option<String>,
    /// Where metrics and API are served; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// What every write has to show.
    pub token: Option<Secret>,
    /// How many runs may be in flight at once.
    pub concurrency: u32,
    /// What single hosts may be asked, each of them once.
    pub hosts: Vec<HostLimit>,
    /// When a source that pushes far more than usual is sampled.
    pub feed: FeedConfig,
    /// Every file that was read for this config, itself first: all are watched.
    pub files: Vec<PathBuf>,
}

/// One item of the config.
#[derive(Clone)]
pub struct ItemConfig {
    /// Its name.
    pub id: ItemId,
    /// What it says, with `{value}` placeholders.
    pub text: Template,
    /// How long its turn lasts; `None`: the board's interval.
    pub hold: Option<Span>,
    /// Where its news comes from.
    pub kind: ItemKind,
}

/// Where an item's news comes from.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// It is shown as it stands.
    Fixed(Level),
    /// It is measured.
    Check(Box<CheckConfig>),
    /// Somebody pushes it; believed for `ttl`, or for ever.
    Pushed {
        /// How long a pushed value is believed.
        ttl: Option<Span>,
    },
}

/// How an item is measured.
#[derive(Clone, Debug)]
pub struct CheckConfig {
    /// The scheme's name in the table of [`super::schemes`], such as `http`; of steps
    /// [`PLAN`](super::steps::PLAN).
    pub scheme: &'static str,
    /// The whole of `check:`, secrets expanded; of steps all that says what they measure. Never shown.
    pub target: Secret,
    /// The same without secrets: passwords and expanded secrets are `***`.
    pub label: String,
    /// From one run to the next.
    pub every: Span,
    /// Where in the period it starts; `None`: spread by the id.
    pub phase: Option<Span>,
    /// How long one try may take.
    pub timeout: Span,
    /// How many more tries a failed run has.
    pub retries: u32,
    /// What the values mean.
    pub levels: Levels,
    /// How its runs are paced and its results settled.
    pub flow: Flow,
    /// What is done in steps; empty: `target` is asked.
    pub steps: Vec<StepConfig>,
}

impl CheckConfig {
    /// The hosts it asks over the network, each once: small letters, no ports, no brackets.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let steps = self.steps.iter().filter_map(|step| match &step.work {
            StepWork::Check { scheme, target, .. } => Some((*scheme, target)),
            _ => None,
        });
        let mut found: Vec<String> = Vec::new();
        let own = self.steps.is_empty().then_some((self.scheme, &self.target));
        for host in own.into_iter().chain(steps).flat_map(|(scheme, target)| hosts::of(scheme, target.reveal())) {
            if !found.contains(&host) {
                found.push(host);
            }
        }
        found
    }
}

/// The expressions of `levels:`, worst first. Empty: the scheme's own verdict.
#[derive(Clone, Default)]
pub struct Levels(pub Vec<(Level, Expression)>);

impl Levels {
    /// The first level whose expression holds over `values`; `None`: none does.
    ///
    /// # Errors
    /// Where an expression can't be told over these values: which, and why.
    pub fn judge(&self, values: &Values) -> Result<Option<Level>, String> {
        for (level, expression) in &self.0 {
            if expression.holds(values).map_err(|why| format!("{level}: {why}"))? {
                return Ok(Some(*level));
            }
        }
        Ok(None)
    }
}

/// Where the current item and the board outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateConfig {
    /// A file in the state folder.
    File,
    /// Nowhere.
    Memory,
    /// On a Redis server.
    Redis {
        /// Where, and who logs in; what [`Sentinels`](super::Sentinels) reads says who knows where.
        url: Secret,
        /// The same without secrets.
        label: String,
    },
}

// Any string of the config may hold an expanded secret, and Debug ends in logs:
// what was free text in the file is left out of it.

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("interval", &self.interval)
            .field("interrupt", &self.interrupt)
            .field("scroll", &self.scroll)
            .field("summarise_after", &self.summarise_after)
            .field("locale", &self.locale)
            .field("items", &self.items)
            .field("state", &self.state)
            .field("cluster", &self.cluster)
            .field("listen", &self.listen)
            .field("concurrency", &self.concurrency)
            .field("hosts", &self.hosts)
            .field("feed", &self.feed)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ItemConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ItemConfig")
            .field("id", &self.id)
            .field("hold", &self.hold)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(level, _)| level)).finish()
    }
}

/// A text that is never printed, logged or exported.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` secret.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
