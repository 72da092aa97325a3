//! The config from outside: samples, bad files, reports, files on disk, hostile text.
#![cfg(feature = "config")]
#![expect(clippy::unwrap_used, reason = "a test ends where its own files fail")]

use std::path::{Path, PathBuf};

use marquee::config::{self, Config, ItemKind, Options, Problems};
use marquee::kernel::board::Level;

/// What must never be seen in a report.
const CANARY: &str = "canary-4711";

fn env(name: &str) -> Option<String> {
    (name == "CANARY").then(|| CANARY.to_owned())
}

fn options() -> Options<'static> {
    Options { env: &env, ..Options::default() }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(text: &str) -> Result<Config, Problems> {
    config::parse(text, "marquee.yaml", Path::new("/nonexistent"), &options())
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.to_string_lossy().ends_with(ending));
    files.sort();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_bad_config_has_its_one_mistake_told() {
    let mut wrong = Vec::new();
    for path in files(&folder("tests/bad-configs"), ".yaml") {
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# expect: ")).unwrap();
        let told = match config::load(&path, &options()) {
            Ok(_) => "no mistake".to_owned(),
            Err(problems) => {
                let report = format!("{}{:?}{}{}", problems.render(true, 80), problems, problems.to_json(), problems);
                assert!(!report.contains(CANARY), "{}: {report}", path.display());
                assert!(problems.files().contains(&path));
                problems.one_line()
            }
        };
        if told != expected {
            wrong.push(told);
        }
    }
    assert!(wrong.is_empty(), "told, but not expected:\n{}", wrong.join("\n"));
}

#[test]
fn ten_mistakes_are_told_in_one_answer() {
    let problems = config::load(&folder("tests/ten-mistakes.yaml"), &options()).unwrap_err();
    let told: Vec<_> = problems.list().iter().map(|it| (it.line, it.column, it.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, 1, "unknown key `titel`"),
            (2, 11, "`3` is no duration: `interval` is 10ms to 365d, written `250ms`, `3s`, `5m` or `1h30m`"),
            (3, 8, "unknown theme `midnigt`"),
            (4, 9, "there is no item `databse`"),
            (7, 24, "a check of `tcp` gives no value `latncy`"),
            (9, 12, "`5ms` is out of range: `every` is 10ms to 365d"),
            (11, 5, "an item has either `check` or `level`"),
            (13, 9, "two items are called `database`"),
            (18, 17, "a check of `http` gives no value `statsu`"),
            (19, 25, "the expression ends too early"),
        ]
    );
    assert!(problems.one_line().ends_with("; did you mean `title`? (and 9 more)"));
    let json = problems.to_json();
    assert_eq!(json.as_array().map(Vec::len), Some(10));
    assert_eq!(json[2]["help"], "did you mean `midnight`?");
    assert_eq!(json[2]["column"], 8);
}

