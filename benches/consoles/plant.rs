//! The servers and consoles of a measurement: real ones, on free ports of this machine, gone with it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

/// Etcd and Redis.
pub(crate) struct Plant {
    pub(crate) folder: TempDir,
    pub(crate) etcd: u16,
    pub(crate) redis: u16,
    servers: Vec<Child>,
}

impl Plant {
    /// `None` where a server is not installed.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-bench-").tempdir().ok()?;
        let (etcd, peer, redis) = (free_port(), free_port(), free_port());
        let (client, peer) = (format!("http://127.0.0.1:{etcd}"), format!("http://127.0.0.1:{peer}"));
        let data = folder.path().join("etcd");
        let mut of_etcd = Command::new("etcd");
        of_etcd.arg("--name").arg("m").arg("--data-dir").arg(&data);
        of_etcd.args(["--listen-client-urls", &client, "--advertise-client-urls", &client]);
        of_etcd.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
        of_etcd.args(["--initial-cluster", &format!("m={peer}")]);
        let mut of_redis = Command::new("redis-server");
        of_redis.args(["--port", &redis.to_string(), "--save", "", "--dir"]).arg(folder.path());
        let mut servers = Vec::new();
        for mut command in [of_etcd, of_redis] {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            servers.push(command.spawn().ok()?);
        }
        for port in [etcd, redis] {
            wait_for("a server", || TcpStream::connect(("127.0.0.1", port)).ok());
        }
        Some(Self { folder, etcd, redis, servers })
    }

    /// Writes a config and gives its path.
    pub(crate) fn config(&self, name: &str, more: &str) -> String {
        let path = self.folder.path().join(format!("{name}.yaml"));
        std::fs::write(&path, more).expect("the folder takes a file");
        path.display().to_string()
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        for server in &mut self.servers {
            let _ = server.kill();
            let _ = server.wait();
        }
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

/// A way to a server that counts the bytes on it, and can make them late.
pub(crate) struct Way {
    pub(crate) port: u16,
    pub(crate) bytes: Arc<AtomicU64>,
}

impl Way {
    /// To the server at `port`; each direction is `delay` late, give or take `jitter`.
    pub(crate) fn to(port: u16, delay: Duration, jitter: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("it has an address").port();
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
                    carry(from, to, Arc::clone(&counted), delay, jitter);
                }
            }
        });
        Self { port: own, bytes }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, counted: Arc<AtomicU64>, delay: Duration, jitter: Duration) {
    let (late, arrived) = std::sync::mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (at, bytes) in arrived {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64 ^ u64::from(from.local_addr().map_or(0, |address| address.port()));
        let mut last = Instant::now();
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            counted.fetch_add(count as u64, Ordering::Relaxed);
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let share = (seed >> 33) as f64 / f64::from(1_u32 << 31);
            let wait = (delay + jitter.mul_f64(2.0 * share)).saturating_sub(jitter);
            // A stream keeps its order, whatever the jitter.
            last = last.max(Instant::now() + wait);
            if late.send((last, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
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

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
