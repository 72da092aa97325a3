//! The HTTP face over real sockets: what it answers, and that no client can hold it up.
//!
//! Every scene runs client and server in one task and ends with the stop; the
//! scene's end proves the server's. The limits are shortened where a scene waits for one.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::desk::{Answer, Desk, Refused, Update};
use super::server::{Door, Limits, serve_within};
use super::table::ROUTES;
use super::wire::{Board as BoardWire, Consoles, HourWire, ItemWire, RunWire, ValuesWire};
use super::{Faces, openapi};
use crate::config::{Flow, Secret, Settings};
use crate::frame::{ItemId, Moment, Safe, Span};

/// No scene takes longer: a hang is a failure, not a stuck build.
const SCENE: Duration = Duration::from_mins(1);

/// Short limits, for the scenes that wait for them.
const SHORT: Limits = Limits {
    head_time: Duration::from_millis(200),
    body_time: Duration::from_millis(200),
    stall_time: Duration::from_millis(300),
    ..Limits::USUAL
};

/// What the faces say, and what they were told.
#[derive(Default)]
struct Board {
    alive: AtomicBool,
    drawn: AtomicBool,
    scrape: std::sync::Mutex<String>,
    answered: std::sync::Mutex<Vec<u16>>,
    refused: AtomicUsize,
    filtered: AtomicUsize,
    token: std::sync::Mutex<Option<Secret>>,
    /// Milliseconds on the clock of the rate.
    now: AtomicUsize,
    taken: std::sync::Mutex<Vec<Update>>,
    lines: std::sync::Mutex<Option<tokio::sync::mpsc::Receiver<Arc<str>>>>,
}

/// A desk that takes every update but those of `fixed`, and knows the item `cache` and the run `r1`.
struct FakeDesk(Arc<Board>);

fn answer<T: Send + 'static>(answer: Result<T, Refused>) -> Answer<'static, T> {
    Box::pin(std::future::ready(answer))
}

fn known(id: &ItemId) -> Result<ItemWire, Refused> {
    let missing = || Refused::Missing("there is no such item".into());
    (id.as_str() == "cache").then(|| item(id)).ok_or_else(missing)
}

fn item(id: &ItemId) -> ItemWire {
    ItemWire {
        id: id.to_string(),
        text: Safe::line("Redis"),
        level: "warning",
        since: "2026-11-20T14:03:22.000Z".into(),
        acknowledged: None,
        updated: None,
        age_ms: None,
        source: Safe::line("pushed"),
        values: ValuesWire(Arc::default()),
        fresh: true,
        flapping: false,
        next_run: None,
        run: None,
        last_run: None,
    }
}

fn run_wire(run: &str) -> Result<RunWire, Refused> {
    let missing = || Refused::Missing("there is no such run".into());
    (run == "r1").then_some(()).ok_or_else(missing)?;
    let (started, detail) = ("2026-11-20T14:03:22.000Z".into(), Safe::line("ok"));
    let (run, item) = (run.into(), "cache".into());
    Ok(RunWire { run, item, state: "done", started, waited_ms: 1, ran_ms: 2, retries: 0, bytes: 3, detail })
}

