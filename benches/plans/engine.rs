//! The figures of the engine alone: the wheel beside tokio's intervals, the bucket beside `governor`.
//!
//! A start is late by the time from when it was due until the clock is read at its
//! beginning; lost is every due time that saw no start.

use std::hint::black_box;
use std::num::{NonZeroU32, NonZeroU64};
use std::thread;
use std::time::{Duration, Instant};

use governor::nanos::Nanos;
use governor::{Quota, RateLimiter};
use marquee::kernel::plans::{Bucket, Limit, Rank, Ready, RunWord, Running, Urgency, Wheel, spread};
use marquee::kernel::{Moment, Span};
use rustix::time::{ClockId, clock_gettime};

use super::figure;

/// The board thread wakes no more often than this: what falls due in between
/// starts together, a lone deadline is met to the point.
const REST: Span = Span::from_micros(100);
/// From building the plans to the first that is due.
const SET_UP: Span = Span::from_secs(1);

/// What is run: so many plans, how often, for how long.
#[derive(Clone, Copy)]
struct Load {
    plans: u32,
    every: Span,
    length: Span,
}

impl Load {
    /// The first due time of a plan, spread as the kernel spreads it.
    fn first(self, begin: Moment, plan: u32) -> Moment {
        begin + spread(&format!("plan-{plan}"), self.every)
    }

    fn expected(self) -> u32 {
        self.plans * self.each()
    }

    /// The due times of one plan.
    fn each(self) -> u32 {
        u32::try_from(self.length.as_nanos() / self.every.as_nanos()).unwrap()
    }
}

/// How it went.
struct Measured {
    /// Nanoseconds from due to start, of each start.
    late: Vec<u32>,
    processor: Duration,
    resident: f64,
}

impl Measured {
    fn quantile_us(&mut self, thousandths: usize) -> f64 {
        self.late.sort_unstable();
        let rank = (self.late.len() * thousandths).div_ceil(1000);
        f64::from(self.late[rank.saturating_sub(1)]) / 1000.0
    }

    fn lost(&self, load: Load) -> u32 {
        load.expected() - u32::try_from(self.late.len()).unwrap()
    }
}

/// Ten thousand plans every 100 ms, on the wheel and as intervals of tokio.
pub(super) fn ten_thousand() {
    let load = Load { plans: 10_000, every: Span::from_millis(100), length: Span::from_secs(8) };
    for (name, run) in [("wheel", on_the_wheel as fn(Load) -> Measured), ("tokio", on_tokio)] {
        let mut measured = run(load);
        figure(&format!("{name}_10k_p50_us"), measured.quantile_us(500), "us");
        figure(&format!("{name}_10k_p99_us"), measured.quantile_us(990), "us");
        figure(&format!("{name}_10k_lost"), f64::from(measured.lost(load)), "starts");
        figure(&format!("{name}_10k_cpu_s"), measured.processor.as_secs_f64(), "s");
    }
}

/// A million plans every ten seconds.
pub(super) fn million() {
    let load = Load { plans: 1_000_000, every: Span::from_secs(10), length: Span::from_secs(20) };
    let mut measured = on_the_wheel(load);
    figure("wheel_1m_p99_ms", measured.quantile_us(990) / 1000.0, "ms");
    figure("wheel_1m_lost", f64::from(measured.lost(load)), "starts");
    figure("wheel_1m_rss_mb", measured.resident, "MB");
}

/// The board thread's part of a run, with nothing to do in it: the wheel, the
/// queue of what is due, the plan's word, the next due time on the grid.
fn on_the_wheel(load: Load) -> Measured {
    let board = move || {
        // Not everywhere allowed; without it each wake-up is some 50 us late.
        let _ = rustix::thread::set_current_timer_slack(NonZeroU64::new(1));
        let clock = Clock::start();
        let (mut wheel, mut ready, mut due) = (Wheel::new(Moment::EPOCH), Ready::default(), Vec::new());
        let words: Vec<_> = (0..load.plans).map(|_| RunWord::new()).collect();
        let mut late = Vec::with_capacity(load.expected() as usize);
        let begin = Moment::EPOCH + SET_UP;
        let end = begin + load.length;
        for plan in 0..load.plans {
            wheel.insert(load.first(begin, plan), plan);
        }
        clock.park_until(begin);
        let spent = processor_time();
        let mut woken = Moment::EPOCH;
        while let Some(next) = wheel.next() {
            clock.park_until(next.max(woken + REST));
            woken = clock.now();
            wheel.advance(woken, &mut due);
            for (due, plan) in due.drain(..) {
                ready.push(Rank { urgency: Urgency::Normal, priority: 0, due }, (due, plan));
            }
            while let Some((due, plan)) = ready.pop(woken) {
                let started = clock.now();
                let Some(run) = Running::start(&words[plan as usize]) else { continue };
                late.push(nanos(started.since(due)));
                run.finish(|| _ = black_box(plan));
                let passed = started.since(due).as_nanos() / load.every.as_nanos();
                let next = due + load.every * (passed + 1);
                if next < end {
                    wheel.insert(next, plan);
                }
            }
        }
        Measured { late, processor: processor_time().saturating_sub(spent), resident: resident_mb() }
    };
    thread::Builder::new().name("board".into()).spawn(board).unwrap().join().unwrap()
}

