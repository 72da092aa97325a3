//! A tiny process that outlives a killed console just long enough to give its leases back.
//!
//! It holds the reading end of a pipe. When the other end closes, even by
//! `kill -9`, the console is dead and its leases are revoked, so that the next
//! leader begins in milliseconds instead of after the lease's time, and nobody
//! lists the dead one. It can harm nothing: it ends the leases of a dead process
//! alone. Deliberately nothing else: no renewing, no restarting, no word on a terminal.
//!
//! Down the pipe come lines of JSON: first the [`Spec`] with its secrets, which
//! are in no argument and no variable, then all leases whenever they change.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use serde::{Deserialize, Serialize};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::{Client, Spec};

/// The program's only argument that makes it a guardian; no person is meant to write it.
pub const ARGUMENT: &str = "guardian";

/// This very program, also after its file was replaced by a newer one.
const MYSELF: &str = "/proc/self/exe";

/// What the guardian keeps of the environment: where the machine's trusted certificates are.
const KEPT: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How often it tries to give a lease back that is still there.
pub const TRIES: u32 = 10;

/// How long it waits between two tries.
pub const BETWEEN: Duration = Duration::from_millis(200);

/// How long it lives on in all: a leader's lease is over by itself after 3 s, and the record of the dead, which
/// lives for ten times as long, harms nobody.
pub const WITHIN: Duration = Duration::from_secs(8);

/// The longest line that is read: a spec with a few certificates.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// What there is to give back, as it travels down the pipe: the most urgent first.
#[derive(Serialize, Deserialize)]
struct Leases<'a> {
    leases: Cow<'a, [i64]>,
}

/// The guardian of this process. Dropped without [`Guardian::close`], it gives back what it was told last.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
    pipe: File,
}

impl Guardian {
    /// Starts it. It knows no leases yet.
    ///
    /// # Errors
    /// Where the process can't be started; the election goes on without it, and after a kill
    /// the next leader waits until the lease ends by itself.
    pub fn start(spec: &Spec) -> io::Result<Self> {
        Self::start_as(spec, Path::new(MYSELF), &[ARGUMENT])
    }

    fn start_as(spec: &Spec, program: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.arg0("marquee").args(arguments).current_dir("/").env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let Some(pipe) = child.stdin.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let pipe = OwnedFd::from(pipe);
        // A guardian that is stopped must not hold its console up.
        ioctl_fionbio(&pipe, true)?;
        let mut guardian = Self { child, pipe: pipe.into() };
        guardian.write(spec)?;
        Ok(guardian)
    }

    /// Tells which leases to give back from now on, instead of those before, in this order. Never waits.
    ///
    /// # Errors
    /// Where the guardian is gone, or has not read for a long time: start another.
    pub fn tell(&mut self, leases: &[i64]) -> io::Result<()> {
        self.write(&Leases { leases: leases.into() })
    }

    /// Lets it go, with nothing to give back.
    pub fn close(mut self) {
        // One that is gone already gives nothing back either.
        let _ = self.tell(&[]);
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        let written = self.pipe.write(&bytes)?;
        if written < bytes.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // Whoever has ended leaves no entry behind; one that still runs ends by itself.
        let _ = self.child.try_wait();
    }
}

/// What the process of a guardian does: waits for the end of its input, gives the last leases back, and ends.
#[must_use]
pub fn main() -> ExitCode {
    // A session of its own: what ends the terminal's programs does not reach it.
    let _ = rustix::process::setsid();
    match guard() {
        Ok(()) => ExitCode::SUCCESS,
        // There is nobody to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn guard() -> Result<(), String> {
    let plain = |error: io::Error| error.to_string();
    let runtime = Builder::new_current_thread().enable_all().build().map_err(plain)?;
    let deaf = {
        let _inside = runtime.enter();
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal)
    };
    // Heard and not acted upon. One that can't be ignored is no reason to guard nothing.
    let _deaf: Vec<Signal> = deaf.into_iter().flatten().collect();
    let mut input = io::stdin().lock();
    let spec: Spec = match line(&mut input) {
        Some(line) => serde_json::from_slice(&line).map_err(|_| "this is no spec")?,
        None => return Ok(()),
    };
    let client = Client::new(&spec)?;
    let mut last = Vec::new();
    while let Some(line) = line(&mut input) {
        if let Ok(told) = serde_json::from_slice::<Leases>(&line) {
            last = told.leases.into_owned();
        }
    }
    if !last.is_empty() {
        // Where etcd stays away they end by themselves.
        let _ = runtime.block_on(async { timeout(WITHIN, give_back(&client, last)).await });
    }
    // A name that is still being resolved must not keep the process.
    runtime.shutdown_background();
    Ok(())
}

/// The next line; `None` at the end of the input.
fn line(input: &mut io::StdinLock<'_>) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    let read = input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).ok()?;
    (read > 0).then_some(line)
}

/// Round after round, so that one lease that can't be given back does not keep the others.
async fn give_back(client: &Client, mut leases: Vec<i64>) {
    for round in 0..TRIES {
        if round > 0 {
            sleep(BETWEEN).await;
        }
        let mut left = Vec::new();
        for lease in leases {
            if client.revoke(lease).await.is_err() {
                left.push(lease);
            }
        }
        if left.is_empty() {
            return;
        }
        leases = left;
    }
}

#[cfg(test)]
mod tests;
