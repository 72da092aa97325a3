//! A command line split into words, without a shell.
//!
//! Quotes and backslashes group; nothing else means anything: `$`, `*`, `~`,
//! `|`, `;` and `>` reach the program as they stand. That absence is the point:
//! there is nothing to inject into.

/// The words of `line`: `'…'` is literal, `"…"` knows `\"` and `\\`, a backslash outside takes the next
/// character as it stands.
///
/// # Errors
/// What is wrong with the line, in words for its author.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\0' => return Err("a NUL character, which no argument can have".into()),
            letter if letter.is_whitespace() => words.extend(word.take()),
            quote @ ('\'' | '"') => quoted(&mut rest, quote, word.get_or_insert_default())?,
            '\\' => {
                let next = rest.next().ok_or("a backslash at the end, with nothing after it")?;
                word.get_or_insert_default().push(next);
            }
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    if words.iter().any(|word| word.contains('\0')) {
        return Err("a NUL character, which no argument can have".into());
    }
    Ok(words)
}

/// Reads up to the closing `quote` into `word`.
fn quoted(rest: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), String> {
    while let Some(letter) = rest.next() {
        match letter {
            letter if letter == quote => return Ok(()),
            '\\' if quote == '"' => match rest.next() {
                Some(escaped @ ('"' | '\\')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
                None => break,
            },
            letter => word.push(letter),
        }
    }
    Err(format!("a {quote} that is never closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_an_engineer_expects() {
        for (line, words) in [
            ("", vec![]),
            ("  \t ", vec![]),
            ("check_load -w 5,4,3", vec!["check_load", "-w", "5,4,3"]),
            ("a  b\t c\n", vec!["a", "b", "c"]),
            ("a 'b c' d", vec!["a", "b c", "d"]),
            (r#"a "b c" d"#, vec!["a", "b c", "d"]),
            (r#"a "say \"no\" \\ \n""#, vec!["a", r#"say "no" \ \n"#]),
            (r"a 'b\c'", vec!["a", r"b\c"]),
            (r"a\ b c\'d", vec!["a b", "c'd"]),
            ("pre'fix 'ed\" word\"", vec!["prefix ed word"]),
            ("a '' \"\"", vec!["a", "", ""]),
            ("a $(id) `id` | b; c > d && * ~", vec!["a", "$(id)", "`id`", "|", "b;", "c", ">", "d", "&&", "*", "~"]),
            ("温度 'é x'", vec!["温度", "é x"]),
        ] {
            assert_eq!(
                split(line).as_deref(),
                Ok(&words.into_iter().map(str::to_owned).collect::<Vec<_>>()[..]),
                "{line}"
            );
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        for (line, told) in [
            ("a 'b", "a ' that is never closed"),
            ("a \"b", "a \" that is never closed"),
            ("a \"b\\", "a \" that is never closed"),
            ("a \\", "backslash at the end"),
            ("a b\0c", "NUL"),
            ("a 'b\0c'", "NUL"),
        ] {
            assert!(split(line).is_err_and(|why| why.contains(told)), "{line:?}");
        }
    }
}
