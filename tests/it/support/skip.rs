//! Tests that this machine can't run say so, instead of passing in silence.

use std::io::Write as _;

/// Tells why a test is not run, past the capture of a test's output: `tests/run` lists these lines.
pub(crate) fn skip(test: &str, reason: &str) {
    let line = format!("SKIPPED {test}: {reason}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
}