impl Desk for FakeDesk {
    fn board(&self) -> Answer<'_, BoardWire> {
        answer(Ok(BoardWire { title: Safe::line("T"), version: 7, role: "alone", items: Vec::new() }))
    }

    fn item(&self, id: ItemId) -> Answer<'_, ItemWire> {
        answer(known(&id))
    }

    fn put(&self, update: Update) -> Answer<'_, (bool, ItemWire)> {
        if update.id.as_str() == "fixed" {
            return answer(Err(Refused::Conflict("it is fixed".into())));
        }
        let told = (update.id.as_str() != "cache", item(&update.id));
        self.0.taken.lock().unwrap().push(update);
        answer(Ok(told))
    }

    fn push(&self, updates: Vec<Update>) -> Answer<'_, Vec<(usize, String)>> {
        let fixed = |(place, update): (usize, &Update)| {
            (update.id.as_str() == "fixed").then_some((place, "it is fixed".into()))
        };
        let refused = updates.iter().enumerate().filter_map(fixed).collect();
        self.0.taken.lock().unwrap().extend(updates.into_iter().filter(|update| update.id.as_str() != "fixed"));
        answer(Ok(refused))
    }

    fn remove(&self, id: ItemId) -> Answer<'_, ()> {
        answer(known(&id).map(drop))
    }

    fn acknowledge(&self, id: ItemId, acknowledged: bool) -> Answer<'_, ItemWire> {
        let acknowledged = acknowledged.then(|| "2026-11-20T14:05:00.000Z".to_owned());
        answer(known(&id).map(|item| ItemWire { acknowledged, ..item }))
    }

    fn plan(&self, id: ItemId) -> Answer<'_, Settings> {
        let (every, timeout) = (Span::from_secs(10), Span::from_secs(2));
        answer(known(&id).map(|_| Settings { every, phase: None, timeout, retries: 0, flow: Flow::default() }))
    }

    fn tune(&self, id: ItemId, _: Settings, wanted: Settings) -> Answer<'_, Settings> {
        answer(known(&id).map(|_| wanted))
    }

    fn run(&self, id: ItemId) -> Answer<'_, String> {
        answer(known(&id).map(|_| "r1".into()))
    }

    fn end_of(&self, run: String) -> Answer<'_, RunWire> {
        answer(run_wire(&run))
    }

    fn cancel(&self, run: String) -> Answer<'_, RunWire> {
        answer(run_wire(&run))
    }

    fn find_run(&self, run: &str) -> Result<RunWire, Refused> {
        run_wire(run)
    }

    fn hour(&self, id: ItemId) -> Answer<'_, HourWire> {
        let hour = HourWire { item: id.to_string(), runs: 0, p50_ms: None, p95_ms: None, p99_ms: None };
        answer(known(&id).map(|_| hour))
    }

    fn consoles(&self) -> Answer<'_, Consoles> {
        answer(Ok(Consoles { leader: None, consoles: Vec::new() }))
    }

    fn frames(&self) -> Option<tokio::sync::mpsc::Receiver<Arc<str>>> {
        self.0.lines.lock().unwrap().take()
    }
}

impl Board {
    fn running() -> Arc<Self> {
        let board = Self { alive: true.into(), drawn: true.into(), ..Self::default() };
        *board.scrape.lock().unwrap() = "marquee_frames_total 1\n".to_owned();
        Arc::new(board)
    }

    fn faces(self: &Arc<Self>) -> Faces {
        let (alive, ready, metrics, frame, answered, refused) =
            (self.clone(), self.clone(), self.clone(), self.clone(), self.clone(), self.clone());
        let (filtered, now, token) = (self.clone(), self.clone(), self.clone());
        Faces {
            alive: Arc::new(move || alive.alive.load(Ordering::SeqCst)),
            ready: Arc::new(move || {
                if ready.drawn.load(Ordering::SeqCst) { Ok(()) } else { Err("no board is loaded".to_owned()) }
            }),
            metrics: Arc::new(move || metrics.scrape.lock().unwrap().clone()),
            frame: Arc::new(move || frame.drawn.load(Ordering::SeqCst).then(|| json!({"seq": 12, "item": "cache"}))),
            answered: Arc::new(move |code| answered.answered.lock().unwrap().push(code)),
            refused: Arc::new(move |()| _ = refused.refused.fetch_add(1, Ordering::SeqCst)),
            filtered: Arc::new(move |()| _ = filtered.filtered.fetch_add(1, Ordering::SeqCst)),
            now: Arc::new(move || Moment::from_unix_millis(1_000_000 + now.now.load(Ordering::SeqCst) as u64)),
            token: Arc::new(move || token.token.lock().unwrap().clone()),
            desk: Arc::new(FakeDesk(self.clone())),
        }
    }
}

