//! What the program may write to a terminal: text, and the few sequences that draw.
//!
//! Everything else that a terminal understands (titles, clipboard, queries, mouse
//! modes, character sets) is refused here, whoever put it there: this is the
//! backstop behind the cleaning of outside text.

/// Private modes that are set and reset: wrapping at the margin, cursor, alternate screen, bracketed paste, synchronized update.
const MODES: [&str; 5] = ["7", "25", "1049", "2004", "2026"];

/// Finals of CSI sequences that move the cursor, erase or colour.
const FINALS: &[u8] = b"ABCDEFGHJKdm";

/// Characters that mislead a reader without being control codes.
const INVISIBLE: [std::ops::RangeInclusive<char>; 8] = [
    '\u{AD}'..='\u{AD}',
    '\u{61C}'..='\u{61C}',
    '\u{180E}'..='\u{180E}',
    '\u{200B}'..='\u{200B}',
    '\u{200E}'..='\u{200F}',
    '\u{202A}'..='\u{202E}',
    '\u{2060}'..='\u{206F}',
    '\u{E0000}'..='\u{E007F}',
];

/// Checks all bytes that were written.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).or_else(|why| {
        // A killed program may stop in the middle of a character; anything else is damage.
        match why.error_len() {
            None => Ok(std::str::from_utf8(&bytes[..why.valid_up_to()]).unwrap_or_default()),
            Some(_) => Err(format!("invalid UTF-8 at byte {}", why.valid_up_to())),
        }
    })?;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            '\x1b' => sequence(rest).ok_or_else(|| complain(text, rest))?,
            '\r' | '\n' => 1,
            _ if next.is_control() => return Err(complain(text, rest)),
            _ if INVISIBLE.iter().any(|range| range.contains(&next)) => return Err(complain(text, rest)),
            _ => next.len_utf8(),
        };
        rest = &rest[length..];
    }
    Ok(())
}

/// The length of the permitted sequence at the start of `rest`; `None`: it is not permitted.
fn sequence(rest: &str) -> Option<usize> {
    let Some(body) = rest.strip_prefix("\x1b[") else {
        return (rest.len() == 1).then_some(1);
    };
    let Some(last) = body.bytes().position(|byte| (0x40..=0x7e).contains(&byte)) else {
        return body.bytes().all(|byte| (0x20..=0x3f).contains(&byte)).then_some(rest.len());
    };
    let (parameters, end) = (&body[..last], body.as_bytes()[last]);
    let permitted = match parameters.strip_prefix('?') {
        Some(modes) => matches!(end, b'h' | b'l') && modes.split(';').all(|mode| MODES.contains(&mode)),
        None => {
            FINALS.contains(&end) && parameters.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':'))
        }
    };
    permitted.then_some("\x1b[".len() + last + 1)
}

fn complain(text: &str, rest: &str) -> String {
    let piece: String = rest.chars().take(16).collect();
    format!("byte {} of the output is not for drawing: {piece:?}", text.len() - rest.len())
}

#[test]
fn what_draws_is_permitted_and_nothing_else() {
    for good in [
        "plain text, Chinese 生产线, blocks █▀▄\r\n",
        "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?2026h\x1b[1;1H\x1b[2J\x1b[38;2;1;2;3m\x1b[0m\x1b[K\x1b[?2026l",
        "\x1b[4:3m\x1b[58:2::1:2:3mx",
        "cut \x1b[38;5",
        "cut \x1b",
    ] {
        assert_eq!(check(good.as_bytes()), Ok(()), "{good:?}");
    }
    for bad in [
        "\x1b]2;title\x07",
        "\x1b]52;c;aGk=\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1bP$qm\x1b\\",
        "\x1b_Gx\x1b\\",
        "\x1b[6n",
        "\x1b[c",
        "\x1b[21t",
        "\x1b[?1003h",
        "\x1b[5i",
        "\x1b[>1u",
        "\x1b[4h",
        "\x1bc",
        "\x1b(0",
        "\x1b7",
        "\x0e",
        "\x07",
        "\x08",
        "\u{9b}6n",
        "\u{202e}",
        "\u{200b}",
    ] {
        assert!(check(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(check(b"\xff").is_err());
}
