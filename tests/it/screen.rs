//! The screen as an operator sees and uses it.

use marquee::config::keymap::BINDINGS;

use crate::support::process::processor_time;
use crate::support::pty::{clock, colours};
use crate::support::{Pty, Size, TempHome, crowd};

/// The board of the product's drawing, with fixed items.
const LINE_3: &str = "\
title: Line 3
interval: 60s
cluster: none
order: [cache, api, db]
items:
  - {id: db, text: PostgreSQL OK, level: healthy}
  - {id: cache, text: Redis TTL > 30s, level: warning}
  - {id: api, text: v2.4.1 active, level: info}
";

/// Two items that never change, and a page that turns every second.
const QUICK: &str = "\
title: Quick
interval: 1s
cluster: none
items:
  - {id: first, text: Alpha runs, level: info}
  - {id: second, text: Beta runs, level: info}
  - {id: third, text: Gamma runs, level: info}
";

#[test]
fn the_usual_terminal_shows_what_the_product_draws() {
    let home = TempHome::with_config(LINE_3);
    let pty = Pty::board(&home);
    pty.wait_for_text("WARNING");
    let screen = pty.screen_text();
    for wanted in [
        "Line 3",
        "cache",
        "Redis TTL > 30s",
        "1 of 3",
        "0 critical",
        "0 unknown",
        "1 warning",
        "1 info",
        "1 healthy",
        "v2.4.1 active",
        "PostgreSQL OK",
        "quit",
    ] {
        assert!(screen.contains(wanted), "{wanted:?} is not on\n{screen}");
    }
    let rows = pty.rows();
    assert!(rows[0].contains("Line 3"), "the title is on top of\n{screen}");
    assert!(clock(&rows[0]).is_some(), "a clock is on top of\n{screen}");
    assert!(screen.contains('█'), "there is a banner on\n{screen}");
    pty.quit();
}

#[test]
fn a_visible_clock_moves_every_second() {
    let home = TempHome::with_config(LINE_3);
    let pty = Pty::board(&home);
    pty.wait_for_clock_moves(3);
    pty.quit();
}

#[test]
fn pages_turn_by_themselves() {
    let home = TempHome::with_config(QUICK);
    let pty = Pty::board(&home);
    for place in ["1 of 3", "2 of 3", "3 of 3", "1 of 3"] {
        pty.wait_for_text(place);
    }
    pty.quit();
}

#[test]
fn an_alarm_is_acknowledged_with_a_key_and_the_log_tells_of_it() {
    let home = TempHome::with_config(&LINE_3.replace("level: warning", "level: critical"));
    let log = home.path("marquee.log");
    let args = ["run", "--log-file", log.to_str().unwrap()];
    let mut pty = Pty::open(&home, Size::USUAL, &args, &[]);
    pty.wait_for_text("CRITICAL");
    pty.send("a");
    pty.wait_for_text("cache: acknowledged");
    pty.wait_for_text("(✖)cache");
    pty.wait_for_text("cache · acknowledged ·");
    pty.send("a");
    pty.wait_for_text("cache: not acknowledged");
    pty.wait_for_no_text("(✖)");
    // The item below is no alarm.
    pty.send("jja");
    pty.wait_for_text("no alarm to acknowledge");
    pty.wait_for_no_text("no alarm to acknowledge");
    pty.quit();
    let told = std::fs::read_to_string(&log).unwrap();
    for wanted in ["an alarm was acknowledged", "an acknowledgement was taken back"] {
        let line = told.lines().find(|line| line.contains(wanted)).unwrap_or_else(|| panic!("{wanted}: {told}"));
        assert!(line.contains("item=cache") && line.contains("keyboard"), "{line}");
    }
}

#[test]
fn every_size_lives_and_says_level_and_text() {
    for size in [Size::new(40, 10), Size::new(20, 3), Size::new(200, 50), Size::new(30, 1)] {
        let home =
            TempHome::with_config("title: T\ncluster: none\nitems:\n  - {id: db, text: Pump hot, level: warning}\n");
        let pty = Pty::board_at(&home, size);
        pty.wait_for("the item's text", |screen| screen.contents().contains("Pump hot"));
        if size.columns >= 20 && size.rows > 1 {
            let shown = pty.screen_text().to_uppercase();
            assert!(shown.contains("WARN"), "no level at {size:?}:\n{shown}");
        }
        pty.quit();
    }
}

