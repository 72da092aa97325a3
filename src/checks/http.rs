//! `http://` and `https://`: a GET, its status, how long it took, and what it says.
//!
//! A connection is kept for the next run, but never for long: a board asks
//! whether a stranger could be served, so at least once a minute a run connects
//! anew and meets what a stranger meets, such as a new address or certificate.
//! Deliberately no proxy from the environment (the target itself is asked), no
//! HTTP/2 (a cancelled run closes its socket, which others would share there) and
//! no certificate is ever accepted that the machine does not trust.

use std::error::Error;
use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::CONNECTION;
use reqwest::redirect::Policy;
use reqwest::tls::TlsInfo;
use reqwest::{Client, ClientBuilder, Response, Url};
use tokio::time::Instant;

use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring, certificate, net, tls};
use crate::config::json;
use crate::frame::{Span, Value, Values};

/// How far a redirect is followed. Health endpoints have none; a login page behind one is no health.
const REDIRECTS_MAX: usize = 3;

/// As much of an answer as is read; a health endpoint says a few hundred bytes.
/// The rest is refused by closing the connection.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// As much as is kept of an answer that is no JSON: a screen shows far less.
const TEXT_BYTES_MAX: usize = 4 * 1024;

/// The longest that a request may last where its caller forgot to limit it.
const LASTS_MAX: Duration = Duration::from_mins(5);

/// How long connections are kept before a run meets the server as a stranger does, and how long an
/// idle one waits for its next run: short against what an operator would call "now".
const KEPT_MAX: Duration = Duration::from_mins(1);

/// What the server reads in its log.
const USER_AGENT: &str = concat!("marquee/", env!("CARGO_PKG_VERSION"));

struct Http {
    url: Url,
    /// Since when connections have been kept; `None`: the last run had no answer, or there was none yet.
    kept: Mutex<Option<Instant>>,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let form = |why: &str| BadTarget(format!("{why}; it is written {}://HOST[:PORT]/PATH", target.scheme));
    if target.rest().is_empty() {
        return Err(form("the host is missing"));
    }
    // The words of the parser name its mistake and never the text.
    let url = Url::parse(target.target).map_err(|e| form(&e.to_string()))?;
    if url.scheme() != target.scheme || url.host_str().is_none_or(str::is_empty) {
        return Err(form("the host is missing"));
    }
    Ok(Box::new(Http { url, kept: Mutex::default() }))
}

impl Check for Http {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            // Taken, and given back by an answer alone: a run that fails or is dropped leaves no
            // connection behind, and what happens on a new one is a fault that is told.
            let kept = self.kept().take();
            let age = kept.map(|since| since.elapsed());
            let anew = || client(&self.url);
            let asked = match age {
                None => ask(anew()?, &self.url, Then::Close).await,
                Some(age) => {
                    let then = if age < KEPT_MAX { Then::Keep } else { Then::Close };
                    match ask(keeping(&self.url)?, &self.url, then).await {
                        // The server may have closed the kept connection just as it was asked.
                        Err(broken) if broken.before_answer => ask(anew()?, &self.url, Then::Close).await,
                        asked => asked,
                    }
                }
            };
            let measured = asked.map_err(Broken::fault)?;
            *self.kept() = kept.filter(|_| age.is_some_and(|age| age < KEPT_MAX)).or_else(|| Some(Instant::now()));
            Ok(measured)
        })
    }
}

impl Http {
    fn kept(&self) -> MutexGuard<'_, Option<Instant>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Made = OnceLock<Result<Client, String>>;

/// The program's client that connects anew each time.
pub(super) fn client(url: &Url) -> Result<&'static Client, Fault> {
    static MADE: [Made; 2] = [Made::new(), Made::new()];
    made(&MADE, url, || settings().pool_max_idle_per_host(0))
}

/// The program's client that keeps what connections it had, of all checks together.
fn keeping(url: &Url) -> Result<&'static Client, Fault> {
    static MADE: [Made; 2] = [Made::new(), Made::new()];
    made(&MADE, url, || settings().pool_idle_timeout(KEPT_MAX))
}

/// A client that is made when it is first needed: it reads the machine's trusted
/// certificates. A machine that has none can still ask `http://`, with the second.
fn made(made: &'static [Made; 2], url: &Url, settings: fn() -> ClientBuilder) -> Result<&'static Client, Fault> {
    let [with_tls, without] = made;
    let told = |e: reqwest::Error| e.source().map_or_else(|| e.to_string(), ToString::to_string);
    let made = match with_tls.get_or_init(|| settings().build().map_err(told)) {
        Err(_) if url.scheme() == "http" => without.get_or_init(|| settings().tls_certs_only([]).build().map_err(told)),
        made => made,
    };
    made.as_ref().map_err(|why| Fault(format!("no TLS on this machine: {why}")))
}

fn settings() -> ClientBuilder {
    tls::install_provider();
    Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::limited(REDIRECTS_MAX))
        // A referer would carry the query, and with it a secret, to another host.
        .referer(false)
        .no_proxy()
        .http1_only()
        .tcp_nodelay(true)
        .tls_info(true)
        .connect_timeout(LASTS_MAX)
        .timeout(LASTS_MAX)
}

/// What becomes of the connection once it has answered.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Keep,
    Close,
}

