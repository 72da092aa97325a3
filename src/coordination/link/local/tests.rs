//! The link of one machine, against followers and leaders that behave and that don't.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{JoinSet, yield_now};

use super::*;

mod takeover;

/// What only a failure reaches.
const BOUND: Duration = Duration::from_mins(1);

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marquee/line-3.beat");
    (folder, path)
}

fn speaker(path: &Path) -> Speaker {
    Speaker::listen(path, &Handle::current()).unwrap()
}

async fn within<T>(waited: impl Future<Output = T>) -> T {
    tokio::time::timeout(BOUND, waited).await.expect("it never came")
}

async fn until(mut met: impl FnMut() -> bool) {
    within(async {
        while !met() {
            yield_now().await;
        }
    })
    .await;
}

/// A follower that has been let in.
async fn follow(speaker: &Speaker, path: &Path) -> Ear {
    let before = speaker.followers();
    let ear = within(Ear::connect(path)).await.unwrap();
    until(|| speaker.followers() > before).await;
    ear
}

fn line(text: impl Into<Arc<str>>) -> Arc<str> {
    text.into()
}

#[test]
fn lies_beside_the_socket() {
    assert_eq!(beside(Path::new("/run/user/7/marquee/line-3.sock")), Path::new("/run/user/7/marquee/line-3.beat"));
}