#[test]
fn a_terminal_of_one_cell_is_survived() {
    let home = TempHome::with_config(LINE_3);
    let pty = Pty::board_at(&home, Size::new(1, 1));
    pty.wait_for_output();
    pty.resize(Size::USUAL);
    pty.wait_for_text("Redis TTL > 30s");
    pty.quit();
}

#[test]
fn a_storm_of_resizes_ends_in_a_whole_picture() {
    let home = TempHome::with_config(LINE_3);
    let pty = Pty::board(&home);
    pty.wait_for_text("Redis TTL > 30s");
    for round in 0..200_u16 {
        pty.resize(Size::new(1 + round * 7 % 150, 1 + round * 5 % 60));
    }
    pty.resize(Size::USUAL);
    pty.wait_for("the drawing at its usual size", |screen| {
        let text = screen.contents();
        text.contains("1 of 3") && text.contains("1 healthy") && text.contains("quit")
    });
    pty.quit();
}

#[test]
fn help_lists_every_key() {
    let home = TempHome::with_config(LINE_3);
    let mut pty = Pty::board_at(&home, Size::new(100, 40));
    pty.wait_for_text("Redis TTL > 30s");
    pty.send("?");
    for binding in BINDINGS {
        pty.wait_for_text(binding.help);
    }
    pty.send("?");
    pty.wait_for_no_text(BINDINGS[0].help);
    pty.quit();
}

#[test]
fn help_fits_the_usual_terminal() {
    let home = TempHome::with_config(LINE_3);
    let mut pty = Pty::board(&home);
    pty.wait_for_text("Redis TTL > 30s");
    pty.send("?");
    for binding in BINDINGS {
        pty.wait_for_text(binding.help);
    }
    pty.send("\x1b");
    pty.wait_for_no_text(BINDINGS[0].help);
    pty.quit();
}

#[test]
fn find_brings_a_far_item_on_the_screen() {
    let mut config = crowd("title: Many\ninterval: 60s\n", 200);
    config.push_str("  - {id: zeppelin, text: Airship moored, level: info}\n");
    let home = TempHome::with_config(&config);
    let mut pty = Pty::board(&home);
    pty.wait_for_text("Reading 0");
    assert!(!pty.screen_text().contains("Airship moored"));
    pty.send("/airsh");
    pty.wait_for_text("Airship moored");
    pty.send("\r");
    pty.wait_for_text("Airship moored");
    pty.send("\x1b");
    pty.send("q");
    assert!(pty.wait_exit().success());
}

#[test]
fn pause_holds_the_page_and_the_clock_goes_on() {
    let home = TempHome::with_config(QUICK);
    let mut pty = Pty::board(&home);
    pty.wait_for_text("1 of 3");
    pty.send(" ");
    pty.wait_for("the word paused", |screen| screen.contents().to_lowercase().contains("paused"));
    let held = place(&pty.screen_text());
    for _ in 0..3 {
        pty.wait_for_clock_moves(1);
        assert_eq!(place(&pty.screen_text()), held, "the page turned while paused");
    }
    pty.send(" ");
    pty.wait_for("the page to turn again", |screen| place(&screen.contents()) != held);
    pty.quit();
}

#[test]
fn step_shows_the_neighbours() {
    let home = TempHome::with_config(LINE_3);
    let mut pty = Pty::board(&home);
    pty.wait_for_text("1 of 3");
    for (key, wanted) in [("\x1b[C", "2 of 3"), ("l", "3 of 3"), ("\x1b[D", "2 of 3"), ("h", "1 of 3")] {
        pty.send(key);
        pty.wait_for_text(wanted);
    }
    pty.quit();
}

#[test]
fn a_key_changes_the_theme() {
    let home = TempHome::with_config(LINE_3);
    let config = home.config();
    let args = ["run", "--config", config.to_str().unwrap()];
    let mut pty = Pty::open(&home, Size::USUAL, &args, &[("COLORTERM", "truecolor")]);
    pty.wait_for_text("Redis TTL > 30s");
    let before = pty.look(colours);
    pty.send("t");
    pty.wait_for("other colours", |screen| {
        let now = colours(screen);
        now.iter().any(|colour| !before.contains(colour))
    });
    pty.quit();
}

