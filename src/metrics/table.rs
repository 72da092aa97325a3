//! The table of all metrics: facts alone, one line of the scrape's meaning each.
//!
//! Names are Prometheus's: base units, the unit as a suffix, `_total` on every
//! counter. The tests below hold every line to that.

use std::fmt::Write;

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, from 0 at the start of the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Many measurements, counted by size.
    Histogram,
}

impl Kind {
    /// The word of the exposition format.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What a metric is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The word of the docs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
        }
    }
}

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// What it is called in a scrape.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// What it is counted in.
    pub unit: Unit,
    /// The labels that tell its series apart.
    pub labels: &'static [&'static str],
    /// A histogram's upper bounds, ascending, in the metric's unit; empty for the others.
    pub buckets: &'static [f64],
    /// What it means, for operators.
    pub help: &'static str,
}

impl Metric {
    const fn new(name: &'static str, kind: Kind, unit: Unit, help: &'static str) -> Self {
        Self { name, kind, unit, labels: &[], buckets: &[], help }
    }

    const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    const fn within(self, buckets: &'static [f64]) -> Self {
        Self { buckets, ..self }
    }
}

/// For what should take no longer than a frame at 30 a second: a draw, a late turn, a late start.
const INSTANT: &[f64] = &[0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.033, 0.1, 0.25, 1.0];
/// For what waits for others: a check on the local network up to the longest usual timeout.
const NETWORK: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// For a reload: the promise is 0.1 s.
const RELOAD: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5];
/// For a pass: a handful of items at 3 s each up to thousands.
const PASS: &[f64] = &[1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 10_800.0];

/// Names each line for the code and puts every one of them into [`TABLE`], so that none can be left out.
macro_rules! table {
    ($($name:ident = $metric:expr;)*) => {
        $(pub(super) const $name: Metric = $metric;)*

        /// Every metric, in the order of the docs.
        pub const TABLE: &[Metric] = &[$($name),*];
    };
}

use Kind::{Counter, Gauge, Histogram};
use Unit::{Bytes, Count, Seconds};

