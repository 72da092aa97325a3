//! What the house is built from: one version of each large library, no C libraries, a heart of `std` alone.

use std::collections::BTreeMap;
use std::process::Command;

use super::tree::root;

/// Libraries of which two versions would be two programs in one.
const ONE_VERSION: [&str; 8] =
    ["ratatui", "crossterm", "tokio", "rustls", "serde", "serde_json", "rustix", "unicode-width"];

/// Libraries that bring a C toolchain or another TLS beside the chosen one.
const REFUSED: [&str; 4] = ["aws-lc-sys", "aws-lc-rs", "openssl-sys", "native-tls"];

#[test]
fn the_lock_file_holds_what_was_chosen() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find(|line| line.starts_with(key))?;
            line.split('"').nth(1)
        };
        versions.entry(value("name = ").unwrap()).or_default().push(value("version = ").unwrap());
    }
    for name in ONE_VERSION {
        let found = versions.get(name).map_or(&[][..], Vec::as_slice);
        assert_eq!(found.len(), 1, "{name} is there in versions {found:?}");
    }
    for name in REFUSED {
        assert!(!versions.contains_key(name), "{name} is in Cargo.lock");
    }
}

#[test]
fn without_features_there_is_no_dependency() {
    let tree = cargo(&["tree", "--locked", "--offline", "--no-default-features", "-e", "normal"]);
    let lines: Vec<_> = tree.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(lines.len(), 1, "cargo tree --no-default-features -e normal:\n{tree}");
    assert!(lines[0].starts_with("marquee-board "), "{tree}");
}

fn cargo(args: &[&str]) -> String {
    let answer = Command::new(env!("CARGO")).args(args).current_dir(root()).output().unwrap();
    assert!(answer.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8_lossy(&answer.stdout).into_owned()
}