#[test]
fn the_detail_view_tells_values_and_source() {
    let home = TempHome::new();
    let check = home.plugin("probe.sh", "echo 'Oven fine | temp=412;450;480'\n");
    home.write(
        "marquee.yaml",
        format!("title: Detail\ninterval: 60s\ncluster: none\nitems:\n  - {{id: oven, check: '{check}', every: 1s}}\n"),
    );
    let mut pty = Pty::board(&home);
    pty.wait_for_text("Oven fine");
    pty.send("\r");
    for wanted in ["temp", "412", "probe.sh"] {
        pty.wait_for_text(wanted);
    }
    pty.send("\x1b");
    pty.wait_for_no_text("412");
    pty.quit();
}

#[test]
fn the_board_view_lists_all_items() {
    let home = TempHome::with_config(LINE_3);
    let mut pty = Pty::board(&home);
    pty.wait_for_text("Redis TTL > 30s");
    pty.send("\t");
    for wanted in ["cache", "api", "db", "PostgreSQL OK", "v2.4.1 active"] {
        pty.wait_for_text(wanted);
    }
    pty.quit();
}

#[test]
fn an_item_in_alarm_interrupts_and_a_new_one_is_shown_at_once() {
    let home = TempHome::new();
    let verdict = home.write("verdict", "0");
    let check =
        home.plugin("press.sh", &format!("read code < {}\necho \"code is $code\"\nexit $code\n", verdict.display()));
    home.write(
        "marquee.yaml",
        format!(
            "title: Alarm\ninterval: 60s\ncluster: none\nitems:\n  - {{id: calm, text: All calm, level: info}}\n  - {{id: press, check: '{check}', every: 200ms}}\n"
        ),
    );
    let pty = Pty::board(&home);
    pty.wait_for_text("code is 0");
    home.rename_over("verdict", "2");
    pty.wait_for_text("CRITICAL");
    pty.wait_for_text("1 critical");
    home.rename_over("verdict", "0");
    pty.wait_for_text("0 critical");
    pty.quit();
}

#[test]
fn wide_text_is_never_cut_in_half() {
    let config = "title: 生产线三号\ninterval: 60s\ncluster: none\nitems:\n  - {id: press, text: 压力机七号温度过高请立即检查冷却水, level: warning}\n";
    for columns in [80, 41, 40, 23, 20] {
        let home = TempHome::with_config(config);
        let pty = Pty::board_at(&home, Size::new(columns, 12));
        pty.wait_for_text("压力机");
        pty.look(|screen| {
            let (rows, columns) = screen.size();
            for row in 0..rows.get() {
                let last = screen.cell(row, columns.get() - 1).unwrap();
                assert!(!last.is_wide(), "a wide character hangs over the edge at {columns} columns");
            }
        });
        pty.quit();
    }
}

#[test]
fn nothing_is_written_between_two_seconds_when_nothing_moves() {
    let config = "title: Still\ninterval: 60s\ncluster: none\nitems:\n  - {id: db, text: OK, level: healthy}\n";
    let home = TempHome::with_config(config);
    let pty = Pty::board(&home);
    pty.wait_for_clock_moves(2);
    let pictures = pty.pictures().len();
    let spent = processor_time(pty.pid());
    pty.wait_for_clock_moves(4);
    let drawn = pty.pictures().len() - pictures;
    assert!(drawn <= 10, "{drawn} pictures in four seconds of a still board");
    // A loop that never sleeps would take seconds; what a picture costs is a figure of the benches.
    let spent = processor_time(pty.pid()).saturating_sub(spent).as_secs_f64();
    assert!(spent < 1.0, "{spent} s of processor time in four seconds of a still board");
    pty.quit();
}

/// The `2 of 3` on a screen.
fn place(screen: &str) -> Option<String> {
    let words: Vec<_> = screen.split_whitespace().collect();
    let found = words.windows(3).find(|three| {
        three[1] == "of" && [three[0], three[2]].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
    })?;
    Some(found.join(" "))
}
