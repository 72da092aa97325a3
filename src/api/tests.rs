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

use super::Faces;
use super::server::{Limits, serve_within};

/// No scene takes longer: a hang is a failure, not a stuck build.
const SCENE: Duration = Duration::from_secs(60);

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
        Faces {
            alive: Arc::new(move || alive.alive.load(Ordering::SeqCst)),
            ready: Arc::new(move || {
                if ready.drawn.load(Ordering::SeqCst) { Ok(()) } else { Err("no board is loaded".to_owned()) }
            }),
            metrics: Arc::new(move || metrics.scrape.lock().unwrap().clone()),
            frame: Arc::new(move || frame.drawn.load(Ordering::SeqCst).then(|| json!({"seq": 12, "item": "cache"}))),
            answered: Arc::new(move |code| answered.answered.lock().unwrap().push(code)),
            refused: Arc::new(move |()| _ = refused.refused.fetch_add(1, Ordering::SeqCst)),
        }
    }
}

/// Serves `board` while `client` runs, then stops and awaits the server's end.
async fn scene<C: Future<Output = ()>>(board: &Arc<Board>, limits: Limits, client: impl FnOnce(Server) -> C) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let server = Server { address: listener.local_addr().expect("its address"), stop: CancellationToken::new() };
    let stop = server.stop.clone();
    let both = async {
        let served = serve_within(listener, board.faces(), stop.clone(), limits);
        let asked = async {
            client(server).await;
            stop.cancel();
        };
        tokio::join!(served, asked).0.expect("the server ends well");
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
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
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
    async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect().await;
        // A server that has heard enough may close before the last byte.
        let _ = stream.write_all(bytes).await;
        read_answer(&mut stream).await
    }

    async fn ask(&self, method: &str, path: &str) -> Answer {
        self.raw(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await
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

async fn read_answer(stream: &mut TcpStream) -> Answer {
    let text = String::from_utf8(read_to_close(stream).await).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
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
        endless.extend_from_slice(&[b'x'; 0x1_0000]);
        endless.extend_from_slice(b"\r\n1\r\nx");
        let answer = server.raw(&endless).await;
        assert_eq!(answer.status, 413);
        answer.problem();
        // One that fits is read whole, and the route's own answer comes.
        let mut fitting =
            b"POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n".to_vec();
        fitting.extend_from_slice(&[b'x'; 65_536]);
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
    let (served, ()) = tokio::join!(serve_within(listener, faces, server.stop.clone(), Limits::USUAL), asked);
    served.expect("the server ends well");
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
