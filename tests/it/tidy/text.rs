//! How files read: a header in each, none too long, none with loose ends, none lost.

use super::tree::{code, root, rust_files, tracked_files};

/// The folders that hold Rust.
const FOLDERS: [&str; 4] = ["src", "tests", "benches", "examples"];

/// A file that says one thing is shorter than this.
const LONGEST: usize = 400;

/// What is never left in the code. Written in two halves, so that this table does not find itself.
const LOOSE_ENDS: [(&str, &str); 9] = [
    ("TO", "DO"),
    ("FIX", "ME"),
    ("XX", "X"),
    ("dbg", "!("),
    ("todo", "!("),
    ("unimple", "mented!("),
    ("#[ign", "ore"),
    ("#[all", "ow("),
    ("#![all", "ow("),
];

/// What speaks of somebody's machine or of where packages come from, in two halves likewise.
const PLACES: [(&str, &str); 9] = [
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
    ("/work", "/main"),
    ("/work", "/shared"),
    ("/tmp", "/wt"),
    ("crates", ".io"),
    ("py", "pi.org"),
    ("npm", "js.org"),
];

#[test]
fn every_file_begins_with_what_it_is() {
    let silent: Vec<_> =
        rust_files(&FOLDERS).into_iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.path).collect();
    assert!(silent.is_empty(), "without a //! header in the first line: {silent:?}");
}

#[test]
fn no_file_is_long() {
    let long: Vec<_> = rust_files(&["src"])
        .iter()
        .map(|file| (file.path.clone(), file.program().lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .collect();
    assert!(long.is_empty(), "more than {LONGEST} lines without their tests: {long:?}");
}

#[test]
fn there_are_no_loose_ends() {
    let mut found = Vec::new();
    for file in rust_files(&FOLDERS) {
        for (number, line) in file.text.lines().enumerate() {
            for (head, tail) in LOOSE_ENDS {
                if line.contains(&format!("{head}{tail}")) {
                    found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "loose ends:\n{}", found.join("\n"));
}

#[test]
fn files_speak_of_the_project_alone() {
    let mut found = Vec::new();
    for file in tracked_files() {
        // The package manager's own file names its registry.
        if file.path == "Cargo.lock" {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for (head, tail) in PLACES {
                let place = format!("{head}{tail}");
                let named = line.match_indices(&place).any(|(at, _)| {
                    !place.starts_with('/')
                        || !line[..at].ends_with(|c: char| c.is_alphanumeric() || "./~}".contains(c))
                });
                if named {
                    found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "places of a machine or a registry:\n{}", found.join("\n"));
}

#[test]
fn no_file_is_lost() {
    let files = rust_files(&["src", "tests/it"]);
    let roots = ["src/lib.rs", "src/main.rs", "tests/it/main.rs"];
    let mut lost = Vec::new();
    for file in &files {
        if roots.contains(&file.path.as_str()) {
            continue;
        }
        let (folder, name) = file.path.trim_end_matches(".rs").trim_end_matches("/mod").rsplit_once('/').unwrap();
        let parents = [
            format!("{folder}/mod.rs"),
            format!("{folder}.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
        ];
        let named = |text: &str| {
            let code = code(text);
            code.match_indices(&format!("mod {name}"))
                .any(|(place, found)| code[place + found.len()..].trim_start().starts_with([';', '{']))
        };
        let reached = files.iter().any(|other| parents.contains(&other.path) && named(&other.text))
            || files.iter().any(|other| other.text.contains(&format!("path = \"{name}.rs\"")));
        if !reached {
            lost.push(&file.path);
        }
    }
    assert!(lost.is_empty(), "no mod line reaches {lost:?}");
}

#[test]
fn the_house_is_described() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).unwrap_or_default();
    for name in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE"] {
        assert!(!read(name).trim().is_empty(), "{name} is missing");
    }
    let architecture = read("ARCHITECTURE.md");
    for entry in std::fs::read_dir(root().join("src")).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            assert!(architecture.contains(&name), "ARCHITECTURE.md does not name src/{name}");
        }
    }
    for command in ["cargo run --release", "tests/run"] {
        assert!(read("README.md").contains(command), "README.md does not say `{command}`");
    }
}
