//! Plans against real servers and programs: order, tries, limits, what fails and what goes on.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::Judge;
use super::*;
use crate::config::{ItemConfig, ItemKind, Options, parse};
use crate::frame::Value;
use crate::kernel::Report;

/// How long a test waits for what must happen before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that gives each connection to `treat`, on a thread of its own.
struct Server {
    address: SocketAddr,
    /// How many connections came.
    count: Arc<AtomicUsize>,
}

impl Server {
    fn start(treat: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let (theirs, treat) = (Arc::clone(&count), Arc::new(treat));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (nth, treat) = (theirs.fetch_add(1, Ordering::SeqCst), Arc::clone(&treat));
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    treat(nth, &mut stream);
                });
            }
        });
        Self { address, count }
    }

    /// Answers the n-th request with the n-th body, and all after the last with that one.
    fn answering(bodies: &'static [&'static str]) -> Self {
        Self::start(move |nth, stream| {
            asked(stream);
            tell(stream, bodies[nth.min(bodies.len() - 1)]);
        })
    }

    /// Accepts, reads and never answers.
    fn silent() -> Self {
        Self::start(|_, stream| {
            let _end = stream.read_to_end(&mut Vec::new());
        })
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// Reads a request up to the blank line after its head.
fn asked(stream: &mut TcpStream) {
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        seen.push(byte[0]);
    }
}

fn tell(stream: &mut TcpStream, body: &str) {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let _told = stream.write_all(answer.as_bytes());
}

/// The one item of a config.
fn item(yaml: &str) -> ItemConfig {
    let config = parse(&format!("items: [{{id: a, {yaml}}}]"), "x", Path::new(""), &Options::default());
    config.unwrap_or_else(|problems| panic!("{problems}")).items.remove(0)
}

fn measuring(item: &ItemConfig) -> &CheckConfig {
    let ItemKind::Check(config) = &item.kind else { panic!("no check") };
    config
}

async fn run(item: &ItemConfig) -> Result<Measured, Fault> {
    let check = super::super::build(measuring(item)).unwrap();
    tokio::time::timeout(PATIENCE, check.measure()).await.expect("the plan ends in time")
}

fn report(item: &ItemConfig, measured: Result<Measured, Fault>) -> Report {
    Judge::new(&item.text, measuring(item)).report(measured)
}

async fn told(yaml: &str) -> (Level, String) {
    let item = item(yaml);
    let report = report(&item, run(&item).await);
    (report.level, report.text.to_string())
}

fn outcomes(measured: &Measured) -> Vec<(&str, StepOutcome, u32)> {
    measured.steps.iter().map(|step| (&*step.name, step.outcome, step.retries)).collect()
}