#[test]
fn a_report_shows_the_line_the_caret_both_places_and_what_to_write() {
    let problems = read("items:\n  - id: a\n    text: 号\n  - {id: \"a\", text: 二, hold: 3}\n").unwrap_err();
    let expected = "\
error: two items are called `a`
 --> marquee.yaml:4:10
  |
2 |   - id: a
  |         - the first is here
3 |     text: 号
4 |   - {id: \"a\", text: 二, hold: 3}
  |          ^^^
  |
  = help: give one of them another `id`

error: `3` is no duration: `hold` is 10ms to 365d, written `250ms`, `3s`, `5m` or `1h30m`
 --> marquee.yaml:4:30
  |
4 |   - {id: \"a\", text: 二, hold: 3}
  |                               ^
  |
  = help: did you mean `3s` or `3ms`?";
    assert_eq!(problems.render(false, 80), expected);
    assert!(problems.render(true, 80).contains("\u{1b}["));
}

/// The samples that are configs of ours; one that names `services` is for those who run containers.
fn samples() -> Vec<PathBuf> {
    let mut samples = files(&folder("sample-configs"), ".yaml");
    samples.retain(|path| !std::fs::read_to_string(path).unwrap().lines().any(|line| line == "services:"));
    samples
}

/// What a sample takes from the environment.
fn taken(name: &str) -> Option<String> {
    let value = match name {
        "CONSOLE" => "hall-1",
        "LISTEN" => "127.0.0.1:9091",
        "ETCD" => "127.0.0.1:2379,127.0.0.1:2380",
        "REDIS" => "127.0.0.1:6379",
        _ => return None,
    };
    Some(value.to_owned())
}

#[test]
fn what_a_sample_takes_from_the_environment_is_set_by_those_who_start_it() {
    let read = |name: &str| std::fs::read_to_string(folder("sample-configs").join(name)).unwrap();
    let (sample, script, compose) = (read("three-consoles.yaml"), read("three-consoles.sh"), read("compose.yaml"));
    for name in ["CONSOLE", "LISTEN", "ETCD", "REDIS"] {
        assert!(sample.contains(&format!("${{{name}}}")), "{name}");
        assert!(script.contains(&format!("\"{name}=")), "{name}");
        assert!(compose.contains(&format!(" {name}: ")), "{name}");
    }
}

#[test]
fn every_sample_is_valid_and_the_full_one_is_the_defaults() {
    for path in samples() {
        let options = Options { env: &taken, ..Options::default() };
        let config = config::load(&path, &options).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(config.files.contains(&path));
        assert!(!config.items.is_empty());
    }
    let full = config::load(&folder("sample-configs/full.yaml"), &options()).unwrap();
    let (items, none) = (full.items.len(), read("title: marquee").unwrap());
    assert_eq!(items, 4);
    let strip = |config: Config| {
        (
            config.title.clone(),
            config.fallback.clone(),
            config.theme.clone(),
            format!("{:?}", Config { items: Vec::new(), ..config }),
        )
    };
    let plain = full.items.iter().find_map(|item| match &item.kind {
        ItemKind::Check(check) => Some((check.every, check.timeout, check.retries, check.flow)),
        _ => None,
    });
    let usual = (config::defaults::EVERY, config::defaults::TIMEOUT, config::defaults::RETRIES);
    assert_eq!(plain, Some((usual.0, usual.1, usual.2, config::Flow::default())));
    assert_eq!(strip(full), strip(none));
    assert_eq!(config::builtin(&options()).items.len(), 4);
}

#[test]
fn every_config_in_the_docs_is_valid_and_every_kind_of_step_is_told() {
    let plans = std::fs::read_to_string(folder("docs/plans.md")).unwrap();
    for kind in config::steps::STEP_KINDS {
        let row = plans.lines().find(|line| line.starts_with(&format!("| `{}` |", kind.form)));
        assert!(row.is_some_and(|row| row.contains(kind.tells) && row.contains(kind.gives)), "{}", kind.form);
    }
    for path in files(&folder("docs"), ".md") {
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)) {
            read(block).unwrap_or_else(|problems| panic!("{}: {problems}", path.display()));
        }
    }
}

