//! Real children: what they print, how they end, and that nothing of them is left.

use std::path::Path;
use std::time::Duration;

use super::*;

/// Long enough for the busiest machine; no test waits for it unless it fails.
const PATIENCE: Duration = Duration::from_secs(30);

async fn sh(script: &str) -> Finished {
    tokio::time::timeout(PATIENCE, run("/bin/sh", &["-c".into(), script.into()])).await.expect("ends").unwrap()
}

/// Waits until `holds`, or fails.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    let waiting = async {
        while !holds() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// The processes of a group that are not dead: (number, state), from `/proc`.
fn members(group: i32) -> Vec<(i32, char)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name stands in parentheses and may hold anything, so count from the last one.
        let Some((head, tail)) = stat.rsplit_once(')') else { continue };
        let mut fields = tail.split_whitespace();
        let state = fields.next().and_then(|state| state.chars().next()).unwrap();
        let its_group: i32 = fields.nth(1).unwrap().parse().unwrap();
        if its_group == group {
            found.push((head.split(' ').next().unwrap().parse().unwrap(), state));
        }
    }
    found
}

/// Waits until nobody of the group lives and its leader is reaped.
async fn until_gone(group: i32) {
    // The others are orphans: their zombies are the init process's to reap.
    until("the group is gone", || members(group).iter().all(|(pid, state)| *state == 'Z' && *pid != group)).await;
}

fn number(text: &str) -> i32 {
    text.trim().parse().unwrap()
}

#[tokio::test]
async fn both_streams_and_the_exit_come_back() {
    let finished = sh("echo out; echo err >&2; exit 3").await;
    assert_eq!((finished.stdout, finished.stderr), (b"out\n".to_vec(), b"err\n".to_vec()));
    assert_eq!((finished.status.code(), finished.flooded), (Some(3), false));
}

#[tokio::test]
async fn nothing_is_inherited_but_path_lang_and_home() {
    let finished =
        sh("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | cut -d= -f1 | sort; cat; readlink /proc/self/fd/0")
            .await;
    let told = String::from_utf8(finished.stdout).unwrap();
    let expected =
        if std::env::var_os("HOME").is_some() { "HOME\nLANG\nPATH\n/dev/null\n" } else { "LANG\nPATH\n/dev/null\n" };
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_dropped_future_takes_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let script = format!(
        "trap '' TERM INT HUP; (trap '' TERM; sleep 600) & (sh -c 'sleep 600' & sleep 600) & \
         echo $$ > {0}.new; mv {0}.new {0}; while :; do sleep 600; done",
        ready.display()
    );
    let args = ["-c".to_owned(), script];
    let mut running = Box::pin(run("/bin/sh", &args));
    tokio::select! {
        _ = &mut running => panic!("it never ends by itself"),
        () = until("it is ready", || ready.exists()) => {}
    }
    let group = number(&std::fs::read_to_string(&ready).unwrap());
    assert!(members(group).len() >= 3, "{:?}", members(group));
    drop(running);
    until_gone(group).await;
}

#[tokio::test]
async fn children_that_a_program_leaves_behind_go_with_it() {
    let finished = sh("(trap '' TERM HUP; sleep 600) & sleep 600 & echo $$").await;
    assert_eq!(finished.status.code(), Some(0));
    until_gone(number(&String::from_utf8(finished.stdout).unwrap())).await;
}

#[tokio::test]
async fn a_daemon_that_holds_the_pipe_is_not_waited_for() {
    if !Path::new("/usr/bin/setsid").exists() {
        return;
    }
    let finished = sh("setsid sleep 600 & echo $!").await;
    // It left the group, so the test ends it.
    let daemon = number(&String::from_utf8(finished.stdout).unwrap());
    let _ = rustix::process::kill_process(Pid::from_raw(daemon).unwrap(), Signal::KILL);
}

#[tokio::test]
async fn who_prints_for_ever_is_stopped_at_the_cap() {
    let patient = "trap '' PIPE TERM; echo $$; x=$(head -c 1000 /dev/zero | tr '\\0' x); while :; do echo $x; done";
    for (script, stream) in [("echo $$; exec yes", 0), ("echo $$; yes >&2", 1), (patient, 0)] {
        let finished = sh(script).await;
        assert!(finished.flooded, "{script}");
        assert_eq!([&finished.stdout, &finished.stderr][stream].len(), OUTPUT_BYTES_MAX);
        let first = finished.stdout.split(|byte| *byte == b'\n').next().unwrap();
        until_gone(number(std::str::from_utf8(first).unwrap())).await;
    }
}

#[tokio::test]
async fn output_up_to_the_cap_comes_whole_also_where_the_end_comes_with_it() {
    let finished = sh(&format!("head -c {OUTPUT_BYTES_MAX} /dev/zero")).await;
    assert_eq!((finished.stdout.len(), finished.flooded), (OUTPUT_BYTES_MAX, false));
    for _ in 0..20 {
        assert_eq!(sh("printf 0123456789").await.stdout, b"0123456789");
    }
}

#[tokio::test]
async fn a_program_that_closes_its_streams_is_waited_for() {
    let finished = sh("exec >&- 2>&-; read x < /proc/uptime; exit 2").await;
    assert_eq!((finished.stdout.len(), finished.status.code()), (0, Some(2)));
}

#[tokio::test]
async fn what_can_not_start_says_why() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let gone = folder.path().join("gone").display().to_string();
    for (program, why) in [
        ("no-such-plugin".to_owned(), "not found on the PATH"),
        ("-rf".to_owned(), "not found on the PATH"),
        (gone, "not found"),
        (file("plain", "#!/bin/sh\n", 0o644), "permission denied: it may not be executed by this user"),
        (folder.path().display().to_string(), "permission denied: it may not be executed by this user"),
        (file("odd", "#!/no/such/interpreter\n", 0o755), "its interpreter is not found (see its #! line)"),
        (file("noise", "\u{1}\u{2}\u{3}", 0o755), "not a program that this machine can run (a script needs a #! line)"),
    ] {
        let fault = run(&program, &[]).await.unwrap_err();
        assert_eq!(fault.0, format!("{program}: {why}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_do_not_mix() {
    let mut all = tokio::task::JoinSet::new();
    for n in 0..40 {
        all.spawn(async move { (n, sh(&format!("echo {n}; exit {}", n % 4)).await) });
    }
    while let Some(done) = all.join_next().await {
        let (n, finished) = done.unwrap();
        assert_eq!(
            (String::from_utf8(finished.stdout).unwrap(), finished.status.code()),
            (format!("{n}\n"), Some(n % 4))
        );
    }
}
