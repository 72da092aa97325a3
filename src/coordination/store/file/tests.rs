//! The file store against what disks, kills and other people do to it.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Command, Stdio};

use super::super::contract::{self, board, current};
use super::*;

fn kept(folder: &Path) -> FileStore {
    let mut store = FileStore::new(folder);
    store.keep_current(&current(7)).unwrap();
    store.keep_board(&board(3)).unwrap();
    store
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn keeps_the_stores_promises() {
    contract::holds(&|| {
        let folder = tempfile::tempdir().unwrap();
        // Deeper than what exists, as at the first start of all.
        Box::new(move || Box::new(FileStore::new(folder.path().join("marquee/line-3"))))
    });
}

#[test]
fn what_it_makes_is_for_this_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("a/b");
    kept(&folder);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    assert_eq!((mode(&folder.join("current.json")), mode(&folder.join("board.json"))), (0o600, 0o600));
    assert_eq!(names(&folder), ["board.json", "current.json"]);
}

#[test]
fn a_damaged_file_is_set_aside_and_the_other_is_used() {
    let good = String::from_utf8(std::fs::read(kept_file("current.json").1).unwrap()).unwrap();
    let flipped = good.replace("item-7", "item-5");
    for (text, why) in [
        (String::new(), "it is empty"),
        (good[..good.len() / 2].to_owned(), "cut short"),
        (good[..good.len() - 1].to_owned(), "cut short"),
        ("\0".repeat(4096), "no state of marquee"),
        (flipped, "its checksum is wrong"),
        (good.replace("\"version\":1", "\"version\":9"), "its format is version 9, this program reads 1"),
    ] {
        let (folder, path) = kept_file("current.json");
        std::fs::write(&path, &text).unwrap();
        std::fs::write(path.with_extension("json.bad"), "an older one").unwrap();
        let loaded = FileStore::new(folder.path()).load();
        assert_eq!(loaded.snapshot.unwrap(), Snapshot { current: Current::default(), board: board(3) });
        let [trouble] = &loaded.troubles[..] else { panic!("{:?}", loaded.troubles) };
        assert!(trouble.contains(why) && trouble.contains("set aside as current.json.bad"), "{trouble}");
        assert_eq!(std::fs::read_to_string(path.with_extension("json.bad")).unwrap(), text);
        assert_eq!(names(folder.path()), ["board.json", "current.json.bad"]);
        // Told once, and kept again as if nothing had been.
        assert_eq!(kept(folder.path()).load().troubles, [""; 0]);
    }
}

fn kept_file(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    kept(folder.path());
    let path = folder.path().join(name);
    (folder, path)
}

#[test]
fn what_is_no_file_of_ours_is_refused_and_left_alone() {
    type Make<'a> = &'a dyn Fn(&Path);
    let victims = tempfile::tempdir().unwrap();
    let victim = victims.path().join("victim");
    std::fs::write(&victim, "keep me").unwrap();
    let cases: [(&str, Make); 6] = [
        ("a link, which is not followed", &|path| std::os::unix::fs::symlink(&victim, path).unwrap()),
        ("a link, which is not followed", &|path| std::os::unix::fs::symlink("/dev/zero", path).unwrap()),
        ("a link, which is not followed", &|path| std::os::unix::fs::symlink("nowhere", path).unwrap()),
        ("a folder", &|path| std::fs::create_dir(path).unwrap()),
        ("a pipe, socket or device", &|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
        ("a pipe, socket or device", &|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
    ];
    for (why, make) in cases {
        let (folder, path) = kept_file("current.json");
        std::fs::remove_file(&path).unwrap();
        make(&path);
        let before = std::fs::symlink_metadata(&path).unwrap().file_type();
        let mut store = FileStore::new(folder.path());
        let loaded = store.load();
        assert_eq!(loaded.snapshot.unwrap().board, board(3));
        assert_eq!(loaded.troubles, [format!("can't read {}: it is {why}", path.display())]);
        let error = store.keep_current(&current(8)).unwrap_err();
        assert_eq!(error.to_string(), format!("can't replace {}: it is {why}", path.display()));
        assert_eq!(store.keep_board(&board(4)), Ok(()), "the other part goes on");
        assert_eq!(std::fs::symlink_metadata(&path).unwrap().file_type(), before);
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "keep me");
    }
}

#[test]
fn what_belongs_to_others_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: nothing can be given to another user, so this is not tried");
        return;
    }
    let nobody = Some(65_534);
    let (folder, path) = kept_file("current.json");
    std::os::unix::fs::chown(&path, nobody, None).unwrap();
    let loaded = FileStore::new(folder.path()).load();
    assert_eq!(loaded.troubles, [format!("can't read {}: it belongs to another user", path.display())]);
    std::os::unix::fs::chown(folder.path(), nobody, None).unwrap();
    for folder in [folder.path().to_owned(), folder.path().join("line-3")] {
        let error = FileStore::new(&folder).keep_current(&current(1)).unwrap_err();
        assert_eq!(error.reason, "it belongs to another user");
    }
}