#[test]
fn steps_are_lowered_with_their_needs_and_names() {
    let config = read(
        "items:
  - id: a
    timeout: 3s
    plan:
      - check: 'http://u:secret@h/?k=${CANARY}'
      - json: {from: body, as: order, timeout: 1s}
      - check: {url: 'load:', needs: [], retries: 2, on_failure: degrade}
      - extract: {from: check.body, pattern: '(?<x>.)', needs: [json, check2, json], name: found}
",
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert!(!format!("{config:?}").contains(CANARY));
    let ItemKind::Check(check) = &config.items[0].kind else { panic!("no check") };
    assert_eq!((check.scheme, check.label.as_str()), ("plan", "http://u:***@h/?k=***, json, load:, found"));
    assert_eq!(check.hosts(), ["h"]);
    let steps: Vec<_> = check.steps.iter().map(|step| (step.name.as_str(), step.needs.as_slice())).collect();
    assert_eq!(steps, [("check", &[][..]), ("json", &[0]), ("check2", &[]), ("found", &[1, 2])]);
    let millis = |step: &config::StepConfig| step.timeout.map(marquee::kernel::Span::as_millis);
    assert_eq!((millis(&check.steps[0]), millis(&check.steps[1])), (None, Some(1_000)));
    let (plain, patient) = (&check.steps[0], &check.steps[2]);
    assert_eq!((plain.retries, plain.on_failure), (0, config::OnFailure::Fail));
    assert_eq!((patient.retries, patient.on_failure), (2, config::OnFailure::Degrade));
}

#[test]
fn a_plan_is_another_one_when_it_measures_something_else() {
    let target = |steps: &str| {
        let config = read(&format!("items: [{{id: a, plan: [{steps}]}}]")).unwrap();
        let ItemKind::Check(check) = &config.items[0].kind else { panic!("no check") };
        check.target.reveal().to_owned()
    };
    let base = "{check: {url: 'load:'}}, {extract: {from: load1, pattern: '(?<x>.)'}}";
    for (other, same) in [
        ("{check: 'load:'}, {extract: {from: load1, pattern: '(?<x>.)'}}", true),
        ("{check: {url: 'load:', timeout: 1s, retries: 3}}, {extract: {from: load1, pattern: '(?<x>.)'}}", true),
        ("{check: {url: 'load:', name: l}}, {extract: {from: load1, pattern: '(?<x>.)'}}", false),
        ("{check: {url: 'load:', on_failure: degrade}}, {extract: {from: load1, pattern: '(?<x>.)'}}", false),
        ("{check: {url: 'load:'}}, {extract: {from: load5, pattern: '(?<x>.)'}}", false),
        ("{check: {url: 'load:'}}, {extract: {from: load1, pattern: '(?<y>.)'}}", false),
        ("{check: {url: 'load:'}}, {extract: {from: load1, pattern: '(?<x>.)'}}, {expect: x == 1}", false),
        ("{check: {url: 'load:'}}", false),
    ] {
        assert_eq!(target(base) == target(other), same, "{other}");
    }
}

#[test]
fn a_small_board_of_every_kind_is_read_as_the_docs_show_it() {
    let config = read(
        r#"
title: Line 3
interval: 3s
order: [db, cache, api]
interrupt: critical
fallback: System initializing…
theme: midnight                 # a name under themes/, or a path
items:
  - id: db
    text: PostgreSQL OK
    level: healthy              # a fixed item: shown as it stands
  - id: cache
    text: "Redis {version}"
    check: redis://127.0.0.1:6379
    every: 5s
  - id: api
    text: "API {body.version} {latency}"
    check: http://127.0.0.1:8080/health
    every: 2s
    timeout: 500ms
    retries: 1
    levels:
      critical: status != 200
      warning: latency > 200ms
  - id: press-7
    text: Press 7
    ttl: 30s
defaults: {every: 10s, timeout: 2s, retries: 0}
state: file
cluster: local
console: press-hall-east
listen: 127.0.0.1:9091
token: ${CANARY}
"#,
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((config.items.len(), config.console.as_deref()), (4, Some("press-hall-east")));
    assert_eq!(config.listen.map(|address| address.port()), Some(9091));
}

#[test]
fn json_a_byte_order_mark_and_crlf_are_read_like_any_yaml() {
    let yaml = "title: Line 3\nitems:\n  - id: a\n    text: hello\n";
    for text in [
        yaml.to_owned(),
        yaml.replace('\n', "\r\n"),
        format!("\u{feff}{yaml}"),
        "---\n".to_owned() + yaml + "...\n",
        "{\"title\": \"Line 3\",\n\t\"items\": [{\"id\": \"a\", \"text\": \"hello\"}]}".to_owned(),
    ] {
        let config = read(&text).unwrap_or_else(|problems| panic!("{text:?}: {problems}"));
        assert_eq!((config.title.as_str(), config.items.len()), ("Line 3", 1));
    }
    let problems = read("title: x\r\nfoo: 1\r\n").unwrap_err();
    assert_eq!(problems.one_line(), "marquee.yaml:2:1: unknown key `foo`");
    assert!(!problems.to_string().contains('\r'));
}

#[test]
fn texts_stay_as_they_were_written() {
    for text in ["1.10", "no", "on", "0777", "1:30", "true", "1e3", "\"null\"", "'~'", "- not a list"] {
        let written = if text.starts_with('-') { format!("'{text}'") } else { text.to_owned() };
        let config = read(&format!("title: {written}")).unwrap();
        assert_eq!(config.title, text.trim_matches(['"', '\'']));
    }
}

#[test]
fn an_item_is_fixed_checked_or_pushed() {
    let config = read(
        "defaults: {every: 7s, retries: 2}
items:
  - {id: words, text: hi}
  - {id: fixed, level: warning}
  - {id: pushed, text: 'at {speed}', ttl: 30s}
  - {id: silent}
  - {id: plain, check: 'load:'}
  - id: judged
    check: http://127.0.0.1/
    phase: 0s
    every: 1m
    levels: {info: latency > 1s, warning: latency > 2s, critical: status != 200}
",
    )
    .unwrap();
    let kinds: Vec<_> = config.items.iter().map(|item| (item.id.as_str(), &item.kind)).collect();
    assert!(matches!(kinds[0], ("words", ItemKind::Fixed(Level::Info))));
    assert!(matches!(kinds[1], ("fixed", ItemKind::Fixed(Level::Warning))));
    assert!(matches!(kinds[2], ("pushed", ItemKind::Pushed { ttl: Some(ttl) }) if ttl.as_secs() == 30));
    assert!(matches!(kinds[3], ("silent", ItemKind::Pushed { ttl: None })));
    let (ItemKind::Check(plain), ItemKind::Check(judged)) = (kinds[4].1, kinds[5].1) else { panic!("{kinds:?}") };
    assert_eq!((plain.every.as_secs(), plain.retries, plain.phase, plain.scheme), (7, 2, None, "load"));
    assert_eq!(plain.levels.0.len(), 1, "the scheme's own");
    let levels: Vec<_> = judged.levels.0.iter().map(|(level, _)| *level).collect();
    assert_eq!(levels, [Level::Critical, Level::Warning, Level::Info]);
    assert_eq!(judged.phase.map(marquee::kernel::Span::as_secs), Some(0));
}

#[test]
fn order_comes_first_and_the_rest_follows_in_file_order() {
    let config = read("order: [c, a]\nitems: [{id: a}, {id: b}, {id: c}, {id: d}]").unwrap();
    let ids: Vec<_> = config.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["c", "a", "b", "d"]);
}

#[test]
fn secrets_are_filled_in_and_never_seen() {
    let config = read(
        "title: at ${CANARY}
token: ${CANARY}
items:
  - {id: a, text: 'x ${CANARY}', check: 'redis://u:${CANARY}@127.0.0.1/0'}
  - {id: b, check: 'http://u:written@127.0.0.1/?k=${CANARY}', levels: {critical: 'body.x == \"${CANARY}\"'}}
  - {id: c, text: '\\${CANARY}'}
",
    )
    .unwrap();
    assert!(!format!("{config:?}").contains(CANARY));
    assert_eq!(config.title, format!("at {CANARY}"));
    assert_eq!(config.token.as_ref().map(config::Secret::reveal), Some(CANARY));
    let labels: Vec<_> = config
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Check(check) => Some((check.label.as_str(), check.target.reveal().contains(CANARY))),
            _ => None,
        })
        .collect();
    assert_eq!(labels, [("redis://u:***@127.0.0.1/0", true), ("http://u:***@127.0.0.1/?k=***", true)]);
}

