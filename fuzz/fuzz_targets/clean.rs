//! Any bytes become a text that only prints, and stays what it is when it comes by again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use marquee::frame::Safe;

fuzz_target!(|raw: &[u8]| {
    let line = Safe::bytes(raw);
    assert!(line.len() <= Safe::MAX_TEXT);
    assert!(!line.chars().any(char::is_control));
    assert_eq!(*Safe::line(&line), *line);

    let lines = Safe::lines(&String::from_utf8_lossy(raw));
    assert!(lines.len() <= Safe::MAX_TEXT && lines.lines().count() <= Safe::MAX_LINES);
    assert!(!lines.chars().any(|c| c.is_control() && c != '\n'));
    assert_eq!(*Safe::lines(&lines), *lines);
});
