//! Answers of all kinds, from servers that the test starts: ordinary, broken and hostile ones.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::frame::Unit;

/// How long a test waits for what must happen before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that treats its first `times` connections with `treat`, each as it
/// comes; joined, it gives what they said.
struct Server {
    address: SocketAddr,
    thread: JoinHandle<Vec<String>>,
}

impl Server {
    fn start(times: usize, treat: impl Fn(&mut TcpStream) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let treated = (0..times).map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                treat(&mut stream)
            });
            treated.collect()
        });
        Self { address, thread }
    }

    /// Answers each request with the same bytes.
    fn answering(times: usize, answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(times, move |stream| {
            let asked = request(stream);
            stream.write_all(&answer).unwrap();
            asked
        })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits for the end without holding up the client, whose sockets close on this runtime.
    async fn said(self) -> Vec<String> {
        let joined = tokio::task::spawn_blocking(move || self.thread.join().unwrap());
        tokio::time::timeout(PATIENCE * 2, joined).await.unwrap().unwrap()
    }
}

/// A request up to the blank line after its head.
fn request(stream: &mut impl Read) -> String {
    let mut asked = Vec::new();
    let mut byte = [0];
    while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        asked.push(byte[0]);
    }
    String::from_utf8_lossy(&asked).into_owned()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn check(url: &str) -> Box<dyn Check> {
    let scheme = url.split(':').next().unwrap();
    build(&CheckTarget { scheme, target: url }).unwrap()
}

async fn measured(url: &str) -> Measured {
    tokio::time::timeout(PATIENCE, check(url).measure()).await.unwrap().unwrap()
}

async fn fault_of(url: &str) -> String {
    tokio::time::timeout(PATIENCE, check(url).measure()).await.unwrap().unwrap_err().0
}