table! {
    ITEM_PROCESSED = Metric::new("marquee_item_processed_total", Counter, Count,
        "Turns that ended, by the item shown and its level at the end of the turn.").by(&["item", "level"]);
    CYCLE_DURATION = Metric::new("marquee_cycle_duration_seconds", Histogram, Seconds,
        "How long a whole pass over the playlist took.").within(PASS);
    TURN_LATENESS = Metric::new("marquee_turn_lateness_seconds", Histogram, Seconds,
        "How long after its due moment a turn was on the screen.").within(INSTANT);
    ITEMS = Metric::new("marquee_items", Gauge, Count,
        "Items on the board, by the level they show.").by(&["level"]);
    BOARD_VERSION = Metric::new("marquee_board_version", Gauge, Count,
        "The board's version; it grows by one at each change.");
    ITEM_STALE = Metric::new("marquee_item_stale_total", Counter, Count,
        "Items that went unknown because nothing was heard of them for too long.");
    ITEM_ACKNOWLEDGED = Metric::new("marquee_item_acknowledged_total", Counter, Count,
        "Alarms that somebody acknowledged on this console.");
    PUSH_REFUSED = Metric::new("marquee_push_refused_total", Counter, Count,
        "Pushes refused because the item has a plan of its own.");

    RUN = Metric::new("marquee_run_total", Counter, Count,
        "Runs of plans that ended, by item and how they ended.").by(&["item", "outcome"]);
    RUN_STARTED = Metric::new("marquee_run_started_total", Counter, Count,
        "Runs of plans that were started.");
    RUN_DURATION = Metric::new("marquee_run_duration_seconds", Histogram, Seconds,
        "How long a run took with all its tries, by the scheme of its check.").by(&["scheme"]).within(NETWORK);
    RUN_START_LATENESS = Metric::new("marquee_run_start_lateness_seconds", Histogram, Seconds,
        "How long after its due moment a run started.").within(INSTANT);
    RUNS_IN_FLIGHT = Metric::new("marquee_runs_in_flight", Gauge, Count,
        "Runs that are under way.");
    RUN_RETRIES = Metric::new("marquee_run_retries_total", Counter, Count,
        "Tries that runs needed beyond their first.");
    RUN_UNCLAIMED = Metric::new("marquee_run_unclaimed_total", Counter, Count,
        "Ends of runs that nobody waited for any more: their item was removed, changed or had moved on.");
    TICKS_SKIPPED = Metric::new("marquee_ticks_skipped_total", Counter, Count,
        "Ticks that found the last run of their plan still under way.");

    FRAMES = Metric::new("marquee_frames_total", Counter, Count,
        "Frames that said something new.");
    FRAMES_DROPPED = Metric::new("marquee_frames_dropped_total", Counter, Count,
        "Frames that were not drawn: a wrong checksum, or a terminal too slow to take them.").by(&["reason"]);
    FRAME_DRAW = Metric::new("marquee_frame_draw_seconds", Histogram, Seconds,
        "How long drawing one picture took, clock ticks and scrolling included.").within(INSTANT);
    FRAME_BYTES = Metric::new("marquee_frame_bytes_total", Counter, Bytes,
        "Bytes written to the terminal or pipe.");

    RELOAD_RESULT = Metric::new("marquee_reload_total", Counter, Count,
        "Reloads of the config, by result; a failure changes nothing on the board.").by(&["result"]);
    RELOAD_LAST_SUCCESS = Metric::new("marquee_reload_last_success_timestamp_seconds", Gauge, Seconds,
        "When a config was last taken, in seconds since the Unix epoch; 0 before the first.");
    RELOAD_DURATION = Metric::new("marquee_reload_duration_seconds", Histogram, Seconds,
        "From a save being seen until the new board was in place.").within(RELOAD);

    NOTICE = Metric::new("marquee_notice", Gauge, Count,
        "1 while the screen tells that this part of the program is not well, else 0.").by(&["concern"]);
    STORE_WRITE = Metric::new("marquee_store_write_total", Counter, Count,
        "Writes of the turn that is on and of the board to the store, by result; one that a later leader's fence refused is a failure.").by(&["result"]);
    TEXT_FILTERED = Metric::new("marquee_text_filtered_total", Counter, Count,
        "Texts from outside from which control codes or misleading characters were removed.");
    TICKS_LEFT_ALONE = Metric::new("marquee_ticks_left_alone_total", Counter, Count,
        "Due runs that were not started because their plan's breaker is open.");
    BREAKER_OPENED = Metric::new("marquee_breaker_opened_total", Counter, Count,
        "Breakers that opened: a plan failed so often in a row that it is left alone for a while.");
    BREAKERS_OPEN = Metric::new("marquee_breakers_open", Gauge, Count,
        "Plans that are left alone now.");
    PLANS_WAITING = Metric::new("marquee_plans_waiting", Gauge, Count,
        "Due plans that wait for room among the runs in flight.");
    PUSH_SAMPLED = Metric::new("marquee_push_sampled_total", Counter, Count,
        "Pushes that were left out while the feed was sampled.");
    CLOCK_DIFFERENCE = Metric::new("marquee_clock_raw_difference_seconds", Gauge, Seconds,
        "How far the disciplined monotonic clock has gone ahead of the raw one since the start.");
    ROLE = Metric::new("marquee_role", Gauge, Count,
        "1 for the part that this console plays among the consoles, else 0.").by(&["role"]);
    FENCE = Metric::new("marquee_fence", Gauge, Count,
        "The fence of the leader that this console is or follows; it grows with each new leader.");
    CONSOLES = Metric::new("marquee_consoles", Gauge, Count,
        "Consoles of this board that are known, this one included.");
    CLOCK_OFFSET = Metric::new("marquee_clock_offset_seconds", Gauge, Seconds,
        "How far the clock that the consoles share is ahead of this console's own.");
    CLOCK_BOUND = Metric::new("marquee_clock_bound_seconds", Gauge, Seconds,
        "How wrong this console's idea of the shared clock may be.");
    BEATS_SAID = Metric::new("marquee_beats_said_total", Counter, Count,
        "Beats that this console told the others as their leader.");
    BEATS_HEARD = Metric::new("marquee_beats_heard_total", Counter, Count,
        "Beats of a leader that this console took up.");
    MESSAGES_REFUSED = Metric::new("marquee_messages_refused_total", Counter, Count,
        "Messages of other consoles that were not believed: damaged, of another board, of a deposed leader.");
    WRITES_FENCED = Metric::new("marquee_writes_fenced_total", Counter, Count,
        "Writes of this console that the store refused because a later leader had written.");
    SUSPENSIONS = Metric::new("marquee_leader_suspensions_total", Counter, Count,
        "Times that this console led and fell silent because it could not be sure any more that it may.");
    LOG_LINES_DROPPED = Metric::new("marquee_log_lines_dropped_total", Counter, Count,
        "Log lines that were lost: the disk was too slow or full, or the day's file had its full size.");
    HTTP_REQUESTS = Metric::new("marquee_http_requests_total", Counter, Count,
        "Answers of the HTTP face, by status code.").by(&["code"]);
    HTTP_CONNECTIONS_REFUSED = Metric::new("marquee_http_connections_refused_total", Counter, Count,
        "HTTP connections closed at once because too many were open.");
    BUILD_INFO = Metric::new("marquee_build_info", Gauge, Count,
        "Always 1; the label tells the version that runs.").by(&["version"]);

    PROCESS_CPU = Metric::new("process_cpu_seconds_total", Counter, Seconds,
        "CPU time of the process, user and system together.");
    PROCESS_RESIDENT = Metric::new("process_resident_memory_bytes", Gauge, Bytes,
        "Memory of the process that is in RAM.");
    PROCESS_OPEN_FDS = Metric::new("process_open_fds", Gauge, Count,
        "File descriptors that are open.");
    PROCESS_MAX_FDS = Metric::new("process_max_fds", Gauge, Count,
        "File descriptors that may be open.");
    PROCESS_THREADS = Metric::new("process_threads", Gauge, Count,
        "Threads of the process.");
    PROCESS_START = Metric::new("process_start_time_seconds", Gauge, Seconds,
        "When the process started, in seconds since the Unix epoch.");
}