/// Why there was no whole answer.
struct Broken {
    fault: Fault,
    /// Not a byte of an answer came: a kept connection may have been closed meanwhile.
    before_answer: bool,
}

impl Broken {
    fn fault(self) -> Fault {
        self.fault
    }
}

async fn ask(client: &Client, url: &Url, then: Then) -> Result<Measured, Broken> {
    let started = Instant::now();
    let mut request = client.get(url.clone());
    if then == Then::Close {
        request = request.header(CONNECTION, "close");
    }
    let broken = |e: &reqwest::Error| Broken { fault: fault(e, url), before_answer: is_closed_before_answer(e) };
    let response = request.send().await.map_err(|e| broken(&e))?;
    let latency = Span::from(started.elapsed());
    let mut values = Values::new()
        .with("status", Value::plain(f64::from(response.status().as_u16())))
        .with("latency", Value::span(latency));
    if url.scheme() == "https"
        && let Some(days) = certificate_days(&response)
    {
        values.set("cert_days", Value::plain(days));
    }
    let (body, whole) = read(response).await.map_err(|e| broken(&e))?;
    values.set("body", tree(&body, whole));
    Ok(Measured { values, bytes: body.len() as u64, ..Measured::default() })
}

/// The first bytes of the answer, and whether that is all of it. Unpacking is
/// counted, so that a small packed answer cannot grow without bound.
pub(super) async fn read(mut response: Response) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = BODY_BYTES_MAX - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return Ok((body, false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, true))
}

/// JSON as a tree; anything else as text.
fn tree(body: &[u8], whole: bool) -> Value {
    let tree = if whole { json::lenient(body) } else { None };
    tree.unwrap_or_else(|| {
        let start = &body[..body.len().min(TEXT_BYTES_MAX)];
        Value::text(String::from_utf8_lossy(start).trim())
    })
}

#[expect(clippy::disallowed_methods, reason = "a certificate ends on the wall clock, which a kernel does not have")]
#[expect(clippy::cast_precision_loss, reason = "days of a certificate are few")]
fn certificate_days(response: &Response) -> Option<f64> {
    let der = response.extensions().get::<TlsInfo>()?.peer_certificate()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    let days = certificate::days_left(der, i64::try_from(now.as_secs()).ok()?)?;
    Some(days as f64)
}

/// What went wrong and with whom; never the path or the query, where secrets are.
pub(super) fn fault(error: &reqwest::Error, asked: &Url) -> Fault {
    let url = error.url().unwrap_or(asked);
    let host = url.host_str().unwrap_or("?");
    let port = url.port_or_known_default().map_or_else(String::new, |port| format!(":{port}"));
    Fault(format!("{} ({host}{port})", plain(error)))
}

fn plain(error: &reqwest::Error) -> String {
    if error.is_redirect() {
        return format!("more than {REDIRECTS_MAX} redirects");
    }
    if let Some(error) = tls::cause(error) {
        return tls::plain(error);
    }
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        if source.to_string() == "dns error" {
            let why = source.source().map_or_else(String::new, ToString::to_string);
            return net::plain_lookup(&why).into();
        }
        last = source;
    }
    if let Some(io) = last.downcast_ref::<io::Error>().map(net::innermost)
        && io.get_ref().is_none()
    {
        let within = (error.is_body() || error.is_decode()) && io.kind() == io::ErrorKind::UnexpectedEof;
        return if within { WITHIN.into() } else { net::plain_io(io) };
    }
    if error.is_timeout() {
        return "timed out".into();
    }
    // The libraries below tell these apart in words alone.
    let words = last.to_string();
    let known = FAULTS.iter().find(|(theirs, _)| words.to_lowercase().contains(theirs));
    known.map_or(words, |(_, ours)| (*ours).into())
}

/// Whether the connection ended after the request was sent and before an answer began.
fn is_closed_before_answer(error: &reqwest::Error) -> bool {
    if !error.is_request() || error.is_connect() || error.is_timeout() {
        return false;
    }
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    let is_closed = |io: &io::Error| CLOSED.contains(&io.kind());
    last.downcast_ref().map_or_else(|| last.to_string().contains(UNANSWERED), is_closed)
}

/// How the system tells that the other side has closed.
const CLOSED: [io::ErrorKind; 5] = [
    io::ErrorKind::UnexpectedEof,
    io::ErrorKind::ConnectionReset,
    io::ErrorKind::ConnectionAborted,
    io::ErrorKind::BrokenPipe,
    io::ErrorKind::NotConnected,
];

/// The words of the HTTP library for a connection that ended without an answer.
const UNANSWERED: &str = "before message completed";

const WITHIN: &str = "closed within its answer";

/// Pieces of the words of the HTTP library, in lower case, and what an operator reads instead.
const FAULTS: &[(&str, &str)] = &[
    (UNANSWERED, "closed without an answer"),
    ("end of file before message", WITHIN),
    ("unexpected eof during chunk", WITHIN),
    ("gzip", "answer can't be unpacked"),
    ("compress", "answer can't be unpacked"),
    ("invalid http", "no HTTP answer"),
    ("invalid chunk", "no HTTP answer"),
    ("invalid content-length", "no HTTP answer"),
    ("head is too large", "no HTTP answer"),
    ("header", "no HTTP answer"),
];

#[cfg(test)]
mod tests;
