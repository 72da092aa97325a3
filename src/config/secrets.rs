//! Secrets in strings: `${ENV}` and `${file:PATH}` expanded, `\${` standing for itself.
//!
//! An expanded text keeps, beside its full content, what may be shown of it,
//! and from where in the written text each of its bytes came.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::defaults::SECRET_BYTES_MAX;
use super::error::quote;
use super::file;
use super::mask::MASK;

/// A text with its secrets filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// The text itself; never shown where `secret` is set.
    pub(super) full: String,
    /// The text with `***` for every expanded part.
    pub(super) shown: String,
    /// Whether something was expanded.
    pub(super) secret: bool,
    /// From which offset of `full` on which offset of the written text holds, and whether it moves on from there.
    pieces: Vec<(usize, usize, bool)>,
}

impl Words {
    /// Where in the written text a byte of the full text comes from.
    pub(super) fn written(&self, at: usize) -> usize {
        match self.pieces.iter().rev().find(|(full, _, _)| *full <= at) {
            Some((full, written, true)) => written + (at - full),
            Some((_, written, false)) => *written,
            None => at,
        }
    }

    /// The same with the braces of expanded parts doubled, so that a secret is never read as a placeholder.
    pub(super) fn with_braces_kept(self) -> Self {
        if !self.secret {
            return self;
        }
        let mut kept = Self { shown: self.shown.clone(), secret: true, ..Self::default() };
        let ends = self.pieces.iter().skip(1).map(|piece| piece.0).chain([self.full.len()]);
        for ((start, written, moves), end) in self.pieces.iter().copied().zip(ends) {
            let text = &self.full[start..end];
            kept.pieces.push((kept.full.len(), written, moves));
            kept.full.push_str(&if moves { text.to_owned() } else { text.replace('{', "{{").replace('}', "}}") });
        }
        kept
    }

    fn push(&mut self, text: &str, written: usize) {
        self.pieces.push((self.full.len(), written, true));
        self.full.push_str(text);
        self.shown.push_str(text);
    }

    fn push_secret(&mut self, text: &str, written: usize) {
        self.pieces.push((self.full.len(), written, false));
        self.full.push_str(text);
        self.shown.push_str(MASK);
        self.secret = true;
    }
}

/// A secret that can't be filled in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoSecret {
    /// Where in the written text it stands.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// Fills in secrets, reading each file once.
pub(super) struct Secrets<'a> {
    env: &'a dyn Fn(&str) -> Option<String>,
    read: HashMap<PathBuf, Result<String, (String, String)>>,
    /// The files that were read or should have been, in the order they were named.
    pub(super) files: Vec<PathBuf>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { env, read: HashMap::new(), files: Vec::new() }
    }

    /// The text with every secret filled in; relative paths are relative to `folder`.
    pub(super) fn expand(&mut self, text: &str, folder: &Path) -> Result<Words, NoSecret> {
        let mut words = Words::default();
        let mut at = 0;
        while let Some(next) = text[at..].find("${").map(|next| at + next) {
            if text[at..next].ends_with('\\') {
                words.push(&text[at..next - 1], at);
                words.push("${", next);
                at = next + 2;
                continue;
            }
            words.push(&text[at..next], at);
            let Some(end) = text[next..].find('}').map(|end| next + end) else {
                let help = "write `${NAME}` or `${file:PATH}`, or `\\${` for the two characters themselves";
                return Err(NoSecret { at: next..text.len(), message: "`${` is not closed".into(), help: help.into() });
            };
            let name = &text[next + 2..end];
            let content = self.content(name, folder);
            let content = content.map_err(|(message, help)| NoSecret { at: next..end + 1, message, help })?;
            words.push_secret(&content, next);
            at = end + 1;
        }
        words.push(&text[at..], at);
        Ok(words)
    }

    fn content(&mut self, name: &str, folder: &Path) -> Result<String, (String, String)> {
        if let Some(path) = name.strip_prefix("file:") {
            return if path.is_empty() {
                Err(("`${file:}` names no file".into(), "write `${file:PATH}`".into()))
            } else {
                self.content_of_file(&folder.join(path))
            };
        }
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let message = format!("{} is no name of an environment variable", quote(name));
            return Err((
                message,
                "write `${NAME}` or `${file:PATH}`, or `\\${` for the two characters themselves".into(),
            ));
        }
        (self.env)(name).ok_or_else(|| {
            let message = format!("the environment variable {} is not set", quote(name));
            (message, "set it for the user that runs marquee, or write `${file:PATH}`".into())
        })
    }

    fn content_of_file(&mut self, path: &Path) -> Result<String, (String, String)> {
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        self.files.push(path.to_owned());
        let shown = quote(&path.to_string_lossy());
        let content = match file::read(path, SECRET_BYTES_MAX) {
            Err(why) => Err((format!("cannot read the secret {shown}: {}", why.reason), why.help)),
            Ok(text) if text.world_writable => {
                let message = format!("the secret {shown} can be written by every user, so anybody could replace it");
                Err((message, "take that right away: chmod o-w".into()))
            }
            // Editors and `echo` end a file with a line break that is no part of the secret.
            Ok(text) => Ok(text.text.trim_end_matches(['\r', '\n']).to_owned()),
        };
        self.read.insert(path.to_owned(), content.clone());
        content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str) -> Option<String> {
        (name == "TOKEN").then(|| "canary".to_owned())
    }

    #[test]
    fn secrets_are_filled_in_and_offsets_lead_back() {
        let mut secrets = Secrets::new(&env);
        for (written, full, shown) in [
            ("plain", "plain", "plain"),
            ("a${TOKEN}b", "acanaryb", "a***b"),
            ("${TOKEN}${TOKEN}", "canarycanary", "******"),
            (r"\${TOKEN}", "${TOKEN}", "${TOKEN}"),
            ("$5 and $", "$5 and $", "$5 and $"),
        ] {
            let words = secrets.expand(written, Path::new("")).unwrap();
            assert_eq!((words.full.as_str(), words.shown.as_str()), (full, shown));
        }
        let words = secrets.expand(r"a${TOKEN}b\${c", Path::new("")).unwrap();
        assert_eq!(words.full, "acanaryb${c");
        for (full, written) in [(0, 0), (1, 1), (4, 1), (7, 9), (8, 11), (10, 13)] {
            assert_eq!(words.written(full), written, "{full}");
        }
    }

    #[test]
    fn what_can_not_be_filled_in_is_told_with_its_place() {
        let mut secrets = Secrets::new(&env);
        for (written, at, message) in [
            ("a${NONE}", 1..8, "the environment variable `NONE` is not set"),
            ("a${b c}", 1..7, "`b c` is no name of an environment variable"),
            ("${}", 0..3, "`` is no name of an environment variable"),
            ("x${TOKEN", 1..8, "`${` is not closed"),
            ("${file:}", 0..8, "`${file:}` names no file"),
        ] {
            let why = secrets.expand(written, Path::new("")).unwrap_err();
            assert_eq!((why.at, why.message.as_str()), (at, message));
        }
    }
}
