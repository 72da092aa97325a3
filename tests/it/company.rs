//! Several consoles of one machine as their operators see them: on the status line, in the view, by the command.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::clock::eventually;
use crate::support::pipe::{Answer, text};
use crate::support::{Piped, Pty, Size, TempHome, marquee};

/// The config of the console called `name`.
fn config(home: &TempHome, name: &str, cluster: &str) -> String {
    let items =
        "items:\n  - {id: db, text: PostgreSQL OK, level: healthy}\n  - {id: cache, text: Redis TTL, level: warning}\n";
    let config = format!("title: Line 3\ninterval: 1s\ncluster: {cluster}\nconsole: {name}\n{items}");
    text(&home.write(&format!("{name}.yaml"), config)).to_owned()
}

/// A console whose lines are read, once it shows something.
fn piped(home: &TempHome, name: &str, cluster: &str) -> Piped {
    let mut console = Piped::start(home, &["run", "--render", "json", "--config", &config(home, name, cluster)]);
    console.line_where("of a board", |line| line.contains("\"fallback\":false"));
    console
}

/// A console on a terminal.
fn seen(home: &TempHome, name: &str, more: &[&str]) -> Pty {
    let config = config(home, name, "local");
    let args: Vec<&str> = ["run", "--config", &config].iter().chain(more).copied().collect();
    Pty::open(home, Size::new(100, 24), &args, &[])
}

fn asked(home: &TempHome, more: &[&str]) -> Answer {
    let config = config(home, "asker", "local");
    let args: Vec<&str> = ["consoles", "--config", &config].iter().chain(more).copied().collect();
    marquee(home, &args)
}

/// The name of the leader, as far as anybody answers.
fn leader(home: &TempHome) -> Option<String> {
    let known: Value = serde_json::from_str(&asked(home, &["--format", "json"]).out).ok()?;
    Some(known["leader"].as_str()?.to_owned())
}

/// Waits until the first line of the screen has all of these in it.
#[track_caller]
fn wait_for_head(console: &Pty, wanted: &[&str]) {
    console.wait_for(&format!("{wanted:?} in the first line"), |screen| {
        let contents = screen.contents();
        let head = contents.lines().next().unwrap_or_default();
        wanted.iter().all(|word| head.contains(word))
    });
}

#[test]
fn everybody_sees_who_leads_and_a_stopped_leader_is_told_until_it_returns() {
    let home = TempHome::new();
    let mut first = piped(&home, "hall-1", "local");
    let mut second = seen(&home, "hall-2", &[]);
    let third = seen(&home, "hall-3", &["--charset", "ascii", "--colour", "never"]);
    wait_for_head(&second, &["follower of hall-1 · 3 consoles · ±0.0 ms · "]);
    wait_for_head(&third, &["follower of hall-1 - 3 consoles - +-0.0 ms - "]);

    second.send("\t\t");
    second.wait_for("the consoles, leader first", |screen| {
        let contents = screen.contents();
        let named = |wanted: &str| contents.lines().position(|line| line.contains(wanted));
        let (leader, own, other) = (named("◆ hall-1 "), named("› ◇ hall-2 · here"), named("◇ hall-3 "));
        leader.is_some() && leader < own && own < other
    });
    let told = eventually("all consoles in their roles", || {
        Some(asked(&home, &[])).filter(|told| told.code == Some(0) && told.out.matches("follower").count() == 2)
    });
    let names: Vec<&str> = told.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["CONSOLE", "hall-1", "hall-2", "hall-3"], "{told:?}");

    first.signal(Signal::STOP);
    wait_for_head(&second, &["≠ NOT IN SYNC ", "follower of hall-1"]);
    second.wait_for_text("! not in sync: no word from hall-1 for ");
    second.wait_for_text("≠ hall-1 ");
    wait_for_head(&second, &["≠ LOCAL "]);
    wait_for_head(&third, &["! LOCAL "]);
    second.wait_for_text("measures by itself, slowly");
    // One of those that are left answers in the place of the stopped one.
    let told = eventually("an answer", || Some(asked(&home, &[])).filter(|told| told.code == Some(1)));
    assert!(told.err.contains("is not in sync"), "{told:?}");

    first.signal(Signal::CONT);
    wait_for_head(&second, &["follower of hall-1 · 3 consoles"]);
    wait_for_head(&third, &["follower of hall-1 - 3 consoles"]);
    second.wait_for_no_text("not in sync");
    eventually("the leader's answer", || Some(asked(&home, &[])).filter(|told| told.code == Some(0)));
    second.quit();
    third.quit();
}

