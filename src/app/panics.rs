//! What a panic does: the terminal is given back, and the operator is told where the log is.
//!
//! A panic in a check costs that run alone and only reaches the log; one in the
//! board or the drawing ends the program, and must not leave a raw terminal behind.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::renderers::tui::restore_now;

/// The threads without which there is no picture.
const VITAL: &[&str] = &["main", "board", "stage"];

/// From now on, panics are told so.
pub(super) fn tell(log: Option<&Path>) {
    let log: Option<PathBuf> = log.map(Path::to_owned);
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("unnamed");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let why = panic.payload_as_str().unwrap_or("no reason given");
        tracing::error!(thread = name, place, "panic: {why}");
        if !VITAL.contains(&name) {
            return;
        }
        restore_now();
        let log = log.as_ref().map_or_else(|| "the journal".to_owned(), |log| log.display().to_string());
        // A terminal that is gone can't be told; printing must not panic over it.
        let _ = writeln!(std::io::stderr(), "marquee: {name} broke off at {place}: {why}\nmarquee: the log is {log}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set for the process that is to panic.
    const CHILD: &str = "MARQUEE_TEST_PANICS";

    #[test]
    fn a_vital_panic_names_its_place_and_the_log_and_others_are_left_to_the_log() {
        if let Ok(thread) = std::env::var(CHILD) {
            tell(Some(Path::new("/var/log/line-3.log")));
            let broken = std::thread::Builder::new().name(thread).spawn(|| panic!("a spring is loose"));
            assert!(broken.unwrap().join().is_err());
            return;
        }
        for (thread, told) in [("board", true), ("stage", true), ("io", false)] {
            let test = "app::panics::tests::a_vital_panic_names_its_place_and_the_log_and_others_are_left_to_the_log";
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            let ended = child.args(["--exact", test, "--nocapture"]).env(CHILD, thread).output().unwrap();
            let words = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(words.contains("broke off at src/app/panics.rs"), told, "{thread}: {words}");
            assert_eq!(words.contains("a spring is loose"), told, "{thread}: {words}");
            assert_eq!(words.contains("the log is /var/log/line-3.log"), told, "{thread}: {words}");
        }
    }
}