#[test]
fn aliases_and_merges_work_and_what_is_written_wins() {
    let config = read(
        "items:
  - &base {id: a, check: 'load:', every: 5s, text: '{load1}'}
  - {<<: *base, id: b, every: 9s}
",
    )
    .unwrap();
    let every: Vec<_> = config
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Check(check) => Some((item.id.as_str(), check.every.as_secs())),
            _ => None,
        })
        .collect();
    assert_eq!(every, [("a", 5), ("b", 9)]);
}

#[test]
fn checks_have_the_last_word_on_a_target() {
    let judge = |target: &str| if target.contains("bad") { Err("no such program `bad`".to_owned()) } else { Ok(()) };
    let options = Options { check_target: &judge, ..options() };
    let text = "items: [{id: a, check: 'exec:bad'}, {id: b, check: 'exec:good'}]";
    let problems = config::parse(text, "x.yaml", Path::new(""), &options).unwrap_err();
    assert_eq!(problems.one_line(), "x.yaml:1:24: no such program `bad`");
}

mod on_disk {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn load(path: &Path) -> Result<Config, Problems> {
        config::load(path, &options())
    }

    #[test]
    fn what_is_no_text_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("folder")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::fs::write(at("long"), " ".repeat(usize::try_from(config::defaults::FILE_BYTES_MAX).unwrap() + 1)).unwrap();
        std::fs::write(at("latin"), b"title: x\nfallback: \xe9\n").unwrap();
        for (path, told) in [
            (at("folder"), "folder: cannot read the config: it is a folder, not a file"),
            (at("fifo"), "fifo: cannot read the config: it is a FIFO, not a file"),
            ("/dev/zero".into(), "zero: cannot read the config: it is a device, not a file"),
            (at("gone"), "gone: cannot read the config: there is no such file"),
            (at("long"), "long: cannot read the config: it is longer than 8192 KiB"),
            (at("latin"), "latin:2:11: byte 19 is not UTF-8 text (0xE9)"),
        ] {
            let problems = load(&path).unwrap_err();
            assert_eq!(problems.one_line(), told);
            assert_eq!(problems.files(), [path]);
            assert!(problems.to_string().contains("help"));
        }
        assert!(load(&at("socket")).is_err());
    }

    #[test]
    fn includes_add_their_items_and_mistakes_name_the_right_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("more")).unwrap();
        std::fs::write(at("main.yaml"), "order: [c]\ninclude: [more/b.yaml, more/c.yaml]\nitems: [{id: a}]").unwrap();
        std::fs::write(at("more/b.yaml"), "items: [{id: b}]").unwrap();
        std::fs::write(at("more/c.yaml"), "items:\n  - {id: c, check: 'redis://:${file:pw}@h'}").unwrap();
        std::fs::write(at("more/pw"), "hidden\n").unwrap();
        let config = load(&at("main.yaml")).unwrap_or_else(|problems| panic!("{problems}"));
        let ids: Vec<_> = config.items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["c", "a", "b"]);
        let watched = ["main.yaml", "more/b.yaml", "more/c.yaml", "more/pw"].map(at);
        assert_eq!(config.files, watched);

        std::fs::write(at("more/b.yaml"), "title: no\nitems: [{id: a}]").unwrap();
        std::fs::remove_file(at("more/c.yaml")).unwrap();
        let problems = load(&at("main.yaml")).unwrap_err();
        let told: Vec<_> = problems.list().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "main.yaml:2:24: cannot read `more/c.yaml`: there is no such file",
                "b.yaml:1:1: unknown key `title`",
                "b.yaml:2:14: two items are called `a`",
            ]
        );
        assert_eq!(problems.files(), &watched[..3], "a missing file is watched, for it may come back");
        assert!(problems.to_string().contains("main.yaml:3:14"), "{problems}");
    }

    #[test]
    fn a_file_is_included_once_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("b.yaml"), "items: []").unwrap();
        std::os::unix::fs::symlink(at("main.yaml"), at("me.yaml")).unwrap();
        std::fs::write(at("main.yaml"), "include: [b.yaml, ./b.yaml, me.yaml]").unwrap();
        let problems = load(&at("main.yaml")).unwrap_err();
        let told: Vec<_> = problems.list().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            ["main.yaml:1:19: a file that is included twice", "main.yaml:1:29: a file that includes itself"]
        );
    }

    #[test]
    fn a_secret_that_everybody_may_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (main, secret) = (folder.path().join("main.yaml"), folder.path().join("token"));
        std::fs::write(&main, "token: ${file:token}").unwrap();
        std::fs::write(&secret, "long-and-random\n").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
        let config = load(&main).unwrap();
        assert_eq!(config.token.as_ref().map(config::Secret::reveal), Some("long-and-random"));
        assert_eq!(config.files, [main.clone(), secret.clone()]);
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o666)).unwrap();
        let problems = load(&main).unwrap_err();
        let told = "main.yaml:1:8: the secret `token` can be written by every user, so anybody could replace it";
        assert_eq!(problems.one_line(), told);
        assert!(problems.files().contains(&secret));
    }

    #[test]
    fn a_theme_may_be_a_file_beside_the_config() {
        let folder = tempfile::tempdir().unwrap();
        let (main, theme) = (folder.path().join("main.yaml"), folder.path().join("own.yaml"));
        std::fs::write(&main, "theme: own.yaml").unwrap();
        assert!(load(&main).unwrap_err().files().contains(&theme));
        std::fs::write(&theme, "").unwrap();
        let config = load(&main).unwrap();
        assert_eq!((config.theme.as_str(), config.files.contains(&theme)), (theme.to_str().unwrap(), true));
    }
}

