//! The whole program: starts every part, waits for its end, and stops them in order.
//!
//! What each part does is its own business; here is who knows whom, and who
//! outlives whom.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::clock::Clock;
use super::driver::{self, Inbox};
use super::effects::Hands;
use super::feed::Feed;
use super::keyboard::Keyboard;
use super::log::{self, Log, LogFormat};
use super::panics;
use super::reload::Reload;
use super::runs::Runs;
use super::serve::{Behind, NEEDS_TOKEN, Server};
use super::settings::{Found, Settings, Taker};
use super::stage::{self, Stage, Watch};
use super::threads::{Alive, Ending, ending};
use crate::config::theme_file;
use crate::config::{ClusterConfig, Config, StateConfig};
use crate::coordination::store::{self, FileStore, Held, Keeper, Lock, MemoryStore, Pace, Store};
use crate::frame::{Fence, Role, Safe};
use crate::kernel::{Concern, Input, Kernel, Span};
use crate::metrics::{Dropped, Meters};
use crate::renderers::detect::{Facts, Forced, detect};
use crate::renderers::json::Json;
use crate::renderers::plain::Plain;
use crate::renderers::tui::{Tui, restore_now};
use crate::renderers::{Context, Event, Locale, Registry, Request, Size};

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
        eprint!("{}", problems.render(io::stderr().is_terminal(), 0));
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
    program.wait_and_stop(options.run_for)
}

fn start_log(options: &RunOptions) -> (Log, Vec<String>) {
    let env = |name: &str| std::env::var_os(name);
    let file = options.log_file.clone().unwrap_or_else(|| store::default_folder(&env).join("marquee.log"));
    let journal = std::env::var("JOURNAL_STREAM").ok();
    let filter = std::env::var("MARQUEE_LOG").unwrap_or_else(|_| "info".into());
    let to = log::LogTo::choose(journal.as_deref(), file);
    log::start(&log::LogSpec { to, format: options.log_format, filter })
}

/// All parts, in the order in which they end.
struct Program {
    inbox: Arc<Inbox>,
    stage: Arc<Stage>,
    runs: Arc<Runs>,
    keeper: Option<Arc<Keeper>>,
    reload: Option<Reload>,
    keyboard: Option<Keyboard>,
    board: Ending<()>,
    drawing: Ending<io::Result<()>>,
    over: CancellationToken,
    events: mpsc::Sender<Event>,
    server: Arc<Server>,
    runtime: Runtime,
    _lock: Option<Lock>,
}

