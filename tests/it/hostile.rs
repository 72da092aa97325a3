//! Bad input of every kind: told clearly, and the board goes on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::pipe::{command, text};
use crate::support::process::resident_mib;
use crate::support::{Piped, Pty, Size, TempHome, crowd, marquee, skip};

/// What bad input may cost at most.
const MOST_GROWTH_MIB: f64 = 64.0;

/// A board of one plugin that prints what `printf` makes of `format`.
fn printing(format: &str) -> TempHome {
    let home = TempHome::new();
    let check = home.plugin("hostile.sh", &format!("printf '{format}'\n"));
    home.write(
        "marquee.yaml",
        format!(
            "title: Hostile\ninterval: 60s\ncluster: none\nitems:\n  - {{id: evil, check: '{check}', every: 1s}}\n  - {{id: good, text: Good neighbour, level: info}}\n"
        ),
    );
    home
}

#[test]
fn escape_sequences_of_a_command_never_reach_the_terminal() {
    for payload in [
        "\\033]2;owned\\007visible part",
        "\\033]52;c;aGFja2Vk\\007visible part",
        "\\033]8;;http://evil\\033\\\\visible part",
        "\\033[2J\\033[Hvisible part",
        "\\033[?1049lvisible part",
        "\\033[6nvisible part\\033[c\\033[21t",
        "\\033Pq#0\\033\\\\visible part",
        "\\033_Gf=24\\033\\\\visible part",
        "\\033cvisible part\\033(0",
        "\\302\\2336nvisible part\\302\\23152",
        "\\342\\200\\256visible part\\342\\200\\254",
        "visible\\010\\010\\010\\007 part\\016\\005",
        "visible part\\033",
    ] {
        let home = printing(payload);
        let pty = Pty::board(&home);
        pty.wait_for_text("Good neighbour");
        pty.wait_for("the rest of the text", |screen| screen.contents().contains("visible"));
        pty.wait_for_clock_moves(1);
        let screen = pty.screen_text();
        for secret in ["owned", "aGFja2Vk", "evil\\u{7}", "http://evil"] {
            assert!(!screen.contains(secret), "{payload}: the payload is shown:\n{screen}");
        }
        pty.quit();
    }
}

#[test]
fn invalid_utf8_of_a_command_is_shown_as_what_it_is() {
    let home = printing("\\377\\376 bad bytes \\233m here");
    let pty = Pty::board(&home);
    pty.wait_for_text("bad bytes");
    pty.quit();
}

#[test]
fn a_line_of_a_mebibyte_is_survived() {
    let home = TempHome::new();
    let check = home.plugin("long.sh", "printf 'Long line '\nhead -c 1048576 /dev/zero | tr '\\0' 'A'\n");
    home.write(
        "marquee.yaml",
        format!(
            "title: Long\ninterval: 60s\ncluster: none\nitems:\n  - {{id: long, check: '{check}', every: 200ms}}\n"
        ),
    );
    let pty = Pty::board(&home);
    pty.wait_for_text("Long line");
    let before = resident_mib(pty.pid());
    pty.wait_for_clock_moves(3);
    let grown = resident_mib(pty.pid()) - before;
    assert!(grown < MOST_GROWTH_MIB, "grew by {grown} MiB");
    pty.quit();
}

#[test]
fn hostile_text_in_the_config_is_cleaned() {
    let home = TempHome::with_config(
        "title: \"Plant\\e]2;owned\\a\"\ninterval: 60s\ncluster: none\nitems:\n  - {id: a, text: \"Line\\u202e one\\e[31m red\\x9b6n\", level: info}\n",
    );
    let pty = Pty::board(&home);
    pty.wait_for_text("Line");
    pty.wait_for_clock_moves(1);
    assert!(!pty.screen_text().contains("owned"));
    pty.quit();
}

#[test]
fn hostile_text_stays_out_of_the_plain_lines_too() {
    let home = printing("\\033]52;c;aGFja2Vk\\007visible part\\r\\033[2K");
    for render in ["plain", "json"] {
        let mut run = Piped::render(&home, render);
        let line = run.line_where("of the command", |line| line.contains("visible part"));
        assert!(!line.contains(|c: char| c.is_control()) && !line.contains("aGFja2Vk"), "{line:?}");
    }
}

