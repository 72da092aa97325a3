//! Logs: structured, to a file or the journal, never onto the live screen.
//!
//! Lines are handed to a thread of their own through a bounded queue: the board
//! never waits for a disk. What finds the queue, the disk or the day's file full
//! is dropped and counted ([`Log::dropped_lines`]). Nothing in here prints to
//! stdout or stderr unless stderr is the journal itself.
//!
//! | what | how it is written |
//! |---|---|
//! | a run | inside [`run_span`]: every line of it, from whatever layer, carries `item` and `run` |
//! | an error | in the field `error`, by its `Display`: `warn!(%error, "the store could not be written")` |
//! | text from outside | as a field, never in the message; it may hold anything, `clean.rs` makes it harmless |
//! | a secret | never; types that hold one have no `Display` |
//! | levels | `error`: somebody must act. `warn`: something is worse than it should be. `info`: an operator's milestone. `debug`: one line per run or request |

mod clean;
mod daily;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::kernel::RunId;
use crate::kernel::board::ItemId;
use clean::Cleaned;
use daily::Daily;

/// The filter where none is asked for: milestones and worse.
pub const DEFAULT_FILTER: &str = "info";

/// How many lines may wait for the disk: some seconds of a busy board, and
/// less than half a megabyte of memory, which is taken at the start.
const QUEUE_LINES: usize = 8_192;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Where log lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTo {
    /// Files beside this path, one a day, the last seven kept; the path itself becomes a link to the newest.
    File(PathBuf),
    /// stderr, which is the journal: it knows the time itself and keeps what it likes.
    Journal,
}

impl LogTo {
    /// The journal where stderr is connected to it, else `file`.
    ///
    /// `journal_stream` is the value of `$JOURNAL_STREAM`. The variable is inherited by
    /// everything that a service starts, so it counts only where it names the very
    /// stream that stderr is.
    #[must_use]
    pub fn choose(journal_stream: Option<&str>, file: PathBuf) -> Self {
        let stderr = rustix::fs::fstat(io::stderr()).ok().map(|stat| format!("{}:{}", stat.st_dev, stat.st_ino));
        if journal_stream.is_some() && journal_stream == stderr.as_deref() { Self::Journal } else { Self::File(file) }
    }
}

/// What the command line says of logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSpec {
    /// Where to.
    pub to: LogTo,
    /// How they look.
    pub format: LogFormat,
    /// What is logged, as `MARQUEE_LOG` takes it: `warn`, or `info,marquee::checks=debug`.
    pub filter: String,
}

/// The running log. Dropping it writes what still waits; keep it to the very end of `main`.
#[derive(Debug, Default)]
#[must_use = "dropping it ends the log"]
pub struct Log {
    file: Option<PathBuf>,
    lost: Arc<AtomicU64>,
    queue: Option<(ErrorCounter, WorkerGuard)>,
}

impl Log {
    /// How many lines were lost since the start.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        let queue = self.queue.as_ref().map_or(0, |(counter, _)| counter.dropped_lines() as u64);
        queue + self.lost.load(Ordering::Relaxed)
    }

    /// Where an operator finds the log; `None`: in the journal, or nowhere.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

/// Starts the log of the whole process. What could not be done as asked comes back in words
/// for an operator; the program goes on, at worst without a log.
pub fn start(spec: &LogSpec) -> (Log, Vec<String>) {
    let (dispatch, log, mut warnings) = open(spec);
    if let Some(dispatch) = dispatch
        && tracing::dispatcher::set_global_default(dispatch).is_err()
    {
        warnings.push("this program's log is silent: another one was installed in the process before".to_owned());
    }
    (log, warnings)
}

/// The span of one run. Everything that is logged inside carries its item and its id, whatever
/// the filter: a span below the filter's level would be left out of an error's line.
#[must_use]
pub fn run_span(item: &ItemId, run: RunId) -> tracing::Span {
    tracing::error_span!("run", %item, %run)
}

/// The same as [`start`], for whoever wants to install it himself; `None` where nothing can be logged.
fn open(spec: &LogSpec) -> (Option<Dispatch>, Log, Vec<String>) {
    let mut warnings = Vec::new();
    let filter = EnvFilter::builder().parse(&spec.filter).unwrap_or_else(|error| {
        warnings.push(format!("the log filter \"{}\" is not understood ({error}); \"info\" is used", spec.filter));
        EnvFilter::new(DEFAULT_FILTER)
    });
    let mut log = Log::default();
    let writer: Box<dyn io::Write + Send> = match &spec.to {
        LogTo::Journal => Box::new(io::stderr()),
        LogTo::File(path) => match Daily::open(path, daily::today, log.lost.clone()) {
            Ok(daily) => {
                log.file = Some(path.clone());
                Box::new(daily)
            }
            Err(error) => {
                warnings.push(format!("nothing is logged: {} can't be written ({error})", path.display()));
                return (None, log, warnings);
            }
        },
    };
    let (queue, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE_LINES)
        .lossy(true)
        .thread_name("log")
        .finish(Cleaned(writer));
    log.queue = Some((queue.error_counter(), guard));
    let lines = lines(spec, queue).with_filter(filter);
    (Some(Dispatch::new(tracing_subscriber::registry().with(lines))), log, warnings)
}

