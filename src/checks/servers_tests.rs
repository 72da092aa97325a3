//! What the tests of the checks ask: the real servers of this machine, and liars.
//!
//! A real server is started on a free port with its files in a folder of its
//! own, and killed by its own number when the test is done. Where it is not
//! installed, the test says so and is skipped.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::{BUILDERS, Check, CheckTarget, Fault, Measured};

/// How long a test waits for what must happen before it fails.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// How long the caller of a hung check waits in a test.
const TIMEOUT: Duration = Duration::from_millis(100);

/// Tells why a test is not run, past the capture of its output.
pub(super) fn skip(test: &str, reason: &str) {
    let _ = std::io::stderr().write_all(format!("SKIPPED {test}: {reason}\n").as_bytes());
}

/// A port that nobody listens on.
pub(super) fn free_port() -> u16 {
    StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The check of a target, found in the table as the program finds it.
pub(super) fn check(target: &str) -> Box<dyn Check> {
    let scheme = target.split(':').next().unwrap();
    let (_, build) = BUILDERS.iter().find(|(name, _)| *name == scheme).unwrap();
    build(&CheckTarget { scheme, target }).unwrap()
}

/// One run, which must end.
pub(super) async fn run(check: &dyn Check) -> Result<Measured, Fault> {
    timeout(PATIENCE, check.measure()).await.expect("a run against a real server ends")
}

/// Runs until `wanted` is so; what else came is told when patience ends.
pub(super) async fn until(
    check: &dyn Check,
    wanted: impl Fn(&Result<Measured, Fault>) -> bool,
) -> Result<Measured, Fault> {
    let mut last = None;
    let found = timeout(PATIENCE, async {
        loop {
            let result = check.measure().await;
            if wanted(&result) {
                return result;
            }
            last = Some(result);
            // Not to keep time: a refused connection comes back at once, and the server needs the core.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("last: {last:?}"))
}

/// A real server, with its folder.
pub(super) struct Server {
    program: String,
    arguments: Vec<String>,
    child: Child,
    pub(super) port: u16,
    folder: TempDir,
}

impl Server {
    /// Starts `program` with the arguments that `arguments` makes of its folder and port; `None` where it is not
    /// installed, after saying so.
    pub(super) fn start(program: &str, arguments: impl FnOnce(&Path, u16) -> Vec<String>) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let port = free_port();
        let arguments = arguments(folder.path(), port);
        let child = spawn(program, &arguments, folder.path())?;
        Some(Self { program: program.into(), arguments, child, port, folder })
    }

    /// Ends it, at once but in order: some leave memory behind that outlives a killed process.
    pub(super) fn stop(&mut self) {
        let pid = Pid::from_child(&self.child);
        // The second alone is "at once" for PostgreSQL, and it is ignored by whatever a background job starts.
        for signal in [Signal::TERM, Signal::QUIT] {
            let _ = kill_process(pid, signal);
        }
        let _ = self.child.wait();
    }

    /// Starts it again, as it was.
    pub(super) fn restart(&mut self) {
        self.stop();
        self.child = spawn(&self.program, &self.arguments, self.folder.path()).unwrap();
    }
}

fn spawn(program: &str, arguments: &[String], folder: &Path) -> Option<Child> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    // Servers are often kept where only an administrator's shell looks for programs.
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| skip(program, &format!("it can't be started: {error}"))).ok()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a liar does with each connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lie {
    /// Accepts and is silent.
    Silent,
    /// Hears the question and closes.
    Closes,
    /// Says one byte now and then, for ever.
    Drips,
    /// Begins well, and closes within its answer.
    Breaks(&'static [u8]),
    /// Begins as said, and goes on for 1 GiB.
    Floods(&'static [u8]),
}

/// A server that lies. It tells how many bytes it could send until its guest left.
pub(super) struct Liar {
    pub(super) address: SocketAddr,
    left: oneshot::Receiver<u64>,
}

/// A gibibyte, which no check takes.
const FLOOD_BYTES: u64 = 1 << 30;

impl Liar {
    /// Lies to its first guest.
    #[expect(clippy::disallowed_methods, reason = "a test's server beside the test")]
    pub(super) async fn start(lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, left) = oneshot::channel();
        tokio::spawn(async move {
            let (mut guest, _) = listener.accept().await.unwrap();
            let sent = lie.tell(&mut guest).await;
            drop(guest);
            let _ = sender.send(sent);
        });
        Self { address, left }
    }

    /// Bytes that were sent, once the guest has closed its connection.
    pub(super) async fn until_left(self) -> u64 {
        timeout(PATIENCE, self.left).await.expect("the guest leaves").unwrap()
    }
}

impl Lie {
    /// Lies until the guest leaves.
    async fn tell(self, guest: &mut TcpStream) -> u64 {
        let mut heard = [0; 4096];
        match self {
            Self::Silent => while guest.read(&mut heard).await.is_ok_and(|length| length > 0) {},
            Self::Closes => drop(guest.read(&mut heard).await),
            Self::Breaks(start) => {
                let _ = guest.read(&mut heard).await;
                let _ = guest.write_all(start).await;
            }
            Self::Drips => {
                let mut sent = 0;
                loop {
                    tokio::select! {
                        read = guest.read(&mut heard) => if !read.is_ok_and(|length| length > 0) { return sent },
                        () = tokio::time::sleep(Duration::from_millis(10)) => {
                            sent += u64::from(guest.write_all(&[0]).await.is_ok());
                        }
                    }
                }
            }
            Self::Floods(start) => {
                let _ = guest.read(&mut heard).await;
                let block = vec![b'1'; 64 * 1024];
                let mut sent = 0;
                let mut next = start;
                while sent < FLOOD_BYTES && guest.write_all(next).await.is_ok() {
                    sent += next.len() as u64;
                    next = &block;
                }
                return sent;
            }
        }
        0
    }
}

/// Runs a check against every liar: the run ends by itself in plain words, or by its caller's timeout, and in each case
/// the connection is closed and little was taken.
pub(super) async fn survives(target: impl Fn(SocketAddr) -> String, starts: &[&'static [u8]]) {
    let begun = starts.iter().flat_map(|start| [Lie::Breaks(start), Lie::Floods(start)]);
    for lie in [Lie::Silent, Lie::Closes, Lie::Drips, Lie::Floods(b"")].into_iter().chain(begun) {
        let liar = Liar::start(lie).await;
        let check = check(&target(liar.address));
        let waits = if matches!(lie, Lie::Silent | Lie::Drips) { TIMEOUT } else { PATIENCE };
        match timeout(waits, check.measure()).await {
            Ok(Ok(measured)) => panic!("{lie:?} is believed: {measured:?}"),
            Ok(Err(Fault(why))) => {
                assert!(why.contains(&format!("({})", liar.address)), "{lie:?}: {why}");
                assert!(!why.contains("secret") && !why.contains("os error") && !why.contains("::"), "{lie:?}: {why}");
            }
            Err(_elapsed) => assert!(matches!(lie, Lie::Silent | Lie::Drips), "{lie:?} hangs the check"),
        }
        let sent = liar.until_left().await;
        assert!(sent < 32 << 20, "{lie:?} could send {sent} bytes");
    }
    // Nobody is there.
    let nobody: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let fault = run(&*check(&target(nobody))).await.unwrap_err();
    assert_eq!(fault.0, format!("connection refused ({nobody})"));
}
