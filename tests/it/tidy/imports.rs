//! Who may import whom: the table of the architecture, over all of `src/`.
//!
//! Imports point down, never up, never sideways. The list of exceptions is
//! empty; only `lib.rs` and `main.rs`, which are in no room, are free. Tests
//! inside a room may look where they need to.

use super::tree::{File, code, root, rust_files};

/// Each room and its level.
const ROOMS: [(&str, u8); 11] = [
    ("cli", 6),
    ("app", 5),
    ("checks", 4),
    ("coordination", 4),
    ("metrics", 4),
    ("renderers", 4),
    ("api", 4),
    ("config", 3),
    ("frame", 2),
    ("kernel", 1),
    ("buffer", 1),
];

/// The parts of the config that renderers may see.
const SEEN_BY_RENDERERS: [&str; 2] = ["theme", "keymap"];

/// The rooms that stand on `std` alone.
const PURE: [&str; 3] = ["kernel", "buffer", "frame"];

#[test]
fn imports_point_down() {
    let mut wrong = Vec::new();
    for file in rust_files(&["src"]) {
        if ["src/lib.rs", "src/main.rs"].contains(&file.path.as_str()) {
            continue;
        }
        let Some((room, level)) = room_of(&file) else {
            wrong.push(format!("{}: is in no room of the table", file.path));
            continue;
        };
        let code = code(file.program());
        for path in crate_paths(&code) {
            if let Err(why) = may_import(room, level, &path) {
                wrong.push(format!("{}: crate::{}: {why}", file.path, path.join("::")));
            }
        }
        let depth = depth(&file.path);
        if code.contains(&"super::".repeat(depth)) {
            wrong.push(format!("{}: climbs out of its room by super::; name the room", file.path));
        }
    }
    assert!(wrong.is_empty(), "imports against the table:\n{}", wrong.join("\n"));
}

#[test]
fn the_heart_names_no_dependency() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let names = dependencies(&manifest);
    assert!(names.iter().any(|name| name == "tokio"), "read {names:?} from Cargo.toml");
    for file in rust_files(&PURE.map(|room| ["src/", room].concat()).each_ref().map(String::as_str)) {
        let code = code(file.program());
        for name in &names {
            let used = code.match_indices(&format!("{name}::")).any(|(place, _)| starts_a_path(&code, place));
            assert!(!used, "{} uses {name}; it may use std alone", file.path);
        }
    }
}

fn may_import(room: &str, level: u8, path: &[String]) -> Result<(), String> {
    let target = path[0].as_str();
    if target == room {
        return Ok(());
    }
    let Some((_, below)) = ROOMS.iter().find(|(name, _)| *name == target) else {
        return Err("is no room; import from where it is defined".into());
    };
    if *below >= level {
        return Err(format!("{target} (level {below}) is not below {room} (level {level})"));
    }
    let part = path.get(1).map_or("", String::as_str);
    match (room, target) {
        ("renderers", "kernel" | "buffer") => Err("renderers see frames, never the kernel".into()),
        ("renderers", "config") if !SEEN_BY_RENDERERS.contains(&part) => {
            Err("renderers see the config's theme and keymap alone".into())
        }
        // What comes from other consoles is outside text, and cleaned where it comes in.
        ("coordination", "frame") if part != "Safe" => Err("coordination never sees a frame".into()),
        _ => Ok(()),
    }
}

fn room_of(file: &File) -> Option<(&'static str, u8)> {
    let name = file.path.strip_prefix("src/")?.split('/').next()?.trim_end_matches(".rs");
    ROOMS.iter().copied().find(|(room, _)| *room == name)
}

/// How many modules deep a file is: `src/a/mod.rs` is 1, `src/a/b.rs` is 2.
fn depth(path: &str) -> usize {
    let modules = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    modules.split('/').count()
}

/// All paths below `crate::` in a piece of code, groups spread out.
fn crate_paths(code: &str) -> Vec<Vec<String>> {
    let compact: String =
        code.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ::", "::").replace(":: ", "::");
    let mut found = Vec::new();
    for (place, start) in compact.match_indices("crate::") {
        if starts_a_path(&compact, place) {
            spread(&compact[place + start.len()..], &[], &mut found);
        }
    }
    found
}

/// Whether the word at `place` is not the tail of a longer word or path.
fn starts_a_path(code: &str, place: usize) -> bool {
    let before = &code[..place];
    !before.ends_with("::") && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
}

/// Adds every path that `rest` begins with; gives how far it reached.
fn spread(rest: &str, stem: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = stem.to_vec();
    let mut at = 0;
    loop {
        if rest[at..].starts_with('{') {
            at += 1;
            while !rest[at..].starts_with('}') && at < rest.len() {
                let reached = spread(&rest[at..], &path, found);
                let separator = rest[at..].chars().next().map_or(1, char::len_utf8);
                at += if reached == 0 { separator } else { reached };
            }
            return (at + 1).min(rest.len());
        }
        let word: String = rest[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        at += word.len();
        if word.is_empty() {
            // A star imports the stem itself.
            if rest[at..].starts_with('*') && !path.is_empty() {
                found.push(path);
                return at + 1;
            }
            return at;
        }
        path.push(word);
        if rest[at..].starts_with("::") && !rest[at..].starts_with("::<") {
            at += 2;
        } else {
            found.push(path);
            return at;
        }
    }
}

/// The names under `[dependencies]`, as code writes them.
fn dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

#[test]
fn paths_are_found_however_they_are_written() {
    let code = "use crate::{kernel::{Moment, board::*}, config::theme}; fn f(x: crate::frame::Frame) {} pub(crate) mod m; \
                my_crate::x; use crate::kernel::{self, Span as S};";
    let paths: Vec<_> = crate_paths(code).iter().map(|path| path.join("::")).collect();
    let wanted = ["kernel::Moment", "kernel::board", "config::theme", "frame::Frame", "kernel::self", "kernel::Span"];
    for path in wanted {
        assert!(paths.iter().any(|found| found == path), "{path} not in {paths:?}");
    }
    assert!(!paths.iter().any(|found| found == "x"));
}

#[test]
fn the_table_refuses_what_it_should() {
    let path = |text: &str| text.split("::").map(String::from).collect::<Vec<_>>();
    for (room, level, target) in [
        ("kernel", 1, "frame::Frame"),
        ("kernel", 1, "buffer::Ring"),
        ("frame", 2, "config::Config"),
        ("renderers", 4, "kernel::Moment"),
        ("renderers", 4, "config::Config"),
        ("coordination", 4, "frame::Frame"),
        ("api", 4, "metrics::TABLE"),
        ("checks", 4, "app::clock"),
        ("app", 5, "cli::main"),
        ("app", 5, "Span"),
    ] {
        assert!(may_import(room, level, &path(target)).is_err(), "{room} -> {target}");
    }
    for (room, level, target) in [
        ("renderers", 4, "config::theme::Theme"),
        ("renderers", 4, "frame::Frame"),
        ("coordination", 4, "kernel::Snapshot"),
        ("coordination", 4, "frame::Safe"),
        ("app", 5, "kernel::Kernel"),
        ("cli", 6, "app::run"),
        ("config", 3, "frame::Safe"),
        ("frame", 2, "kernel::Moment"),
        ("kernel", 1, "kernel::Moment"),
    ] {
        assert_eq!(may_import(room, level, &path(target)), Ok(()), "{room} -> {target}");
    }
}
