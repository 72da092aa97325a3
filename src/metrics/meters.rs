//! The door for the app: one method for each thing that can be counted.
//!
//! Handles are made once and held: a held counter costs a tenth of one that is
//! looked up by name. What was never counted is told as 0 from the start, so
//! that a first failure is seen as a step.

use std::sync::{Mutex, PoisonError};

use metrics::{Counter, Gauge, Histogram, Key, Label, Metadata, Recorder};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::items::{Items, SUMMARY};
use super::table::{self, Kind, Metric, TABLE};
use super::{exposition, process};
use crate::config::schemes::SCHEMES;
use crate::kernel::beat::{Fence, Role};
use crate::kernel::board::{ItemId, Level};
use crate::kernel::{Concern, Moment, Outcome, Span, Stats};

/// Why a frame was not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Its checksum did not fit what it said.
    Checksum,
    /// The terminal had not yet taken the last one.
    Slow,
}

/// Everything that is counted, and the scrape of it.
pub struct Meters {
    prometheus: PrometheusHandle,
    recorder: PrometheusRecorder,
    items: Mutex<Items>,
    cycle: Histogram,
    turn_lateness: Histogram,
    by_level: [Gauge; Level::ALL.len()],
    board_version: Gauge,
    item_stale: Counter,
    item_acknowledged: Counter,
    push_refused: Counter,
    run_started: Counter,
    run_duration: Vec<(&'static str, Histogram)>,
    run_start_lateness: Histogram,
    runs_in_flight: Gauge,
    run_retries: Counter,
    run_unclaimed: Counter,
    ticks_skipped: Counter,
    frames: Counter,
    dropped_checksum: Counter,
    dropped_slow: Counter,
    frame_draw: Histogram,
    frame_bytes: Counter,
    reload: ByResult,
    reload_last_success: Gauge,
    reload_duration: Histogram,
    notices: [Gauge; CONCERNS.len()],
    store_write: ByResult,
    text_filtered: Counter,
    ticks_left_alone: Counter,
    breaker_opened: Counter,
    breakers_open: Gauge,
    plans_waiting: Gauge,
    push_sampled: Counter,
    clock_difference: Gauge,
    by_role: [Gauge; ROLES.len()],
    fence: Gauge,
    consoles: Gauge,
    clock_offset: Gauge,
    clock_bound: Gauge,
    beats_said: Counter,
    beats_heard: Counter,
    messages_refused: Counter,
    writes_fenced: Counter,
    suspensions: Counter,
    log_lines_dropped: Counter,
    connections_refused: Counter,
}

impl Meters {
    /// All counters at 0. `version` is the program's.
    #[must_use]
    pub fn new(version: &str) -> Self {
        let recorder = recorder();
        let make = Maker(&recorder);
        make.gauge(&table::BUILD_INFO, &[version]).set(1.0);
        Self {
            prometheus: recorder.handle(),
            items: Mutex::default(),
            cycle: make.histogram(&table::CYCLE_DURATION, &[]),
            turn_lateness: make.histogram(&table::TURN_LATENESS, &[]),
            by_level: Level::ALL.map(|level| make.gauge(&table::ITEMS, &[level.word()])),
            board_version: make.gauge(&table::BOARD_VERSION, &[]),
            item_stale: make.counter(&table::ITEM_STALE, &[]),
            item_acknowledged: make.counter(&table::ITEM_ACKNOWLEDGED, &[]),
            push_refused: make.counter(&table::PUSH_REFUSED, &[]),
            run_started: make.counter(&table::RUN_STARTED, &[]),
            run_duration: SCHEMES
                .iter()
                .map(|scheme| (scheme.name, make.histogram(&table::RUN_DURATION, &[scheme.name])))
                .collect(),
            run_start_lateness: make.histogram(&table::RUN_START_LATENESS, &[]),
            runs_in_flight: make.gauge(&table::RUNS_IN_FLIGHT, &[]),
            run_retries: make.counter(&table::RUN_RETRIES, &[]),
            run_unclaimed: make.counter(&table::RUN_UNCLAIMED, &[]),
            ticks_skipped: make.counter(&table::TICKS_SKIPPED, &[]),
            frames: make.counter(&table::FRAMES, &[]),
            dropped_checksum: make.counter(&table::FRAMES_DROPPED, &["checksum"]),
            dropped_slow: make.counter(&table::FRAMES_DROPPED, &["slow"]),
            frame_draw: make.histogram(&table::FRAME_DRAW, &[]),
            frame_bytes: make.counter(&table::FRAME_BYTES, &[]),
            reload: make.by_result(&table::RELOAD_RESULT),
            reload_last_success: make.gauge(&table::RELOAD_LAST_SUCCESS, &[]),
            reload_duration: make.histogram(&table::RELOAD_DURATION, &[]),
            notices: CONCERNS.map(|(_, word)| make.gauge(&table::NOTICE, &[word])),
            store_write: make.by_result(&table::STORE_WRITE),
            text_filtered: make.counter(&table::TEXT_FILTERED, &[]),
            ticks_left_alone: make.counter(&table::TICKS_LEFT_ALONE, &[]),
            breaker_opened: make.counter(&table::BREAKER_OPENED, &[]),
            breakers_open: make.gauge(&table::BREAKERS_OPEN, &[]),
            plans_waiting: make.gauge(&table::PLANS_WAITING, &[]),
            push_sampled: make.counter(&table::PUSH_SAMPLED, &[]),
            clock_difference: make.gauge(&table::CLOCK_DIFFERENCE, &[]),
            by_role: ROLES.map(|role| make.gauge(&table::ROLE, &[role.word()])),
            fence: make.gauge(&table::FENCE, &[]),
            consoles: make.gauge(&table::CONSOLES, &[]),
            clock_offset: make.gauge(&table::CLOCK_OFFSET, &[]),
            clock_bound: make.gauge(&table::CLOCK_BOUND, &[]),
            beats_said: make.counter(&table::BEATS_SAID, &[]),
            beats_heard: make.counter(&table::BEATS_HEARD, &[]),
            messages_refused: make.counter(&table::MESSAGES_REFUSED, &[]),
            writes_fenced: make.counter(&table::WRITES_FENCED, &[]),
            suspensions: make.counter(&table::SUSPENSIONS, &[]),
            log_lines_dropped: make.counter(&table::LOG_LINES_DROPPED, &[]),
            connections_refused: make.counter(&table::HTTP_CONNECTIONS_REFUSED, &[]),
            recorder,
        }
    }