/// A task for each plan, with an interval that skips what it missed.
fn on_tokio(load: Load) -> Measured {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let clock = Clock::start();
    let begin = Moment::EPOCH + SET_UP;
    let end = begin + load.length;
    let tasks: Vec<_> = (0..load.plans)
        .map(|plan| {
            let (first, clock) = (load.first(begin, plan), clock);
            runtime.spawn(async move {
                let mut late = Vec::with_capacity(load.each() as usize);
                let mut interval = tokio::time::interval_at(clock.instant(first).into(), load.every.into());
                interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
                loop {
                    let due = clock.moment(interval.tick().await.into_std());
                    let now = clock.now();
                    late.push(nanos(now.since(due)));
                    black_box(plan);
                    let passed = now.since(first).as_nanos() / load.every.as_nanos();
                    if first + load.every * (passed + 1) >= end {
                        break;
                    }
                }
                late
            })
        })
        .collect();
    clock.park_until(begin);
    let spent = processor_time();
    let late = runtime.block_on(async {
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await.unwrap());
        }
        all
    });
    Measured { late, processor: processor_time().saturating_sub(spent), resident: resident_mb() }
}

/// What a token costs where two threads take from one bucket. Time stands
/// still and the burst is beyond reach, so that each take is granted and pays
/// for its compare-and-swap, and no clock is measured.
pub(super) fn buckets() {
    let bucket = Bucket::new(Moment::EPOCH, Limit::new(1_000_000_000, Span::from_secs(1), u32::MAX));
    figure("bucket_take_ns", take_ns(|| bucket.take(black_box(Moment::EPOCH)).is_ok()), "ns");

    let quota = Quota::with_period(Duration::from_nanos(1)).unwrap().allow_burst(NonZeroU32::MAX);
    let limiter = RateLimiter::direct_with_clock(quota, Still);
    figure("governor_take_ns", take_ns(|| limiter.check().is_ok()), "ns");
}

/// A clock for `governor` that stands still.
#[derive(Clone)]
struct Still;
impl governor::clock::Clock for Still {
    type Instant = Nanos;
    fn now(&self) -> Nanos {
        black_box(Nanos::new(0))
    }
}

/// The time of all takes together, divided by their number.
fn take_ns(take: impl Fn() -> bool + Sync) -> f64 {
    const THREADS: u32 = 2;
    const EACH: u32 = 10_000_000;
    let clock = Clock::start();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| assert!((0..EACH).all(|_| take())));
        }
    });
    clock.now().since(Moment::EPOCH).as_secs_f64() * 1e9 / f64::from(THREADS * EACH)
}

/// The bench's own clock: moments since it was started.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "who measures time reads a clock")]
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now(self) -> Moment {
        Moment::EPOCH + self.0.elapsed().into()
    }

    fn instant(self, moment: Moment) -> Instant {
        self.0 + Duration::from(moment.since(Moment::EPOCH))
    }

    fn moment(self, instant: Instant) -> Moment {
        Moment::EPOCH + (instant - self.0).into()
    }

    fn park_until(self, moment: Moment) {
        loop {
            let left = moment.since(self.now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left.into());
        }
    }
}

/// Processor time that all threads of the bench have used.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}

/// Resident memory in megabytes.
fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024.0 / 1e6
}

fn nanos(span: Span) -> u32 {
    u32::try_from(span.as_nanos()).unwrap_or(u32::MAX)
}
