//! The first pass over an expression: its words, and the literals that CEL lacks.
//!
//! `200ms`, `1h30m` become seconds, `4GiB` becomes bytes, `80%` becomes `80.0`.
//! Deliberately not a parser: what the words mean together is CEL's business.
//! The pass knows just enough to leave strings, names and the modulo operator
//! alone, and remembers which bytes it exchanged so that every complaint can
//! point into the text as it was written.

use super::ExpressionError;

/// The longest expression in bytes. A screen shows less than half of it, and
/// the parser behind this pass takes more than linear time on hostile text.
pub(super) const BYTES_MAX: usize = 4096;

/// The most brackets inside each other; each costs the parser a dozen frames.
const NESTING_MAX: usize = 64;

/// The most words: it bounds the depth of chains such as `a.b.c.d`, which
/// have no brackets and still nest.
const WORDS_MAX: usize = 512;

/// The most `!`, `-` and `?` in one expression; these nest without brackets too.
const PREFIXES_MAX: usize = 64;

/// Units of time in seconds. The longest names stand first where one begins another.
const TIMES: &[(&str, f64)] =
    &[("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

/// Units of size in bytes: the powers of 1024 of IEC 80000-13, and the decimal ones of the SI.
const SIZES: &[(&str, f64)] = &[
    ("B", 1.0),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
    ("PiB", 1_125_899_906_842_624.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("PB", 1e15),
];

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Name,
    Text,
    Sign,
}

/// One word of the expression: bytes `start..end` of the text as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// One exchanged literal: `written` bytes became `plain` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exchange {
    written: (usize, usize),
    plain: (usize, usize),
}

/// What the pass made of an expression.
#[derive(Debug)]
pub(super) struct Lexed {
    /// The text in plain CEL.
    pub(super) plain: String,
    /// The words of the text as it was written.
    pub(super) words: Vec<Word>,
    exchanges: Vec<Exchange>,
}

impl Lexed {
    /// The byte of the written text that became the byte `at` of the plain text.
    pub(super) fn written(&self, at: usize) -> usize {
        match self.exchanges.iter().rev().find(|exchange| exchange.plain.0 <= at) {
            None => at,
            Some(exchange) if at < exchange.plain.1 => exchange.written.0,
            Some(exchange) => exchange.written.1 + (at - exchange.plain.1),
        }
    }
}

/// Reads `text` and exchanges its literals.
pub(super) fn lex(text: &str) -> Result<Lexed, ExpressionError> {
    if text.len() > BYTES_MAX {
        return Err(error(BYTES_MAX, format!("an expression has at most {BYTES_MAX} bytes")));
    }
    let mut lexer = Lexer { text, at: 0, words: Vec::new(), out: String::new(), copied: 0, exchanges: Vec::new() };
    lexer.run()?;
    let Lexer { words, mut out, copied, exchanges, .. } = lexer;
    if words.is_empty() {
        return Err(error(0, "the expression is empty".into()));
    }
    bound(text, &words)?;
    out.push_str(&text[copied..]);
    Ok(Lexed { plain: out, words, exchanges })
}

fn error(at: usize, message: String) -> ExpressionError {
    ExpressionError { at, message }
}

/// Refuses what would nest too deep for the parser and the evaluation.
fn bound(text: &str, words: &[Word]) -> Result<(), ExpressionError> {
    if let Some(word) = words.get(WORDS_MAX) {
        return Err(error(word.start, format!("an expression has at most {WORDS_MAX} words")));
    }
    let (mut depth, mut prefixes) = (0_usize, 0_usize);
    for word in words.iter().filter(|word| word.kind == Kind::Sign) {
        match &text[word.start..word.end] {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "!" | "-" | "?" => prefixes += 1,
            _ => {}
        }
        if depth > NESTING_MAX {
            return Err(error(word.start, format!("more than {NESTING_MAX} brackets inside each other")));
        }
        if prefixes > PREFIXES_MAX {
            return Err(error(word.start, format!("more than {PREFIXES_MAX} of `!`, `-` and `?`")));
        }
    }
    Ok(())
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    words: Vec<Word>,
    out: String,
    /// How much of `text` is already in `out`.
    copied: usize,
    exchanges: Vec<Exchange>,
}

impl Lexer<'_> {
    fn run(&mut self) -> Result<(), ExpressionError> {
        while let Some(byte) = self.byte(0) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'/' if self.byte(1) == Some(b'/') => self.skip_while(|byte| byte != b'\n'),
                b'"' | b'\'' => self.quoted(self.at, false)?,
                b'0'..=b'9' => self.number()?,
                b'.' if self.byte(1).is_some_and(|next| next.is_ascii_digit()) && !self.after_operand() => {
                    self.number()?;
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => self.name()?,
                _ => self.sign()?,
            }
        }
        Ok(())
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn skip_while(&mut self, of: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&of) {
            self.at += 1;
        }
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.words.push(Word { kind, start, end: self.at });
    }

    /// Whether the last word ends an operand, so that a `.` selects a field of it.
    fn after_operand(&self) -> bool {
        self.words.last().is_some_and(|word| match word.kind {
            Kind::Sign => matches!(&self.text[word.start..word.end], ")" | "]" | "}"),
            Kind::Number | Kind::Name | Kind::Text => true,
        })
    }

    /// A quoted text whose quote stands at the place read now; `raw` where a backslash is a backslash.
    fn quoted(&mut self, start: usize, raw: bool) -> Result<(), ExpressionError> {
        let rest = &self.text.as_bytes()[self.at..];
        let quote = rest[0];
        let long = rest.len() >= 3 && rest[1] == quote && rest[2] == quote;
        let closing = if long { 3 } else { 1 };
        self.at += closing;
        while let Some(byte) = self.byte(0) {
            if byte == b'\\' && !raw {
                self.at += 2;
            } else if byte == quote && (!long || (self.byte(1) == Some(quote) && self.byte(2) == Some(quote))) {
                self.at += closing;
                self.push(Kind::Text, start);
                return Ok(());
            } else if byte == b'\n' && !long {
                break;
            } else {
                self.at += 1;
            }
        }
        Err(error(start, "this text has no closing quote".into()))
    }

    fn name(&mut self) -> Result<(), ExpressionError> {
        let start = self.at;
        self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        let name = &self.text[start..self.at];
        if matches!(self.byte(0), Some(b'"' | b'\'')) && matches!(name, "r" | "R" | "b" | "B") {
            return self.quoted(start, matches!(name, "r" | "R"));
        }
        self.push(Kind::Name, start);
        Ok(())
    }

    fn sign(&mut self) -> Result<(), ExpressionError> {
        let start = self.at;
        let rest = &self.text[start..];
        let Some(first) = rest.chars().next() else { return Ok(()) };
        let pairs = ["==", "!=", "<=", ">=", "&&", "||"];
        if let Some(pair) = pairs.iter().find(|pair| rest.starts_with(**pair)) {
            self.at += pair.len();
        } else if "()[]{}.,?:+-*/%<>!".contains(first) {
            self.at += 1;
        } else {
            let message = match first {
                '=' => "one `=` compares nothing: write `==`".into(),
                '&' => "`and` is written `&&`".into(),
                '|' => "`or` is written `||`".into(),
                other => format!("an expression has no {}", told(other)),
            };
            return Err(error(start, message));
        }
        self.push(Kind::Sign, start);
        Ok(())
    }

    /// A number, and the unit that is glued to it.
    fn number(&mut self) -> Result<(), ExpressionError> {
        let start = self.at;
        if self.byte(0) == Some(b'0') && matches!(self.byte(1), Some(b'x' | b'X')) {
            self.at += 2;
            self.skip_while(|byte| byte.is_ascii_alphanumeric());
            self.push(Kind::Number, start);
            return Ok(());
        }
        let value = self.digits();
        let unit = self.unit();
        match unit {
            "" => {
                self.share(start, value);
                Ok(())
            }
            // CEL's own mark of an unsigned number.
            "u" | "U" => {
                self.at += 1;
                self.push(Kind::Number, start);
                Ok(())
            }
            unit => {
                let value = self.measured(start, value, unit)?;
                if self.byte(0).is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
                    return Err(self.bad_unit(start));
                }
                self.exchange(start, value);
                Ok(())
            }
        }
    }

    /// The digits of a number with fraction and exponent.
    fn digits(&mut self) -> f64 {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_digit());
        if self.byte(0) == Some(b'.') && self.byte(1).is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            if self.byte(1 + sign).is_some_and(|next| next.is_ascii_digit()) {
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
        }
        self.text[start..self.at].parse().unwrap_or(f64::NAN)
    }

    /// The letters that follow at once.
    fn unit(&self) -> &'static str {
        let rest = &self.text.as_bytes()[self.at..];
        let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
        let word = &self.text[self.at..self.at + letters];
        let known = TIMES.iter().chain(SIZES).map(|(unit, _)| *unit).chain(["u", "U"]);
        match known.into_iter().find(|unit| *unit == word) {
            Some(unit) => unit,
            None if word.is_empty() => "",
            // Any name that no table has; the caller tells it as it was written.
            None => "?",
        }
    }

    /// The value of a number with a unit; a time may go on in smaller units: `1h30m`.
    fn measured(&mut self, start: usize, value: f64, unit: &str) -> Result<f64, ExpressionError> {
        if let Some((unit, bytes)) = SIZES.iter().find(|(name, _)| *name == unit) {
            self.at += unit.len();
            return Ok(value * bytes);
        }
        let (mut value, mut unit, mut sum, mut last) = (value, unit, 0.0, f64::INFINITY);
        loop {
            let Some((name, seconds)) = TIMES.iter().find(|(name, _)| *name == unit) else {
                return Err(self.bad_unit(start));
            };
            if *seconds >= last {
                return Err(error(start, "a time goes from the larger unit to the smaller, such as 1h30m".into()));
            }
            self.at += name.len();
            sum += value * seconds;
            last = *seconds;
            if !self.byte(0).is_some_and(|byte| byte.is_ascii_digit()) {
                return Ok(sum);
            }
            value = self.digits();
            unit = self.unit();
        }
    }

    fn bad_unit(&mut self, start: usize) -> ExpressionError {
        self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        let word = &self.text[start..self.at];
        error(
            start,
            format!(
                "`{word}` is no number: times are written 200ms, 3s, 5m, 1h30m, sizes 512KiB, 4GiB, 10MB, shares 80%"
            ),
        )
    }

    /// A plain number, or a share: a `%` is a share where it is glued to the
    /// number and what follows is no operand. So `80%` and `80% && up` are
    /// shares, `10 % 3` and `10%3` are remainders.
    fn share(&mut self, start: usize, value: f64) {
        if self.byte(0) != Some(b'%') {
            self.push(Kind::Number, start);
            return;
        }
        let after = self.text[self.at + 1..].trim_start();
        let word_length = after.bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count();
        let operand = match after.as_bytes().first() {
            Some(b'(' | b'[' | b'{' | b'"' | b'\'' | b'.') => true,
            Some(_) => word_length > 0 && &after[..word_length] != "in",
            None => false,
        };
        if operand {
            self.push(Kind::Number, start);
        } else {
            self.at += 1;
            self.exchange(start, value);
        }
    }

    /// Writes `value` in the place of the literal that began at `start` and ends here.
    fn exchange(&mut self, start: usize, value: f64) {
        self.out.push_str(&self.text[self.copied..start]);
        let plain = self.out.len();
        // The form of `{:?}` always has a fraction or an exponent: CEL reads a double.
        let digits = format!("{value:?}");
        self.out.push_str(&digits);
        self.exchanges.push(Exchange { written: (start, self.at), plain: (plain, self.out.len()) });
        self.copied = self.at;
        self.push(Kind::Number, start);
    }
}

