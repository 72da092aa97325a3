//! The plugin convention, with real plugins where this machine has them.

use std::path::Path;

use super::*;
use crate::checks::Fault;

async fn measure(target: &str) -> Result<Measured, Fault> {
    build(target).unwrap_or_else(|bad| panic!("{bad:?}")).measure().await
}

/// Level, exit and text of what `script` says.
async fn told(script: &str) -> (Option<Level>, String, String) {
    let measured = measure(&format!("exec:/bin/sh -c '{script}'")).await.unwrap();
    let value = |name| measured.values.get(name).unwrap().to_string();
    (measured.level, value("exit"), value("text"))
}

#[tokio::test]
async fn exits_say_the_level() {
    for (script, level, exit, text) in [
        ("echo fine; exit 0", Level::Healthy, "0", "fine"),
        ("echo low; exit 1", Level::Warning, "1", "low"),
        ("echo down; exit 2", Level::Critical, "2", "down"),
        ("echo who; exit 3", Level::Unknown, "3", "who"),
        ("echo odd; exit 4", Level::Unknown, "4", "exit 4: odd"),
        ("exit 127", Level::Unknown, "127", "exit 127"),
        ("echo dying; kill -9 $$", Level::Unknown, "137", "ended by SIGKILL: dying"),
        ("kill -15 $$", Level::Unknown, "143", "ended by SIGTERM"),
        ("exit 0", Level::Healthy, "0", "no output"),
        ("echo oops >&2; exit 2", Level::Critical, "2", "oops"),
        ("echo said; echo oops >&2; exit 2", Level::Critical, "2", "said"),
        ("exec yes", Level::Unknown, "137", "stopped: it printed more than 64 KiB"),
    ] {
        assert_eq!(told(script).await, (Some(level), exit.into(), text.into()), "{script}");
    }
}

#[tokio::test]
async fn hostile_output_gives_one_clean_enough_line() {
    for (printed, text) in [
        (r"a\377b\n", "a\u{fffd}b"),
        (r"a\rb\n", "a b"),
        (r"\n\n  late\nx", "late"),
        (r"a\000b", "a\0b"),
        (r"a\342\200\250b", "a b"),
    ] {
        let measured = measure(&format!("exec:printf '{printed}'")).await.unwrap();
        assert_eq!(measured.values.get("text"), Some(&Value::text(text)), "{printed}");
    }
    let long = measure("exec:/bin/sh -c 'head -c 60000 /dev/zero | tr \"\\0\" x'").await.unwrap();
    let Some(Value::Text(text)) = long.values.get("text") else { panic!("{long:?}") };
    assert!(text.len() <= TEXT_BYTES_MAX && text.ends_with('…'));
    assert_eq!(long.bytes, 60_000);
}

#[tokio::test]
async fn arguments_reach_the_program_as_they_stand() {
    let measured = measure(r#"exec:/bin/echo $(id) `id` "a b" ; rm -rf * > x | cat -n --help"#).await.unwrap();
    let Some(Value::Text(text)) = measured.values.get("text") else { panic!("{measured:?}") };
    // The text ends at the first `|`; what follows would be performance data.
    assert_eq!(&**text, "$(id) `id` a b ; rm -rf * > x");
}

#[tokio::test]
async fn labels_can_not_take_the_place_of_the_tables_own_names() {
    let measured = measure("exec:/bin/echo 'fine | exit=9 text=8 load1=0.5;1;2'").await.unwrap();
    assert_eq!(measured.values.get("exit"), Some(&Value::plain(0.0)));
    assert_eq!(measured.values.get("text"), Some(&Value::text("fine")));
    assert_eq!(measured.values.get("load1"), Some(&Value::plain(0.5)));
}

#[test]
fn targets_that_can_not_be_run_are_refused() {
    for (target, told) in [
        ("exec:", "needs a program"),
        ("exec:   ", "needs a program"),
        ("exec:'' a", "needs a program"),
        ("exec:a 'b", "never closed"),
        ("exec:a b\0", "NUL"),
    ] {
        assert!(build(target).err().is_some_and(|bad| bad.0.contains(told)), "{target:?}");
    }
}

/// A plugin of this machine, or a script that prints what it would.
fn plugin(folder: &Path, name: &str, instead: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let real = Path::new("/usr/lib/nagios/plugins").join(name);
    if real.exists() {
        return real.display().to_string();
    }
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{instead}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn real_plugins_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let dummy = plugin(
        at,
        "check_dummy",
        "case $1 in 0) w=OK;; 1) w=WARNING;; 2) w=CRITICAL;; *) w=UNKNOWN;; esac; echo $w: $2; exit $1",
    );
    for (exit, level, word) in [
        (0, Level::Healthy, "OK"),
        (1, Level::Warning, "WARNING"),
        (2, Level::Critical, "CRITICAL"),
        (3, Level::Unknown, "UNKNOWN"),
    ] {
        let measured = measure(&format!("exec:{dummy} {exit} 'two words'")).await.unwrap();
        assert_eq!(measured.level, Some(level));
        assert_eq!(measured.values.get("text"), Some(&Value::text(format!("{word}: two words"))));
    }

    let load = plugin(
        at,
        "check_load",
        "echo 'OK - load average: 0.1, 0.1, 0.1|load1=0.1;999;999;0; load5=0.1;; load15=0.1;;'",
    );
    let measured = measure(&format!("exec:{load} -w 999,999,999 -c 999,999,999")).await.unwrap();
    assert_eq!(measured.level, Some(Level::Healthy));
    assert!(["load1", "load5", "load15"].iter().all(|name| measured.values.get(name).is_some()), "{measured:?}");

    let disk = plugin(at, "check_disk", "echo 'DISK OK - free space: / 9MB (50%);| /=9437184B;1;2;0;3'");
    let measured = measure(&format!("exec:{disk} -w 0% -c 0% -p /")).await.unwrap();
    assert!(
        matches!(measured.values.get("/"), Some(Value::Number(used, crate::frame::Unit::Bytes)) if *used > 1e6),
        "{measured:?}"
    );

    let broken = plugin(at, "check_dummy", "");
    assert!(measure(&format!("exec:{broken}")).await.unwrap().level.is_some());
}
