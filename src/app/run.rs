//! The whole program: starts every part, waits for its end, and stops them in order.
//!
//! What each part does is its own business; here is who knows whom, and who
//! outlives whom.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::clock::Clock;
use super::cluster::{Cluster, Needs, Roster};
use super::desk::own_name;
use super::driver::{self, Inbox};
use super::effects::Hands;
use super::feed::Feed;
use super::keep::Shelf;
use super::keyboard::Keyboard;
use super::log::{self, Log, LogFormat};
use super::panics;
use super::place::{Watcher, place, renderer};
use super::reload::Reload;
use super::runs::Runs;
use super::serve::{Behind, NEEDS_TOKEN, Server};
use super::settings::{Found, Settings, Taker};
use super::signals::Signals;
use super::stage::{self, Stage};
use super::threads::{Ending, ending};
use crate::config::defaults;
use crate::coordination::store;
use crate::frame::Safe;
use crate::kernel::{Concern, Input, Kernel, Span};
use crate::metrics::Meters;
use crate::renderers::Event;
use crate::renderers::detect::Forced;
use crate::renderers::tui::restore_now;

/// How long the parts may take to end, each; together they stay within the
/// half second after which an operator pulls the plug.
const PATIENCE: Duration = Duration::from_millis(150);

/// Two threads carry the I/O: one that is busy must not hold the other up, and more cost memory.
const IO_THREADS: usize = 2;

/// What the command line says of a run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--render`.
    pub render: Option<String>,
    /// `--metrics-addr`; it wins over the config's `listen`.
    pub metrics_addr: Option<SocketAddr>,
    /// `--strict`: a bad config at the start ends the program.
    pub strict: bool,
    /// `--for`.
    pub run_for: Option<Span>,
    /// `--charset` and `--colour`.
    pub forced: Forced,
    /// `--log-format`.
    pub log_format: LogFormat,
    /// `--log-file`.
    pub log_file: Option<PathBuf>,
}

/// Runs the board until it is told to stop.
///
/// # Errors
/// Where a part can't be started at all: which, and why.
pub fn run(options: &RunOptions) -> anyhow::Result<ExitCode> {
    let clock = Clock::start();
    let settings = Settings::find(options.config.as_deref())?;
    let (log, warnings) = start_log(options);
    panics::tell(log.file());
    let found = settings.read();
    if let (true, Err(problems)) = (options.strict, &found.config) {
        eprintln!("{}", problems.render(io::stderr().is_terminal(), 0));
        return Ok(ExitCode::from(2));
    }
    if let (Some(address), Ok(config)) = (options.metrics_addr, &found.config) {
        let open = !address.ip().is_loopback() && config.token.is_none();
        anyhow::ensure!(!open, "--metrics-addr: {address} {NEEDS_TOKEN}");
    }
    let program = Program::start(clock, options, settings, found, &log)?;
    for warning in warnings {
        warn!("{warning}");
        program.notice(Concern::Other, Some(&warning));
    }
    program.wait_and_stop(options.run_for, &log)
}

fn start_log(options: &RunOptions) -> (Log, Vec<String>) {
    let env = |name: &str| std::env::var_os(name);
    let file = options.log_file.clone().unwrap_or_else(|| store::default_folder(&env).join("marquee.log"));
    let journal = std::env::var("JOURNAL_STREAM").ok();
    let filter = std::env::var("MARQUEE_LOG").unwrap_or_else(|_| "info".into());
    let to = log::LogTo::choose(journal.as_deref(), file);
    log::start(&log::LogSpec { to, format: options.log_format, filter })
}

fn io_threads() -> anyhow::Result<Runtime> {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.worker_threads(IO_THREADS).thread_name("io").enable_all();
    threads.build().context("can't start the I/O threads")
}

fn keyboard(stage: &Arc<Stage>, events: &mpsc::Sender<Event>, over: &CancellationToken) -> anyhow::Result<Keyboard> {
    let gone = over.clone();
    let keyboard = Keyboard::listen(Arc::clone(stage), events.clone(), move || gone.cancel());
    keyboard.context("can't listen to the keyboard")
}

/// What is shown before the first board.
fn first_kernel(clock: Clock, found: &Found) -> Kernel {
    let config = found.config.as_ref();
    let (title, fallback) =
        config.map_or(("marquee", defaults::FALLBACK), |config| (config.title.as_str(), config.fallback.as_str()));
    Kernel::new(clock.now(), Safe::line(title).shared(), Safe::line(fallback).shared())
}

/// All parts, in the order in which they end.
struct Program {
    inbox: Arc<Inbox>,
    stage: Arc<Stage>,
    runs: Arc<Runs>,
    shelf: Arc<Shelf>,
    cluster: Arc<Cluster>,
    reload: Option<Reload>,
    keyboard: Option<Keyboard>,
    board: Ending<()>,
    drawing: Ending<io::Result<()>>,
    over: CancellationToken,
    events: mpsc::Sender<Event>,
    server: Arc<Server>,
    signals: Option<Signals>,
    meters: Arc<Meters>,
    runtime: Runtime,
}

