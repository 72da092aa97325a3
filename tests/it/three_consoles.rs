//! `sample-configs/three-consoles.sh`: three screens with one board, and nothing left when it is left.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::readme::root;
use crate::support::clock::eventually;
use crate::support::pipe::{send_signal, text};
use crate::support::servers::get;
use crate::support::{Pty, Size, TempHome, skip};

const SCRIPT: &str = "sample-configs/three-consoles.sh";

/// Whether all that the sample starts is installed; says so where it is not.
fn is_possible(test: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = |name: &&str| path.split(':').any(|folder| Path::new(folder).join(name).exists());
    let missing = ["tmux", "etcd", "redis-server"].into_iter().find(|name| !found(name));
    if let Some(missing) = missing {
        skip(test, &format!("{missing} is not installed"));
    }
    missing.is_none()
}

/// A home whose temporary files are its own, so that what is left is seen.
fn home() -> TempHome {
    let home = TempHome::new();
    fs::create_dir(home.path("tmp")).unwrap();
    home
}

fn more(home: &TempHome) -> [(&'static str, String); 2] {
    [("TMPDIR", home.path("tmp").display().to_string()), ("MARQUEE", env!("CARGO_BIN_EXE_marquee").to_owned())]
}

/// Waits until neither a file nor a process is left: each of them has the folder's name in its
/// arguments or its environment.
fn nothing_is_left(home: &TempHome) {
    let tmp = home.path("tmp");
    eventually("the folder to be gone", || fs::read_dir(&tmp).unwrap().next().is_none().then_some(()));
    let name = text(&tmp).as_bytes().to_owned();
    let names = |file: &Path| fs::read(file).is_ok_and(|said| said.windows(name.len()).any(|words| words == name));
    eventually("the processes to be gone", || {
        let left = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let mut left = left.filter(|process| names(&process.join("cmdline")) || names(&process.join("environ")));
        left.next().is_none().then_some(())
    });
}

/// The folder of a sample that runs in this home.
fn folder(home: &TempHome) -> PathBuf {
    eventually("the sample to start", || {
        let folder = fs::read_dir(home.path("tmp")).unwrap().flatten().next()?.path();
        folder.join("started").exists().then_some(folder)
    })
}

fn told<'t>(said: &'t str, name: &str) -> &'t str {
    let line = said.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {said}")).trim()
}

#[test]
fn three_screens_show_the_same_item_and_nothing_is_left() {
    if !is_possible("three_screens_show_the_same_item_and_nothing_is_left") {
        return;
    }
    let home = home();
    let mut command = Command::new(root(SCRIPT));
    command.args(["--detach", "--for", "5m"]).env_clear().envs(home.environment()).envs(more(&home));
    let answer = command.current_dir(home.plant()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8(answer.stdout).unwrap();
    assert!(answer.status.success(), "{said}{}", String::from_utf8_lossy(&answer.stderr));
    let folder = told(&said, "folder");
    let screens = || {
        let panes = ["0", "1", "2"].into_iter().map(|pane| {
            let mut tmux = Command::new("tmux");
            tmux.env_clear().envs(home.environment()).env("TERM", "screen");
            tmux.args(["-S", &format!("{folder}/tmux"), "capture-pane", "-p", "-t", &format!(":.{pane}")]);
            String::from_utf8(tmux.output().unwrap().stdout).unwrap()
        });
        panes.collect::<Vec<_>>()
    };
    let shown = |screen: &String| {
        // The line of the turn: level, item and since when.
        let line = screen.lines().find(|line| line.contains(" · ") && !line.contains("consoles"))?.to_owned();
        ["load", "memory", "disk", "etcd", "redis", "press-7"]
            .into_iter()
            .find(|item| line.contains(&format!("{item} ·")))
    };
    let mut seen = Vec::new();
    eventually("one item on three screens, and then another", || {
        let screens = screens();
        let items: Vec<_> = screens.iter().filter_map(shown).collect();
        let in_step = items.len() == 3 && items.iter().all(|item| *item == items[0]);
        let roles = |role: &str| screens.iter().filter(|screen| screen.contains(role)).count();
        if in_step && (roles("leader"), roles("follower")) == (1, 2) && !seen.contains(&items[0]) {
            seen.push(items[0]);
        }
        (seen.len() > 1).then_some(())
    });
    let port = told(&said, "hall-2").rsplit(':').next().unwrap().parse().unwrap();
    let consoles: Value = serde_json::from_str(&get(port, "/v1/consoles").unwrap().body).unwrap();
    assert_eq!(consoles["consoles"].as_array().map(Vec::len), Some(3), "{consoles}");
    send_signal(told(&said, "end     kill").parse().unwrap(), Signal::TERM);
    nothing_is_left(&home);
}

/// Waits until each console that is left says how many are left.
fn all_say(pty: &Pty, told: &str) {
    let left = usize::from(told.as_bytes()[0] - b'0');
    pty.wait_for(&format!("{told} on all screens"), |screen| screen.contents().matches(told).count() == left);
}

/// A way to leave the sample.
type Leave = fn(&mut Pty);

#[test]
fn however_it_is_left_nothing_is_left() {
    if !is_possible("however_it_is_left_nothing_is_left") {
        return;
    }
    let ways: [(&str, Leave); 4] = [
        ("q in all three", |pty| {
            for told in ["2 consoles", "1 console "] {
                pty.send("q");
                all_say(pty, told);
            }
            pty.send("q");
        }),
        ("detached", |pty| pty.send("\x02d")),
        ("its terminal closed", Pty::hang_up),
        ("killed", |pty| pty.signal(Signal::KILL)),
    ];
    for (way, leave) in ways {
        let home = home();
        let more = more(&home);
        let more: Vec<_> = more.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut pty = Pty::spawn(&home, text(&root(SCRIPT)), Size::new(180, 30), &["--for", "5m"], &more);
        folder(&home);
        all_say(&pty, "3 consoles");
        leave(&mut pty);
        let _ = std::panic::catch_unwind(|| nothing_is_left(&home)).map_err(|_| panic!("left: {way}"));
    }
}

#[test]
fn what_is_missing_is_told_with_how_to_get_it() {
    let home = home();
    for (arguments, code, told) in [
        (&[][..], 1, &["tmux is not installed: apt-get", "etcd is not installed", "redis-server is not installed"][..]),
        (&["--for", "3"], 1, &["--for takes a duration"]),
        (&["--four"], 2, &["usage"]),
    ] {
        let mut command = Command::new("/bin/bash");
        command.arg(root(SCRIPT)).args(arguments).env_clear().envs(more(&home)).env("PATH", "/nowhere");
        let answer = command.output().unwrap();
        assert_eq!(answer.status.code(), Some(code), "{arguments:?}");
        let said = String::from_utf8(answer.stderr).unwrap();
        assert!(told.iter().all(|told| said.contains(told)), "{said}");
    }
    nothing_is_left(&home);
}