mod hostile {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;

    /// Reads and tells everything that can be told of it.
    fn survive(text: &str) {
        if let Err(problems) = read(text) {
            let _ = (problems.render(true, 80), problems.to_json(), problems.one_line());
        }
    }

    #[test]
    fn huge_files_are_refused_in_one_go() {
        let mut items = String::from("items:\n");
        let mut keys = String::new();
        for number in 0..100_000 {
            let _ = writeln!(items, "  - {{id: i{number}, text: hi}}");
            let _ = writeln!(keys, "key{number}: 1");
        }
        let told = |text: &str| read(text).unwrap_err().one_line();
        assert_eq!(told(&items), "marquee.yaml:10002:5: more than 10000 entries in one list");
        assert_eq!(told(&keys), "marquee.yaml:1:1: unknown key `key0` (and 99999 more)");
        assert!(told(&"[".repeat(100_000)).contains("nested deeper than 64 levels"));
        assert!(told(&"{a: ".repeat(100_000)).contains("nested deeper than 64 levels"));
        assert!(told(&"- ".repeat(100_000)).contains("nested deeper than 64 levels"));
        assert!(told(&format!("title: {}", "x".repeat(1_000_000))).contains("longer than 100 characters"));
        survive(&format!("{{{}}}", "\"key\": 1, ".repeat(50_000)));
        survive(&format!("title: \"{}", "é".repeat(500_000)));
    }

