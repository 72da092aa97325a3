//! What the documents say, tried: configs are valid, commands and flags exist, links lead somewhere.
//!
//! What the program knows better than a writer (checks, keys, the screen) is compared with it, and
//! with `MARQUEE_BLESS` set written anew.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use marquee::config::keymap::BINDINGS;
use marquee::config::schemes::{SCHEMES, Scheme};
use regex::Regex;

use crate::support::pipe::text;
use crate::support::{TempHome, marquee};

/// A file by its path from the repository's root.
pub(crate) fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(root(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Whether what is compared shall be written instead.
pub(crate) fn blesses() -> bool {
    std::env::var_os("MARQUEE_BLESS").is_some()
}

/// Tests that write into the README do so one after the other.
static WRITING: Mutex<()> = Mutex::new(());

/// Compares what stands in the README between two marks with what the program says.
pub(crate) fn keep(begin: &str, end: &str, wanted: &str) {
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let readme = read("README.md");
    let (before, rest) = readme.split_once(begin).unwrap_or_else(|| panic!("the README has no {begin:?}"));
    let (kept, behind) = rest.split_once(end).unwrap_or_else(|| panic!("{begin:?} has no {end:?}"));
    if blesses() {
        fs::write(root("README.md"), format!("{before}{begin}{wanted}{end}{behind}")).unwrap();
    } else {
        assert!(kept == wanted, "the README says\n{kept}\nand the program\n{wanted}\nMARQUEE_BLESS=1 writes it anew");
    }
}

/// The fenced blocks of a language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    document.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

#[test]
fn every_config_in_the_readme_is_valid() {
    let blocks = blocks(&read("README.md"), "yaml");
    assert!(blocks.len() >= 3, "the README shows {} configs", blocks.len());
    assert!(blocks[0].lines().count() <= 5, "the first config is longer than five lines");
    for block in blocks {
        let home = TempHome::with_config(&block);
        // What the examples name beside themselves.
        home.write("token", "a-long-secret\n");
        home.write("presses.yaml", "items:\n  - {id: press-1, text: Press 1, ttl: 30s}\n");
        home.write("themes/hall.yaml", "name: hall\ninherit: midnight\n");
        let answer = marquee(&home, &["validate", text(&home.config())]);
        assert_eq!(answer.code, Some(0), "{block}\n{}", answer.all());
    }
}

/// Every `marquee …` of the document: the lines of shell blocks, and what stands in backquotes.
fn commands(document: &str) -> Vec<Vec<String>> {
    let blocks = blocks(document, "sh");
    let lines = blocks.iter().flat_map(|block| block.lines());
    let quoted = Regex::new("`([^`\n]+)`").unwrap();
    let quoted: Vec<_> = quoted.captures_iter(document).map(|found| found[1].to_owned()).collect();
    let commands = lines.chain(quoted.iter().map(String::as_str)).filter(|line| line.starts_with("marquee "));
    commands
        .map(|line| {
            let words = line.split_whitespace().skip(1).map(str::to_owned);
            words.take_while(|word| !["|", "&&", ">", "#"].contains(&word.as_str())).collect()
        })
        .collect()
}

#[test]
fn every_command_and_flag_in_the_readme_is_known() {
    let home = TempHome::new();
    let root_help = marquee(&home, &["--help"]).out;
    let known = Regex::new("(?m)^  ([a-z-]+)  ").unwrap();
    let known: Vec<_> = known.captures_iter(&root_help).map(|found| found[1].to_owned()).collect();
    assert!(known.iter().any(|name| name == "validate"), "{root_help}");
    let mut helps: HashMap<String, String> = HashMap::new();
    let commands = commands(&read("README.md"));
    assert!(commands.len() > 10, "the README shows {} commands", commands.len());
    for words in &commands {
        let named = words.first().filter(|word| !word.starts_with('-')).cloned();
        if let Some(name) = &named {
            assert!(known.contains(name), "no command is called {name}: {words:?}");
        }
        let name = named.unwrap_or_else(|| "run".to_owned());
        let help = helps.entry(name.clone()).or_insert_with(|| marquee(&home, &[&name, "--help"]).out);
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")), "{words:?}: {flag}");
        }
    }
    for name in known {
        assert!(commands.iter().any(|words| words.first() == Some(&name)), "the README does not say `marquee {name}`");
    }
}

#[test]
fn the_two_commands_are_there() {
    let readme = read("README.md");
    let first = blocks(&readme, "sh").swap_remove(0);
    let lines: Vec<_> = first.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    assert_eq!(lines, ["cargo run --release", "tests/run"]);
    assert!(read("Cargo.toml").contains("default-run = \"marquee\""));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(root("tests/run")).unwrap().permissions().mode();
        assert!(mode & 0o111 != 0, "tests/run can't be executed");
    }
}

#[test]
fn every_link_leads_somewhere() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"] {
        let document = read(name);
        for found in link.captures_iter(&document) {
            let target = &found[1];
            if target.contains("://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            assert!(file.is_empty() || root(file).exists(), "{name}: {target}");
            let known = document.lines().filter(|line| line.starts_with('#')).map(anchor);
            assert!(!file.is_empty() || known.clone().any(|known| known == heading), "{name}: no heading {target}");
        }
    }
}

/// The name that a heading gets as the target of links.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    words.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn the_checks_are_those_of_the_program() {
    let mut table = String::from("\n| check | tells | values | text where you write none |\n|---|---|---|---|\n");
    for Scheme { form, tells, values, open, text, .. } in SCHEMES {
        let mut names: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
        if *open {
            names.push("and what else it tells".to_owned());
        }
        let _ = writeln!(table, "| `{form}` | {tells} | {} | `{text}` |", names.join(" "));
    }
    keep("<!-- checks -->\n", "\n<!-- /checks -->", &table);
}

#[test]
fn the_keys_are_those_of_the_program() {
    let mut table = String::from("\n| keys | do |\n|---|---|\n");
    for binding in BINDINGS {
        let keys: Vec<_> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(table, "| {} | {} |", keys.join(" "), binding.help);
    }
    keep("<!-- keys -->\n", "\n<!-- /keys -->", &table);
}
