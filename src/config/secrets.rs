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
    pieces: Vec<Piece>,
}

/// A stretch of the full text, up to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// Where it begins in the full text.
    full: usize,
    /// Where it begins in the written text.
    written: usize,
    kind: PieceKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PieceKind {
    /// As it is written.
    Written,
    /// As it is written, but a `${…}` that stands for itself.
    Verbatim,
    /// An expanded secret.
    Secret,
}

impl Words {
    /// Where in the written text a byte of the full text comes from.
    pub(super) fn written(&self, at: usize) -> usize {
        match self.pieces.iter().rev().find(|piece| piece.full <= at) {
            Some(Piece { written, kind: PieceKind::Secret, .. }) => *written,
            Some(Piece { full, written, .. }) => written + (at - full),
            None => at,
        }
    }

    /// The same with the braces of secrets and of `\${…}` doubled, so that neither is read as a placeholder.
    pub(super) fn with_braces_kept(self) -> Self {
        if self.pieces.iter().all(|piece| piece.kind == PieceKind::Written) {
            return self;
        }
        let mut kept = Self { shown: self.shown, secret: self.secret, ..Self::default() };
        let ends = self.pieces.iter().skip(1).map(|piece| piece.full).chain([self.full.len()]);
        for (piece, end) in self.pieces.iter().zip(ends) {
            let text = &self.full[piece.full..end];
            kept.pieces.push(Piece { full: kept.full.len(), ..*piece });
            match piece.kind {
                PieceKind::Written => kept.full.push_str(text),
                PieceKind::Verbatim | PieceKind::Secret => {
                    kept.full.push_str(&text.replace('{', "{{").replace('}', "}}"));
                }
            }
        }
        kept
    }

    fn push(&mut self, text: &str, written: usize, kind: PieceKind) {
        self.pieces.push(Piece { full: self.full.len(), written, kind });
        self.full.push_str(text);
        let secret = kind == PieceKind::Secret;
        self.shown.push_str(if secret { MASK } else { text });
        self.secret |= secret;
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
                words.push(&text[at..next - 1], at, PieceKind::Written);
                // Up to its closing brace, so that a text's template takes neither brace for its own.
                let inner = next + 2;
                let end = text[inner..].find(['{', '}']).map_or(inner, |end| inner + end);
                let end = if text[end..].starts_with('}') { end + 1 } else { inner };
                words.push(&text[next..end], next, PieceKind::Verbatim);
                at = end;
                continue;
            }
            words.push(&text[at..next], at, PieceKind::Written);
            let Some(end) = text[next..].find('}').map(|end| next + end) else {
                let help = "write `${NAME}` or `${file:PATH}`, or `\\${` for the two characters themselves";
                return Err(NoSecret { at: next..text.len(), message: "`${` is not closed".into(), help: help.into() });
            };
            let name = &text[next + 2..end];
            let content = self.content(name, folder);
            let content = content.map_err(|(message, help)| NoSecret { at: next..end + 1, message, help })?;
            words.push(&content, next, PieceKind::Secret);
            at = end + 1;
        }
        words.push(&text[at..], at, PieceKind::Written);
        Ok(words)
    }

    fn content(&mut self, name: &str, folder: &Path) -> Result<String, (String, String)> {
        if let Some(path) = name.strip_prefix("file:") {
            return if path.is_empty() {
                Err(("`${file:}` names no file".into(), "write `${file:PATH}`".into()))
            } else {
                self.content_of_file(&folder.join(path), &quote(path))
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

    fn content_of_file(&mut self, path: &Path, shown: &str) -> Result<String, (String, String)> {
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        self.files.push(path.to_owned());
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
            ("${}", 0..3, "an empty text is no name of an environment variable"),
            ("x${TOKEN", 1..8, "`${` is not closed"),
            ("${file:}", 0..8, "`${file:}` names no file"),
        ] {
            let why = secrets.expand(written, Path::new("")).unwrap_err();
            assert_eq!((why.at, why.message.as_str()), (at, message));
        }
    }
}
