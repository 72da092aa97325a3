//! A tiny process that outlives a killed leader just long enough to give its lease back.
//!
//! It holds the reading end of a pipe. When the other end closes, even by
//! `kill -9`, the console is dead and its lease is revoked, so that the next
//! leader begins in milliseconds instead of after the lease's time. It can harm
//! nothing: it ends the lease of a dead process alone. Deliberately nothing else:
//! no renewing, no restarting, no word on a terminal.
//!
//! Down the pipe come lines of JSON: first the [`Spec`] with its secrets, which
//! are in no argument and no variable, then each new lease.

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

use super::{Client, Failure, Spec};

/// The program's only argument that makes it a guardian; no person is meant to write it.
pub const ARGUMENT: &str = "guardian";

/// This very program, also after its file was replaced by a newer one.
const MYSELF: &str = "/proc/self/exe";

/// What the guardian keeps of the environment: where the machine's trusted certificates are.
const KEPT: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// How often it tries, how long it waits in between, and how long it lives on in all: a lease is
/// over by itself after 3 s, and by then nobody needs it any more.
const TRIES: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(200);
const WITHIN: Duration = Duration::from_secs(8);

/// The longest line that is read: a spec with a few certificates.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// A lease as it travels down the pipe.
#[derive(Serialize, Deserialize)]
struct Lease {
    /// 0: there is none.
    lease: i64,
}

/// The guardian of this process. Dropped without [`Guardian::close`], it gives the last lease back.
#[derive(Debug)]
pub struct Guardian {
    child: Child,
    pipe: File,
}

impl Guardian {
    /// Starts it. It knows no lease yet.
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

    /// Tells which lease to give back from now on; 0: none. Never waits.
    ///
    /// # Errors
    /// Where the guardian is gone, or has not read for a long time: start another.
    pub fn tell(&mut self, lease: i64) -> io::Result<()> {
        self.write(&Lease { lease })
    }

    /// Lets it go, with nothing to give back.
    pub fn close(mut self) {
        // One that is gone already gives nothing back either.
        let _ = self.tell(0);
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

/// What the process of a guardian does: waits for the end of its input, gives the last lease back, and ends.
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
    let mut last = 0;
    while let Some(line) = line(&mut input) {
        if let Ok(told) = serde_json::from_slice::<Lease>(&line) {
            last = told.lease;
        }
    }
    if last != 0 {
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

async fn give_back(client: &Client, lease: i64) -> Result<(), Failure> {
    let mut tried = 1;
    loop {
        match client.revoke(lease).await {
            Err(_) if tried < TRIES => tried += 1,
            answered => return answered,
        }
        sleep(BETWEEN).await;
    }
}

#[cfg(test)]
mod tests;