    #[test]
    fn ten_thousand_items_are_a_board() {
        let mut text = String::from("items:\n");
        for number in 0..10_000 {
            let _ =
                write!(text, "  - id: i{number}\n    check: tcp://h:1\n    levels:\n      warning: latency > 200ms\n");
        }
        assert_eq!(read(&text).unwrap_or_else(|problems| panic!("{problems}")).items.len(), 10_000);
    }

    fn samples() -> Vec<String> {
        let mut all = super::samples();
        all.extend(files(&folder("tests/bad-configs"), ".yaml"));
        all.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            survive(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn random_yaml_never_panics(text in "([a-z]{1,4}|[-:\\[\\]{}#&*!|>'\"%@,?$\n \t~<号é]|  |\n  |items: |\\$\\{|id: ){0,60}") {
            survive(&text);
        }

        #[test]
        fn mutated_samples_never_panic(
            pick in any::<prop::sample::Index>(),
            cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..6, "[-:\\[\\]{}#&*!|>'\"\n \ta号${}]{0,3}"), 1..4),
        ) {
            let samples = samples();
            let mut text: Vec<char> = pick.get(&samples).chars().collect();
            for (at, length, put) in cuts {
                let at = at.index(text.len() + 1);
                let end = (at + length).min(text.len());
                text.splice(at..end, put.chars());
            }
            survive(&text.into_iter().collect::<String>());
        }
    }
}
