//! Log files, one a day: bounded in size and in number, and never in the way.
//!
//! A file that the library rotates prints its troubles to stderr, which is the
//! live screen here; so this one is our own. After the start it never fails: a
//! line that can't be written is counted and forgotten. The day is in the file's
//! name, so that many consoles can append to the same files without agreeing on
//! a rename. Days are UTC's, like the times in the lines.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::civil::Date;
use rustix::fs::OFlags;

/// How many days are kept: a fault of last weekend can still be read on Friday.
const DAYS_KEPT: usize = 7;

/// The most one day may take, so that a log never fills a disk: some hundred thousand lines.
const DAY_BYTES: u64 = 64 << 20;

/// The day it is.
pub(super) fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Appends to the file of the day.
pub(super) struct Daily<T = fn() -> Date> {
    names: Names,
    today: T,
    open: Option<Day>,
    lost: Arc<AtomicU64>,
}

/// The file of one day.
struct Day {
    date: Date,
    file: File,
}

impl<T: Fn() -> Date> Daily<T> {
    /// Opens today's file beside `path`, with the folders on the way. Lost lines are counted in `lost`.
    ///
    /// # Errors
    /// Where the folder can't be made or the file can't be written: the operator has to mend the path or its rights.
    pub(super) fn open(path: &Path, today: T, lost: Arc<AtomicU64>) -> io::Result<Self> {
        let names = Names::of(path)?;
        let date = today();
        let open = Some(names.open(date)?);
        names.tidy(date);
        Ok(Self { names, today, open, lost })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let date = (self.today)();
        let day = match &mut self.open {
            Some(day) if day.date == date && day.file.metadata()?.nlink() > 0 => day,
            // Another day, or somebody removed the file: lines for nobody would be lines lost.
            ended => {
                *ended = None;
                let day = self.names.open(date)?;
                self.names.tidy(date);
                ended.insert(day)
            }
        };
        // Asked of the file each time, because other consoles append to it as well.
        if day.file.metadata()?.len() + line.len() as u64 > DAY_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        day.file.write_all(line)
    }
}