#[test]
fn whoever_leads_next_answers_at_the_board_s_socket() {
    let home = TempHome::new();
    let mut consoles = vec![
        ("hall-1", piped(&home, "hall-1", "local")),
        ("hall-2", piped(&home, "hall-2", "local")),
        ("hall-3", piped(&home, "hall-3", "local")),
    ];
    for signal in [Signal::KILL, Signal::TERM] {
        let leads = eventually("a leader", || leader(&home));
        let place = consoles.iter().position(|(name, _)| *name == leads).expect("one of these leads");
        let (name, mut console) = consoles.remove(place);
        console.signal(signal);
        console.wait_exit();
        let next = eventually("another leader", || leader(&home).filter(|next| next != name));
        assert!(consoles.iter().any(|(name, _)| *name == next));
    }
    drop(consoles);
}

#[test]
fn a_console_takes_the_place_of_one_that_died_though_none_leads() {
    let home = TempHome::new();
    let mut first = piped(&home, "hall-1", "none");
    let mut second = piped(&home, "hall-2", "none");
    assert_eq!(leader(&home).as_deref(), Some("hall-1"));
    first.signal(Signal::KILL);
    first.wait_exit();
    eventually("the other's answer", || leader(&home).filter(|name| name == "hall-2"));
    second.signal(Signal::TERM);
    second.wait_exit();
    let answer = asked(&home, &[]);
    assert_eq!(answer.code, Some(3), "{answer:?}");
    let left = std::fs::read_dir(home.plant().join("../run/marquee")).unwrap();
    let sockets: Vec<_> = left.flatten().map(|file| file.file_name()).filter(|name| *name == "line-3.sock").collect();
    assert!(sockets.is_empty(), "{sockets:?}");
}

#[test]
fn a_console_alone_lists_itself() {
    let home = TempHome::new();
    let config = config(&home, "hall-1", "none");
    let mut console = Pty::open(&home, Size::USUAL, &["run", "--config", &config], &[]);
    console.wait_for_text("WARNING");
    console.send("\t\t");
    console.wait_for_text("› ◆ hall-1 · here   alone");
    console.send("\t");
    console.wait_for_no_text("hall-1 · here");
    console.quit();
}

#[test]
fn a_leader_that_nobody_can_follow_says_so_and_keeps_its_lead() {
    let home = TempHome::new();
    let in_the_way = home.state().with_file_name("run").join("marquee/line-3.beat");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let folder = in_the_way.parent().unwrap();
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut first = piped(&home, "hall-1", "local");
    let told = first.line_where("of what stands in the way", |line| line.contains("can't follow this one"));
    let fence = |line: &str| serde_json::from_str::<Value>(line).unwrap()["fence"].as_u64().unwrap();
    // A lead that was lost and won again would have another fence.
    for _ in 0..3 {
        let turn = first.line_where("of another turn", |_| true);
        assert!(turn.contains("\"role\":\"leader\"") && fence(&turn) == fence(&told), "{turn}");
    }
    std::fs::remove_dir(&in_the_way).unwrap();
    let mut second = piped(&home, "hall-2", "local");
    second.line_where("of a follower", |line| line.contains("\"role\":\"follower\"") && fence(line) == fence(&told));
}
