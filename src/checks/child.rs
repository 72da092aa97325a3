//! A child process on a short leash: no shell, nothing inherited, a process
//! group of its own, capped output, and an end that reaches the whole group.
//!
//! Deliberately not a supervisor: one program, run once, whose output is read.
//! A program that leaves its group (`setsid`) is beyond reach, as it would be
//! for a shell; its output is not waited for.

use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::net::unix::pipe::Receiver;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

use super::Fault;
use super::blocking::plain;

/// What is kept of either stream: 64 KiB is far more than any screen tells, and
/// bounds what 256 checks can hold at once.
pub(super) const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// A program that prints more than this on either stream is stopped: until then
/// it is merely talkative, and what is beyond the kept part is thrown away.
const FLOOD_BYTES: usize = 4 * 1024 * 1024;

/// Where programs are looked for when this process has no `PATH` itself.
const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What came of a child.
#[derive(Debug)]
pub(super) struct Finished {
    /// How it ended; killed where it was flooding.
    pub(super) status: ExitStatus,
    /// What it printed, up to [`OUTPUT_BYTES_MAX`].
    pub(super) stdout: Vec<u8>,
    /// What it complained, up to [`OUTPUT_BYTES_MAX`].
    pub(super) stderr: Vec<u8>,
    /// Whether it was stopped because it printed too much.
    pub(super) flooded: bool,
}

/// Runs `program` with `args` to its end. Dropping the future kills its whole group at once.
///
/// # Errors
/// Where the program can't be started, in words that name it.
pub(super) async fn run(program: &str, args: &[String]) -> Result<Finished, Fault> {
    let cut = |error: io::Error| Fault(format!("{program}: {}", plain(&error)));
    // Asked for before the start, so that no end can be missed.
    let mut ends = signal(SignalKind::child()).map_err(cut)?;
    let mut running = {
        let (name, args) = (program.to_owned(), args.to_vec());
        // On a thread that may block: reading a program from a hung disk must not stop a worker.
        let starting = tokio::task::spawn_blocking(move || start(&name, &args));
        AbortOnDropHandle::new(starting).await.map_err(|ended| Fault(format!("{program}: not started: {ended}")))??
    };
    let flooded = loop {
        tokio::select! {
            biased;
            () = running.stdout.fill(), if running.stdout.is_open() => {}
            () = running.stderr.fill(), if running.stderr.is_open() => {}
            _ = ends.recv() => {}
        }
        if running.stdout.is_full() || running.stderr.is_full() {
            break true;
        }
        if running.group.leader_ended() {
            break false;
        }
    };
    // Before the leader is reaped: until then its number can't belong to anybody else.
    running.group.kill();
    if !flooded {
        running.stdout.drain();
        running.stderr.drain();
    }
    let status = running.child.wait().await.map_err(cut)?;
    Ok(Finished { status, stdout: running.stdout.kept, stderr: running.stderr.kept, flooded })
}

/// A started child. Dropped, it takes its group with it; tokio reaps it.
struct Running {
    // Dropped first: the group goes before the leader can be reaped.
    group: Group,
    child: tokio::process::Child,
    stdout: Capture,
    stderr: Capture,
}

fn start(program: &str, args: &[String]) -> Result<Running, Fault> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH_DEFAULT.into());
    let file = find(program, &path)?;
    let cut = |error: io::Error| Fault(refusal(program, &file, &error));
    let (stdout, stdout_end) = io::pipe().map_err(cut)?;
    let (stderr, stderr_end) = io::pipe().map_err(cut)?;
    let mut command = Command::new(&file);
    command.args(args).env_clear().env("PATH", &path).env("LANG", "C");
    if let Some(home) = std::env::var_os("HOME") {
        command.env("HOME", home);
    }
    command.stdin(Stdio::null()).stdout(stdout_end).stderr(stderr_end).process_group(0);
    let mut command = tokio::process::Command::from(command);
    let child = command.kill_on_drop(true).spawn().map_err(cut)?;
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    // The command holds the writing ends of the pipes; while it lives they would never end.
    drop(command);
    Ok(Running { group, child, stdout: Capture::new(stdout).map_err(cut)?, stderr: Capture::new(stderr).map_err(cut)? })
}

/// The file of `program`: a path as it stands, a bare name looked up along `path`.
fn find(program: &str, path: &OsString) -> Result<PathBuf, Fault> {
    if program.contains('/') {
        return Ok(PathBuf::from(program));
    }
    let mut forbidden = false;
    for folder in std::env::split_paths(path) {
        let file = folder.join(program);
        if file.is_file() {
            if access(&file, Access::EXEC_OK).is_ok() {
                return Ok(file);
            }
            forbidden = true;
        }
    }
    let why =
        if forbidden { "permission denied: it may not be executed by this user" } else { "not found on the PATH" };
    Err(Fault(format!("{program}: {why}")))
}

/// Why a program could not be started, with what is to be mended.
fn refusal(program: &str, file: &Path, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::NotFound if file.exists() => "its interpreter is not found (see its #! line)".into(),
        io::ErrorKind::PermissionDenied => "permission denied: it may not be executed by this user".into(),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => {
            "not a program that this machine can run (a script needs a #! line)".into()
        }
        _ => plain(error),
    };
    format!("{program}: {why}")
}

/// A child's process group, which carries the child's own number.
struct Group(Option<Pid>);

impl Group {
    /// Kills every process of the group. `SIGKILL`, because it can't be ignored and no plugin has anything to save.
    fn kill(&mut self) {
        if let Some(leader) = self.0.take() {
            // The only failure is that nobody is left, which is what is wanted.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Whether the child has ended; it stays unreaped, so its number stays its own.
    fn leader_ended(&self) -> bool {
        let Some(leader) = self.0 else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        match waitid(WaitId::Pid(leader), options) {
            Ok(end) => end.is_some(),
            Err(error) => error != rustix::io::Errno::INTR,
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One output stream, kept up to the cap.
struct Capture {
    pipe: Receiver,
    kept: Vec<u8>,
    /// All bytes that came, kept or not.
    came: usize,
    ended: bool,
}

impl Capture {
    fn new(pipe: PipeReader) -> io::Result<Self> {
        Ok(Self { pipe: Receiver::from_owned_fd(pipe.into())?, kept: Vec::new(), came: 0, ended: false })
    }

    const fn is_full(&self) -> bool {
        self.came > FLOOD_BYTES
    }

    const fn is_open(&self) -> bool {
        !self.ended && !self.is_full()
    }

    /// Reads until the stream ends or is full. May be dropped at any time without loss.
    async fn fill(&mut self) {
        while self.is_open() {
            if self.pipe.readable().await.is_err() {
                self.ended = true;
                return;
            }
            let read = self.keep(Receiver::try_read);
            self.ended |= read.is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock);
        }
    }

    /// Reads what is there now: all that an ended child wrote. What others still hold open is not waited for.
    fn drain(&mut self) {
        // Past the runtime, which may not have heard yet that there is something to read.
        while self.is_open() && self.keep(|pipe, chunk| Ok(rustix::io::read(pipe, chunk)?)).is_ok() {}
    }

    /// Reads once, and keeps what there is room for.
    fn keep(&mut self, read: impl FnOnce(&Receiver, &mut [u8]) -> io::Result<usize>) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let bytes = read(&self.pipe, &mut chunk)?;
        let room = OUTPUT_BYTES_MAX.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&chunk[..bytes.min(room)]);
        self.came += bytes;
        self.ended |= bytes == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