#[tokio::test]
async fn an_answer_has_status_latency_and_body() {
    let server = Server::answering(1, ok(r#"{"version": "v2", "queue": {"depth": 7}}"#));
    let url = server.url("/health?x=1").replace("http://", "http://op:s%40cret@");
    let measured = measured(&url).await;
    assert_eq!(measured.values.get("status"), Some(&Value::plain(200.0)));
    assert!(matches!(measured.values.get("latency"), Some(Value::Number(..))));
    assert_eq!(measured.values.get("body.queue.depth"), Some(&Value::plain(7.0)));
    assert_eq!((measured.level, measured.bytes), (None, 40));
    let asked = &server.said().await[0];
    assert!(asked.starts_with("GET /health?x=1 HTTP/1.1\r\n"), "{asked}");
    let asked = asked.to_lowercase();
    assert!(asked.contains(concat!("user-agent: marquee/", env!("CARGO_PKG_VERSION"))), "{asked}");
    // The base64 of op:s@cret, in lower case as the rest.
    assert!(asked.contains("authorization: basic b3a6c0bjcmv0"), "{asked}");
}

#[tokio::test]
async fn what_is_no_json_is_text() {
    for (answer, body) in [
        (ok(" OK\n"), "OK".to_owned()),
        (ok(""), String::new()),
        (ok("{\"open\": "), "{\"open\":".into()),
        (ok(&"x".repeat(9_000)), "x".repeat(4_096)),
        ("HTTP/1.1 503 Sorry\r\nConnection: close\r\n\r\ndown".into(), "down".into()),
    ] {
        let server = Server::answering(1, answer);
        let measured = measured(&server.url("/")).await;
        assert_eq!(measured.values.get("body"), Some(&Value::text(body)));
        server.said().await;
    }
}

#[tokio::test]
async fn a_bare_json_value_is_a_value() {
    let server = Server::answering(1, ok("42\n"));
    assert_eq!(measured(&server.url("/")).await.values.get("body"), Some(&Value::plain(42.0)));
    server.said().await;
}

/// Says `head`, then `again` until the other side closes.
fn endless(head: &'static [u8], again: Vec<u8>) -> Server {
    Server::start(1, move |stream| {
        request(stream);
        stream.write_all(head).unwrap();
        while stream.write_all(&again).is_ok() {}
        "closed".into()
    })
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let server = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", vec![b'a'; 10_000]);
    let measured = measured(&server.url("/")).await;
    assert_eq!(measured.bytes, BODY_BYTES_MAX as u64);
    assert_eq!(measured.values.get("body"), Some(&Value::text("a".repeat(TEXT_BYTES_MAX))));
    assert_eq!(server.said().await, ["closed"]);
}

#[tokio::test]
async fn an_endless_head_is_cut_off() {
    let server = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: more\r\n".repeat(100));
    let fault = fault_of(&server.url("/")).await;
    assert!(fault.starts_with("no HTTP answer"), "{fault}");
    assert_eq!(server.said().await, ["closed"]);
}

/// The beginning of a packed answer after which every zero byte unpacks to 1,032 zeros.
const BOMB: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff\xed\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a";

#[tokio::test]
async fn a_packed_bomb_is_unpacked_no_further_than_any_answer() {
    let server = Server::start(1, |stream| {
        request(stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n").unwrap();
        stream.write_all(BOMB).unwrap();
        while stream.write_all(&[0; 10_000]).is_ok() {}
        "closed".into()
    });
    assert_eq!(measured(&server.url("/")).await.bytes, BODY_BYTES_MAX as u64);
    assert_eq!(server.said().await, ["closed"]);
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let answer = |stream: &mut TcpStream| {
        let asked = request(stream);
        let left: u32 = asked.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
        let answer = match left {
            0 => ok("here"),
            more => format!("HTTP/1.1 302 Found\r\nLocation: /{}\r\nContent-Length: 0\r\n\r\n", more - 1),
        };
        stream.write_all(answer.as_bytes()).unwrap();
        asked
    };
    let server = Server::start(4, answer);
    let measured = measured(&server.url("/3")).await;
    assert_eq!(measured.values.get("body"), Some(&Value::text("here")));
    assert!(server.said().await.iter().all(|asked| !asked.to_lowercase().contains("referer")));
    let server = Server::start(4, answer);
    let fault = fault_of(&server.url("/4")).await;
    assert_eq!(fault, format!("more than 3 redirects ({})", server.address));
    server.said().await;
}

#[tokio::test]
async fn faults_are_plain_and_keep_secrets() {
    for (answer, why) in [
        ("", "closed without an answer"),
        ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "closed within its answer"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no HTTP answer"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\nabcd", "answer can't be unpacked"),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabcd", "no HTTP answer"),
    ] {
        let server = Server::answering(1, answer);
        let url = server.url("/secret?token=secret").replace("http://", "http://op:secret@");
        assert_eq!(fault_of(&url).await, format!("{why} ({})", server.address), "{answer:?}");
        server.said().await;
    }
    let server = Server::answering(0, "");
    let url = server.url("/?token=secret");
    let address = server.address;
    server.said().await;
    assert_eq!(fault_of(&url).await, format!("connection refused ({address})"));
    let fault = fault_of("http://no-such-host.invalid/secret").await;
    // Where no name server is in reach the answer is that.
    let known = ["name not found", "no name server answers"];
    assert!(known.iter().any(|why| fault == format!("{why} (no-such-host.invalid:80)")), "{fault}");
}

#[tokio::test]
async fn a_dropped_run_closes_its_socket() {
    let (arrived, here): (_, Receiver<()>) = channel();
    let server = Server::start(1, move |stream| {
        request(stream);
        arrived.send(()).unwrap();
        // Ends by the client's close or, as a failure, by the read's timeout.
        match stream.read(&mut [0; 16]) {
            Ok(0) => "closed".into(),
            Err(e) if e.kind() == io::ErrorKind::ConnectionReset => "closed".into(),
            other => format!("{other:?}"),
        }
    });
    let check = check(&server.url("/"));
    let request_arrived = tokio::task::spawn_blocking(move || here.recv_timeout(PATIENCE));
    tokio::select! {
        answer = check.measure() => panic!("{answer:?}"),
        arrived = request_arrived => arrived.unwrap().unwrap(),
    }
    assert_eq!(server.said().await, ["closed"]);
}

/// Answers as long as it is asked; gives the requests of each connection, joined.
fn patient(times: usize) -> Server {
    Server::start(times, |stream| {
        let mut all = String::new();
        loop {
            let asked = request(stream);
            if asked.is_empty() {
                return all;
            }
            all.push_str(&asked);
            stream.write_all(ok("here").as_bytes()).unwrap();
        }
    })
}

async fn asked(http: &Http) -> Result<Measured, Fault> {
    tokio::time::timeout(PATIENCE, http.measure()).await.unwrap()
}

fn http(url: &str) -> Http {
    Http { url: Url::parse(url).unwrap(), kept: Mutex::default() }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_runs_and_a_minute_at_most() {
    let server = patient(3);
    let http = http(&server.url("/"));
    // The first run meets the server as a stranger does; the next four share a connection.
    for _ in 0..5 {
        asked(&http).await.unwrap();
    }
    let minute_ago = Instant::now().checked_sub(KEPT_MAX).unwrap();
    *http.kept.lock().unwrap() = Some(minute_ago);
    asked(&http).await.unwrap();
    asked(&http).await.unwrap();
    *http.kept.lock().unwrap() = Some(minute_ago);
    asked(&http).await.unwrap();
    let said: Vec<_> = server.said().await.iter().map(|all| all.matches("GET ").count()).collect();
    assert_eq!(said, [1, 5, 2]);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_is_no_fault() {
    // Answers once on each connection, then closes it: at once, or when it is asked again.
    for closes_when_asked in [false, true] {
        let server = Server::start(if closes_when_asked { 3 } else { 6 }, move |stream| {
            let asked = request(stream);
            stream.write_all(ok("here").as_bytes()).unwrap();
            if closes_when_asked { asked + &request(stream) } else { asked }
        });
        let http = http(&server.url("/"));
        for _ in 0..if closes_when_asked { 3 } else { 6 } {
            let measured = asked(&http).await.unwrap();
            assert_eq!(measured.values.get("body"), Some(&Value::text("here")));
        }
        let said = server.said().await;
        if closes_when_asked {
            let requests: Vec<_> = said.iter().map(|all| all.matches("GET ").count()).collect();
            assert_eq!(requests, [1, 2, 1], "the third run was asked of a closing connection and then anew");
        }
    }
}

#[tokio::test]
async fn a_fault_on_a_new_connection_is_told_and_asked_once() {
    let server = Server::answering(4, "");
    let http = http(&server.url("/"));
    for _ in 0..4 {
        let fault = asked(&http).await.unwrap_err().0;
        assert!(fault.starts_with("closed without an answer"), "{fault}");
    }
    // A second try behind the scenes would have found nobody listening any more.
    assert_eq!(server.said().await.len(), 4);
}

#[tokio::test]
async fn a_dropped_run_closes_its_kept_socket() {
    let (arrived, here): (_, Receiver<()>) = channel();
    let server = Server::start(2, move |stream| {
        let mut all = request(stream);
        stream.write_all(ok("here").as_bytes()).unwrap();
        all.push_str(&request(stream));
        if all.matches("GET ").count() == 2 {
            stream.write_all(ok("here").as_bytes()).unwrap();
            request(stream);
            arrived.send(()).unwrap();
            let gone = match stream.read(&mut [0; 16]) {
                Ok(0) => true,
                Err(e) => e.kind() == io::ErrorKind::ConnectionReset,
                Ok(_) => false,
            };
            return format!("closed: {gone}");
        }
        all
    });
    let http = http(&server.url("/"));
    for _ in 0..3 {
        asked(&http).await.unwrap();
    }
    let request_arrived = tokio::task::spawn_blocking(move || here.recv_timeout(PATIENCE));
    tokio::select! {
        answer = http.measure() => panic!("{answer:?}"),
        arrived = request_arrived => arrived.unwrap().unwrap(),
    }
    assert_eq!(server.said().await[1], "closed: true");
}

/// A certificate for `name` until a year, and a server that shows it once.
fn tls_server(name: &str, until: i32) -> (Server, reqwest::Certificate) {
    tls::install_provider();
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = parameters.self_signed(&key).unwrap();
    let trusted = reqwest::Certificate::from_der(certificate.der()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap());
    let server = Server::start(1, move |stream| {
        let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, stream);
        let mut all = String::new();
        loop {
            let asked = request(&mut stream);
            // A client that refused the certificate is gone by now.
            if asked.is_empty() || stream.write_all(ok("safe").as_bytes()).is_err() {
                return all;
            }
            all.push_str(&asked);
        }
    });
    (server, trusted)
}

async fn ask_tls(server: &Server, trusted: Option<reqwest::Certificate>) -> Result<Measured, Fault> {
    let client = settings().tls_certs_only(trusted).build().unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", server.address.port())).unwrap();
    tokio::time::timeout(PATIENCE, ask(&client, &url, Then::Keep)).await.unwrap().map_err(Broken::fault)
}

#[tokio::test]
async fn a_certificate_has_days_left() {
    let (server, trusted) = tls_server("localhost", 2999);
    let measured = ask_tls(&server, Some(trusted)).await.unwrap();
    assert_eq!(measured.values.get("body"), Some(&Value::text("safe")));
    let Some(Value::Number(days, Unit::Plain)) = measured.values.get("cert_days") else { panic!("no days") };
    assert!(*days > 100_000.0 && days.fract() == 0.0, "{days}");
    server.said().await;
}

#[tokio::test]
async fn a_certificate_is_seen_over_a_kept_connection_too() {
    let (server, trusted) = tls_server("localhost", 2999);
    let client = settings().tls_certs_only([trusted]).build().unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", server.address.port())).unwrap();
    for then in [Then::Keep, Then::Keep, Then::Close] {
        let asked = tokio::time::timeout(PATIENCE, ask(&client, &url, then)).await.unwrap();
        let measured = asked.map_err(Broken::fault).unwrap();
        assert!(matches!(measured.values.get("cert_days"), Some(Value::Number(days, _)) if *days > 100_000.0));
    }
    // The server takes one connection only.
    assert_eq!(server.said().await[0].matches("GET ").count(), 3);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_named() {
    for (name, until, known, why) in [
        ("localhost", 2999, false, "certificate of an unknown issuer"),
        ("localhost", 2021, true, "certificate expired"),
        ("elsewhere", 2999, true, "certificate for another name"),
    ] {
        let (server, trusted) = tls_server(name, until);
        let trusted = known.then_some(trusted);
        // Without any root the client would be refused before it asks: a stranger's root stands in.
        let trusted = trusted.or_else(|| Some(tls_server("stranger", 2999).1));
        let fault = ask_tls(&server, trusted).await.unwrap_err();
        assert_eq!(fault.0, format!("{why} (localhost:{})", server.address.port()));
        server.said().await;
    }
}

#[tokio::test]
async fn plain_http_on_a_tls_port_and_back_are_faults() {
    let (server, _) = tls_server("localhost", 2999);
    let fault = fault_of(&server.url("/")).await;
    assert!(fault.starts_with("no HTTP answer") || fault.starts_with("closed without"), "{fault}");
    server.said().await;
    let server = Server::start(1, |stream| {
        let hello = stream.read(&mut [0; 4_096]).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad\r\n\r\n").unwrap();
        hello.to_string()
    });
    let (_, trusted) = tls_server("localhost", 2999);
    let fault = ask_tls(&server, Some(trusted)).await.unwrap_err().0;
    assert!(fault.starts_with("no TLS answer"), "{fault}");
    server.said().await;
}