impl Program {
    fn start(clock: Clock, options: &RunOptions, settings: Settings, found: Found, log: &Log) -> anyhow::Result<Self> {
        let runtime = io_threads()?;
        // First of all: a signal that comes from here on ends the program in order.
        let signals = runtime.block_on(async { Signals::hear() })?;
        let over = CancellationToken::new();
        let (inbox, stage) = (Inbox::new(), Stage::new());
        let feed = Feed::new(Arc::clone(&stage));
        let roster = Roster::new(clock, Arc::clone(&inbox), own_name());
        let meters = Arc::new(Meters::new(env!("CARGO_PKG_VERSION")));
        let runs = Runs::new(Arc::clone(&inbox), clock, Arc::clone(&meters), runtime.handle().clone());
        let (events, received) = mpsc::channel();

        let context = place(options, &found);
        let wrong = Arc::new(AtomicU64::new(0));
        let renderer = renderer(options, &context, &settings, &wrong)?;
        let interactive = renderer.name() == "tui";
        let (alive, ended) = ending();
        let watch = Watcher {
            inbox: Arc::clone(&inbox),
            meters: Arc::clone(&meters),
            roster: Arc::clone(&roster),
            over: over.clone(),
            wrong,
            told: 0,
            _alive: alive,
        };
        let drawing =
            stage::spawn(Arc::clone(&stage), clock, renderer, received, watch).context("can't start drawing")?;
        let drawing = Ending::of(drawing, ended);

        let shelf = Arc::<Shelf>::default();
        let changes = Arc::new(Notify::new());
        let cluster = Cluster::new(Needs {
            clock,
            inbox: Arc::clone(&inbox),
            meters: Arc::clone(&meters),
            roster: Arc::clone(&roster),
            shelf: Arc::clone(&shelf),
            runtime: runtime.handle().clone(),
            changes: Arc::clone(&changes),
        });
        let kernel = first_kernel(clock, &found);
        let (alive, ended) = ending();
        let hands = Hands {
            runs: Arc::clone(&runs),
            stage: Arc::clone(&stage),
            feed: Arc::clone(&feed),
            shelf: Arc::clone(&shelf),
            roster: Arc::clone(&roster),
            changes,
            meters: Arc::clone(&meters),
            kept: None,
            over: over.clone(),
            _alive: alive,
        };
        let behind = Behind {
            clock,
            meters: Arc::clone(&meters),
            stage: Arc::clone(&stage),
            inbox: Arc::clone(&inbox),
            account: Arc::clone(runs.account()),
            feed,
            roster,
        };
        let server = Arc::new(Server::new(runtime.handle().clone(), behind));
        let mut taker = Taker {
            settings,
            clock,
            runs: Arc::clone(&runs),
            inbox: Arc::clone(&inbox),
            stage: Arc::clone(&stage),
            events: events.clone(),
            meters: Arc::clone(&meters),
            server: Arc::clone(&server),
            listen: options.metrics_addr,
            theme: Some(found.theme.clone()),
            cluster: Arc::clone(&cluster),
            first: None,
        };
        let files = found.files.clone();
        taker.begin(found);
        let board = driver::spawn(kernel, clock, Arc::clone(&inbox), hands).context("can't start the board")?;
        let board = Ending::of(board, ended);
        let reload = Reload::spawn(clock, files, taker).context("can't start watching the config")?;
        let listens = interactive && io::stdin().is_terminal();
        let keyboard = listens.then(|| keyboard(&stage, &events, &over)).transpose()?;
        info!(version = env!("CARGO_PKG_VERSION"), log = ?log.file(), "started");
        Ok(Self {
            inbox,
            stage,
            runs,
            shelf,
            cluster,
            reload: Some(reload),
            keyboard,
            board,
            drawing,
            over,
            events,
            server,
            signals: Some(signals),
            meters,
            runtime,
        })
    }

    fn notice(&self, concern: Concern, text: Option<&str>) {
        // A flooded inbox has worse news than this.
        let _ = self.inbox.send(Input::Notice(concern, text.map(|text| Safe::line(text).shared())));
    }

    fn wait_and_stop(mut self, run_for: Option<Span>, log: &Log) -> anyhow::Result<ExitCode> {
        if let Some(signals) = self.signals.take() {
            let chores = || {
                self.meters.upkeep();
                self.meters.log_lines_dropped(log.dropped_lines());
            };
            self.runtime.block_on(signals.wait(&self.over, run_for, &self.stage, &self.events, chores));
        }
        info!("stopping");
        // First of all the lead is given back: the others wait for it.
        let cluster = Arc::clone(&self.cluster);
        if self.runtime.block_on(async move { tokio::time::timeout(PATIENCE, cluster.leave()).await }).is_err() {
            warn!("the other consoles could not be told of the end in time");
        }
        self.inbox.stop();
        let board = self.board.join_within(PATIENCE);
        self.stage.stop();
        if let Some(keyboard) = self.keyboard.take() {
            keyboard.close();
        }
        let drawing = self.drawing.join_within(PATIENCE);
        restore_now();
        let (runs, server) = (Arc::clone(&self.runs), Arc::clone(&self.server));
        let both = async move { tokio::join!(server.close(), runs.close()) };
        // What does not end in time is cut with the runtime.
        let _ = self.runtime.block_on(async move { tokio::time::timeout(PATIENCE, both).await });
        if let Some(reload) = self.reload.take() {
            reload.close();
        }
        if let Err(why) = self.shelf.close() {
            warn!("{why}");
        }
        self.runtime.shutdown_timeout(Duration::from_millis(50));
        match (board, drawing) {
            (Err(why), _) if why.kind() != io::ErrorKind::TimedOut => {
                Err(anyhow::anyhow!("the board broke off: {why}"))
            }
            (_, Err(why)) if why.kind() != io::ErrorKind::TimedOut => {
                Err(anyhow::anyhow!("the drawing broke off: {why}"))
            }
            // A reader that has gone away has seen enough: that is success.
            _ => Ok(ExitCode::SUCCESS),
        }
    }
}
