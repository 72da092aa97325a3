//! The election of one machine, within a process and between processes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

/// Tells the child's part where to stand for election.
const CHILD_STANDS_AT: &str = "MARQUEE_TEST_STANDS_AT";

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marquee/line-3.leader");
    (folder, path)
}

fn leads(path: &Path, floor: u64) -> Leadership {
    match Candidate::new(path, Some("east")).try_lead(floor).unwrap() {
        Contested::Leads(leadership) => leadership,
        held @ Contested::Held { .. } => panic!("{held:?}"),
    }
}

fn held(path: &Path) -> (Option<u32>, Option<String>, u64) {
    match Candidate::new(path, Some("west")).try_lead(0).unwrap() {
        Contested::Held { process, name, fence } => (process, name, fence),
        Contested::Leads(leadership) => panic!("{leadership:?}"),
    }
}

#[test]
fn lies_beside_the_socket() {
    assert_eq!(beside(Path::new("/run/user/7/marquee/line-3.sock")), Path::new("/run/user/7/marquee/line-3.leader"));
}

#[test]
fn one_leads_and_the_others_hear_who() {
    let (_folder, path) = place();
    let leader = leads(&path, 0);
    assert_eq!((leader.fence(), leader.holds()), (1, true));
    for _ in 0..3 {
        assert_eq!(held(&path), (Some(std::process::id()), Some("east".to_owned()), 1));
    }
    drop(leader);
    assert_eq!(leads(&path, 0).fence(), 2);
}

#[test]
fn of_ten_that_stand_at_once_one_leads() {
    let (_folder, path) = place();
    for _ in 0..20 {
        let start = std::sync::Barrier::new(10);
        let won: Vec<Leadership> = std::thread::scope(|scope| {
            let stand = || {
                start.wait();
                match Candidate::new(&path, None).try_lead(0).unwrap() {
                    Contested::Leads(leadership) => Some(leadership),
                    Contested::Held { .. } => None,
                }
            };
            let candidates: Vec<_> = (0..10).map(|_| scope.spawn(stand)).collect();
            candidates.into_iter().filter_map(|candidate| candidate.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1);
    }
}

#[test]
fn the_fence_rises_whatever_becomes_of_the_file() {
    let (_folder, path) = place();
    let mut last = 0;
    for change in 0..1000_u64 {
        match change % 10 {
            3 => std::fs::remove_file(&path).unwrap(),
            4 => std::fs::write(&path, b"\xff\xfe not ours").unwrap(),
            5 => std::fs::write(&path, "").unwrap(),
            6 => std::fs::write(&path, "{\"fence\":\"many\"}\n").unwrap(),
            7 => std::fs::write(&path, "x".repeat(100_000)).unwrap(),
            8 => std::fs::write(&path, format!("{{\"fence\":{}}}\n", u64::MAX)).unwrap(),
            _ => {}
        }
        let fence = leads(&path, last).fence();
        assert_eq!(fence, last + 1, "change {change}");
        last = fence;
    }
    // The file alone remembers too, over a floor that is behind, and what is foreign is gone from it.
    assert_eq!(leads(&path, 0).fence(), last + 1);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.len() < 200 && text.ends_with("\"name\":\"east\"}\n"), "{text:?}");
}

#[test]
fn a_fence_that_cannot_rise_is_refused() {
    let (_folder, path) = place();
    for floor in [FENCE_END - 1, FENCE_END, u64::MAX] {
        let refused = Candidate::new(&path, None).try_lead(floor).unwrap_err();
        assert!(refused.to_string().contains("can't rise"), "{refused}");
    }
    assert_eq!(leads(&path, FENCE_END - 2).fence(), FENCE_END - 1);
}

#[test]
fn whatever_lies_there_is_read_without_harm() {
    let (_folder, path) = place();
    drop(leads(&path, 0));
    proptest::proptest!(|(text: Vec<u8>)| {
        std::fs::write(&path, &text).unwrap();
        let leader = leads(&path, 7);
        proptest::prop_assert!((8..FENCE_END).contains(&leader.fence()));
        // A holder may have written anything as well.
        std::fs::write(&path, &text).unwrap();
        held(&path);
    });
}

#[test]
fn long_names_are_cut_where_they_stand() {
    let (_folder, path) = place();
    let Contested::Leads(_leader) = Candidate::new(&path, Some(&"\u{1}".repeat(100_000))).try_lead(0).unwrap() else {
        panic!("nobody else is there")
    };
    assert_eq!(held(&path).1, Some("\u{1}".repeat(NAME_CHARS_MAX)));
}

#[test]
fn what_is_no_file_of_ours_is_refused_and_left_alone() {
    let (folder, path) = place();
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "keep me").unwrap();
    let refused = |what: &str| {
        let why = Candidate::new(&path, None).try_lead(0).unwrap_err().to_string();
        assert!(why.contains("can't lock") && why.contains(what), "{why}");
    };
    std::os::unix::fs::symlink(&victim, &path).unwrap();
    refused("a link");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "keep me");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    refused("a folder");
    std::fs::remove_dir(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    refused("a pipe");
    std::fs::remove_file(&path).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    refused("socket");
}

#[test]
fn a_leader_whose_file_is_gone_knows_it() {
    let (_folder, path) = place();
    let first = leads(&path, 0);
    std::fs::remove_file(&path).unwrap();
    assert!(!first.holds());
    let second = leads(&path, first.fence());
    assert!(second.holds() && !first.holds());
    drop(first);
    assert_eq!(held(&path).2, 2, "the end of the first frees nothing of the second's");
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert!(!second.holds());
}

/// Leads in a process of its own until its input ends; does nothing among the other tests.
#[test]
fn the_child_leads() {
    let Some(path) = std::env::var_os(CHILD_STANDS_AT) else { return };
    let leader = leads(Path::new(&path), 0);
    println!("leads by {}", leader.fence());
    io::stdin().read_line(&mut String::new()).unwrap();
}

/// A process that leads.
fn child(path: &Path) -> Child {
    let name = concat!(module_path!(), "::the_child_leads");
    let name = name.split_once("::").unwrap().1;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD_STANDS_AT, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(told.map_while(Result::ok).any(|line| line.contains("leads by ")), "the child never led");
    child
}

#[test]
fn another_process_takes_over_when_the_leader_is_killed() {
    let (_folder, path) = place();
    for fence in [1, 3, 5] {
        let mut leader = child(&path);
        assert_eq!(held(&path), (Some(leader.id()), Some("east".to_owned()), fence));
        leader.kill().unwrap();
        leader.wait().unwrap();
        assert_eq!(leads(&path, 0).fence(), fence + 1);
    }
}
