//! One console of a hall: its home, its ways to the servers, and its process.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::Signal;

use super::lines::{Line, Lines};
use crate::support::TempHome;
use crate::support::clock::eventually;
use crate::support::http::At;
use crate::support::pipe::{command, send_signal, text};
use crate::support::proxy::Proxy;
use crate::support::servers::{free_port, get};

/// A place for a console.
pub(crate) struct Seat {
    pub(crate) name: String,
    pub(crate) home: TempHome,
    /// The way to each member of etcd.
    pub(crate) etcd: Vec<Proxy>,
    /// The way to Redis.
    pub(crate) redis: Option<Proxy>,
    /// Where it listens.
    pub(crate) port: u16,
    /// More environment, such as a library to be loaded first.
    pub(crate) environment: Vec<(String, String)>,
    /// What stands before the program, such as a network to run it in.
    pub(crate) within: Vec<String>,
    running: Option<Child>,
    guardian: Option<u32>,
    lines: Lines,
    /// What processes printed that are gone.
    before: Vec<Line>,
}

impl Seat {
    /// A place that nobody has taken yet.
    pub(crate) fn new(name: String, home: TempHome, etcd: Vec<Proxy>, redis: Option<Proxy>) -> Self {
        let port = free_port();
        let (environment, within, before) = (Vec::new(), Vec::new(), Vec::new());
        let (running, guardian, lines) = (None, None, Lines::default());
        Self { name, home, etcd, redis, port, environment, within, running, guardian, lines, before }
    }

    /// Starts the console.
    pub(crate) fn sit(&mut self) {
        self.before.extend(std::mem::take(&mut self.lines).all());
        let (config, log) = (self.home.config(), self.home.path("log"));
        let args = ["run", "--render", "json", "--config", text(&config), "--log-file", text(&log)];
        let mut program = command(&self.home, &args);
        if let Some((first, rest)) = self.within.split_first() {
            let mut outer = Command::new(first);
            outer.args(rest).arg(program.get_program()).args(program.get_args());
            outer.env_clear().envs(self.home.environment()).current_dir(self.home.plant()).stdin(Stdio::null());
            program = outer;
        }
        program.env("NAME", &self.name).envs(self.environment.iter().cloned());
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        self.lines = Lines::read(child.stdout.take().unwrap());
        self.running = Some(child);
        self.guardian = None;
    }

    /// What it has printed since it was started last.
    pub(crate) const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// What all its processes have printed.
    pub(crate) fn everything(&self) -> Vec<Line> {
        self.before.iter().cloned().chain(self.lines.all()).collect()
    }

    /// Forgets what was printed, but for the last line.
    pub(crate) fn forget(&mut self) {
        self.before.clear();
        self.lines.forget();
    }

    pub(crate) const fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// What its last line says.
    pub(crate) fn last(&self) -> Option<Line> {
        self.lines.last().filter(|_| self.runs())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().map_or(0, Child::id)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(child) = &self.running {
            send_signal(child.id(), signal);
        }
    }

    /// The process that gives its lease back; waits for it.
    pub(crate) fn guardian(&mut self) -> u32 {
        let pid = self.pid();
        *self.guardian.get_or_insert_with(|| eventually("the guardian", || guardian_of(pid)))
    }

    /// Kills it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.reap();
    }

    /// Kills its guardian and then itself, as the loss of its machine would.
    pub(crate) fn lose(&mut self) {
        send_signal(self.guardian(), Signal::KILL);
        self.kill();
    }

    /// Waits for its end.
    pub(crate) fn reap(&mut self) -> Option<ExitStatus> {
        let mut child = self.running.take()?;
        Some(eventually("the console to end", || child.try_wait().unwrap()))
    }

    /// All ways to its servers.
    pub(crate) fn ways(&self) -> impl Iterator<Item = &Proxy> {
        self.etcd.iter().chain(&self.redis)
    }

    /// Where its API answers.
    pub(crate) const fn api(&self) -> At {
        At::Port(self.port)
    }

    /// The number of one series of its metrics; 0: it does not count it yet.
    pub(crate) fn counted(&self, series: &str) -> u64 {
        let got = eventually("the metrics", || get(self.port, "/metrics").filter(|got| got.status == 200));
        let told = got.body.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
        told.unwrap_or_default()
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.path("log")).unwrap_or_default()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Whoever is stopped can't be ended otherwise, and its guardian ends by itself.
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The guardian among the children of a process.
fn guardian_of(pid: u32) -> Option<u32> {
    let mut named = BTreeMap::new();
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(pid) {
            named.insert(child, fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default());
        }
    }
    named.into_iter().find(|(_, line)| line.contains("guardian")).map(|(child, _)| child)
}
