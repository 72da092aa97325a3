//! Where an escape sequence ends.
//!
//! A sequence is removed whole, its payload included: `]0;title` on the screen
//! would be no danger, but no news either. The grammar is that of ECMA-48 as
//! terminals of the DEC line read it, with both spellings of an introducer: ESC
//! and a letter, or one character of C1.

const ESCAPE: char = '\u{1B}';
const BELL: char = '\u{7}';
const CANCEL: char = '\u{18}';
const SUBSTITUTE: char = '\u{1A}';
/// String terminator, as one character.
const TERMINATOR: char = '\u{9C}';

/// Bytes that the payload of a string may have. Behind them its end is not
/// awaited any longer: the string counts as never ended.
const MAX_PAYLOAD: usize = 4 * 1024;

/// Whether a sequence may begin with `c`.
pub(super) const fn is_introducer(c: char) -> bool {
    matches!(c, ESCAPE | '\u{90}' | '\u{98}' | '\u{9B}' | '\u{9D}' | '\u{9E}' | '\u{9F}')
}

/// The bytes of the sequence that `text` begins with; at least those of its introducer.
pub(super) fn length(text: &str) -> usize {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    let introducer = first.len_utf8();
    let kind = if first == ESCAPE { chars.next() } else { from_c1(first) };
    // An introducer of ESC and a letter is one byte longer.
    let begin = if first == ESCAPE { introducer + 1 } else { introducer };
    match kind {
        Some('[') => begin + control(&text[begin..]),
        Some(']') => begin + string(&text[begin..], true),
        Some('P' | 'X' | '^' | '_') => begin + string(&text[begin..], false),
        Some('\u{20}'..='\u{2F}') => introducer + escape(&text[introducer..]),
        Some('\u{30}'..='\u{7E}') => begin,
        _ => introducer,
    }
}

/// The letter behind ESC that means the same as this character of C1.
const fn from_c1(c: char) -> Option<char> {
    match c {
        '\u{90}' => Some('P'),
        '\u{98}' => Some('X'),
        '\u{9B}' => Some('['),
        '\u{9D}' => Some(']'),
        '\u{9E}' => Some('^'),
        '\u{9F}' => Some('_'),
        _ => None,
    }
}

/// The length of a control sequence behind its introducer: parameters and
/// intermediates in any order, as terminals skip a malformed one, then the final.
fn control(rest: &str) -> usize {
    ended_by_final(rest, |byte| matches!(byte, 0x20..=0x3F), |byte| matches!(byte, 0x40..=0x7E))
}

/// The length of an escape sequence with intermediates, behind its ESC.
fn escape(rest: &str) -> usize {
    ended_by_final(rest, |byte| matches!(byte, 0x20..=0x2F), |byte| matches!(byte, 0x30..=0x7E))
}

/// What breaks a sequence off is not part of it.
fn ended_by_final(rest: &str, is_body: fn(u8) -> bool, is_final: fn(u8) -> bool) -> usize {
    let body = rest.bytes().take_while(|byte| is_body(*byte)).count();
    body + usize::from(rest.as_bytes().get(body).copied().is_some_and(is_final))
}

/// The length of a control string behind its introducer. A string that never
/// ends is removed to the end of its line, so that the lines behind it stay.
fn string(rest: &str, bell_ends: bool) -> usize {
    for (at, c) in rest.char_indices() {
        if at >= MAX_PAYLOAD {
            break;
        }
        match c {
            BELL if bell_ends => return at + 1,
            CANCEL | SUBSTITUTE => return at + 1,
            TERMINATOR => return at + TERMINATOR.len_utf8(),
            ESCAPE if rest[at..].starts_with("\u{1B}\\") => return at + 2,
            // The next sequence ends this one and is measured by itself. This
            // also keeps the work linear: nothing is looked at three times.
            _ if is_introducer(c) => return at,
            _ => {}
        }
    }
    rest.find('\n').unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_end_where_terminals_end_them() {
        for (text, rest) in [
            ("\u{1B}[31mred", "red"),
            ("\u{1B}[?25;1$pred", "red"),
            ("\u{1B}[38:2::1:2:3mred", "red"),
            ("\u{1B}[1\nm", "\nm"),
            ("\u{1B}[é", "é"),
            ("\u{1B}[", ""),
            ("\u{1B}", ""),
            ("\u{1B}\u{1B}[m", "\u{1B}[m"),
            ("\u{1B}\n", "\n"),
            ("\u{1B}é", "é"),
            ("\u{1B}cred", "red"),
            ("\u{1B}(0red", "red"),
            ("\u{1B} Fred", "red"),
            ("\u{1B}#\nred", "\nred"),
            ("\u{9B}31mred", "red"),
            ("\u{1B}]0;title\u{7}red", "red"),
            ("\u{1B}]0;title\u{1B}\\red", "red"),
            ("\u{9D}0;title\u{9C}red", "red"),
            ("\u{1B}]0;title\u{18}red", "red"),
            ("\u{1B}]0;ti\ntle\u{1A}red", "red"),
            ("\u{1B}]0;title\u{1B}[mred", "\u{1B}[mred"),
            ("\u{1B}]0;title\u{9B}mred", "\u{9B}mred"),
            ("\u{1B}]0;title\nred", "\nred"),
            ("\u{1B}]0;title", ""),
            ("\u{1B}Pq\u{7}still\u{1B}\\red", "red"),
            ("\u{1B}Xstart\u{9C}red", "red"),
            ("\u{1B}^message\u{9C}red", "red"),
            ("\u{9F}Gf=100;AAAA\u{1B}\\red", "red"),
        ] {
            assert_eq!(&text[length(text)..], rest, "{}", text.escape_debug());
        }
    }

    #[test]
    fn a_string_without_an_end_takes_its_line_and_no_more() {
        let long = format!("\u{1B}]0;{}\nnext\u{7}", "x".repeat(2 * MAX_PAYLOAD));
        assert_eq!(&long[length(&long)..], "\nnext\u{7}");
    }
}
