//! The figures of HTTP checks against a server of this machine that keeps connections.
//!
//! What the server costs is not counted: it has a thread of its own.

use std::path::Path;
use std::thread;
use std::time::Duration;

use marquee::checks;
use marquee::config::{self, ItemKind, Options};
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use super::figure;
use crate::support::clock::{eventually, now};
use crate::support::process::processor_time;
use crate::support::servers::{free_port, get};
use crate::support::{Piped, TempHome};

/// What the server answers: a health endpoint as they are.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n\
    {\"status\":\"ok\",\"version\":\"v2\"}";

/// The processor time of one check that is run again and again, on its thread.
pub(super) fn one() {
    const TIMES: u32 = 20_000;
    let port = server();
    let text =
        format!("title: T\nitems:\n  - {{id: a, text: A, check: 'http://127.0.0.1:{port}/health', every: 1s}}\n");
    let config = config::parse(&text, "bench", Path::new("."), &Options::default()).unwrap();
    let ItemKind::Check(check) = &config.items[0].kind else { panic!("no check") };
    let check = checks::build(check).unwrap();
    runtime().block_on(async {
        for _ in 0..1_000 {
            check.measure().await.unwrap();
        }
        let spent = clock_gettime(ClockId::ThreadCPUTime);
        for _ in 0..TIMES {
            check.measure().await.unwrap();
        }
        let spent: Duration = (clock_gettime(ClockId::ThreadCPUTime) - spent).try_into().unwrap();
        figure("http_check_cpu_us", spent.as_secs_f64() * 1e6 / f64::from(TIMES), "us");
    });
}

/// The program with a thousand HTTP items, each checked every second.
pub(super) fn thousand() {
    const LENGTH: Duration = Duration::from_secs(20);
    let (server, port) = (server(), free_port());
    let item = |unit: u32| {
        format!("  - {{id: unit-{unit}, text: Unit {unit}, check: 'http://127.0.0.1:{server}/', every: 1s}}\n")
    };
    let items: String = (0..1_000).map(item).collect();
    let home = TempHome::with_config(&format!(
        "title: Checked\ncluster: none\nstate: memory\nlisten: 127.0.0.1:{port}\nitems:\n{items}"
    ));
    let run = Piped::render(&home, "json");
    // Two rounds, so that every check has met its server.
    eventually("the first rounds", || Told::ask(port).filter(|told| told.started() >= 2_000.0));
    let (before, spent, began) = (Told::ask(port).unwrap(), processor_time(run.pid()), now());
    pass(LENGTH);
    let spent = processor_time(run.pid()).saturating_sub(spent);
    let (length, after) = (now() - began, Told::ask(port).unwrap());
    figure("http_1000_lost", after.skipped - before.skipped, "ticks");
    figure("http_1000_starts", after.started() - before.started(), "starts");
    figure("http_1000_p99_ms", after.late(&before, 0.99) * 1e3, "ms");
    figure("http_1000_cpu_pct", spent.as_secs_f64() / length.as_secs_f64() * 100.0, "%");
}

/// What the program's metrics tell of its runs.
struct Told {
    skipped: f64,
    /// Upper bounds in seconds, each with how many starts were no later.
    late: Vec<(f64, f64)>,
}

impl Told {
    fn ask(port: u16) -> Option<Self> {
        let body = get(port, "/metrics")?.body;
        let mut told = Self { skipped: 0.0, late: Vec::new() };
        for line in body.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            if name == "marquee_ticks_skipped_total" {
                told.skipped = value.parse().ok()?;
            } else if let Some(rest) = name.strip_prefix("marquee_run_start_lateness_seconds_bucket{le=\"") {
                let bound = rest.trim_end_matches("\"}").parse().ok()?;
                told.late.push((bound, value.parse().ok()?));
            }
        }
        Some(told)
    }

    fn started(&self) -> f64 {
        self.late.last().map_or(0.0, |(_, count)| *count)
    }

    /// A quantile of the lateness since `before`, in seconds: within its bucket as Prometheus reckons it.
    fn late(&self, before: &Self, quantile: f64) -> f64 {
        let counts = self.late.iter().zip(&before.late).map(|((bound, after), (_, before))| (*bound, after - before));
        let wanted = (self.started() - before.started()) * quantile;
        let mut below = (0.0, 0.0);
        for (bound, count) in counts {
            if count >= wanted {
                return below.0 + (bound.min(10.0) - below.0) * (wanted - below.1) / (count - below.1);
            }
            below = (bound, count);
        }
        f64::INFINITY
    }
}

/// A server on a thread of its own; gives its port.
fn server() -> u16 {
    let (tell, told) = std::sync::mpsc::channel();
    thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().port()).unwrap();
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(serve(stream));
                while tasks.try_join_next().is_some() {}
            }
        });
    });
    told.recv().unwrap()
}

/// Answers each request, which comes in one piece, until the other side closes.
async fn serve(mut stream: TcpStream) {
    let mut request = [0; 4_096];
    stream.set_nodelay(true).unwrap();
    while stream.read(&mut request).await.is_ok_and(|read| read > 0) && stream.write_all(ANSWER).await.is_ok() {}
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Lets so much time pass.
fn pass(length: Duration) {
    let began = now();
    while let Some(left) = length.checked_sub(now() - began).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