#[test]
fn an_error_s_own_text_is_cleaned() {
    let home = TempHome::with_config("title: T\nitems: [{id: a, text: x, level: \"pur\\e]2;owned\\aple\"}]\n");
    let pty = Pty::board(&home);
    pty.wait_for_text("marquee.yaml:2");
    pty.quit();
}

#[test]
fn a_config_that_is_no_file_is_told() {
    let home = TempHome::new();
    fs::create_dir(home.config()).unwrap();
    let pty = Pty::board(&home);
    pty.wait_for_text("marquee.yaml");
    pty.wait_for_text("System initializing");
    pty.wait_for_clock_moves(1);
    pty.quit();

    let home = TempHome::new();
    assert!(Command::new("mkfifo").arg(home.config()).status().unwrap().success());
    let pty = Pty::board(&home);
    pty.wait_for_text("marquee.yaml");
    pty.wait_for_text("System initializing");
    pty.wait_for_clock_moves(1);
    pty.quit();
    for path in [home.config().as_path(), home.plant().as_path(), "/dev/zero".as_ref()] {
        let answer = marquee(&home, &["validate", text(path)]);
        assert!(matches!(answer.code, Some(1 | 2)), "{}: {answer:?}", path.display());
        assert!(!answer.all().trim().is_empty());
    }
}

#[test]
fn a_config_that_vanishes_is_told_and_the_board_goes_on() {
    let good = "title: Vanish\ninterval: 60s\ncluster: none\nitems:\n  - {id: a, text: Still here, level: info}\n";
    let home = TempHome::with_config(good);
    let mut run = Piped::render(&home, "json");
    run.line_where("of the board", |line| line.contains("Still here"));
    fs::remove_file(home.config()).unwrap();
    run.line_where("that tells", |line| line.contains("Still here") && line.contains("marquee.yaml"));
    home.write("marquee.yaml", good);
    run.line_where("that is well again", |line| line.contains("Still here") && line.contains("\"notice\":null"));
}

#[test]
fn a_folder_that_vanishes_and_returns_is_followed() {
    let config = |text: &str| {
        format!("title: Folder\ninterval: 60s\ncluster: none\nitems:\n  - {{id: a, text: {text}, level: info}}\n")
    };
    let home = TempHome::new();
    home.write("site/marquee.yaml", config("Old folder"));
    let path = home.path("site/marquee.yaml");
    let pty = Pty::open(&home, Size::USUAL, &["run", "--config", text(&path)], &[]);
    pty.wait_for_text("Old folder");
    fs::rename(home.path("site"), home.path("gone")).unwrap();
    pty.wait_for_clock_moves(1);
    home.write("site/marquee.yaml", config("New folder"));
    pty.wait_for_text("New folder");
    pty.quit();
}

#[test]
fn a_config_that_may_not_be_read_is_told() {
    if rustix::process::geteuid().is_root() {
        return skip("a_config_that_may_not_be_read_is_told", "root may read everything");
    }
    let home = TempHome::with_config("title: T\nitems: []\n");
    fs::set_permissions(home.config(), fs::Permissions::from_mode(0o000)).unwrap();
    let pty = Pty::board(&home);
    pty.wait_for_text("ermission denied");
    fs::set_permissions(home.config(), fs::Permissions::from_mode(0o600)).unwrap();
    pty.wait_for_no_text("ermission denied");
    pty.quit();
}

#[test]
fn monstrous_configs_are_refused_with_a_place() {
    let home = TempHome::new();
    let bomb = "\
a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
f: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]
g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]
h: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g]
items: [*h]
";
    let one = |key: &str| format!("{key}\nitems: [{{id: a, text: x, level: info}}]\n");
    for (what, config, wanted) in [
        ("a bomb of aliases", bomb.to_owned(), "bad.yaml:"),
        ("deep nesting", "[".repeat(10_000), "bad.yaml:1"),
        ("deep mappings", "{a: ".repeat(10_000), "bad.yaml:1"),
        ("too many items", crowd("", 100_000), "bad.yaml"),
        ("no interval", one("interval: 0s"), "bad.yaml:1"),
        ("a negative interval", one("interval: -1s"), "bad.yaml:1"),
        ("a bare number", one("interval: 3"), "3s"),
        ("an endless interval", one("interval: 99999999999999999999h"), "bad.yaml:1"),
        ("no number at all", one("interval: .nan"), "bad.yaml:1"),
        ("a doubled key", one("title: A\ntitle: B"), "title"),
        ("a foreign tag", one("title: !!python/object:os.system x"), "bad.yaml:1"),
        ("not text", "\u{0}\u{1}\u{2}".to_owned(), "bad.yaml"),
        ("nothing", String::new(), "bad.yaml"),
    ] {
        let path = home.write("bad.yaml", config);
        let answer = marquee(&home, &["validate", text(&path)]);
        assert_eq!(answer.code, Some(1), "{what}: {:?} {:.400}", answer.code, answer.all());
        assert!(answer.all().contains(wanted), "{what}: {wanted:?} is not in\n{:.2000}", answer.all());
    }
}