/// A character as a message tells it: itself where it can be seen, else its code.
fn told(character: char) -> String {
    if character.is_ascii_graphic() || character.is_alphanumeric() {
        format!("`{character}`")
    } else {
        format!("character U+{:04X}", u32::from(character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        lex(text).map_or_else(|e| format!("{}: {}", e.at, e.message), |lexed| lexed.plain)
    }

    #[test]
    fn literals_become_numbers_and_nothing_else_changes() {
        for (written, expected) in [
            ("latency > 200ms", "latency > 0.2"),
            ("latency > 1.5s", "latency > 1.5"),
            ("age > 1h30m", "age > 5400.0"),
            ("age > 2d", "age > 172800.0"),
            ("used > 4GiB", "used > 4294967296.0"),
            ("used > 512KiB", "used > 524288.0"),
            ("used > 10MB", "used > 10000000.0"),
            ("used > 0B", "used > 0.0"),
            ("percent > 80%", "percent > 80.0"),
            ("percent > 80% && up", "percent > 80.0 && up"),
            ("80%<percent", "80.0<percent"),
            ("(percent > 80%)", "(percent > 80.0)"),
            ("percent > 80% ? a : b", "percent > 80.0 ? a : b"),
            ("80% in [x]", "80.0 in [x]"),
            ("a % 2 == 0", "a % 2 == 0"),
            ("10%3 == 1", "10%3 == 1"),
            ("10% 3 == 1", "10% 3 == 1"),
            ("10%(a)", "10%(a)"),
            ("a%2", "a%2"),
            ("10%inside", "10%inside"),
            ("cert_days < 14", "cert_days < 14"),
            ("load5 > cores * 2", "load5 > cores * 2"),
            ("text == \"200ms 80% \\\" 3s\"", "text == \"200ms 80% \\\" 3s\""),
            ("text == '4GiB'", "text == '4GiB'"),
            ("text == r'\\'", "text == r'\\'"),
            ("text == '''it's 3s'''", "text == '''it's 3s'''"),
            ("x == 0x1F // 3s of rest", "x == 0x1F // 3s of rest"),
            ("x == 5u", "x == 5u"),
            ("x > 1e3", "x > 1e3"),
            ("x > .5s", "x > 0.5"),
            ("body.list[0].x", "body.list[0].x"),
            ("[3s,5m]", "[3.0,300.0]"),
        ] {
            assert_eq!(plain(written), expected, "{written}");
        }
    }

    #[test]
    fn mistakes_are_told_at_their_byte() {
        for (written, at, part) in [
            ("", 0, "empty"),
            ("  // nothing", 0, "empty"),
            ("a > 3 && b = 2", 11, "`==`"),
            ("a & b", 2, "`&&`"),
            ("a | b", 2, "`||`"),
            ("é > 1", 0, "`é`"),
            ("a \u{202e} b", 2, "U+202E"),
            ("a > 3 && x == \"ab", 14, "closing quote"),
            ("a > 4gib", 4, "`4gib`"),
            ("a > 3parsecs", 4, "`3parsecs`"),
            ("a > 1m1h", 4, "larger unit"),
            ("a > 3s_x", 4, "`3s_x`"),
            ("a > 1h30", 4, "`1h30`"),
        ] {
            let Err(e) = lex(written) else { panic!("{written} is accepted") };
            assert_eq!(e.at, at, "{written}: {}", e.message);
            assert!(e.message.contains(part), "{written}: {}", e.message);
        }
    }

    #[test]
    fn places_lead_back_to_the_text_as_written() {
        let lexed = lex("a > 200ms && b < 4GiB || c").map_err(|e| e.message).unwrap();
        assert_eq!(lexed.plain, "a > 0.2 && b < 4294967296.0 || c");
        for (plain, written) in [(0, 0), (4, 4), (5, 4), (7, 9), (11, 13), (15, 17), (20, 17), (31, 25), (32, 26)] {
            assert_eq!(lexed.written(plain), written, "{plain}");
        }
    }

    #[test]
    fn too_much_is_refused() {
        for (text, part) in [
            ("(".repeat(65), "brackets"),
            ("!".repeat(65), "`!`"),
            ("a.".repeat(600), "words"),
            ("x".repeat(BYTES_MAX + 1), "bytes"),
        ] {
            assert!(plain(&text).contains(part), "{part}: {}", plain(&text));
        }
    }
}
