//! The last gate before a log line leaves: no character in it can act or mislead.
//!
//! It stands behind every format and every field, so that no call can forget it.
//! Nothing is removed: a log keeps the original, escaped as JSON escapes it, and
//! a JSON line stays the same value.

use std::fmt::Write as _;
use std::io::{self, Write};

/// A writer that gets whole lines and passes them on harmless.
pub(super) struct Cleaned<W>(pub(super) W);

impl<W: Write> Write for Cleaned<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if is_plain(line) {
            self.0.write_all(line)?;
        } else {
            self.0.write_all(escape(&String::from_utf8_lossy(line)).as_bytes())?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether a line is printable ASCII with its end: by far the most are.
fn is_plain(line: &[u8]) -> bool {
    let text = line.strip_suffix(b"\n").unwrap_or(line);
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// The line with everything escaped that is not simply shown. Its last line break is its end.
fn escape(line: &str) -> String {
    let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
    let mut out = String::with_capacity(line.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_invisible(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String can't fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            shown => out.push(shown),
        }
    }
    out.push_str(end);
    out
}

/// Characters that no reader sees but that turn, join or break what he sees.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(line: &str) -> String {
        let mut out = Vec::new();
        Cleaned(&mut out).write_all(line.as_bytes()).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_acts_is_escaped_and_what_is_shown_stays() {
        for (line, clean) in [
            ("plain text 1=2 \"q\"\n", "plain text 1=2 \"q\"\n"),
            ("größer 温度 ✔\n", "größer 温度 ✔\n"),
            ("a\u{1b}[31mb\n", "a\\u001b[31mb\n"),
            ("one\ntwo\r\n", "one\\ntwo\\r\n"),
            ("tab\there", "tab\\there"),
            ("\u{9b}6n\u{7f}\0", "\\u009b6n\\u007f\\u0000"),
            ("\u{202e}evil\u{2028}", "\\u202eevil\\u2028"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(cleaned(line), clean);
        }
    }

    #[test]
    fn a_json_line_keeps_its_value() {
        let value = serde_json::json!({"text": "\u{1b}]2;t\u{7}\u{9b}\u{202e}\u{e0041}\t\r\n"});
        let line = cleaned(&format!("{value}\n"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("JSON"), value);
    }
}