/// Serves `board` while `client` runs, then stops and awaits the server's end.
async fn scene<C: Future<Output = ()>>(board: &Arc<Board>, limits: Limits, client: impl FnOnce(Server) -> C) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = Server { address: listener.local_addr().expect("its address"), stop: CancellationToken::new() };
    let stop = server.stop.clone();
    let both = async {
        let serving = serve_within(Door::Tcp(listener), board.faces(), stop.clone(), limits);
        let asked = async {
            client(server).await;
            stop.cancel();
        };
        tokio::join!(serving, asked);
    };
    tokio::time::timeout(SCENE, both).await.expect("the scene hangs");
}

#[derive(Clone)]
struct Server {
    address: std::net::SocketAddr,
    stop: CancellationToken,
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answered {
    status: u16,
    head: String,
    body: String,
}

impl Answered {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(problem["status"], self.status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {problem}");
        }
        problem
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connect")
    }

    /// Sends `bytes` as they are and reads to the end of the connection.
    async fn raw(&self, bytes: &[u8]) -> Answered {
        let mut stream = self.connect().await;
        // A server that has heard enough may close before the last byte.
        let _ = stream.write_all(bytes).await;
        read_answer(&mut stream).await
    }

    async fn ask(&self, method: &str, path: &str) -> Answered {
        self.raw(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await
    }

    async fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answered {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        self.raw(&[head.as_bytes(), body].concat()).await
    }

    async fn is_well(&self) {
        assert_eq!(self.ask("GET", "/healthz").await.status, 200);
    }
}

/// All that comes until the server closes; a reset after the last byte is a close as well.
async fn read_to_close(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return all,
            Ok(read) => all.extend_from_slice(&piece[..read]),
        }
    }
}

async fn read_answer(stream: &mut TcpStream) -> Answered {
    let text = String::from_utf8(read_to_close(stream).await).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answered { status, head: head.to_owned(), body: body.to_owned() }
}