#[test]
fn a_folder_that_can_not_be_trusted_or_used_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let at = |name: &str| base.path().join(name);
    std::fs::create_dir(at("open")).unwrap();
    std::fs::set_permissions(at("open"), std::fs::Permissions::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(base.path(), at("link")).unwrap();
    std::fs::write(at("file"), "").unwrap();
    for (name, told) in [
        ("open", "everybody may write into it; chmod o-w it"),
        ("link", "it is not a folder but a link to one"),
        ("file", "file exists"),
        ("file/below", "not a directory"),
    ] {
        let error = FileStore::new(at(name)).keep_current(&current(1)).unwrap_err();
        assert_eq!((error.path, error.reason.as_str()), (at(name), told));
    }
    assert_eq!(names(base.path()), ["file", "link", "open"]);
    assert!(FileStore::new("/dev/null/x").keep_current(&current(1)).is_err());
    assert_eq!(FileStore::new("/proc/no-such").load(), Loaded::default());
}

#[test]
fn a_folder_that_was_removed_is_made_again() {
    let (folder, _) = kept_file("current.json");
    let mut store = FileStore::new(folder.path());
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(store.load(), Loaded::default());
    store.keep_current(&current(1)).unwrap();
    assert_eq!(names(folder.path()), ["current.json"]);
}

#[test]
fn what_killed_writers_left_is_swept_and_nothing_else() {
    let (folder, _) = kept_file("current.json");
    for name in [".current.json.abc.tmp", ".board.json.x.tmp", ".mine.tmp", "note", "lock", "board.json.bad"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    FileStore::new(folder.path()).load();
    assert_eq!(names(folder.path()), [".mine.tmp", "board.json", "board.json.bad", "current.json", "lock", "note"]);
}

/// A mounted file system of 64 KiB; `None` where this user can't mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=64k,mode=0700", "marquee-test"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_what_was_kept() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("no small disk can be mounted here; the file size limit is tried elsewhere");
        return;
    };
    let mut store = kept(disk.0.path());
    std::fs::write(disk.0.path().join("filler"), vec![0; 1 << 20]).unwrap_err();
    let path = disk.0.path().join("current.json");
    let error = store.keep_current(&current(8)).unwrap_err();
    assert_eq!(error.to_string(), format!("can't write {}: no space left on the disk", path.display()));
    assert!(store.keep_board(&board(500)).is_err());
    assert_eq!(names(disk.0.path()), ["board.json", "current.json", "filler"], "nothing is left half written");
    let old = Snapshot { current: current(7), board: board(3) };
    assert_eq!(store.load(), Loaded { snapshot: Some(old), ..Loaded::default() });
    std::fs::remove_file(disk.0.path().join("filler")).unwrap();
    assert_eq!(store.keep_current(&current(8)), Ok(()), "and it heals by itself");
}

/// What the tests below find in the environment of the test program that they start as a child.
const CHILD: &str = "MARQUEE_TEST_STORE";

/// Not a test of itself: the writing child of the two tests below.
#[test]
fn child_that_writes() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let mut store = FileStore::new(folder);
    let begin = store.load().snapshot.map_or(0, |snapshot| snapshot.current.seq);
    for seq in begin + 1.. {
        if let Err(error) = store.keep_board(&board(seq % 200)).and_then(|()| store.keep_current(&current(seq))) {
            println!("\nfailed {error}");
            return;
        }
        println!("\nkept {seq}");
    }
}

/// This very test program as a command that runs nothing but the writing child.
fn child(folder: &Path) -> Vec<std::ffi::OsString> {
    let this = std::env::current_exe().unwrap();
    let name = "coordination::store::file::tests::child_that_writes";
    let mut words = vec!["env".into()];
    let mut variable = std::ffi::OsString::from(format!("{CHILD}="));
    variable.push(folder);
    words.push(variable);
    words.push(this.into());
    words.extend([name, "--exact", "--nocapture"].map(Into::into));
    words
}

#[test]
fn a_kill_at_any_moment_leaves_a_readable_store() {
    let folder = tempfile::tempdir().unwrap();
    let words = child(folder.path());
    let mut last = 0;
    for round in 0..30 {
        let mut child = Command::new(&words[0]).args(&words[1..]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("kept ")?.parse::<u64>().ok());
        // The kill lands wherever the child is by then in one of its next writes.
        last = told.take(1 + round % 7).last().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let loaded = FileStore::new(folder.path()).load();
        assert_eq!(loaded.troubles, [""; 0]);
        let snapshot = loaded.snapshot.unwrap();
        assert!(snapshot.current.seq >= last, "{} was kept, {last} was told", snapshot.current.seq);
        assert_eq!(snapshot.current, current(snapshot.current.seq));
        assert_eq!(snapshot.board, board(snapshot.board.version));
        assert_eq!(names(folder.path()), ["board.json", "current.json"]);
    }
    assert!(last >= 30);
}

#[test]
fn a_file_that_may_not_grow_is_told_and_leaves_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    // A limit of eight blocks of 512 bytes, and its signal ignored so that the write itself fails.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"]).args(child(folder.path()));
    let output = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let failed = output.lines().find_map(|line| line.strip_prefix("failed ")).unwrap();
    let path = folder.path().join("board.json");
    assert_eq!(failed, format!("can't write {}: file too large", path.display()));
    let loaded = FileStore::new(folder.path()).load();
    let snapshot = loaded.snapshot.unwrap();
    assert_eq!((loaded.troubles, &snapshot.board), (Vec::new(), &board(snapshot.current.seq)));
    assert_eq!(names(folder.path()), ["board.json", "current.json"]);
}
