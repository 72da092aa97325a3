//! Taking the terminal and giving it back: raw mode and the few sequences around the picture.
//!
//! Deliberately not ratatui's `init`, `restore` and `Terminal`: those print to a standard error
//! that may be gone, and a board whose terminal was closed has to end in order, not in a panic.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Alternate screen, no cursor, pasted text marked as such, no wrapping at the right margin: a
/// character that this terminal draws wider than we measured then costs one column, not a line.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?7l";

/// The opposite, after the end of an update that may have been cut off. The screen is emptied for
/// terminals that have no other screen to go back to.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[2J\x1b[H\x1b[?7h\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Whether the terminal of this process is ours at the moment. There is one terminal and any
/// thread may panic, so this is the process's and not a renderer's.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes the terminal; `out` writes to it.
///
/// # Errors
/// Where there is no terminal, or it is gone.
pub(super) fn take(out: &mut impl Write) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    out.write_all(ENTER)?;
    out.flush()
}

/// Gives the terminal back, unless that was done already.
///
/// # Errors
/// Where the terminal is gone; raw mode is left in any case.
pub(super) fn give_back(out: &mut impl Write) -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let written = out.write_all(LEAVE).and_then(|()| out.flush());
    written.and(disable_raw_mode())
}

/// Gives the terminal back from wherever the program happens to be, such as a panic hook.
///
/// Does nothing where the terminal was not taken or was given back already. Errors are of no
/// use here: a terminal that is gone needs no restoring.
pub fn restore_now() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // Not through `io::stdout()` itself: the panicking program may hold its lock for ever.
    let stdout = io::stdout();
    let terminal = if stdout.is_terminal() {
        stdout.as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::options().write(true).open("/dev/tty")
    };
    if let Ok(mut terminal) = terminal {
        drop(terminal.write_all(LEAVE));
    }
    drop(disable_raw_mode());
}
