//! A save takes effect, however it is made; a bad one changes nothing and is told.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::symlink;

use crate::support::{Piped, Pty, TempHome};

/// A board whose one item says `text`.
fn saying(text: &str) -> String {
    format!("title: Reload\ninterval: 60s\ncluster: none\nitems:\n  - {{id: db, text: {text}, level: info}}\n")
}

/// What a broken file looks like: line 4 names an unknown level.
const BROKEN: &str =
    "title: Reload\ninterval: 60s\nitems:\n  - {id: db, text: Never shown, level: purple}\ncluster: none\n";

#[test]
fn a_write_in_place_is_shown() {
    let home = TempHome::with_config(&saying("Before"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Before");
    for round in 0..5 {
        home.write("marquee.yaml", saying(&format!("Round {round} in place")));
        pty.wait_for_text(&format!("Round {round} in place"));
    }
    pty.quit();
}

#[test]
fn a_rename_over_is_shown() {
    let home = TempHome::with_config(&saying("Before"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Before");
    for round in 0..5 {
        home.rename_over("marquee.yaml", saying(&format!("Round {round} renamed")));
        pty.wait_for_text(&format!("Round {round} renamed"));
    }
    pty.quit();
}

#[test]
fn an_editor_that_keeps_a_backup_is_followed() {
    let home = TempHome::with_config(&saying("Before"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Before");
    for round in 0..3 {
        fs::rename(home.config(), home.path("marquee.yaml~")).unwrap();
        home.write("marquee.yaml", saying(&format!("Round {round} backed up")));
        pty.wait_for_text(&format!("Round {round} backed up"));
    }
    pty.quit();
}

#[test]
fn a_symlink_swap_is_shown() {
    let home = TempHome::new();
    home.write("..2026_1/marquee.yaml", saying("First mount"));
    symlink("..2026_1", home.path("..data")).unwrap();
    symlink("..data/marquee.yaml", home.config()).unwrap();
    let pty = Pty::board(&home);
    pty.wait_for_text("First mount");
    for round in 2..5 {
        let folder = format!("..2026_{round}");
        home.write(&format!("{folder}/marquee.yaml"), saying(&format!("Mount {round}")));
        symlink(&folder, home.path("..data_tmp")).unwrap();
        fs::rename(home.path("..data_tmp"), home.path("..data")).unwrap();
        fs::remove_dir_all(home.path(&format!("..2026_{}", round - 1))).unwrap();
        pty.wait_for_text(&format!("Mount {round}"));
    }
    pty.quit();
}

#[test]
fn remove_and_create_again_is_shown() {
    let home = TempHome::with_config(&saying("Before"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Before");
    for round in 0..3 {
        fs::remove_file(home.config()).unwrap();
        home.write("marquee.yaml", saying(&format!("Created {round}")));
        pty.wait_for_text(&format!("Created {round}"));
    }
    pty.quit();
}

#[test]
fn a_half_written_file_never_flashes_an_error() {
    let home = TempHome::with_config(&saying("Before"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Before");
    for round in 0..20 {
        let text = saying(&format!("Whole {round}"));
        let (half, rest) = text.split_at(text.len() - 25);
        let mut file = fs::File::create(home.config()).unwrap();
        file.write_all(half.as_bytes()).unwrap();
        file.sync_all().unwrap();
        file.write_all(rest.as_bytes()).unwrap();
        drop(file);
        pty.wait_for_text(&format!("Whole {round}"));
    }
    assert_no_error_was_shown(&pty);
    pty.quit();
}

#[test]
fn a_file_that_stays_open_half_written_never_flashes_an_error() {
    let home = TempHome::with_config(&saying("Before"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Before");
    let text = saying("Whole at last");
    let (half, rest) = text.split_at(text.len() - 25);
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(home.config()).unwrap();
    file.rewind().unwrap();
    file.write_all(half.as_bytes()).unwrap();
    file.sync_all().unwrap();
    pty.wait_for_clock_moves(1);
    file.write_all(rest.as_bytes()).unwrap();
    drop(file);
    pty.wait_for_text("Whole at last");
    assert_no_error_was_shown(&pty);
    pty.quit();
}

#[test]
fn a_bad_file_is_told_with_its_line_and_the_board_goes_on() {
    let home = TempHome::with_config(&saying("Still here"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Still here");
    home.rename_over("marquee.yaml", BROKEN);
    pty.wait_for_text("marquee.yaml:4");
    pty.wait_for_text("purple");
    assert!(pty.screen_text().contains("Still here"), "the old board is gone:\n{}", pty.screen_text());
    pty.wait_for_clock_moves(2);
    pty.wait_for_text("marquee.yaml:4");
    home.rename_over("marquee.yaml", saying("Mended"));
    pty.wait_for_text("Mended");
    pty.wait_for_no_text("marquee.yaml:4");
    pty.quit();
}

#[test]
fn a_bad_file_at_the_start_shows_the_fallback_until_it_is_mended() {
    let home = TempHome::with_config(BROKEN);
    let pty = Pty::board(&home);
    pty.wait_for_text("marquee.yaml:4");
    pty.wait_for_text("System initializing");
    home.write("marquee.yaml", saying("Mended"));
    pty.wait_for_text("Mended");
    pty.wait_for_no_text("marquee.yaml:4");
    pty.quit();
}

#[test]
fn the_json_lines_tell_a_bad_file_and_its_mending() {
    let home = TempHome::with_config(&saying("Steady"));
    let mut run = Piped::render(&home, "json");
    run.line_where("without a notice", |line| line.contains("Steady") && line.contains("\"notice\":null"));
    home.write("marquee.yaml", BROKEN);
    run.line_where("with the notice", |line| line.contains("Steady") && line.contains("marquee.yaml:4"));
    home.write("marquee.yaml", saying("Mended"));
    run.line_where("without a notice again", |line| line.contains("Mended") && line.contains("\"notice\":null"));
}

#[test]
fn an_include_is_watched_too() {
    let home = TempHome::with_config(
        "title: Parts\ninterval: 60s\ncluster: none\ninclude: [parts/press.yaml]\nitems:\n  - {id: db, text: Fixed part, level: info}\n",
    );
    let part = |text: &str| format!("items:\n  - {{id: press, text: {text}, level: info}}\n");
    home.write("parts/press.yaml", part("Press idle"));
    let pty = Pty::board(&home);
    pty.wait_for_text("Press idle");
    home.write("parts/press.yaml", part("Press busy"));
    pty.wait_for_text("Press busy");
    home.write("parts/press.yaml.new", part("Press done"));
    fs::rename(home.path("parts/press.yaml.new"), home.path("parts/press.yaml")).unwrap();
    pty.wait_for_text("Press done");
    home.write("parts/press.yaml", "items:\n  - {id: press, text: Bad, level: purple}\n");
    pty.wait_for_text("press.yaml:2");
    home.write("parts/press.yaml", part("Press mended"));
    pty.wait_for_text("Press mended");
    pty.wait_for_no_text("press.yaml:2");
    pty.quit();
}

#[test]
fn a_theme_file_is_live() {
    use vt100::Color;
    let home = TempHome::new();
    let theme = |colour: &str| format!("inherit: midnight\nbackground: '{colour}'\n");
    home.write("plant.yaml", theme("#102030"));
    home.write("marquee.yaml", saying("Coloured") + "theme: ./plant.yaml\n");
    let config = home.config();
    let args = ["run", "--config", config.to_str().unwrap(), "--colour", "truecolor"];
    let pty = Pty::open(&home, crate::support::Size::USUAL, &args, &[]);
    let shows = |wanted: Color| move |screen: &vt100::Screen| crate::support::pty::colours(screen).contains(&wanted);
    pty.wait_for_text("Coloured");
    pty.wait_for("the theme's background", shows(Color::Rgb(0x10, 0x20, 0x30)));
    home.write("plant.yaml", theme("#302010"));
    pty.wait_for("the new background", shows(Color::Rgb(0x30, 0x20, 0x10)));
    pty.quit();
}

#[test]
fn what_did_not_change_keeps_its_state_and_its_runs() {
    let home = TempHome::new();
    let marks = home.path("marks");
    let check = home.plugin("count.sh", &format!("echo x >> {}\necho counted\n", marks.display()));
    let config = |text: &str| {
        format!(
            "title: Keep\ninterval: 60s\ncluster: none\nitems:\n  - {{id: slow, check: '{check}', every: 1h}}\n  - {{id: db, text: {text}, level: info}}\n"
        )
    };
    home.write("marquee.yaml", config("One"));
    let pty = Pty::board(&home);
    pty.wait_for_text("counted");
    let runs = fs::read_to_string(&marks).unwrap().lines().count();
    for round in 0..3 {
        home.write("marquee.yaml", config(&format!("Change {round}")));
        pty.wait_for_text(&format!("Change {round}"));
        assert!(pty.screen_text().contains("counted"), "an unchanged item lost its text");
    }
    assert_eq!(fs::read_to_string(&marks).unwrap().lines().count(), runs, "an unchanged plan ran again");
    pty.quit();
}

/// No picture that was ever shown speaks of an error.
fn assert_no_error_was_shown(pty: &Pty) {
    let pictures = pty.pictures();
    assert!(!pictures.is_empty(), "no picture was drawn");
    for picture in pictures {
        let told = picture.to_lowercase();
        assert!(!told.contains("marquee.yaml:") && !told.contains("error"), "an error flashed:\n{picture}");
    }
}