    /// A turn ended; `None` is the summary's.
    pub fn turned(&self, item: Option<&ItemId>, level: Level) {
        self.items(|items| items.turned(item.map_or(SUMMARY, ItemId::as_str), level));
    }

    /// A turn came on the screen so long after its due moment.
    pub fn turn_shown(&self, late: Span) {
        self.turn_lateness.record(late.as_secs_f64());
    }

    /// A whole pass over the playlist took so long.
    pub fn cycled(&self, took: Span) {
        self.cycle.record(took.as_secs_f64());
    }

    /// The board as it is now: its version, and how many items show each level, in the order of [`Level::ALL`].
    pub fn board(&self, version: u64, counts: [usize; Level::ALL.len()]) {
        self.board_version.set(float(version));
        for (gauge, count) in self.by_level.iter().zip(counts) {
            gauge.set(float(count as u64));
        }
    }

    /// Forgets the series of every item that `known` denies. For each reload, and each removal of an item.
    pub fn keep(&self, known: impl Fn(&str) -> bool) {
        self.items(|items| items.keep(known));
    }

    /// What the kernel has counted since it began.
    pub fn stats(&self, stats: &Stats) {
        self.frames.absolute(stats.frames);
        self.run_started.absolute(stats.runs_started);
        self.ticks_skipped.absolute(stats.ticks_skipped);
        self.run_unclaimed.absolute(stats.ghosts_refused);
        self.item_stale.absolute(stats.went_stale);
        self.item_acknowledged.absolute(stats.acknowledged);
        self.push_refused.absolute(stats.pushes_refused);
        self.ticks_left_alone.absolute(stats.left_alone);
        self.breaker_opened.absolute(stats.breakers_opened);
        self.breakers_open.set(float(stats.breakers_open));
        self.plans_waiting.set(float(stats.plans_waiting));
        self.push_sampled.absolute(stats.pushes_sampled);
    }

