//! The servers and consoles of a measurement: real ones, on free ports of this machine, gone with it.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use super::support::etcd::Etcd;
use super::support::redis::Redis;

/// Etcd and Redis, and a folder for the consoles.
pub(crate) struct Plant {
    pub(crate) folder: TempDir,
    pub(crate) etcd: Etcd,
    pub(crate) redis: Redis,
}

impl Plant {
    /// `None` where a server is not installed.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-bench-").tempdir().ok()?;
        Some(Self { folder, etcd: Etcd::start(1, &[])?, redis: Redis::start(&[])? })
    }

    /// The ports of both.
    pub(crate) fn ports(&self) -> [u16; 2] {
        [self.etcd.port(0), self.redis.port()]
    }

    /// Writes a config and gives its path.
    pub(crate) fn config(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(format!("{name}.yaml"));
        std::fs::write(&path, text).expect("the folder takes a file");
        path.display().to_string()
    }
}

/// One running console.
pub(crate) struct Console {
    child: Child,
    pub(crate) lines: Option<ChildStdout>,
}

impl Console {
    /// Starts the program with this config under this name.
    pub(crate) fn start(plant: &Plant, config: &str, name: &str) -> Self {
        let home = plant.folder.path().join(name.replace(':', "-"));
        std::fs::create_dir_all(home.join("run")).expect("a home can be made");
        let mut command = Command::new(env!("CARGO_BIN_EXE_marquee"));
        command.args(["run", "--render", "json", "--config", config]);
        command.env_clear().env("HOME", &home).env("XDG_RUNTIME_DIR", home.join("run")).env("NAME", name);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // A group of its own, so that guardian and console can be killed together.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program can be started");
        let lines = child.stdout.take();
        Self { child, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for the end of one that was killed.
    pub(crate) fn reap(&mut self) {
        let _ = self.child.wait();
    }

    /// Seconds of processor time that it used so far.
    pub(crate) fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let field = |place: usize| after.split_whitespace().nth(place).and_then(|ticks| ticks.parse::<f64>().ok());
        (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / rustix::param::clock_ticks_per_second() as f64
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Waits until `look` finds something.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what} never came");
        thread::sleep(Duration::from_millis(5));
    }
}
