//! The config and theme in force: found, read, and taken up whenever they change.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use anyhow::Context as _;
use tracing::{info, warn};

use super::board::lower;
use super::clock::Clock;
use super::cluster::Cluster;
use super::driver::Inbox;
use super::reload::{Read, Reader};
use super::runs::Runs;
use super::serve::Server;
use super::stage::Stage;
use crate::checks;
use crate::config::theme::Theme;
use crate::config::{self, ClusterConfig, Config, Options, Problems, StateConfig, theme_file};
use crate::frame::Safe;
use crate::kernel::{Concern, Input, Moment};
use crate::metrics::Meters;
use crate::renderers::Event;

/// Which config this program shows.
#[derive(Clone, Debug)]
pub struct Settings {
    path: Option<PathBuf>,
    cwd: PathBuf,
}

/// What reading the config gave.
pub(super) struct Found {
    pub(super) config: Result<Config, Problems>,
    pub(super) theme: Theme,
    pub(super) theme_problems: Vec<String>,
    /// Everything to watch.
    pub(super) files: Vec<PathBuf>,
}

impl Settings {
    /// Looks for the config: `explicit` is the command line's.
    ///
    /// # Errors
    /// Where the current folder is gone.
    pub fn find(explicit: Option<&Path>) -> anyhow::Result<Self> {
        let cwd = std::env::current_dir().context("the current folder is gone; change to another one")?;
        let path = config::find(explicit, &env, &cwd);
        Ok(Self { path, cwd })
    }

    /// The config's path; `None`: the built-in board.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The folder that the config's own paths are relative to.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.path.as_deref().and_then(Path::parent).unwrap_or(&self.cwd).to_owned()
    }

    /// Reads the config alone.
    ///
    /// # Errors
    /// Every mistake of its files.
    pub fn config(&self) -> Result<Config, Problems> {
        let folder = self.folder();
        let themes = theme_file::available(&folder);
        let themes: Vec<&str> = themes.iter().map(String::as_str).collect();
        let options = Options { known_themes: &themes, check_target: &accepted, ..Options::default() };
        match &self.path {
            Some(path) => config::load(path, &options),
            None => Ok(config::builtin(&options)),
        }
    }

    /// Reads the config and its theme.
    pub(super) fn read(&self) -> Found {
        let config = self.config();
        let name = config.as_ref().map_or(config::defaults::THEME, |config| config.theme.as_str());
        let theme = theme_file::load(name, &self.folder());
        let mut files = match &config {
            Ok(config) => config.files.clone(),
            Err(problems) => problems.files().to_vec(),
        };
        files.extend(theme.files);
        Found { config, theme: theme.theme, theme_problems: theme.problems, files }
    }
}

fn accepted(target: &str) -> Result<(), String> {
    let scheme = target.split(':').next().unwrap_or_default();
    checks::validate_target(scheme, target).map_err(|bad| bad.0)
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Takes up what was read: the board, the plans, the theme and the server follow.
pub(super) struct Taker {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) runs: Arc<Runs>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) stage: Arc<Stage>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) meters: Arc<Meters>,
    pub(super) server: Arc<Server>,
    /// The command line's address wins over the config's.
    pub(super) listen: Option<SocketAddr>,
    /// The theme that the config asked for last.
    pub(super) theme: Option<Theme>,
    /// This console's place among the others, once there is a config that names it.
    pub(super) cluster: Arc<Cluster>,
    /// What can't change while the program runs, as it began.
    pub(super) first: Option<(String, StateConfig, ClusterConfig)>,
}

impl Reader for Taker {
    type Found = (Found, Moment);

    fn read(&mut self) -> Read<Self::Found> {
        let began = self.clock.now();
        let found = self.settings.read();
        if found.config.is_ok() && found.theme_problems.is_empty() {
            Read::Good((found, began))
        } else {
            Read::Bad((found, began))
        }
    }

    fn files(&self, (found, _): &Self::Found) -> Vec<PathBuf> {
        found.files.clone()
    }

    fn take_up(&mut self, found: Read<Self::Found>) {
        let (Read::Good((found, began)) | Read::Bad((found, began))) = found;
        let ok = found.config.is_ok();
        self.begin(found);
        self.meters.reload(ok, self.clock.now().since(began), self.clock.wall());
    }

    fn catch_up(&mut self, found: Read<Self::Found>) {
        let (Read::Good((found, _)) | Read::Bad((found, _))) = found;
        self.begin(found);
    }
}

impl Taker {
    /// Takes up what was read, without counting it as a reload.
    pub(super) fn begin(&mut self, found: Found) {
        let mut notice = found.theme_problems.first().map(|problem| format!("theme: {problem}"));
        match found.config {
            Err(problems) => {
                warn!("the config can't be used: {}", problems.one_line());
                notice = Some(problems.one_line());
                // The command line's address is no matter of the config: probes must see what is wrong.
                if self.first.is_none()
                    && let Err(why) = self.server.listen(self.listen)
                {
                    warn!("{why}");
                }
            }
            Ok(config) => {
                // A reload that leaves the theme alone leaves the viewer's choice alone too.
                if self.theme.replace(found.theme.clone()).is_none_or(|theme| theme != found.theme) {
                    let _ = self.events.send(Event::Theme(Box::new(found.theme)));
                    self.stage.wake();
                }
                if let Some(refused) = self.take_up_config(&config) {
                    notice.get_or_insert(refused);
                }
            }
        }
        self.send(Input::Notice(Concern::Config, notice.map(|text| Safe::line(&text).shared())));
    }

    fn take_up_config(&mut self, config: &Config) -> Option<String> {
        let lowered = lower(config, &self.runs.plans());
        let known: std::collections::HashSet<&str> = lowered.board.items.iter().map(|item| item.id.as_str()).collect();
        let pushed = self.stage.newest();
        let is_pushed =
            |id: &str| pushed.as_ref().as_ref().is_some_and(|frame| frame.rows.iter().any(|row| row.id.as_str() == id));
        self.meters.keep(|id| known.contains(id) || is_pushed(id));
        self.runs.account().keep(|id| known.contains(id.as_str()));
        info!(items = lowered.board.items.len(), "config taken up");
        if !self.cluster.has_joined() {
            self.cluster.join(config, &|input| self.send(input));
        }
        // The plans first: what the new board starts must find them.
        self.runs.replace(lowered.plans);
        self.send(Input::Board(Box::new(lowered.board)));
        for (id, report) in lowered.retold {
            self.send(Input::Retold(id, report));
        }
        let served = self.server.take_up(config, self.listen);
        self.later(config).or(served.err()).or(lowered.refused.into_iter().next())
    }

    /// What takes effect at the next start alone, where it was changed.
    fn later(&mut self, config: &Config) -> Option<String> {
        let now = (config.title.clone(), config.state.clone(), config.cluster.clone());
        let (_, state, cluster) = self.first.get_or_insert(now.clone());
        let changed = if *state == now.1 { (*cluster != now.2).then_some("cluster") } else { Some("state") };
        changed.map(|key| format!("{key}: the change takes effect at the next start"))
    }

    fn send(&self, mut input: Input) {
        // The board thread empties its inbox in no time; only a flood makes this wait.
        while let Err(full) = self.inbox.send(input) {
            input = full.0;
            std::thread::yield_now();
        }
    }
}