    /// A run started so late. Each call is followed by one of [`Meters::run_ended`].
    pub fn run_started(&self, late: Span) {
        self.run_start_lateness.record(late.as_secs_f64());
        self.runs_in_flight.increment(1.0);
    }

    /// A run of an item's plan ended. `scheme` is a name of [`SCHEMES`]; any other is counted without its length.
    pub fn run_ended(&self, item: &ItemId, scheme: &str, outcome: Outcome, took: Span, retries: u32) {
        self.runs_in_flight.decrement(1.0);
        self.run_retries.increment(u64::from(retries));
        self.items(|items| items.ran(item.as_str(), outcome));
        if let Some((_, duration)) = self.run_duration.iter().find(|(name, _)| *name == scheme) {
            duration.record(took.as_secs_f64());
        }
    }

    /// One picture was drawn: how long that took and how many bytes went out.
    pub fn drawn(&self, took: Span, bytes: u64) {
        self.frame_draw.record(took.as_secs_f64());
        self.frame_bytes.increment(bytes);
    }

    /// A frame was not drawn.
    pub fn dropped(&self, reason: Dropped) {
        match reason {
            Dropped::Checksum => self.dropped_checksum.increment(1),
            Dropped::Slow => self.dropped_slow.increment(1),
        }
    }

    /// A config was read at `at` of the wall clock: taken, or (`ok` false) refused.
    pub fn reload(&self, ok: bool, took: Span, at: Moment) {
        self.reload.count(ok);
        self.reload_duration.record(took.as_secs_f64());
        if ok {
            self.reload_last_success.set(at.since(Moment::EPOCH).as_secs_f64());
        }
    }

    /// A part of the program became unwell, or well again.
    pub fn notice(&self, concern: Concern, unwell: bool) {
        for ((known, _), gauge) in CONCERNS.iter().zip(&self.notices) {
            if *known == concern {
                gauge.set(f64::from(u8::from(unwell)));
            }
        }
    }

    /// A part of the state was written to its store, or could not be.
    pub fn store_written(&self, ok: bool) {
        self.store_write.count(ok);
    }

    /// A text from outside had to be cleaned.
    pub fn text_filtered(&self) {
        self.text_filtered.increment(1);
    }

    /// How many log lines were lost since the start, all told.
    pub fn log_lines_dropped(&self, total: u64) {
        self.log_lines_dropped.absolute(total);
    }

    /// This console plays another part, in the name of this fence.
    #[expect(clippy::cast_precision_loss, reason = "a fence is exact up to 2^53")]
    pub fn role(&self, role: Role) {
        for (known, gauge) in ROLES.iter().zip(&self.by_role) {
            gauge.set(f64::from(u8::from(known.word() == role.word())));
        }
        self.fence.set(role.fence().0 as f64);
    }

    /// So many consoles are known, and the clock they share is so many nanoseconds ahead, give or take `bound`.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of an offset need no more than 53 bits")]
    pub fn company(&self, consoles: u32, ahead: i64, bound: Span) {
        self.consoles.set(f64::from(consoles));
        self.clock_offset.set(ahead as f64 / 1e9);
        self.clock_bound.set(bound.as_secs_f64());
    }

    /// A beat was told to the others.
    pub fn beat_said(&self) {
        self.beats_said.increment(1);
    }

    /// A beat of the leader was taken up.
    pub fn beat_heard(&self) {
        self.beats_heard.increment(1);
    }

    /// A message was not believed.
    pub fn message_refused(&self) {
        self.messages_refused.increment(1);
    }

    /// The store refused a write in favour of a later leader's.
    pub fn write_fenced(&self) {
        self.writes_fenced.increment(1);
    }

    /// This console led, and does not know any more whether it may.
    pub fn suspended(&self) {
        self.suspensions.increment(1);
    }

