//! The program in a pseudo-terminal, read through a terminal emulator as a person reads it.
//!
//! A thread feeds all that the program writes to the emulator and keeps the raw
//! bytes; tests wait on a condition variable that it signals.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::Signal;
use vt100::{Color, Parser, Screen};

use super::clock::{PATIENCE, left, now};
use super::pipe::{send_signal, text};
use super::{TempHome, allowlist};

/// Begins each synchronized update.
const PICTURE_BEGIN: &[u8] = b"\x1b[?2026h";

/// Ends each synchronized update: what is on the screen then was meant to be seen.
const PICTURE_END: &[u8] = b"\x1b[?2026l";

/// A terminal's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Cells in a row.
    pub(crate) columns: u16,
    /// Rows.
    pub(crate) rows: u16,
}

impl Size {
    /// The terminal of the product's drawing.
    pub(crate) const USUAL: Self = Self::new(80, 24);

    /// So many columns, so many rows.
    pub(crate) const fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows }
    }

    fn pty(self) -> PtySize {
        PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 }
    }

    fn cells(self) -> (NonZeroU16, NonZeroU16) {
        (NonZeroU16::new(self.rows).unwrap(), NonZeroU16::new(self.columns).unwrap())
    }

    fn parser(self) -> Parser {
        let (rows, columns) = self.cells();
        Parser::new(rows, columns, 0)
    }
}

/// What came out of the terminal so far.
struct Seen {
    parser: Parser,
    raw: Vec<u8>,
    /// How many of those bytes the parser has had.
    shown: usize,
    size: Size,
    silent: bool,
    status: Option<ExitStatus>,
}

struct Shared {
    seen: Mutex<Seen>,
    news: Condvar,
    hung_up: AtomicBool,
}

/// A run of the program in a terminal.
pub(crate) struct Pty {
    shared: Arc<Shared>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    pid: u32,
    started: Instant,
}

impl Pty {
    /// The board of the home's `marquee.yaml` on a terminal of the usual size.
    pub(crate) fn board(home: &TempHome) -> Self {
        Self::board_at(home, Size::USUAL)
    }

    /// The board of the home's `marquee.yaml` on a terminal of this size.
    pub(crate) fn board_at(home: &TempHome, size: Size) -> Self {
        Self::open(home, size, &["run", "--config", text(&home.config())], &[])
    }

    /// Starts the program in a terminal, with further environment.
    pub(crate) fn open(home: &TempHome, size: Size, args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::spawn(home, env!("CARGO_BIN_EXE_marquee"), size, args, env)
    }