#[test]
fn every_ending_has_a_counter_and_words_of_its_own() {
    for (place, ending) in Ending::ALL.into_iter().enumerate() {
        assert_eq!(ending as usize, place);
        assert_eq!(Ending::ALL.iter().filter(|other| other.words() == ending.words()).count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_hear_all_in_order_and_are_heard() {
    for followers in [1, 10, FOLLOWERS_MAX] {
        let (_folder, path) = place();
        let mut speaker = speaker(&path);
        let mut ears = JoinSet::new();
        for number in 0..followers {
            let mut ear = follow(&speaker, &path).await;
            ears.spawn(async move {
                ear.tell(&format!("hello from {number}")).unwrap();
                for beat in 0..100 {
                    assert_eq!(within(ear.next()).await, Some(format!("beat {beat}")));
                }
                ear.tell("heard all").unwrap();
                assert_eq!((within(ear.next()).await, ear.ending()), (None, Some(Ending::Left)));
            });
        }
        let mut told = Vec::new();
        for _ in 0..followers {
            let heard = within(speaker.heard()).await;
            told.push((heard.line.unwrap(), heard.follower));
        }
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), followers);
        for beat in 0..100 {
            speaker.say(&line(format!("beat {beat}")));
        }
        for _ in 0..followers {
            assert_eq!(within(speaker.heard()).await.line.as_deref(), Some("heard all"));
        }
        within(speaker.close()).await;
        while let Some(ended) = within(ears.join_next()).await {
            ended.unwrap();
        }
    }
}

#[tokio::test]
async fn one_too_many_is_closed_and_may_come_when_another_left() {
    let (_folder, path) = place();
    let mut speaker = speaker(&path);
    speaker.greet(vec![line("welcome")]);
    let mut ears = Vec::new();
    for _ in 0..FOLLOWERS_MAX {
        ears.push(follow(&speaker, &path).await);
    }
    let mut late = Ear::connect(&path).await.unwrap();
    assert_eq!(within(late.next()).await, None);
    assert_eq!((speaker.followers(), speaker.ended(Ending::Crowded)), (FOLLOWERS_MAX, 1));
    drop(ears.pop());
    assert_eq!(within(speaker.heard()).await.line, None);
    let welcomed = within(async {
        // The place is free a moment after the leader heard of it.
        loop {
            let mut late = Ear::connect(&path).await.unwrap();
            if let Some(welcome) = late.next().await {
                return welcome;
            }
        }
    });
    assert_eq!(welcomed.await, "welcome");
}

#[tokio::test]
async fn newcomers_hear_the_newest_first() {
    let (_folder, path) = place();
    let speaker = speaker(&path);
    speaker.greet(vec![line("board 1"), line("beat 1")]);
    let mut first = follow(&speaker, &path).await;
    let board = line("b".repeat(TO_FOLLOWER_BYTES_MAX));
    speaker.greet(vec![
        Arc::clone(&board),
        line("x".repeat(TO_FOLLOWER_BYTES_MAX + 1)),
        line("two\nlines"),
        line("beat 2"),
    ]);
    speaker.say(&line("beat 2"));
    let mut second = follow(&speaker, &path).await;
    speaker.say(&line("beat 3"));
    for heard in ["board 1", "beat 1", "beat 2", "beat 3"] {
        assert_eq!(within(first.next()).await.as_deref(), Some(heard));
    }
    for heard in [&*board, "beat 2", "beat 3"] {
        assert_eq!(within(second.next()).await.as_deref(), Some(heard));
    }
}

#[tokio::test]
async fn one_is_answered_and_the_others_do_not_hear_it() {
    let (_folder, path) = place();
    let mut speaker = speaker(&path);
    let (mut asking, mut other) = (follow(&speaker, &path).await, follow(&speaker, &path).await);
    asking.tell("may I?").unwrap();
    let Told { follower, .. } = within(speaker.heard()).await;
    assert!(speaker.answer(follower, &line("you may")));
    speaker.say(&line("beat"));
    assert_eq!(within(asking.next()).await.as_deref(), Some("you may"));
    assert_eq!(within(other.next()).await.as_deref(), Some("beat"));
    drop(asking);
    assert_eq!(within(speaker.heard()).await, Told { follower, line: None });
    assert!(!speaker.answer(follower, &line("you may")) && !speaker.answer(77, &line("you may")));
}

#[tokio::test]
async fn who_never_reads_is_let_go_and_holds_nobody_up() {
    let (_folder, path) = place();
    let mut speaker = speaker(&path);
    let mut slow = UnixStream::connect(&path).unwrap();
    until(|| speaker.followers() == 1).await;
    let mut good = Vec::new();
    for _ in 0..10 {
        good.push(follow(&speaker, &path).await);
    }
    let text = line("x".repeat(100_000));
    let mut said = 0;
    while speaker.ended(Ending::TooSlow) == 0 {
        speaker.say(&text);
        said += text.len() + 1;
        assert!(said < 2 * TO_FOLLOWER.bytes, "the slow one is never let go");
        for ear in &mut good {
            assert_eq!(within(ear.next()).await.map(|line| line.len()), Some(text.len()));
        }
    }
    assert_eq!(speaker.followers(), 10);
    assert_eq!(within(speaker.heard()).await, Told { follower: 1, line: None });
    let mut taken = Vec::new();
    slow.read_to_end(&mut taken).unwrap();
    assert!(taken.len() < said && taken.starts_with(b"xxx"));
    // Lines alone fill a queue too.
    let _slow = UnixStream::connect(&path).unwrap();
    until(|| speaker.followers() == 11).await;
    let empty = line("");
    while speaker.followers() == 11 {
        speaker.say(&empty);
        for ear in &mut good {
            assert_eq!(within(ear.next()).await.as_deref(), Some(""));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_floods_waits_for_its_turn_and_holds_nobody_up() {
    let (_folder, path) = place();
    let mut speaker = speaker(&path);
    let (mut flooding, mut good) = (follow(&speaker, &path).await, follow(&speaker, &path).await);
    // Nobody listens to what is told: what may wait is bounded, and what is said is heard all the same.
    let text = "x".repeat(TO_LEADER_BYTES_MAX);
    let mut told = 0;
    let refused = loop {
        match flooding.tell(&text) {
            Ok(()) => told += 1,
            Err(error) => break error,
        }
        assert!(told < 10_000, "it could tell without end");
    };
    assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
    good.tell("only this").unwrap();
    speaker.say(&line("beat"));
    assert_eq!(within(good.next()).await.as_deref(), Some("beat"));
    assert_eq!(within(flooding.next()).await.as_deref(), Some("beat"));
    // All of it is heard once somebody listens, and the other's line is not behind it.
    let mut ears = JoinSet::new();
    ears.spawn(async move { flooding.next().await });
    let (mut flood, mut before) = (0, None);
    while flood < told || before.is_none() {
        match within(speaker.heard()).await.line.as_deref() {
            Some("only this") => before = Some(flood),
            Some(line) => {
                assert_eq!(line, text);
                flood += 1;
            }
            None => panic!("it left"),
        }
    }
    assert!(told > 2 && before < Some(told), "{before:?} of {told}");
    within(speaker.close()).await;
    assert_eq!(within(ears.join_next()).await.unwrap().unwrap(), None);
}

#[tokio::test]
async fn what_is_no_line_ends_the_connection_that_sent_it_alone() {
    let (_folder, path) = place();
    let mut speaker = speaker(&path);
    let mut good = follow(&speaker, &path).await;
    let largest = "x".repeat(TO_LEADER_BYTES_MAX);
    for (sent, lines, ending) in [
        (vec![b'x'; TO_LEADER_BYTES_MAX + 1], 0, Ending::TooLong),
        (format!("{largest}\n{largest}x\n").into_bytes(), 1, Ending::TooLong),
        (b"fine\n\xff\xfe\nnever\n".to_vec(), 1, Ending::NotText),
        (b"fine\nhalf a li".to_vec(), 1, Ending::Left),
    ] {
        let before = speaker.ended(ending);
        let mut raw = UnixStream::connect(&path).unwrap();
        let (to_leader, sending) = (raw.try_clone().unwrap(), sent.clone());
        // The leader may close before all is taken.
        let sender = std::thread::spawn(move || {
            let _ = (&to_leader).write_all(&sending);
            let _ = to_leader.shutdown(std::net::Shutdown::Write);
        });
        let mut heard = 0;
        while within(speaker.heard()).await.line.is_some() {
            heard += 1;
        }
        assert_eq!((heard, speaker.ended(ending) - before), (lines, 1), "{ending:?}");
        sender.join().unwrap();
        // Bytes that were not read reset the connection; either way it is closed.
        assert!(matches!(raw.read(&mut [0]), Ok(0) | Err(_)));
    }
    speaker.say(&line("beat"));
    assert_eq!(within(good.next()).await.as_deref(), Some("beat"));
    for (told, why) in [("two\nlines", "end of line"), (&*"x".repeat(TO_LEADER_BYTES_MAX + 1), "longer")] {
        let refused = good.tell(told).unwrap_err();
        assert!(refused.kind() == io::ErrorKind::InvalidInput && refused.to_string().contains(why), "{refused}");
    }
    good.tell(&largest).unwrap();
    assert_eq!(within(speaker.heard()).await.line.map(|line| line.len()), Some(TO_LEADER_BYTES_MAX));
}

#[tokio::test]
async fn a_leader_that_says_no_lines_is_none() {
    let (_folder, path) = place();
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    for (said, ending) in [
        (vec![b'x'; TO_FOLLOWER_BYTES_MAX + 1], Ending::TooLong),
        (b"\xc3\x28\n".to_vec(), Ending::NotText),
        (b"half a beat".to_vec(), Ending::Left),
    ] {
        let mut ear = Ear::connect(&path).await.unwrap();
        let (mut leader, _) = listener.accept().unwrap();
        let saying = std::thread::spawn(move || drop(leader.write_all(&said)));
        assert_eq!((within(ear.next()).await, ear.ending()), (None, Some(ending)));
        assert_eq!(within(ear.next()).await, None, "and stays so");
        assert_eq!(ear.tell("still there?").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(ear);
        saying.join().unwrap();
    }
}

#[tokio::test]
async fn futures_that_are_dropped_lose_nothing() {
    let (_folder, path) = place();
    let mut speaker = speaker(&path);
    let mut ear = follow(&speaker, &path).await;
    let (said, told) = (line("s".repeat(1_000_000)), "t".repeat(60_000));
    for _ in 0..10 {
        speaker.say(&said);
        ear.tell(&told).unwrap();
    }
    let (mut heard, mut caught) = (0, 0);
    within(async {
        while heard < 10 || caught < 10 {
            tokio::select! {
                biased;
                line = ear.next() => {
                    assert_eq!(line.as_deref(), Some(&*said));
                    heard += 1;
                }
                heard = speaker.heard() => {
                    assert_eq!(heard.line.as_ref(), Some(&told));
                    caught += 1;
                }
                () = yield_now() => {}
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_last_words_are_heard_and_nobody_answers_afterwards() {
    let (_folder, path) = place();
    // More than the usual grace, which a busy machine may need for ten.
    let speaker = Speaker::listen_with(&path, &Handle::current(), BOUND).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let mut ears = Vec::new();
    for _ in 0..10 {
        ears.push(follow(&speaker, &path).await);
    }
    speaker.say(&line("handover"));
    within(speaker.close()).await;
    for mut ear in ears {
        assert_eq!(within(ear.next()).await.as_deref(), Some("handover"));
        assert_eq!(within(ear.next()).await, None);
    }
    assert_eq!(Ear::connect(&path).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["line-3.beat"]);
}

#[tokio::test]
async fn the_end_waits_for_nobody_who_does_not_listen() {
    let (_folder, path) = place();
    let speaker = speaker(&path);
    speaker.greet(vec![line("x".repeat(TO_FOLLOWER_BYTES_MAX))]);
    let mut deaf = follow(&speaker, &path).await;
    speaker.say(&line("handover"));
    within(speaker.close()).await;
    assert_eq!(within(deaf.next()).await, None);
}

#[tokio::test]
async fn one_that_is_dropped_ends_as_well() {
    let (_folder, path) = place();
    let speaker = speaker(&path);
    let mut ear = follow(&speaker, &path).await;
    drop(speaker);
    assert_eq!(within(ear.next()).await, None);
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_what_is_none_is_left_alone() {
    let (folder, path) = place();
    assert_eq!(Ear::connect(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    drop(UnixListener::bind(&path).unwrap());
    drop(UnixListener::bind(path.with_extension("next")).unwrap());
    // The commands' socket of the same board, on its way to its own place.
    let other = path.with_extension("new");
    drop(UnixListener::bind(&other).unwrap());
    let first = speaker(&path);
    let mut ear = follow(&first, &path).await;
    first.say(&line("beat"));
    assert_eq!(within(ear.next()).await.as_deref(), Some("beat"));
    assert!(other.exists(), "it is not the beat's to take away");
    let refused = |path: &Path| Speaker::listen(path, &Handle::current()).unwrap_err();
    let file = folder.path().join("marquee/file.beat");
    std::fs::write(&file, "keep me").unwrap();
    assert!(refused(&file).contains("something else"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "keep me");
    let link = folder.path().join("marquee/link.beat");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(refused(&link).contains("something else"));
    let long = folder.path().join("marquee").join("x".repeat(108)).with_extension("beat");
    assert!(refused(&long).contains("too long for a socket"));
    let shared = folder.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(refused(&shared.join("x.beat")).contains("everybody may write"));
}