    /// The disciplined clock has gone so many seconds ahead of the raw one since the start.
    pub fn clock_difference(&self, seconds: f64) {
        self.clock_difference.set(seconds);
    }

    /// The HTTP face answered with this status code.
    pub fn answered(&self, code: u16) {
        // Too many codes to hold them all, and too few requests for a look-up to matter.
        Maker(&self.recorder).counter(&table::HTTP_REQUESTS, &[&code.to_string()]).increment(1);
    }

    /// The HTTP face closed a connection because too many were open.
    pub fn connection_refused(&self) {
        self.connections_refused.increment(1);
    }

    /// Sorts the measurements since the last call into their buckets. To be called every few
    /// seconds: while nobody scrapes, every measurement would otherwise be kept one by one.
    pub fn upkeep(&self) {
        self.prometheus.run_upkeep();
    }

    /// The scrape, in version 0.0.4 of the Prometheus text format.
    #[must_use]
    pub fn render(&self) -> String {
        let mut scrape = self.prometheus.render();
        scrape.push('\n');
        self.items(|items| items.write(&mut scrape));
        process::write(&mut scrape);
        exposition::sorted(&scrape)
    }

    fn items<T>(&self, act: impl FnOnce(&mut Items) -> T) -> T {
        // Counts are never half-written: whoever panicked under the lock left them usable.
        act(&mut self.items.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Every concern with the word of its label.
/// Every part, whatever its fence.
const ROLES: [Role; 4] = [Role::Alone, Role::Leader(Fence(0)), Role::Follower(Fence(0)), Role::Local(Fence(0))];

const CONCERNS: [(Concern, &str); 4] =
    [(Concern::Config, "config"), (Concern::Sync, "sync"), (Concern::Store, "store"), (Concern::Other, "other")];

/// A counter of successes and failures.
struct ByResult {
    success: Counter,
    failure: Counter,
}

impl ByResult {
    fn count(&self, ok: bool) {
        if ok { self.success.increment(1) } else { self.failure.increment(1) }
    }
}

/// A recorder that knows the buckets and helps of the table, and is nobody else's.
fn recorder() -> PrometheusRecorder {
    let mut histograms = TABLE.iter().filter(|metric| metric.kind == Kind::Histogram);
    let builder = histograms.try_fold(PrometheusBuilder::new(), |builder, metric| {
        builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)
    });
    // The one refusal is of an empty list of buckets, and a test of the table forbids that.
    let builder = builder.unwrap_or_default();
    let recorder = builder.build_recorder();
    for metric in TABLE {
        let (name, help) = (metric.name.into(), metric.help.into());
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, None, help),
            Kind::Gauge => recorder.describe_gauge(name, None, help),
            Kind::Histogram => recorder.describe_histogram(name, None, help),
        }
    }
    recorder
}

/// Makes handles from lines of the table.
struct Maker<'a>(&'a PrometheusRecorder);

impl Maker<'_> {
    fn counter(&self, metric: &Metric, labels: &[&str]) -> Counter {
        self.0.register_counter(&key(metric, Kind::Counter, labels), &METADATA)
    }

    fn gauge(&self, metric: &Metric, labels: &[&str]) -> Gauge {
        self.0.register_gauge(&key(metric, Kind::Gauge, labels), &METADATA)
    }

    fn histogram(&self, metric: &Metric, labels: &[&str]) -> Histogram {
        self.0.register_histogram(&key(metric, Kind::Histogram, labels), &METADATA)
    }

    fn by_result(&self, metric: &Metric) -> ByResult {
        ByResult { success: self.counter(metric, &["success"]), failure: self.counter(metric, &["failure"]) }
    }
}

static METADATA: Metadata<'static> = Metadata::new(module_path!(), metrics::Level::INFO, None);

fn key(metric: &Metric, kind: Kind, labels: &[&str]) -> Key {
    debug_assert_eq!((metric.kind, metric.labels.len()), (kind, labels.len()), "{}", metric.name);
    let labels = metric.labels.iter().zip(labels).map(|(name, label)| Label::new(*name, (*label).to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

#[expect(clippy::cast_precision_loss, reason = "gauges are floating point; exact up to 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}
