//! The files of the house: where they are, and how they read once comments and texts are blanked out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file by its path from the root, with what it says.
pub(super) struct File {
    /// Such as `src/kernel/mod.rs`.
    pub(super) path: String,
    /// Its text.
    pub(super) text: String,
}

impl File {
    /// The part that is not tests: up to the module of tests; nothing of a file that is all tests.
    pub(super) fn program(&self) -> &str {
        let name = self.path.trim_end_matches(".rs");
        if name.ends_with("/tests") || name.ends_with("_tests") || name.contains("/tests/") {
            return "";
        }
        let mut at = 0;
        let mut attributed = None;
        for line in self.text.split_inclusive('\n') {
            let code = line.trim();
            if code.starts_with("#[cfg(test)]") || code.starts_with("#[cfg(all(test,") {
                attributed = Some(at);
            } else if let Some(place) = attributed.filter(|_| code.starts_with("mod ") && code.ends_with('{')) {
                return &self.text[..place];
            } else if !code.starts_with("#[") {
                attributed = None;
            }
            at += line.len();
        }
        &self.text
    }
}

/// Every Rust file in these folders of the root.
pub(super) fn rust_files(folders: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    for folder in folders {
        gather(&root().join(folder), &mut found);
    }
    found.sort();
    assert!(!found.is_empty(), "no Rust file under {folders:?}");
    found.into_iter().map(|path| read(&path).expect("a Rust file is text")).collect()
}

/// Every text file that belongs to the repository.
pub(super) fn tracked_files() -> Vec<File> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    match Command::new("git").args(args).current_dir(root()).output() {
        Ok(listed) if listed.status.success() => String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|name| !name.is_empty())
            .filter_map(|name| read(&root().join(name)))
            .collect(),
        // A source archive has no git: then all that is not built is the repository.
        _ => rust_files(&["src", "tests", "benches"]),
    }
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn read(path: &Path) -> Option<File> {
    let text = fs::read_to_string(path).ok()?;
    let path = path.strip_prefix(root()).unwrap_or(path).to_str()?.to_owned();
    Some(File { path, text })
}

/// Rust source with every comment and every text literal blanked out; lines keep their numbers.
pub(super) fn code(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let length = blank_length(rest, out.chars().next_back());
        if length == 0 {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    out
}

/// The length of the comment or literal that `rest` begins with; 0: it begins with code.
fn blank_length(rest: &str, before: Option<char>) -> usize {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if rest.starts_with('"') {
        return quoted(rest);
    }
    if !in_word && (rest.starts_with("r\"") || rest.starts_with("r#")) {
        let hashes = rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if rest.as_bytes().get(1 + hashes) == Some(&b'"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let open = 2 + hashes;
            return rest[open..].find(&end).map_or(rest.len(), |place| open + place + end.len());
        }
    }
    // A character literal such as '"' or '\'' would open a text that never ends; a lifetime has no closing quote.
    if let Some(body) = rest.strip_prefix('\'') {
        let escaped = body.starts_with('\\');
        let inner = if escaped { body[1..].chars().next() } else { body.chars().next() };
        let end = usize::from(escaped) + inner.map_or(0, char::len_utf8);
        if body[end..].starts_with('\'') {
            return end + 2;
        }
    }
    0
}

fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (place, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn comments_and_texts_are_blanked_and_code_is_kept() {
    let source = "use crate::a; // crate::b\nlet x = \"crate::c\\\"\"; let q = '\"'; fn f<'a>() {} r#\"crate::d\"# /* crate::e */ crate::f";
    let code = code(source);
    assert_eq!(code.lines().count(), 2);
    for (name, kept) in [("a", true), ("b", false), ("c", false), ("d", false), ("e", false), ("f", true)] {
        assert_eq!(code.contains(&format!("crate::{name}")), kept, "{name} in {code}");
    }
    assert!(code.contains("fn f<'a>()"));
}

#[test]
fn the_module_of_tests_is_left_out() {
    let file = |text: &str| File { path: "src/kernel/a.rs".into(), text: text.into() };
    let whole = "#[cfg(test)]\nmod tests;\nfn a() {}\n#[cfg(test)]\nfn b() {}\n";
    assert_eq!(file(whole).program(), whole);
    for head in ["#[cfg(test)]", "#[cfg(all(test, feature = \"tui\"))]", "#[cfg(test)]\n#[path = \"x.rs\"]"] {
        assert_eq!(file(&format!("fn a() {{}}\n{head}\nmod tests {{\n}}\n")).program(), "fn a() {}\n");
    }
    assert_eq!(File { path: "src/a/tests.rs".into(), text: "x".into() }.program(), "");
}