#[tokio::test]
async fn each_route_answers_in_its_own_type() {
    let board = Board::running();
    scene(&board, Limits::USUAL, |server| async move {
        let healthz = server.ask("GET", "/healthz").await;
        assert_eq!((healthz.status, &*healthz.body), (200, "ok\n"));
        assert_eq!(healthz.header("cache-control"), Some("no-store"));
        assert_eq!(healthz.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(server.ask("GET", "/readyz").await.status, 200);
        let metrics = server.ask("GET", "/metrics").await;
        assert_eq!((metrics.status, &*metrics.body), (200, "marquee_frames_total 1\n"));
        assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let frame = server.ask("GET", "/v1/frame").await;
        assert_eq!(serde_json::from_str::<Value>(&frame.body).expect("JSON"), json!({"seq": 12, "item": "cache"}));
        assert_eq!(frame.header("content-type"), Some("application/json"));
        let head = server.ask("HEAD", "/metrics").await;
        assert_eq!((head.status, &*head.body), (200, ""));
    })
    .await;
    assert_eq!(*board.answered.lock().unwrap(), [200; 5]);
}

#[tokio::test]
async fn a_board_that_is_not_well_says_so() {
    let board = Arc::new(Board::default());
    scene(&board, Limits::USUAL, |server| async move {
        assert_eq!(server.ask("GET", "/healthz").await.status, 503);
        let readyz = server.ask("GET", "/readyz").await;
        assert_eq!((readyz.status, &*readyz.body), (503, "no board is loaded\n"));
        let frame = server.ask("GET", "/v1/frame").await;
        assert_eq!(frame.status, 503);
        assert_eq!(frame.problem()["title"], "Service Unavailable");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let board = Board::running();
    scene(&board, Limits::USUAL, |server| async move {
        for path in ["/", "/nope", "/healthz/", "/v1/..%2fhealthz", "/../healthz", "/%00", "/HEALTHZ", "//metrics"] {
            let answer = server.ask("GET", path).await;
            assert_eq!(answer.status, 404, "{path}");
            answer.problem();
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            let answer = server.ask(method, "/metrics").await;
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{method}");
            answer.problem();
        }
    })
    .await;
}

#[tokio::test]
async fn rubbish_is_refused_and_nothing_else_happens() {
    let board = Board::running();
    scene(&board, SHORT, |server| async move {
        for rubbish in [
            &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
            b"\0\0\0\0\0\0\0\0\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET /healthz HTTP/9.9\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"\x1b]2;title\x07\r\n\r\n",
        ] {
            let answer = server.raw(rubbish).await;
            // hyper says 400, or nothing at all to what is not HTTP.
            assert!(matches!(answer.status, 0 | 400 | 404 | 505), "{rubbish:?} {answer:?}");
        }
        // Content-Length beside chunks is the classic of smuggling.
        let both = b"POST /healthz HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n";
        let answer = server.raw(both).await;
        assert!(!answer.body.contains("marquee_frames_total"), "{answer:?}");
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(100_000));
        let answer = server.raw(long.as_bytes()).await;
        assert!(matches!(answer.status, 0 | 400 | 414 | 431), "{answer:?}");
        server.is_well().await;
    })
    .await;
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut() {
    let board = Board::running();
    scene(&board, SHORT, |server| async move {
        let mut stream = server.connect().await;
        let mut sent = 0;
        for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
            if stream.write_all(&[*byte]).await.is_err() || is_closed(&mut stream).await {
                break;
            }
            sent += 1;
            assert!(sent < 1_000, "the head never ended and nobody minded");
        }
        server.is_well().await;
    })
    .await;
}

/// Waits a moment for the server's close. Anything it says first is read and forgotten.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let pace = Duration::from_millis(20);
    matches!(tokio::time::timeout(pace, stream.read(&mut [0; 256])).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn an_idle_connection_is_cut_before_and_after_its_first_request() {
    let board = Board::running();
    scene(&board, SHORT, |server| async move {
        assert_eq!(read_to_close(&mut server.connect().await).await, b"");
        let mut stream = server.connect().await;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("send");
        assert_eq!(read_answer(&mut stream).await.status, 200, "answered, kept alive, then cut");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let board = Board::running();
    scene(&board, Limits::USUAL, |server| async move {
        let answer = server.raw(b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 10737418240\r\n\r\n").await;
        assert_eq!(answer.status, 413);
        assert_eq!(answer.header("connection"), Some("close"));
        answer.problem();
        // Endless chunks announce nothing: they are cut at the first byte beyond the limit.
        let mut endless = b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n".to_vec();
        endless.resize(endless.len() + 0x1_0000, b'x');
        endless.extend_from_slice(b"\r\n1\r\nx");
        let answer = server.raw(&endless).await;
        assert_eq!(answer.status, 413);
        answer.problem();
        // One that fits is read whole, and the route's own answer comes.
        let mut fitting =
            b"POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n".to_vec();
        fitting.resize(fitting.len() + 65_536, b'x');
        assert_eq!(server.raw(&fitting).await.status, 405);
    })
    .await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let board = Board::running();
    scene(&board, SHORT, |server| async move {
        let answer = server.raw(b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx").await;
        assert_eq!(answer.status, 408);
        answer.problem();
    })
    .await;
}

#[tokio::test]
async fn two_hundred_idle_connections_leave_the_server_answering() {
    let board = Board::running();
    let known = board.clone();
    scene(&board, SHORT, |server| async move {
        let mut idle = Vec::new();
        for _ in 0..200 {
            idle.push(server.connect().await);
        }
        // Those beyond the limit are closed at once, those within once they were idle for too long.
        for stream in &mut idle {
            assert_eq!(read_to_close(stream).await, b"");
        }
        server.is_well().await;
    })
    .await;
    assert!(known.refused.load(Ordering::SeqCst) > 0, "somebody was over the limit");
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_counted() {
    let board = Board::running();
    let known = board.clone();
    scene(&board, Limits { connections: 1, ..Limits::USUAL }, |server| async move {
        let mut first = server.connect().await;
        first.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("send");
        assert!(first.read(&mut [0; 1024]).await.expect("an answer") > 0);
        assert_eq!(read_to_close(&mut server.connect().await).await, b"");
        drop(first);
        // The place is free again once the server has seen the close.
        while server.ask("GET", "/healthz").await.status != 200 {}
    })
    .await;
    assert!(known.refused.load(Ordering::SeqCst) >= 1);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_never_reads_is_cut() {
    let board = Board::running();
    // More than the buffers of both ends together.
    *board.scrape.lock().unwrap() = "x".repeat(32 << 20);
    scene(&board, Limits { connections: 1, ..SHORT }, |server| async move {
        let mut deaf = server.connect().await;
        deaf.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("send");
        deaf.readable().await.expect("the answer begins");
        // Its place is the only one: the next is answered once the deaf one was cut.
        while server.ask("GET", "/healthz").await.status != 200 {
            tokio::task::yield_now().await;
        }
        drop(deaf);
    })
    .await;
}

#[tokio::test]
async fn a_panic_in_an_answer_ends_that_connection_alone() {
    let board = Board::running();
    let mut faces = board.faces();
    faces.frame = Arc::new(|| panic!("a defect"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = Server { address: listener.local_addr().expect("its address"), stop: CancellationToken::new() };
    let asked = async {
        assert_eq!(server.ask("GET", "/v1/frame").await.status, 0);
        server.is_well().await;
        server.stop.cancel();
    };
    tokio::join!(serve_within(Door::Tcp(listener), faces, server.stop.clone(), Limits::USUAL), asked);
}

#[tokio::test]
async fn the_stop_ends_idle_and_stuck_connections_and_frees_the_port() {
    let board = Board::running();
    *board.scrape.lock().unwrap() = "x".repeat(32 << 20);
    let mut kept = Vec::new();
    let mut address = None;
    scene(&board, Limits::USUAL, |server| {
        let (kept, address) = (&mut kept, &mut address);
        async move {
            *address = Some(server.address);
            for request in [&b""[..], b"GET /hea", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"] {
                let mut stream = server.connect().await;
                stream.write_all(request).await.expect("send");
                kept.push(stream);
            }
            server.is_well().await;
        }
    })
    .await;
    let again: io::Result<_> = TcpStream::connect(address.expect("an address")).await;
    assert!(again.is_err(), "nobody listens any more");
    for mut stream in kept {
        read_to_close(&mut stream).await;
    }
}

#[tokio::test]
async fn the_table_of_routes_is_what_the_router_answers_and_what_the_document_says() {
    let board = Board::running();
    let document = openapi::document();
    let described: Vec<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    assert_eq!(described.len(), ROUTES.len());
    scene(&board, Limits::USUAL, |server| async move {
        let filled = |path: &str| path.replace("{id}", "cache").replace("{run}", "r1");
        for route in ROUTES {
            assert!(
                described.contains(&(route.method.to_owned(), route.path.to_owned())),
                "{} {}",
                route.method,
                route.path
            );
            let answer = server.ask(route.method, &filled(route.path)).await;
            assert!(!matches!(answer.status, 0 | 404 | 405 | 501), "{} {}: {answer:?}", route.method, route.path);
            let described = &document["paths"][route.path][route.method.to_lowercase()]["responses"];
            assert!(
                described[answer.status.to_string()].is_object(),
                "{} {}: {}",
                route.method,
                route.path,
                answer.status
            );
        }
        for path in document["paths"].as_object().unwrap().keys() {
            for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"] {
                let known = described.contains(&(method.to_owned(), path.clone()));
                let status = server.ask(method, &filled(path)).await.status;
                assert_eq!(status == 405, !known, "{method} {path}: {status}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_update_is_taken_or_refused_with_a_problem() {
    let board = Board::running();
    scene(&board, Limits::USUAL, |server| async move {
        let good = br#"{"level":"info","text":"x"}"#;
        assert_eq!(server.send("PUT", "/v1/items/cache", "", good).await.status, 200);
        let new = server.send("PUT", "/v1/items/new", "", good).await;
        assert_eq!((new.status, serde_json::from_str::<Value>(&new.body).unwrap()["id"].as_str()), (201, Some("new")));
        assert_eq!(
            server.send("PUT", "/v1/items/dirty", "", br#"{"level":"info","text":"\u001b[2J!"}"#).await.status,
            201
        );
        for (path, body, status) in [
            ("/v1/items/fixed", &good[..], 409),
            ("/v1/items/Bad", good, 400),
            ("/v1/items/%ff", good, 400),
            ("/v1/items/a%20b", good, 400),
            ("/v1/items/cache", b"", 400),
            ("/v1/items/cache", b"\xff", 400),
            ("/v1/items/cache", br#"{"level":"info","text":"\ud800"}"#, 400),
            ("/v1/items/cache", br#"{"level":"purple","text":"x"}"#, 400),
        ] {
            let answer = server.send("PUT", path, "", body).await;
            assert_eq!(answer.status, status, "{path} {answer:?}");
            answer.problem();
        }
        for (method, path) in [
            ("GET", "/v1/items/none"),
            ("GET", "/v1/items/%ff%fe"),
            ("DELETE", "/v1/items/NONE"),
            ("POST", "/v1/items/x/run"),
            ("GET", "/v1/runs/r2"),
            ("DELETE", "/v1/runs/x"),
        ] {
            let answer = server.ask(method, path).await;
            assert!(matches!(answer.status, 400 | 404), "{method} {path} {answer:?}");
            answer.problem();
        }
        assert_eq!(server.ask("POST", "/v1/items/cache/run?wait=perhaps").await.status, 400);
    })
    .await;
    let taken: Vec<_> =
        board.taken.lock().unwrap().iter().map(|update| (update.id.to_string(), update.text.to_string())).collect();
    assert_eq!(
        taken,
        [("cache", "x"), ("new", "x"), ("dirty", "!")].map(|(id, text)| (id.to_owned(), text.to_owned()))
    );
    assert_eq!(board.filtered.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_batch_is_judged_one_by_one_and_may_be_large() {
    let board = Board::running();
    scene(&board, Limits::USUAL, |server| async move {
        let line = |id: &str| format!(r#"{{"id":"{id}","level":"info","text":"x"}}"#);
        let body = [line("a"), line("fixed"), "rubbish".into(), line("b")].join("\n");
        let answer = server.send("POST", "/v1/items", "", body.as_bytes()).await;
        let told: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!((answer.status, &told["accepted"]), (200, &json!(2)));
        let places: Vec<_> =
            told["refused"].as_array().unwrap().iter().map(|refused| refused["index"].as_u64()).collect();
        assert_eq!(places, [Some(1), Some(2)]);
        let large = format!("[{}]", vec![line("c"); 20_000].join(","));
        assert!(large.len() > 700_000);
        let answer = server.send("POST", "/v1/items", "", large.as_bytes()).await;
        assert_eq!(answer.status, 429, "the first batch took from the same second: {answer:?}");
        let too_large = vec![b' '; 1024 * 1024 + 1];
        assert_eq!(server.send("POST", "/v1/items", "", &too_large).await.status, 413);
        assert_eq!(server.send("PUT", "/v1/items/a", "", &too_large[..65_537]).await.status, 413);
        assert_eq!(server.send("POST", "/v1/alertmanager", "", b"{\"alerts\":[]}").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_updates_is_told_when_to_come_again() {
    let board = Board::running();
    let clock = board.clone();
    scene(&board, Limits::USUAL, |server| async move {
        let line = r#"{"id":"a","level":"info","text":"x"}"#;
        let batch = vec![line; 20_000].join("\n");
        assert_eq!(server.send("POST", "/v1/items", "", batch.as_bytes()).await.status, 200);
        // The bucket is empty: not even the body is waited for.
        let answer = server.raw(b"PUT /v1/items/a HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n").await;
        assert_eq!(
            (answer.status, answer.header("retry-after"), answer.header("connection")),
            (429, Some("1"), Some("close"))
        );
        answer.problem();
        assert_eq!(server.ask("GET", "/v1/board").await.status, 200, "reading goes on");
        clock.now.store(1_000, Ordering::SeqCst);
        assert_eq!(server.send("POST", "/v1/items", "", batch.as_bytes()).await.status, 200);
    })
    .await;
    assert_eq!(board.taken.lock().unwrap().len(), 40_000);
}

#[tokio::test]
async fn writes_show_the_token_and_no_web_page_writes() {
    let board = Board::running();
    *board.token.lock().unwrap() = Some(Secret::new("s3cret".into()));
    let mended = board.clone();
    scene(&board, SHORT, |server| async move {
        let body = br#"{"level":"info","text":"x"}"#;
        for headers in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic s3cret\r\n"] {
            // No body is read: it never comes.
            let head = format!("PUT /v1/items/a HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 1000\r\n\r\n");
            let answer = server.raw(head.as_bytes()).await;
            assert_eq!((answer.status, answer.header("connection")), (401, Some("close")), "{headers:?}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
            answer.problem();
        }
        for route in ROUTES.iter().filter(|route| route.writes) {
            let path = route.path.replace("{id}", "cache").replace("{run}", "r1");
            assert_eq!(server.ask(route.method, &path).await.status, 401, "{} {path}", route.method);
        }
        let shown = "Authorization: Bearer s3cret\r\n";
        assert_eq!(server.send("PUT", "/v1/items/a", shown, body).await.status, 201);
        assert_eq!(server.ask("GET", "/v1/board").await.status, 200, "reading needs none");
        let page = format!("{shown}Origin: http://evil.example\r\n");
        assert_eq!(server.send("PUT", "/v1/items/a", &page, body).await.status, 403);
        *mended.token.lock().unwrap() = None;
        assert_eq!(server.send("PUT", "/v1/items/a", "", body).await.status, 201, "the token follows the config");
    })
    .await;
}

#[tokio::test]
async fn frames_come_as_events_until_the_stop() {
    let board = Board::running();
    let (lines, received) = tokio::sync::mpsc::channel(8);
    *board.lines.lock().unwrap() = Some(received);
    scene(&board, Limits::USUAL, |server| async move {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /v1/frames HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("send");
        for seq in 1..=3 {
            lines.send(Arc::from(format!("{{\"seq\":{seq}}}"))).await.expect("it is read");
        }
        let mut all = Vec::new();
        while !String::from_utf8_lossy(&all).contains("\"seq\":3") {
            assert!(stream.read_buf(&mut all).await.expect("it goes on") > 0);
        }
        let all = String::from_utf8(all).unwrap();
        assert!(all.contains("content-type: text/event-stream"), "{all}");
        for seq in 1..=3 {
            assert!(all.contains(&format!("event: frame\ndata: {{\"seq\":{seq}}}\n\n")), "{all}");
        }
        assert_eq!(server.ask("GET", "/v1/frames").await.status, 503, "this desk has one place alone");
        server.stop.cancel();
        let rest = read_to_close(&mut stream).await;
        assert!(String::from_utf8(rest).unwrap().ends_with("0\r\n\r\n"), "the stream ends, it does not break off");
    })
    .await;
}

#[tokio::test]
async fn a_local_socket_answers_as_a_port_does_and_asks_no_token() {
    let board = Board::running();
    *board.token.lock().unwrap() = Some(Secret::new("s3cret".into()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("board.sock");
    let stop = CancellationToken::new();
    let door = Door::Unix(tokio::net::UnixListener::bind(&path).unwrap());
    let asked = async {
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        let body = r#"{"level":"info","text":"x"}"#;
        let head = format!(
            "PUT /v1/items/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).await.unwrap();
        assert!(all.starts_with("HTTP/1.1 201"), "{all}");
        stop.cancel();
    };
    tokio::join!(serve_within(door, board.faces(), stop.clone(), Limits::USUAL), asked);
}
