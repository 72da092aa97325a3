//! The program behind pipes: one-shot commands, and runs that print line by line.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use rustix::process::Signal;

use super::TempHome;
use super::clock::{PATIENCE, left, now};

/// What a one-shot command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

impl Answer {
    /// Both outputs, for tests that do not care which.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// The program, ready to be started in a home.
pub(crate) fn command(home: &TempHome, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marquee"));
    command.args(args).env_clear().envs(home.environment()).current_dir(home.plant()).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn marquee(home: &TempHome, args: &[&str]) -> Answer {
    let mut run = Piped::spawn(command(home, args));
    let mut out = String::new();
    while let Some(line) = run.next_line() {
        out.push_str(&line);
        out.push('\n');
    }
    let status = run.wait_exit();
    Answer { code: status.code(), out, err: run.errors() }
}

/// A run of the program whose standard output is read line by line.
pub(crate) struct Piped {
    pid: u32,
    lines: Receiver<(Instant, String)>,
    closed: Receiver<()>,
    ended: Receiver<ExitStatus>,
    status: Option<ExitStatus>,
    errors: Option<JoinHandle<String>>,
    told: String,
}

impl Piped {
    /// Starts the program in a home.
    pub(crate) fn start(home: &TempHome, args: &[&str]) -> Self {
        Self::spawn(command(home, args))
    }

    /// Starts `render` on the home's `marquee.yaml`.
    pub(crate) fn render(home: &TempHome, render: &str) -> Self {
        let config = home.config();
        Self::start(home, &["run", "--render", render, "--config", text(&config)])
    }

    /// Starts a prepared command.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (line, lines) = channel();
        let (end, closed) = channel();
        thread::spawn(move || forward(stdout, &line, &end));
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let pid = child.id();
        let (tell, ended) = channel();
        thread::spawn(move || {
            let _ = tell.send(child.wait().unwrap());
        });
        Self { pid, lines, closed, ended, status: None, errors: Some(errors), told: String::new() }
    }

    /// The process's number.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The next line; `None` at the end of the output.
    pub(crate) fn next_line(&mut self) -> Option<String> {
        self.next_line_at().map(|(_, line)| line)
    }

    /// The next line and when it came; `None` at the end of the output.
    pub(crate) fn next_line_at(&mut self) -> Option<(Instant, String)> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the program printed nothing for {PATIENCE:?}"),
        }
    }

    /// The first line that `fits`.
    pub(crate) fn line_where(&mut self, what: &str, mut fits: impl FnMut(&str) -> bool) -> String {
        let deadline = now() + PATIENCE;
        let mut seen = Vec::new();
        while left(deadline).is_some()
            && let Some(line) = self.next_line()
        {
            if fits(&line) {
                return line;
            }
            seen.push(line);
        }
        self.signal(Signal::KILL);
        let errors = self.errors();
        panic!("no line {what} among {} lines:\n{}\n{errors}", seen.len(), seen.join("\n"));
    }

    /// Sends a signal.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.status = self.status.or_else(|| self.ended.try_recv().ok());
        if self.status.is_none() {
            send_signal(self.pid, signal);
        }
    }

    /// Stops reading: the program's next line finds nobody.
    pub(crate) fn close_output(&mut self) {
        let (_, nothing) = channel();
        self.lines = nothing;
        let _ = self.closed.recv_timeout(PATIENCE);
    }

    /// Waits for the end.
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        if self.status.is_none() {
            self.status = self.ended.recv_timeout(PATIENCE).ok();
        }
        self.status.unwrap_or_else(|| panic!("the program did not end within {PATIENCE:?}"))
    }

    /// What it wrote to its standard error. Ask after its end.
    pub(crate) fn errors(&mut self) -> String {
        if let Some(errors) = self.errors.take() {
            self.told = errors.join().unwrap_or_default();
        }
        self.told.clone()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Passes lines on until either end is gone, then closes the pipe.
fn forward(stdout: ChildStdout, line: &Sender<(Instant, String)>, end: &Sender<()>) {
    let mut reader = BufReader::new(stdout);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
        let read = String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned();
        if line.send((now(), read)).is_err() {
            break;
        }
        bytes.clear();
    }
    drop(reader);
    let _ = end.send(());
}

/// Sends a signal to a process that is known not to be reaped.
pub(crate) fn send_signal(pid: u32, signal: Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
