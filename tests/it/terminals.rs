//! The worst terminals: no Unicode, no colour, no capabilities, no terminal at all.

use crate::support::{Piped, Pty, Size, TempHome, marquee};
use vt100::Color;

/// One item at each level.
const LEVELS: &str = "\
title: Levels
interval: 60s
cluster: none
interrupt: never
items:
  - {id: w, text: Warm bearing, level: warning}
  - {id: c, text: Press stopped, level: critical}
  - {id: u, text: No answer, level: unknown}
  - {id: i, text: Shift change, level: info}
  - {id: h, text: Running well, level: healthy}
";

fn run_with(env: &[(&str, &str)], further: &[&str]) -> (TempHome, Pty) {
    let home = TempHome::with_config(LEVELS);
    let config = home.config();
    let mut args = vec!["run", "--config", config.to_str().unwrap()];
    args.extend(further);
    let pty = Pty::open(&home, Size::USUAL, &args, env);
    pty.wait_for_text("Warm bearing");
    pty.wait_for_text("1 warning");
    (home, pty)
}

/// Whether any cell has a colour of its own.
fn is_coloured(pty: &Pty) -> bool {
    pty.look(|screen| crate::support::pty::colours(screen).iter().any(|colour| *colour != Color::Default))
}

#[test]
fn ascii_terminals_get_ascii_alone() {
    for (env, further) in
        [(&[("LANG", "C")][..], &[][..]), (&[("LC_ALL", "C")], &[]), (&[], &["--charset", "ascii"][..])]
    {
        let (_home, pty) = run_with(env, further);
        let raw = pty.raw();
        assert!(raw.is_ascii(), "beyond ASCII with {env:?} {further:?}:\n{}", pty.screen_text());
        pty.quit();
    }
}

#[test]
fn unicode_can_be_forced() {
    let (_home, pty) = run_with(&[("LANG", "C")], &["--charset", "unicode"]);
    assert!(!pty.raw().is_ascii());
    pty.quit();
}

#[test]
fn without_colour_every_level_is_still_told() {
    for (env, further) in
        [(&[("NO_COLOR", "1")][..], &[][..]), (&[("TERM", "vt100")], &[]), (&[], &["--colour", "never"][..])]
    {
        let (_home, pty) = run_with(env, further);
        assert!(!is_coloured(&pty), "colours with {env:?} {further:?}");
        for wanted in ["WARNING", "1 critical", "1 unknown", "1 warning", "1 info", "1 healthy"] {
            pty.wait_for_text(wanted);
        }
        pty.quit();
    }
}

#[test]
fn colours_stay_within_what_the_terminal_has() {
    for (depth, last) in [("8", 7), ("16", 15), ("256", 255)] {
        let (_home, pty) = run_with(&[("COLORTERM", "truecolor")], &["--colour", depth]);
        assert!(is_coloured(&pty), "no colour at --colour {depth}");
        pty.look(|screen| {
            for colour in crate::support::pty::colours(screen) {
                let fits = match colour {
                    Color::Default => true,
                    Color::Idx(index) => index <= last,
                    Color::Rgb(..) => false,
                };
                assert!(fits, "{colour:?} at --colour {depth}");
            }
        });
        pty.quit();
    }
    let (_home, pty) = run_with(&[], &["--colour", "truecolor"]);
    let rich = pty.look(|screen| crate::support::pty::colours(screen).iter().any(|c| matches!(c, Color::Rgb(..))));
    assert!(rich, "no 24-bit colour at --colour truecolor");
    pty.quit();
}

#[test]
fn the_linux_console_is_served() {
    let (_home, pty) = run_with(&[("TERM", "linux")], &[]);
    assert!(is_coloured(&pty));
    pty.quit();
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let home = TempHome::with_config(LEVELS);
    let config = home.config();
    let args = ["run", "--for", "500ms", "--config", config.to_str().unwrap()];
    let pty = Pty::open(&home, Size::USUAL, &args, &[("TERM", "dumb")]);
    assert!(pty.wait_exit().success());
    let raw = pty.raw();
    assert!(!raw.contains(&0x1b), "escape sequences on a dumb terminal: {:?}", String::from_utf8_lossy(&raw));
    assert!(pty.screen_text().contains("Warm bearing"));
}

#[test]
fn a_pipe_gets_a_line_per_change() {
    let home = TempHome::with_config(
        "title: Pipe\ninterval: 100ms\ncluster: none\nitems:\n  - {id: a, text: One, level: info}\n  - {id: b, text: Two, level: warning}\n",
    );
    let config = home.config();
    let mut run = Piped::start(&home, &["run", "--config", config.to_str().unwrap()]);
    for wanted in ["One", "Two", "One"] {
        let line = run.line_where(wanted, |line| line.contains(wanted));
        assert!(!line.contains('\x1b'), "{line:?}");
    }
    let line = run.line_where("with a level", |line| line.contains("Two"));
    assert!(line.to_lowercase().contains("warning"), "{line:?} does not say its level");
}

#[test]
fn a_bare_run_without_any_config_watches_this_machine() {
    let home = TempHome::new();
    let answer = marquee(&home, &["--render", "plain", "--for", "2s"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(!answer.out.trim().is_empty(), "the built-in board prints nothing: {answer:?}");
}

#[test]
fn chinese_is_spoken_where_the_environment_asks() {
    let home = TempHome::with_config(LEVELS);
    let config = home.config();
    let args = ["run", "--config", config.to_str().unwrap()];
    let pty = Pty::open(&home, Size::USUAL, &args, &[("LANG", "zh_CN.UTF-8")]);
    pty.wait_for_text("Warm bearing");
    pty.wait_for("Chinese words around the items", |screen| {
        screen.contents().chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c))
    });
    pty.quit();
}
