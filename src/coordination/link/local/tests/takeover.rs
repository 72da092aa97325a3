//! Leaders in processes of their own: one is killed and another console takes its place; one is another user's.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::coordination::election::local::{Candidate, Contested, Leadership};

/// Tells a child's part where the link is.
const CHILD_PATH: &str = "MARQUEE_TEST_LINK";

/// Leads until it is killed, in a process of its own; does nothing among the other tests.
#[tokio::test]
async fn the_child_speaks() {
    let Some(path) = std::env::var_os(CHILD_PATH).map(PathBuf::from) else { return };
    let leadership = lead(&path).unwrap();
    let speaker = leader(&path, &leadership);
    println!("speaks");
    // Until the test that waits for it ends, should it fail to kill this.
    tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await.unwrap().unwrap();
    drop(speaker);
}

/// Tries to follow as another user, in a process of its own; does nothing among the other tests.
#[tokio::test]
async fn the_child_follows() {
    let Some(path) = std::env::var_os(CHILD_PATH).map(PathBuf::from) else { return };
    match Ear::connect(&path).await {
        Ok(mut ear) => println!("heard {:?}", ear.next().await),
        Err(error) => println!("refused: {error}"),
    }
}

/// This test program as another process that plays the part of one test.
fn child(part: &str, path: &Path) -> Command {
    let module = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("{module}::{part}"), "--exact", "--nocapture"]).env(CHILD_PATH, path);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What a child printed that begins so.
fn told(child: &mut Child, begin: &str) -> String {
    // Only lent: a child that finds its output closed complains.
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines().map_while(Result::ok);
    let found = lines.find_map(|line| Some(line[line.find(begin)?..].to_owned()));
    found.unwrap_or_else(|| panic!("the child never said {begin:?}"))
}

fn lead(path: &Path) -> Option<Leadership> {
    match Candidate::new(path.with_extension("leader"), None).try_lead(0).unwrap() {
        Contested::Leads(leadership) => Some(leadership),
        Contested::Held { .. } => None,
    }
}

fn leader(path: &Path, leadership: &Leadership) -> Speaker {
    let speaker = speaker(path);
    speaker.greet(vec![line(format!("fence {}", leadership.fence()))]);
    speaker
}

/// How a console came to lead, or to hear of a leader again.
enum After {
    Leads(Leadership, Speaker),
    Follows(Ear, String),
}

/// A console's rounds: try to lead, else follow whoever does.
async fn go_on(path: &Path) -> After {
    loop {
        if let Some(leadership) = lead(path) {
            let speaker = leader(path, &leadership);
            return After::Leads(leadership, speaker);
        }
        if let Ok(mut ear) = Ear::connect(path).await
            && let Some(greeting) = ear.next().await
        {
            return After::Follows(ear, greeting);
        }
        // Whoever leads has yet to open its socket.
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_leader_is_killed_one_of_ten_takes_over_and_the_others_follow_it() {
    let (_folder, path) = place();
    let mut killed = child("the_child_speaks", &path).spawn().unwrap();
    told(&mut killed, "speaks");
    let mut consoles = JoinSet::new();
    for _ in 0..10 {
        let mut ear = within(Ear::connect(&path)).await.unwrap();
        assert_eq!(within(ear.next()).await.as_deref(), Some("fence 1"));
        let path = path.clone();
        consoles.spawn(async move {
            assert_eq!(within(ear.next()).await, None);
            within(go_on(&path)).await
        });
    }
    killed.kill().unwrap();
    let (mut leaders, mut followers) = (Vec::new(), Vec::new());
    while let Some(after) = within(consoles.join_next()).await {
        match after.unwrap() {
            After::Leads(leadership, speaker) => leaders.push((leadership, speaker)),
            After::Follows(ear, greeting) => {
                assert_eq!(greeting, "fence 2");
                followers.push(ear);
            }
        }
    }
    killed.wait().unwrap();
    assert_eq!((leaders.len(), followers.len()), (1, 9));
    let (leadership, speaker) = leaders.pop().unwrap();
    assert_eq!((leadership.fence(), speaker.followers()), (2, 9));
    speaker.say(&line("beat"));
    for ear in &mut followers {
        assert_eq!(within(ear.next()).await.as_deref(), Some("beat"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_leaders_change_there_is_always_a_socket() {
    let (_folder, path) = place();
    let mut last = speaker(&path);
    let watched = path.clone();
    let (done, mut is_done) = tokio::sync::oneshot::channel();
    let mut looking = JoinSet::new();
    looking.spawn_blocking(move || {
        let mut looks = 0_u64;
        while is_done.try_recv().is_err() {
            if let Err(error) = UnixStream::connect(&watched) {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "after {looks} looks");
            }
            looks += 1;
        }
    });
    for change in 0..100 {
        // In order, or as after a kill.
        if change % 2 == 0 {
            within(last.close()).await;
        } else {
            drop(last);
        }
        last = speaker(&path);
    }
    done.send(()).unwrap();
    within(looking.join_next()).await.unwrap().unwrap();
}

#[tokio::test]
async fn another_user_is_not_let_in_and_not_followed() {
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can become another user");
        return;
    }
    let (folder, path) = place();
    let speaker = speaker(&path);
    speaker.greet(vec![line("welcome")]);
    // Everything that the files' modes guard is opened, so that the credentials alone are left.
    for (opened, mode) in [(folder.path(), 0o755), (path.parent().unwrap(), 0o755), (&path, 0o666)] {
        std::fs::set_permissions(opened, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    // Each end looks at the other's user: the leader at its connection, and it at the leader.
    let Ok(mut stranger) = child("the_child_follows", &path).uid(NOBODY).spawn() else {
        println!("skipped: another user can't run this program");
        return;
    };
    assert_eq!(told(&mut stranger, "refused"), "refused: another user speaks there");
    stranger.wait().unwrap();
    until(|| speaker.ended(Ending::Stranger) == 1).await;
    assert_eq!(speaker.followers(), 0);
}