impl Program {
    fn start(clock: Clock, options: &RunOptions, settings: Settings, found: Found, log: &Log) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .thread_name("io")
            .enable_all()
            .build()
            .context("can't start the I/O threads")?;
        let over = CancellationToken::new();
        let (inbox, stage) = (Inbox::new(), Stage::new());
        let feed = Feed::new(Arc::clone(&stage));
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
            over: over.clone(),
            wrong,
            told: 0,
            _alive: alive,
        };
        let drawing =
            stage::spawn(Arc::clone(&stage), clock, renderer, received, watch).context("can't start drawing")?;
        let drawing = Ending::of(drawing, ended);

        let (lock, keeper, first) = keep(&found, &inbox, &meters);
        let kernel = first.kernel(clock);
        let (alive, ended) = ending();
        let hands = Hands {
            runs: Arc::clone(&runs),
            stage: Arc::clone(&stage),
            feed: Arc::clone(&feed),
            keeper: keeper.clone(),
            meters: Arc::clone(&meters),
            kept: None,
            over: over.clone(),
            _alive: alive,
        };
        first.give(&inbox);
        let behind = Behind {
            clock,
            meters: Arc::clone(&meters),
            stage: Arc::clone(&stage),
            inbox: Arc::clone(&inbox),
            account: Arc::clone(runs.account()),
            feed,
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
            first: None,
        };
        let files = found.files.clone();
        taker.begin(found);
        let board = driver::spawn(kernel, clock, Arc::clone(&inbox), hands).context("can't start the board")?;
        let board = Ending::of(board, ended);
        let reload = Reload::spawn(clock, files, taker).context("can't start watching the config")?;
        let keyboard = if interactive && io::stdin().is_terminal() {
            let gone = over.clone();
            let keyboard = Keyboard::listen(Arc::clone(&stage), events.clone(), move || gone.cancel());
            Some(keyboard.context("can't listen to the keyboard")?)
        } else {
            None
        };
        info!(version = env!("CARGO_PKG_VERSION"), log = ?log.file(), "started");
        Ok(Self {
            inbox,
            stage,
            runs,
            keeper,
            reload: Some(reload),
            keyboard,
            board,
            drawing,
            over,
            events,
            server,
            runtime,
            _lock: lock,
        })
    }

    fn notice(&self, concern: Concern, text: Option<&str>) {
        // A flooded inbox has worse news than this.
        let _ = self.inbox.send(Input::Notice(concern, text.map(|text| Safe::line(text).shared())));
    }

    fn wait_and_stop(mut self, run_for: Option<Span>) -> anyhow::Result<ExitCode> {
        let signals = Signals { over: self.over.clone(), stage: Arc::clone(&self.stage), events: self.events.clone() };
        self.runtime.block_on(signals.wait(run_for))?;
        info!("stopping");
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
        let kept = self.keeper.take().and_then(Arc::into_inner).map_or(Ok(()), Keeper::close);
        if let Err(why) = kept {
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

/// What ends the program, and what a terminal tells by signals.
struct Signals {
    over: CancellationToken,
    stage: Arc<Stage>,
    events: mpsc::Sender<Event>,
}

impl Signals {
    async fn wait(self, run_for: Option<Span>) -> anyhow::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).context("can't hear SIGINT")?;
        let mut terminate = signal(SignalKind::terminate()).context("can't hear SIGTERM")?;
        let mut hang_up = signal(SignalKind::hangup()).context("can't hear SIGHUP")?;
        let mut resized = signal(SignalKind::window_change()).context("can't hear SIGWINCH")?;
        let end = async {
            match run_for {
                Some(span) => tokio::time::sleep(span.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        loop {
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                _ = hang_up.recv() => return Ok(()),
                () = self.over.cancelled() => return Ok(()),
                () = &mut end => return Ok(()),
                _ = resized.recv() => if let Some(size) = terminal_size() {
                    let _ = self.events.send(Event::Resized(size));
                    self.stage.wake();
                },
            }
        }
    }
}

/// The size that the terminal tells.
#[must_use]
pub fn terminal_size() -> Option<Size> {
    let (columns, rows) = crossterm::terminal::size().ok()?;
    Some(Size { columns, rows })
}

fn place(options: &RunOptions, found: &Found) -> Context {
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

fn renderer(
    options: &RunOptions,
    context: &Context,
    settings: &Settings,
    wrong: &Arc<AtomicU64>,
) -> anyhow::Result<Box<dyn crate::renderers::Renderer>> {
    let mut registry = Registry::default();
    registry.register(Box::new(Plain::new(io::stdout(), context.clone(), Arc::clone(wrong))));
    registry.register(Box::new(Json::new(io::stdout(), Arc::clone(wrong))));
    // The screen is taken only where it will be drawn on.
    let wants_screen = options.render.as_deref().map_or(context.interactive, |name| name == "tui");
    if wants_screen {
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
struct Watcher {
    inbox: Arc<Inbox>,
    meters: Arc<Meters>,
    over: CancellationToken,
    wrong: Arc<AtomicU64>,
    told: u64,
    _alive: Alive,
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
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.over.cancel();
    }
}

/// What the board begins with.
struct First {
    title: String,
    fallback: String,
    inputs: Vec<Input>,
}

impl First {
    fn kernel(&self, clock: Clock) -> Kernel {
        Kernel::new(clock.now(), Safe::line(&self.title).shared(), Safe::line(&self.fallback).shared())
    }

    fn give(self, inbox: &Inbox) {
        for input in self.inputs {
            let _ = inbox.send(input);
        }
    }
}

/// The store of this console, and what it held.
fn keep(found: &Found, inbox: &Arc<Inbox>, meters: &Arc<Meters>) -> (Option<Lock>, Option<Arc<Keeper>>, First) {
    let fallback = crate::config::defaults::FALLBACK.to_owned();
    let Ok(config) = &found.config else {
        return (None, None, First { title: "marquee".into(), fallback, inputs: Vec::new() });
    };
    let mut first = First { title: config.title.clone(), fallback: config.fallback.clone(), inputs: Vec::new() };
    let (mut store, lock) = open_store(config, &mut first.inputs);
    let loaded = store.load();
    for trouble in &loaded.troubles {
        warn!("{trouble}");
        first.inputs.push(Input::Notice(Concern::Store, Some(Safe::line(trouble).shared())));
    }
    let fence = loaded.snapshot.as_ref().map_or(0, |snapshot| snapshot.current.fence);
    first.inputs.extend(loaded.snapshot.map(|snapshot| Input::Snapshot(Box::new(snapshot))));
    let role = match (&config.cluster, lock.is_some() || config.state == StateConfig::Memory) {
        (ClusterConfig::None, _) => Role::Alone,
        (ClusterConfig::Local, true) => Role::Leader(Fence(fence + 1)),
        (ClusterConfig::Local, false) => Role::Local(Fence(fence)),
    };
    first.inputs.push(Input::Role(role));
    let (told, counted) = (Arc::clone(inbox), Arc::clone(meters));
    let report = move |trouble: Option<String>| {
        counted.store_written(trouble.is_none());
        let text = trouble.map(|trouble| Safe::line(&trouble).shared());
        let _ = told.send(Input::Notice(Concern::Store, text));
    };
    match Keeper::start(store, Pace::default(), report) {
        Ok(keeper) => (lock, Some(Arc::new(keeper)), first),
        Err(why) => {
            warn!("nothing is kept: {why}");
            (lock, None, first)
        }
    }
}

fn open_store(config: &Config, inputs: &mut Vec<Input>) -> (Box<dyn Store>, Option<Lock>) {
    if config.state == StateConfig::Memory {
        return (Box::new(MemoryStore::new()), None);
    }
    let env = |name: &str| std::env::var_os(name);
    let folder: PathBuf = store::default_folder(&env).join(store::slug(&config.title));
    match store::lock(Path::new(&folder)) {
        Ok(lock) => (Box::new(FileStore::new(folder)), Some(lock)),
        Err(why) => {
            let text = match why {
                Held::Elsewhere { .. } => format!("{why}; this console keeps its own in memory"),
                Held::Trouble(_) => format!("nothing outlives this process: {why}"),
            };
            inputs.push(Input::Notice(Concern::Other, Some(Safe::line(&text).shared())));
            (Box::new(MemoryStore::new()), None)
        }
    }
}