impl<T: Fn() -> Date> Write for Daily<T> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.append(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the files are called: `marquee.log` gives `marquee.2026-11-20.log`.
struct Names {
    folder: PathBuf,
    link: PathBuf,
    stem: OsString,
    extension: OsString,
}

impl Names {
    fn of(path: &Path) -> io::Result<Self> {
        let stem = path.file_stem().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let extension = path.extension().unwrap_or("log".as_ref());
        Ok(Self { folder: folder.into(), link: path.into(), stem: stem.into(), extension: extension.into() })
    }

    fn of_day(&self, date: Date) -> OsString {
        let mut name = self.stem.clone();
        name.push(format!(".{date}."));
        name.push(&self.extension);
        name
    }

    /// The day that a file of this log is of; `None` for every other file.
    fn day_of(&self, name: &OsString) -> Option<Date> {
        let bytes = name.as_encoded_bytes();
        let from = self.stem.len() + 1;
        let date: Date = std::str::from_utf8(bytes.get(from..from + "2026-11-20".len())?).ok()?.parse().ok()?;
        (self.of_day(date) == *name).then_some(date)
    }

    fn open(&self, date: Date) -> io::Result<Day> {
        // Logs tell of the plant's inside: they are their owner's alone.
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            // Neither somebody's link nor a pipe that nobody reads may catch or hold the log.
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(self.folder.join(self.of_day(date)))?;
        if file.metadata()?.is_file() {
            Ok(Day { date, file })
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file"))
        }
    }

    /// Points the link to the newest file and removes the oldest files. Both are comfort: where they fail, the log goes on.
    fn tidy(&self, date: Date) {
        if fs::symlink_metadata(&self.link).map_or(true, |about| about.is_symlink()) {
            let mut fresh = self.link.clone().into_os_string();
            fresh.push(format!(".{}", std::process::id()));
            let _ = symlink(self.of_day(date), &fresh).and_then(|()| fs::rename(&fresh, &self.link));
        }
        let names = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut days: Vec<Date> = names.filter_map(|name| self.day_of(&name)).collect();
        days.sort_unstable();
        for old in days.iter().rev().skip(DAYS_KEPT) {
            let _ = fs::remove_file(self.folder.join(self.of_day(*old)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Mutex;

    use jiff::civil::date;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn every_day_has_its_file_and_seven_are_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("state/marquee");
        let path = folder.join("marquee.log");
        let now = Mutex::new(date(2026, 2, 25));
        let lost = Arc::new(AtomicU64::new(0));
        let mut log = Daily::open(&path, || *now.lock().unwrap(), lost.clone()).expect("open");
        fs::write(folder.join("marquee.notes.log"), "mine").expect("write");
        fs::write(folder.join("other.2020-01-01.log"), "theirs").expect("write");
        for day in 1..=9 {
            writeln!(log, "day {day}").expect("a line");
            let mut now = now.lock().unwrap();
            *now = now.tomorrow().expect("a day");
        }
        assert_eq!(
            names(&folder),
            [
                "marquee.2026-02-27.log",
                "marquee.2026-02-28.log",
                "marquee.2026-03-01.log",
                "marquee.2026-03-02.log",
                "marquee.2026-03-03.log",
                "marquee.2026-03-04.log",
                "marquee.2026-03-05.log",
                "marquee.log",
                "marquee.notes.log",
                "other.2020-01-01.log",
            ]
        );
        assert_eq!(fs::read_to_string(&path).expect("the link"), "day 9\n");
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert_eq!(lost.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn two_consoles_append_to_one_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("marquee.log");
        let open = || Daily::open(&path, || date(2026, 1, 1), Arc::default()).expect("open");
        let (mut one, mut two) = (open(), open());
        for _ in 0..2 {
            writeln!(one, "one").expect("a line");
            writeln!(two, "two").expect("a line");
        }
        assert_eq!(fs::read_to_string(path).expect("the log"), "one\ntwo\none\ntwo\n");
    }

    #[test]
    fn a_full_day_and_a_lost_folder_cost_lines_and_nothing_else() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("logs");
        let lost = Arc::new(AtomicU64::new(0));
        let now = Mutex::new(date(2026, 1, 1));
        let open = || Daily::open(&folder.join("marquee.log"), || *now.lock().unwrap(), lost.clone()).expect("open");
        drop(open());
        let file = File::options().write(true).open(folder.join("marquee.2026-01-01.log")).expect("the file");
        file.set_len(DAY_BYTES).expect("a sparse file");
        let mut log = open();
        writeln!(log, "too much").expect("no error");
        assert_eq!(lost.load(Ordering::Relaxed), 1);
        fs::remove_dir_all(&folder).expect("remove");
        fs::write(&folder, "in the way").expect("write");
        *now.lock().unwrap() = date(2026, 1, 2);
        writeln!(log, "nowhere to go").expect("no error");
        assert_eq!(lost.load(Ordering::Relaxed), 2);
        fs::remove_file(&folder).expect("remove");
        writeln!(log, "well again").expect("no error");
        fs::remove_dir_all(&folder).expect("remove");
        writeln!(log, "and again").expect("no error");
        assert_eq!(fs::read_to_string(folder.join("marquee.log")).expect("the log"), "and again\n");
        assert_eq!(lost.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn pipes_links_and_folders_are_refused_and_a_plain_file_of_the_operator_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("marquee.log");
        let day = folder.path().join("marquee.2026-01-01.log");
        let open = || Daily::open(&path, || date(2026, 1, 1), Arc::default());
        fs::create_dir(&day).expect("a folder");
        assert!(open().is_err());
        fs::remove_dir(&day).expect("remove");
        symlink("/dev/null", &day).expect("a link");
        assert!(open().is_err());
        fs::remove_file(&day).expect("remove");
        rustix::fs::mkfifoat(rustix::fs::CWD, &day, 0o600.into()).expect("a pipe");
        assert!(open().is_err(), "and does not wait for a reader");
        fs::remove_file(&day).expect("remove");
        fs::write(&path, "the operator's").expect("write");
        writeln!(open().expect("open"), "ours").expect("a line");
        assert_eq!(fs::read_to_string(&path).expect("his"), "the operator's");
        assert_eq!(fs::read_to_string(&day).expect("ours"), "ours\n");
        assert!(Daily::open(Path::new("/"), || date(2026, 1, 1), Arc::default()).is_err());
    }
}