#[tokio::test]
#[cfg(feature = "http")]
async fn an_answer_is_asked_for_read_and_judged() {
    let server = Server::answering(&[r#"{"payload": "{\"queue\": {\"depth\": 7}}"}"#]);
    let plan = format!(
        "text: 'Queue {{order.queue.depth}} of {{check.status}}',
         plan: [{{check: 'http://{}/'}}, {{expect: 'status == 200'}}, {{json: {{from: check.body.payload, as: order}}}}],
         levels: {{warning: order.queue.depth > 5 && json.order.queue.depth < 8 && check.up}}",
        server.address
    );
    assert_eq!(told(&plan).await, (Level::Warning, "Queue 7 of 200".into()));
    let measured = run(&item(&plan)).await.unwrap();
    let done = |name| (name, StepOutcome::Done, 0);
    assert_eq!(outcomes(&measured), [done("check"), done("expect"), done("json")]);
    assert_eq!((measured.bytes, measured.degraded), (42, None));
}

#[tokio::test]
async fn a_program_is_run_and_its_words_are_searched() {
    let plan = "text: '{bar} bar of lot {lot}', levels: {critical: bar > 180, info: check.exit == 0},
        plan: [{check: 'exec:echo pressure 181.5 bar lot 0042'}, {extract: {from: text, pattern: '(?<bar>[0-9.]+) bar lot (?<lot>.*)'}}]";
    assert_eq!(told(plan).await, (Level::Critical, "181.5 bar of lot 0042".into()));
    let other = plan.replace("181.5", "none");
    assert_eq!(told(&other).await, (Level::Unknown, "extract: nothing in text matches the pattern".into()));
}

#[tokio::test]
#[cfg(feature = "http")]
async fn steps_that_do_not_wait_for_each_other_are_in_flight_at_once() {
    let both = Arc::new(Barrier::new(2));
    let theirs = Arc::clone(&both);
    // Neither is answered before both have asked.
    let server = Server::start(move |_, stream| {
        asked(stream);
        theirs.wait();
        tell(stream, "ok");
    });
    let plan = format!(
        "text: '{{east.body}} {{west.body}} {{both}}',
         plan: [{{check: {{url: 'http://{0}/', name: east}}}}, {{check: {{url: 'http://{0}/', name: west, needs: []}}}},
                {{extract: {{from: east.body, pattern: '.*', as: both, needs: [east, west]}}}}]",
        server.address
    );
    assert_eq!(told(&plan).await, (Level::Healthy, "ok ok ok".into()));
}

#[tokio::test]
#[cfg(feature = "http")]
async fn a_slow_step_is_cut_off_alone_and_the_rest_goes_on() {
    let (silent, quick) = (Server::silent(), Server::answering(&["12"]));
    let plan = |on_failure: &str| {
        format!(
            "text: 'Queue {{value}} {{lamp.body}}', levels: {{critical: value > 20, info: '!lamp.up'}},
             plan: [{{check: {{url: 'http://{}/', name: lamp, timeout: 30ms, on_failure: {on_failure}}}}},
                    {{extract: {{from: lamp.body, pattern: '.', as: colour}}}},
                    {{check: {{url: 'http://{}/', name: queue, needs: []}}}}, {{json: queue.body}}]",
            silent.address, quick.address
        )
    };
    let item = item(&plan("degrade"));
    let measured = run(&item).await.unwrap();
    let expected = [
        ("lamp", StepOutcome::TimedOut, 0),
        ("extract", StepOutcome::Skipped, 0),
        ("queue", StepOutcome::Done, 0),
        ("json", StepOutcome::Done, 0),
    ];
    assert_eq!(outcomes(&measured), expected);
    assert_eq!(measured.values.get("extract.error"), Some(&Value::text("not run: lamp failed")));
    let report = report(&item, Ok(measured));
    let text = "Queue 12 … (lamp: timed out: no answer within 30ms)";
    assert_eq!((report.level, &*report.text), (Level::Warning, text));
    let text = "Queue: lamp: timed out: no answer within 30ms";
    assert_eq!(told(&plan("fail")).await, (Level::Unknown, text.into()));
}

#[tokio::test]
async fn a_plan_that_measured_nothing_is_unknown_whatever_it_can_do_without() {
    let plan = "plan: [{check: {url: 'file:/nonexistent/a', on_failure: degrade}}, {expect: size > 1}]";
    let (level, text) = told(plan).await;
    assert_eq!(level, Level::Unknown);
    assert!(text.contains("check: "), "{text}");
}

#[tokio::test]
#[cfg(feature = "http")]
async fn a_step_tries_again_and_counts_its_tries() {
    // The first two are closed without a word.
    let server = Server::start(|nth, stream| {
        asked(stream);
        if nth > 1 {
            tell(stream, "ok");
        }
    });
    let plan = |retries| format!("plan: [{{check: {{url: 'http://{}/', retries: {retries}}}}}]", server.address);
    let measured = run(&item(&plan(5))).await.unwrap();
    assert_eq!(outcomes(&measured), [("check", StepOutcome::Done, 2)]);
    assert_eq!(server.count(), 3);
    assert_eq!(measured.steps[0].fault, None);
}

#[tokio::test]
#[cfg(feature = "http")]
async fn a_step_that_fails_for_good_ends_the_others() {
    let (ended, seen) = std::sync::mpsc::channel();
    let silent = Server::start(move |_, stream| {
        asked(stream);
        // Ends when the other side closes.
        let _end = stream.read(&mut [0]);
        let _told = ended.send(());
    });
    let plan = format!(
        "plan: [{{check: {{url: 'http://{}/', name: mute}}}}, {{check: {{url: 'file:/nonexistent/a', needs: []}}}}]",
        silent.address
    );
    let (level, text) = told(&plan).await;
    assert_eq!(level, Level::Unknown);
    assert!(text.starts_with("a: check2: "), "{text}");
    // Where the request was not yet on its way, nothing is there to close.
    if silent.count() > 0 {
        tokio::task::spawn_blocking(move || seen.recv_timeout(PATIENCE)).await.unwrap().unwrap();
    }
}

#[tokio::test]
#[cfg(feature = "http")]
async fn dropping_a_run_closes_what_every_step_has_open() {
    let (starts, started) = std::sync::mpsc::channel();
    let (ended, seen) = std::sync::mpsc::channel();
    let server = Server::start(move |_, stream| {
        asked(stream);
        let _told = starts.send(());
        let _end = stream.read(&mut [0]);
        let _told = ended.send(());
    });
    let plan = format!(
        "plan: [{{check: 'http://{0}/'}}, {{check: {{url: 'http://{0}/', needs: []}}}}, {{check: {{url: 'http://{0}/', needs: []}}}}]",
        server.address
    );
    let item = item(&plan);
    let check = super::super::build(measuring(&item)).unwrap();
    let all_started = tokio::task::spawn_blocking(move || (0..3).all(|_| started.recv_timeout(PATIENCE).is_ok()));
    tokio::select! {
        _ = check.measure() => panic!("nobody answered"),
        all = all_started => assert!(all.unwrap()),
    }
    let all_ended = move || (0..3).all(|_| seen.recv_timeout(PATIENCE).is_ok());
    assert!(tokio::task::spawn_blocking(all_ended).await.unwrap());
}

#[tokio::test]
async fn without_levels_each_question_is_judged_as_its_scheme_would() {
    let dummy = "plan: [{check: 'exec:sh -c \"exit 1\"'}, {check: {url: 'disk:/', needs: []}}]";
    assert_eq!(told(dummy).await.0, Level::Warning);
    let own = "plan: [{check: 'exec:sh -c \"exit 1\"'}], levels: {critical: exit == 1}";
    assert_eq!(told(own).await.0, Level::Critical);
}

#[tokio::test]
async fn thirty_two_steps_that_need_each_other_in_any_order_all_run() {
    // Written backwards: each needs the one below it, so that all but the last begin by waiting.
    let steps: String = (0..31)
        .map(|nth| {
            format!(
                "{{extract: {{name: s{nth}, from: s{}.x, pattern: '.*', as: v{nth}, needs: [s{}]}}}},",
                nth + 1,
                nth + 1
            )
        })
        .map(|step| step.replace(".x", ".text"))
        .collect();
    let steps = (0..30).fold(steps, |steps, nth| {
        steps.replace(&format!("from: s{}.text", nth + 1), &format!("from: s{}.v{}", nth + 1, nth + 1))
    });
    let plan = format!("text: '{{v0}}', plan: [{steps} {{check: {{url: 'exec:echo hi', name: s31, needs: []}}}}]");
    assert_eq!(told(&plan).await, (Level::Healthy, "hi".into()));
}

#[test]
fn a_target_that_no_check_takes_is_refused_with_the_name_of_its_step() {
    let mut item = item("plan: [{check: {url: 'tcp://h:1', name: gate}}]");
    let ItemKind::Check(config) = &mut item.kind else { panic!("no check") };
    config.steps[0].work = crate::config::StepWork::Check {
        scheme: "tcp",
        target: crate::config::Secret::new("tcp://secret".into()),
        label: String::new(),
    };
    let Err(BadTarget(why)) = super::super::build(config) else { panic!("it is accepted") };
    assert!(why.starts_with("gate: ") && !why.contains("secret"), "{why}");
}