    /// Starts any program as `open` starts ours.
    pub(crate) fn spawn(home: &TempHome, program: &str, size: Size, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        for (key, value) in home.environment() {
            command.env(key, value);
        }
        for (key, value) in env {
            command.env(key, value);
        }
        command.cwd(home.plant());
        let pair = native_pty_system().openpty(size.pty()).unwrap();
        let started = now();
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let pid = child.process_id().unwrap();
        let reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let seen = Seen { parser: size.parser(), raw: Vec::new(), shown: 0, size, silent: false, status: None };
        let shared = Arc::new(Shared { seen: Mutex::new(seen), news: Condvar::new(), hung_up: AtomicBool::new(false) });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || read(reader, &theirs));
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            let status = child.wait().unwrap();
            theirs.lock().status = Some(status);
            theirs.news.notify_all();
        });
        Self { shared, master: Some(pair.master), writer: Some(writer), pid, started }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// When it was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Waits until the screen `shows` something.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, mut shows: impl FnMut(&Screen) -> bool) {
        self.wait(what, PATIENCE, |seen| shows(seen.parser.screen()).then_some(()));
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, wanted: &str) {
        self.wait_for(&format!("{wanted:?} on the screen"), |screen| screen.contents().contains(wanted));
    }

    /// Waits until a text has left the screen.
    #[track_caller]
    pub(crate) fn wait_for_no_text(&self, unwanted: &str) {
        self.wait_for(&format!("{unwanted:?} gone"), |screen| !screen.contents().contains(unwanted));
    }

    /// Waits until the visible clock has moved `times` times: so many seconds, without sleeping.
    #[track_caller]
    pub(crate) fn wait_for_clock_moves(&self, times: usize) {
        for _ in 0..times {
            let before = self.wait("a clock", PATIENCE, |seen| clock(&seen.parser.screen().contents()));
            self.wait_for("the clock to move", |screen| clock(&screen.contents()).is_some_and(|time| time != before));
        }
    }

    /// Waits until something was written.
    #[track_caller]
    pub(crate) fn wait_for_output(&self) {
        self.wait("any output", PATIENCE, |seen| (!seen.raw.is_empty()).then_some(()));
    }

    /// Types keys.
    pub(crate) fn send(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, size: Size) {
        let mut seen = self.shared.lock();
        let (rows, columns) = size.cells();
        seen.parser.screen_mut().set_size(rows, columns);
        seen.size = size;
        self.master.as_ref().unwrap().resize(size.pty()).unwrap();
    }

    /// The screen as text, a line per row.
    pub(crate) fn screen_text(&self) -> String {
        self.look(Screen::contents)
    }

    /// The screen's rows, each without the blanks at its end.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.look(rows)
    }

    /// Looks at the screen once.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(self.shared.lock().parser.screen())
    }

    /// All bytes written so far.
    pub(crate) fn raw(&self) -> Vec<u8> {
        self.shared.lock().raw.clone()
    }

    /// Every picture that was shown so far on a terminal that kept its size, as text.
    pub(crate) fn pictures(&self) -> Vec<String> {
        let (raw, size) = {
            let seen = self.shared.lock();
            (seen.raw.clone(), seen.size)
        };
        let mut parser = size.parser();
        let mut pictures = Vec::new();
        let mut rest = raw.as_slice();
        while let Some(end) = rest.windows(PICTURE_END.len()).position(|bytes| bytes == PICTURE_END) {
            let (picture, behind) = rest.split_at(end + PICTURE_END.len());
            parser.process(picture);
            pictures.push(parser.screen().contents());
            rest = behind;
        }
        pictures
    }

    /// Sends a signal to the program alone.
    pub(crate) fn signal(&self, signal: Signal) {
        let seen = self.shared.lock();
        if seen.status.is_none() {
            send_signal(self.pid, signal);
        }
    }

    /// Closes the terminal under the program: the reader lets go at the next byte.
    pub(crate) fn hang_up(&mut self) {
        self.shared.hung_up.store(true, Ordering::SeqCst);
        self.writer = None;
        self.master = None;
    }

    /// Waits for the program's end and for its last byte.
    #[track_caller]
    pub(crate) fn wait_exit(&self) -> ExitStatus {
        self.wait("the end of the program", PATIENCE, |seen| seen.status.clone().filter(|_| seen.silent))
    }

    /// Ends the program as an operator does, and looks at what it leaves behind.
    #[track_caller]
    pub(crate) fn quit(mut self) {
        self.send("q");
        let status = self.wait_exit();
        assert!(status.success(), "quit with {status:?}\n{}", self.screen_text());
        self.assert_restored();
        self.assert_allowed();
    }

    /// The terminal is as it was found: no alternate screen, a cursor, no paste mode.
    #[track_caller]
    pub(crate) fn assert_restored(&self) {
        self.look(|screen| {
            assert!(!screen.alternate_screen(), "the alternate screen was left on");
            assert!(!screen.hide_cursor(), "the cursor was left hidden");
            assert!(!screen.bracketed_paste(), "bracketed paste was left on");
        });
        let last = |mode: &[u8]| self.raw().windows(mode.len()).rposition(|bytes| bytes == mode);
        assert!(last(b"\x1b[?2026l") >= last(b"\x1b[?2026h"), "a synchronized update was left open");
    }

    /// Not one byte was written that could do more than draw.
    #[track_caller]
    pub(crate) fn assert_allowed(&self) {
        if let Err(why) = allowlist::check(&self.raw()) {
            panic!("{why}");
        }
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, within: Duration, mut look: impl FnMut(&Seen) -> Option<T>) -> T {
        let deadline = now() + within;
        let mut seen = self.shared.lock();
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let over = seen.silent && seen.status.is_some();
            let Some(left) = left(deadline).filter(|_| !over) else {
                let picture = draw(&seen);
                drop(seen);
                panic!("waited for {what}; {picture}");
            };
            seen = self.shared.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl Shared {
    /// A test that failed while it looked must not hide its failure behind a poisoned lock.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows of a screen, each without the blanks at its end.
pub(crate) fn rows(screen: &Screen) -> Vec<String> {
    screen.rows(0, screen.size().1.get()).map(|row| row.trim_end().to_owned()).collect()
}

/// The first `HH:MM:SS` in a text.
pub(crate) fn clock(text: &str) -> Option<String> {
    let shape = |window: &[u8]| {
        window.iter().enumerate().all(|(place, byte)| match place {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        })
    };
    let place = text.as_bytes().windows(8).position(shape)?;
    text.get(place..place + 8).map(str::to_owned)
}

/// The foreground colours that letters on the screen have, each once, in order of appearance.
pub(crate) fn colours(screen: &Screen) -> Vec<Color> {
    let (rows, columns) = screen.size();
    let mut found = Vec::new();
    for row in 0..rows.get() {
        for column in 0..columns.get() {
            let Some(cell) = screen.cell(row, column) else { continue };
            for colour in [cell.fgcolor(), cell.bgcolor()] {
                if !found.contains(&colour) {
                    found.push(colour);
                }
            }
        }
    }
    found
}

impl Seen {
    /// Shows what has come. An update that is still open is held back, as a terminal does that
    /// knows synchronized updates: half a picture is nothing that a viewer sees.
    fn show(&mut self) {
        let rest = &self.raw[self.shown..];
        let last = |mode: &[u8]| rest.windows(mode.len()).rposition(|bytes| bytes == mode);
        let open = last(PICTURE_BEGIN).filter(|begin| !self.silent && last(PICTURE_END).is_none_or(|end| end < *begin));
        let until = self.shown + open.unwrap_or(rest.len());
        self.parser.process(&self.raw[self.shown..until]);
        self.shown = until;
    }
}

/// What the reader thread does until the terminal is closed on either side.
fn read(mut reader: Box<dyn Read + Send>, shared: &Shared) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = reader.read(&mut bytes) {
        let mut seen = shared.lock();
        seen.raw.extend_from_slice(&bytes[..count]);
        seen.show();
        drop(seen);
        shared.news.notify_all();
        if shared.hung_up.load(Ordering::SeqCst) {
            break;
        }
    }
    drop(reader);
    let mut seen = shared.lock();
    seen.silent = true;
    seen.show();
    drop(seen);
    shared.news.notify_all();
}

/// The screen, framed, for the message of a failure.
fn draw(seen: &Seen) -> String {
    let mut picture = format!("status {:?}, {} bytes written; the screen was:\n", seen.status, seen.raw.len());
    for row in rows(seen.parser.screen()) {
        let _ = writeln!(picture, "| {row}");
    }
    picture
}

#[test]
fn a_terminal_is_read_written_resized_and_closed() {
    let home = TempHome::new();
    let script = "printf 'at 14:03:22 \\033[31mred\\033[0m'; read word; stty size; echo \"heard $word\"; trap 'exit 0' HUP; \
                  while :; do echo tick; sleep 0.05; done";
    let mut pty = Pty::spawn(&home, "/bin/sh", Size::USUAL, &["-c", script], &[]);
    pty.wait_for_text("red");
    assert_eq!(clock(&pty.screen_text()).as_deref(), Some("14:03:22"));
    assert!(pty.look(colours).contains(&Color::Idx(1)));
    pty.resize(Size::new(100, 30));
    pty.send("hello\n");
    pty.wait_for_text("30 100");
    pty.wait_for_text("heard hello");
    pty.assert_allowed();
    pty.hang_up();
    assert!(pty.wait_exit().success());
}