/// The whole of `docs/metrics.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = format!("{INTRODUCTION}\n| metric | kind | unit | labels | meaning |\n|---|---|---|---|---|\n");
    for metric in TABLE {
        let labels = metric.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(" ");
        // Writing to a String can't fail.
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {labels} | {} |",
            metric.name,
            metric.kind.word(),
            metric.unit.word(),
            metric.help
        );
    }
    page.push_str("\n## Buckets\n\n| histogram | upper bounds |\n|---|---|\n");
    for metric in TABLE.iter().filter(|metric| metric.kind == Histogram) {
        let bounds = metric.buckets.iter().map(f64::to_string).collect::<Vec<_>>().join(" ");
        let _ = writeln!(page, "| `{}` | {bounds} |", metric.name);
    }
    page
}

const INTRODUCTION: &str = "\
# Metrics

`GET /metrics` answers in the Prometheus text format. This page is printed from the table that the
program counts by (`src/metrics/table.rs`); a test keeps the two equal.

- Counters start at 0 with the process.
- The first 1000 items have series of their own under `item`; all others count together under
  `item=\"_other\"`. The shared turn of healthy items counts under `item=\"_summary\"`.
- The series of an item that a reload removed are gone from the next scrape on.
- The `process_` metrics are read from `/proc` at each scrape and are absent where there is none.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn base(metric: &Metric) -> &str {
        metric.name.strip_suffix("_total").unwrap_or(metric.name)
    }

    #[test]
    fn names_are_prometheus_names_and_stand_once() {
        let mut names: Vec<_> = TABLE.iter().map(|metric| metric.name).collect();
        for name in &names {
            let rest = name.strip_prefix("marquee_").or_else(|| name.strip_prefix("process_"));
            let rest = rest.unwrap_or_else(|| panic!("{name} has no known prefix"));
            assert!(!rest.is_empty(), "{name}");
            assert!(rest.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name}");
        }
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name stands twice");
    }

    #[test]
    fn suffixes_tell_kind_and_unit() {
        for metric in TABLE {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Counter, "{}", metric.name);
            assert_eq!(base(metric).ends_with("_seconds"), metric.unit == Seconds, "{}", metric.name);
            assert_eq!(base(metric).ends_with("_bytes"), metric.unit == Bytes, "{}", metric.name);
        }
    }

    #[test]
    fn every_line_is_explained_and_every_histogram_has_ascending_bounds() {
        for metric in TABLE {
            assert!(metric.help.len() > 10 && metric.help.ends_with('.'), "{}", metric.name);
            assert_eq!(metric.buckets.is_empty(), metric.kind != Histogram, "{}", metric.name);
            assert!(metric.buckets.windows(2).all(|pair| pair[0] < pair[1]), "{}", metric.name);
            assert!(metric.labels.iter().all(|label| *label != "le" && *label != "quantile"), "{}", metric.name);
        }
    }

    #[test]
    fn the_docs_are_printed_from_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("MARQUEE_UPDATE_DOCS").is_some() {
            std::fs::write(path, markdown()).expect("write the docs");
        }
        let docs = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            docs == markdown(),
            "docs/metrics.md differs from the table; write it afresh with MARQUEE_UPDATE_DOCS=1 cargo test metrics"
        );
    }

    #[test]
    fn the_introduction_names_the_real_limit() {
        assert!(INTRODUCTION.contains(&super::super::ITEMS_MAX.to_string()));
        assert!(INTRODUCTION.contains(super::super::OTHER) && INTRODUCTION.contains(super::super::SUMMARY));
    }
}