/// How an event becomes a line. Internal errors stay internal: the library would
/// print them to stderr, and so onto the screen.
fn lines(spec: &LogSpec, queue: NonBlocking) -> Box<dyn Layer<Registry> + Send + Sync> {
    let plain = layer().with_writer(queue).with_ansi(false).log_internal_errors(false);
    match (spec.format, &spec.to) {
        (LogFormat::Json, _) => plain.json().with_current_span(false).with_span_list(true).boxed(),
        (LogFormat::Text, LogTo::File(_)) => plain.boxed(),
        (LogFormat::Text, LogTo::Journal) => {
            plain.event_format(ForJournal(Format::default().without_time().with_level(false))).boxed()
        }
    }
}

/// A line as the journal takes it: the level as the priority in front, no time.
struct ForJournal(Format<Full, ()>);

impl<S, N> FormatEvent<S, N> for ForJournal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> std::fmt::Result {
        // The priorities of syslog(3).
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        self.0.format_event(ctx, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(to: LogTo, format: LogFormat, filter: &str) -> LogSpec {
        LogSpec { to, format, filter: filter.to_owned() }
    }

    /// What `events` leave in the log.
    fn logged(format: LogFormat, filter: &str, events: impl FnOnce()) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state/marquee.log");
        let (dispatch, log, warnings) = open(&spec(LogTo::File(path.clone()), format, filter));
        assert_eq!(warnings, [""; 0]);
        assert_eq!(log.file(), Some(&*path));
        tracing::dispatcher::with_default(&dispatch.expect("a log"), events);
        assert_eq!(log.dropped_lines(), 0);
        drop(log);
        std::fs::read_to_string(path).expect("the log")
    }

    fn a_run() {
        let item = ItemId::new("cache").expect("an id");
        run_span(&item, RunId(7)).in_scope(|| tracing::warn!(tries = 2, "no answer"));
    }

    #[test]
    fn a_line_of_a_run_carries_item_and_run_whatever_the_filter() {
        for filter in ["info", "warn", "marquee=debug"] {
            let text = logged(LogFormat::Text, filter, a_run);
            assert!(
                text.contains(" WARN run{item=cache run=r7}: marquee::app::log::tests: no answer tries=2"),
                "{text}"
            );
            let json: serde_json::Value =
                serde_json::from_str(&logged(LogFormat::Json, filter, a_run)).expect("one object");
            assert_eq!(json["spans"][0], serde_json::json!({"name": "run", "item": "cache", "run": "r7"}));
            assert_eq!((&json["level"], &json["fields"]["message"]), (&"WARN".into(), &"no answer".into()));
        }
    }

    #[test]
    fn outside_text_never_reaches_the_file_raw() {
        let hostile = "a\u{1b}]2;title\u{7}b\r\nERROR forged\u{9b}6n\u{202e}c\0";
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = logged(format, "info", || {
                tracing::error_span!("run", item = hostile, shown = %hostile).in_scope(|| {
                    tracing::info!(text = hostile, shown = %hostile, debug = ?hostile, "{hostile}");
                });
            });
            assert_eq!(log.lines().count(), 1, "{log}");
            let bad = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
            assert_eq!(log.chars().filter(bad).count(), 0, "{log:?}");
            assert!(log.contains("]2;title") && log.contains("forged"), "the words stay: {log}");
        }
        let json = logged(LogFormat::Json, "info", || tracing::info!(text = hostile, "said"));
        let json: serde_json::Value = serde_json::from_str(&json).expect("still one object");
        assert_eq!(json["fields"]["text"], hostile, "and nothing is lost in JSON");
    }

    #[test]
    fn the_filter_holds_and_a_bad_one_is_told() {
        let quiet = logged(LogFormat::Text, "warn", || {
            tracing::info!("a milestone");
            tracing::error!("a fault");
        });
        assert!(quiet.contains("a fault") && !quiet.contains("a milestone"));
        let folder = tempfile::tempdir().expect("a folder");
        let to = LogTo::File(folder.path().join("marquee.log"));
        let (dispatch, _log, warnings) = open(&spec(to, LogFormat::Text, "marquee=loud"));
        assert!(dispatch.is_some());
        assert!(warnings.len() == 1 && warnings[0].contains("marquee=loud"), "{warnings:?}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_and_the_program_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("write");
        let path = file.join("below/marquee.log");
        let (dispatch, log, warnings) = open(&spec(LogTo::File(path), LogFormat::Text, "info"));
        assert!(dispatch.is_none() && log.file().is_none() && log.dropped_lines() == 0);
        assert!(warnings.len() == 1 && warnings[0].starts_with("nothing is logged: "), "{warnings:?}");
    }

    #[test]
    fn the_journal_is_taken_only_where_stderr_is_it() {
        let file = PathBuf::from("marquee.log");
        let stat = rustix::fs::fstat(io::stderr()).expect("stderr");
        let stream = format!("{}:{}", stat.st_dev, stat.st_ino);
        assert_eq!(LogTo::choose(Some(&stream), file.clone()), LogTo::Journal);
        for other in [None, Some(""), Some("1:2"), Some("rubbish")] {
            assert_eq!(LogTo::choose(other, file.clone()), LogTo::File(file.clone()));
        }
    }

    #[test]
    fn the_journal_gets_priorities_and_no_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let (queue, guard) = NonBlocking::new(Cleaned(std::fs::File::create(&path).expect("a file")));
        let lines = lines(&spec(LogTo::Journal, LogFormat::Text, ""), queue);
        tracing::dispatcher::with_default(&Dispatch::new(tracing_subscriber::registry().with(lines)), a_run);
        drop(guard);
        let journal = std::fs::read_to_string(path).expect("the journal");
        assert_eq!(journal, "<4>run{item=cache run=r7}: marquee::app::log::tests: no answer tries=2\n");
    }
}
