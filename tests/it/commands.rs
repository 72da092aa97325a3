//! The commands: what they print, and the exit code that tells a script how it went.

use serde_json::Value;

use crate::support::pipe::text;
use crate::support::{Pty, Size, TempHome, marquee};

/// The commands of this release.
const COMMANDS: [&str; 15] = [
    "run",
    "validate",
    "init",
    "list",
    "show",
    "push",
    "acknowledge",
    "run-now",
    "cancel",
    "consoles",
    "themes",
    "doctor",
    "schema",
    "completions",
    "man",
];

const GOOD: &str = "title: Good\nitems:\n  - {id: a, text: Fine, level: healthy}\n";

/// Three mistakes, on lines 2, 4 and 5.
const BAD: &str = "\
title: Bad
intervall: 3s
items:
  - {id: a, text: One, level: purple}
  - {id: a, text: Two, level: healthy}
";

#[test]
fn a_good_file_is_valid() {
    let home = TempHome::with_config(GOOD);
    let answer = marquee(&home, &["validate", text(&home.config())]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let found_here = marquee(&home, &["validate"]);
    assert_eq!(found_here.code, Some(0), "{found_here:?}");
}

#[test]
fn a_bad_file_is_told_whole_with_lines_and_carets() {
    let home = TempHome::with_config(BAD);
    let answer = marquee(&home, &["validate", text(&home.config())]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    let told = answer.all();
    for wanted in ["marquee.yaml:2", "intervall", "interval", "marquee.yaml:4", "purple", "marquee.yaml:5", "^"] {
        assert!(told.contains(wanted), "{wanted:?} is not in\n{told}");
    }
    assert!(!told.contains('\x1b'), "colours in a pipe:\n{told}");
}

#[test]
fn validate_speaks_json() {
    let home = TempHome::with_config(BAD);
    let answer = marquee(&home, &["validate", "--format", "json", text(&home.config())]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    let told: Value = serde_json::from_str(&answer.out).unwrap_or_else(|why| panic!("{why}:\n{}", answer.out));
    let told = told.to_string();
    for wanted in ["\"line\":2", "\"line\":4", "\"line\":5", "intervall", "purple"] {
        assert!(told.contains(wanted), "{wanted} is not in {told}");
    }
    home.write("marquee.yaml", GOOD);
    let answer = marquee(&home, &["validate", "--format", "json", text(&home.config())]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(serde_json::from_str::<Value>(&answer.out).is_ok(), "{answer:?}");
}

#[test]
fn a_missing_file_is_told_by_name() {
    let home = TempHome::new();
    let answer = marquee(&home, &["validate", "nowhere.yaml"]);
    assert!(matches!(answer.code, Some(1 | 2)), "{answer:?}");
    assert!(answer.all().contains("nowhere.yaml"), "{answer:?}");
}

#[test]
fn json_is_a_config_too() {
    let home = TempHome::new();
    let path = home.write(
        "board.json",
        "{\"title\": \"J\", \"items\": [{\"id\": \"a\", \"text\": \"T\", \"level\": \"info\"}]}\n",
    );
    let answer = marquee(&home, &["validate", text(&path)]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
}

#[test]
fn init_writes_a_valid_config_and_never_over_one() {
    let home = TempHome::new();
    let path = home.path("fresh.yaml");
    let answer = marquee(&home, &["init", text(&path)]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains('#') && written.contains("items:"), "{written}");
    assert_eq!(marquee(&home, &["validate", text(&path)]).code, Some(0));
    let again = marquee(&home, &["init", text(&path)]);
    assert_ne!(again.code, Some(0), "{again:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written, "an existing file was overwritten");
}

#[test]
fn themes_are_listed_and_shown() {
    let home = TempHome::new();
    let answer = marquee(&home, &["themes"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    for theme in ["midnight", "daylight", "high-contrast", "mono", "colour-blind", "andon"] {
        assert!(answer.out.contains(theme), "{theme} is not in\n{}", answer.out);
        let shown = marquee(&home, &["themes", theme]);
        assert_eq!(shown.code, Some(0), "{shown:?}");
        assert!(shown.out.to_lowercase().contains("critical"), "{shown:?}");
    }
    let answer = marquee(&home, &["themes", "midnigt"]);
    assert!(matches!(answer.code, Some(1 | 2)), "{answer:?}");
    assert!(answer.all().contains("midnight"), "the nearest theme is not proposed: {answer:?}");
}

#[test]
fn the_schema_is_json_that_knows_the_keys() {
    let home = TempHome::new();
    let answer = marquee(&home, &["schema"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let schema: Value = serde_json::from_str(&answer.out).unwrap();
    assert!(schema["$schema"].is_string());
    for key in ["title", "interval", "order", "interrupt", "items", "defaults", "state", "theme", "include"] {
        assert!(schema["properties"][key].is_object(), "{key} is not in the schema");
    }
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn completions_and_the_manual_are_written() {
    let home = TempHome::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = marquee(&home, &["completions", shell]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        for command in COMMANDS {
            assert!(answer.out.contains(command), "{command} is not completed by {shell}");
        }
    }
    let answer = marquee(&home, &["man"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.out.contains(".TH"), "{}", answer.out);
}

#[test]
fn doctor_says_what_is_good_and_what_to_mend() {
    let home = TempHome::with_config(GOOD);
    let answer = marquee(&home, &["doctor"]);
    assert!(matches!(answer.code, Some(0 | 1)), "{answer:?}");
    let told = answer.out.to_lowercase();
    for wanted in ["terminal", "config", "clock"] {
        assert!(told.contains(wanted), "{wanted} is not in\n{told}");
    }
    home.write("marquee.yaml", BAD);
    let answer = marquee(&home, &["doctor"]);
    assert_eq!(answer.code, Some(1), "a bad config is not well: {answer:?}");
}

#[test]
fn every_help_fits_a_screen_and_has_an_example() {
    let home = TempHome::new();
    for command in COMMANDS {
        let answer = marquee(&home, &[command, "--help"]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(
            answer.out.lines().count() <= 24,
            "`{command} --help` has {} lines:\n{}",
            answer.out.lines().count(),
            answer.out
        );
        assert!(answer.out.contains("Example"), "`{command} --help` has no example:\n{}", answer.out);
        let wide: Vec<_> = answer.out.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "`{command} --help` is wide: {wide:?}");
    }
    let answer = marquee(&home, &["--help"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    for command in COMMANDS {
        assert!(answer.out.contains(command), "{command} is not in\n{}", answer.out);
    }
    let answer = marquee(&home, &["--version"]);
    assert_eq!((answer.code, answer.out.trim()), (Some(0), concat!("marquee ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn what_is_not_understood_is_a_usage_error() {
    let home = TempHome::with_config(GOOD);
    for args in [
        &["--no-such-flag"][..],
        &["frobnicate"],
        &["run", "--render", "hologram"],
        &["run", "--for", "3"],
        &["run", "--colour", "pink"],
        &["completions", "klingon"],
        &["run", "--metrics-addr", "nowhere"],
    ] {
        let answer = marquee(&home, args);
        assert_eq!(answer.code, Some(2), "{args:?}: {answer:?}");
        assert!(!answer.err.is_empty(), "{args:?} says nothing");
    }
}

#[test]
fn the_config_is_found_where_the_product_says() {
    let home = TempHome::new();
    let at = |name: &str, title: &str| {
        let path = home.plant().join("..").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("title: T\nitems: [{{id: a, text: {title}, level: info}}]\n")).unwrap();
        path
    };
    let shows = |args: &[&str], env: &[(&str, &str)], wanted: &str| {
        let pty = Pty::open(&home, Size::USUAL, args, env);
        pty.wait_for_text(wanted);
    };
    at("config/marquee/marquee.yaml", "From the config folder");
    shows(&[], &[], "From the config folder");
    at("plant/marquee.yaml", "From this folder");
    shows(&[], &[], "From this folder");
    let named = at("elsewhere.yaml", "From the environment");
    shows(&[], &[("MARQUEE_CONFIG", text(&named))], "From the environment");
    let told = at("told.yaml", "From the command line");
    shows(&["--config", text(&told)], &[("MARQUEE_CONFIG", text(&named))], "From the command line");
}