#[test]
fn a_flood_of_keys_is_ignored_and_quit_still_works() {
    let home = TempHome::with_config("title: Flood\ncluster: none\nitems: [{id: a, text: Dry, level: info}]\n");
    let mut pty = Pty::board(&home);
    pty.wait_for_text("Dry");
    let mut noise = String::new();
    for round in 0_u32..2000 {
        // Letters and signs that no binding has, half an escape sequence, mouse reports.
        noise.push_str(["Z", "%", "\u{1b}[", "9", "\u{1b}[<0;1;1M", "é", "\u{1b}O", "#"][(round * 7 % 8) as usize]);
    }
    pty.send(&noise);
    pty.send("\x1b[200~pasted q q q\x1b[201~");
    pty.wait_for_clock_moves(1);
    pty.send("\x1b");
    pty.wait_for_clock_moves(1);
    pty.send("\x03");
    assert!(pty.wait_exit().success());
    pty.assert_restored();
    pty.assert_allowed();
}

#[test]
fn a_full_disk_under_the_store_is_told_and_the_board_goes_on() {
    let test = "a_full_disk_under_the_store_is_told_and_the_board_goes_on";
    let can = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !can.is_ok_and(|answer| answer.status.success()) {
        return skip(test, "this machine does not permit mounts in a namespace of one's own");
    }
    let home = TempHome::with_config(
        "title: Full\ninterval: 100ms\ncluster: none\nitems:\n  - {id: a, text: One, level: info}\n  - {id: b, text: Two, level: info}\n",
    );
    // The small disk lives in a mount namespace that ends with the program: nothing is left to unmount.
    let fill = "mount -t tmpfs -o size=16k none \"$XDG_STATE_HOME\" && head -c 65536 /dev/zero > \"$XDG_STATE_HOME/ballast\" 2>/dev/null; exec \"$@\"";
    let mut shell = Command::new("unshare");
    shell.args(["-rm", "/bin/sh", "-c", fill, "sh", env!("CARGO_BIN_EXE_marquee")]);
    shell.args(["run", "--render", "json", "--config", text(&home.config())]);
    shell.env_clear().envs(home.environment()).current_dir(home.plant());
    let mut run = Piped::spawn(shell);
    run.line_where("that tells of the store", |line| {
        let line = line.to_lowercase();
        line.contains("no space") || line.contains("store") || line.contains("state")
    });
    for wanted in ["One", "Two", "One"] {
        run.line_where("of the next turn", |line| line.contains(wanted));
    }
}

#[test]
fn a_store_that_can_not_be_written_is_told_and_the_board_goes_on() {
    let home = TempHome::with_config(
        "title: Store\ninterval: 100ms\ncluster: none\nitems:\n  - {id: a, text: One, level: info}\n  - {id: b, text: Two, level: info}\n",
    );
    fs::remove_dir(home.state()).unwrap();
    fs::write(home.state(), "a file where the folder should be").unwrap();
    let mut run = Piped::spawn(command(&home, &["run", "--render", "json", "--config", text(&home.config())]));
    run.line_where("that tells of the store", |line| !line.contains("\"notice\":null"));
    for wanted in ["One", "Two", "One"] {
        run.line_where("of the next turn", |line| line.contains(wanted));
    }
}

#[test]
fn ten_thousand_items_are_carried() {
    let config = crowd("title: Crowd\ninterval: 1s\n", 10_000);
    let home = TempHome::with_config(&config);
    let pty = Pty::board(&home);
    pty.wait_for_text("of 10000");
    pty.wait_for_clock_moves(2);
    pty.quit();
}
