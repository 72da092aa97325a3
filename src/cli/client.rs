//! How the commands reach a running board: a tiny HTTP/1.1 client over its socket or a port.
//!
//! One request a connection, answered whole. Deliberately no TLS and no
//! redirects: it speaks to a board of this machine, or to the proxy before one.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::args::Reach;
use crate::app::{Settings, socket_path};
use crate::frame::Safe;

/// How long a board may take to answer: it does in milliseconds, and a person waits no longer.
pub(super) const USUAL: Duration = Duration::from_secs(5);

/// How long a run may take that is waited for. Its own limits end it long before.
pub(super) const LONG: Duration = Duration::from_hours(1);

/// The largest answer that is read: 10,000 items with all their values are a tenth of it.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Where a board answers.
#[derive(Debug)]
pub(super) struct Client {
    place: Place,
    token: Option<String>,
}

#[derive(Debug)]
enum Place {
    Socket(PathBuf),
    /// Host and port, and what stands before every path.
    Port(String, String),
}

/// What a board answered.
#[derive(Debug)]
pub(super) struct Answered {
    /// The status code.
    pub(super) status: u16,
    /// The body; null where there is none.
    pub(super) body: Value,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was asked for can't be asked.
    Usage(String),
    /// Nobody answers there.
    Unreachable(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(why) | Self::Unreachable(why)) = self;
        f.write_str(why)
    }
}

impl Client {
    /// The board that the arguments name, else the one of the config that `marquee run` would take.
    ///
    /// # Errors
    /// Where no board is named: a bad URL, or a config that can't be used.
    pub(super) fn find(reach: &Reach) -> Result<Self, Failure> {
        let token = reach.token.clone().filter(|token| !token.is_empty());
        let place = match (&reach.url, &reach.socket) {
            (Some(url), _) => port(url).map_err(Failure::Usage)?,
            (None, Some(path)) => Place::Socket(path.clone()),
            (None, None) => {
                let settings =
                    Settings::find(reach.config.as_deref()).map_err(|why| Failure::Usage(why.to_string()))?;
                let config = settings.config().map_err(|problems| {
                    let why = problems.one_line();
                    Failure::Usage(format!("{why}; the config names the board: mend it, or use --socket or --url"))
                })?;
                Place::Socket(socket_path(&config.title, &|name| std::env::var_os(name)))
            }
        };
        Ok(Self { place, token })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// Where nobody answers, or not in HTTP, or not within `patience`.
    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Answered, Failure> {
        let failed = |why: io::Error| Failure::Unreachable(self.unreachable(&why, patience));
        let (mut stream, base, host) = self.connect(patience).map_err(failed)?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let token = self.token.as_deref();
        if token.is_some_and(|token| token.contains(['\r', '\n'])) {
            return Err(Failure::Usage("the token has a line break in it".into()));
        }
        let shown = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!("{method} {base}{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{shown}");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request = format!("{head}{kind}Content-Length: {}\r\n\r\n{body}", body.len());
        // A board that has heard enough answers before the last byte.
        let sent = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
        if answer.is_empty() {
            sent.and(read).map_err(failed)?;
        }
        answered(&answer).ok_or_else(|| Failure::Unreachable(format!("{self}: what answers there is no board")))
    }

    fn connect(&self, patience: Duration) -> io::Result<(Box<dyn Stream>, &str, &str)> {
        match &self.place {
            Place::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(USUAL))?;
                Ok((Box::new(stream), "", "marquee"))
            }
            Place::Port(host, base) => {
                let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
                for address in host.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, USUAL) {
                        Ok(stream) => {
                            stream.set_read_timeout(Some(patience))?;
                            stream.set_write_timeout(Some(USUAL))?;
                            return Ok((Box::new(stream), base, host));
                        }
                        Err(why) => last = why,
                    }
                }
                Err(last)
            }
        }
    }

    fn unreachable(&self, why: &io::Error, patience: Duration) -> String {
        match why.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                format!("no board answers at {self}; is it running?")
            }
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                format!("the board at {self} did not answer within {} s", patience.as_secs())
            }
            _ => format!("can't reach the board at {self}: {why}"),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Socket(path) => write!(f, "{}", path.display()),
            Place::Port(host, base) => write!(f, "http://{host}{base}"),
        }
    }
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// The place of a URL: `http://HOST[:PORT][/BASE]`.
fn port(url: &str) -> Result<Place, String> {
    let form = "--url is written http://HOST:PORT";
    if url.starts_with("https:") {
        return Err("--url: TLS is not spoken here; use --socket, or http:// to loopback".into());
    }
    let rest = url.strip_prefix("http://").ok_or(form)?;
    let (host, base) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if host.is_empty() || host.contains('@') || !plain(rest) || base.contains(['?', '#']) {
        return Err(form.into());
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = if has_port { host.to_owned() } else { format!("{host}:80") };
    Ok(Place::Port(host, base.trim_end_matches('/').to_owned()))
}

/// An answer taken apart; `None`: it is not HTTP, or broke off.
fn answered(bytes: &[u8]) -> Option<Answered> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let body = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let header = |wanted: &str| {
        let mut named = lines.clone().filter_map(|line| line.split_once(':'));
        named.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let body = match (header("transfer-encoding"), header("content-length")) {
        (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => unchunked(body)?,
        (_, Some(length)) => body.get(..length.parse::<usize>().ok()?)?.to_vec(),
        _ => body.to_vec(),
    };
    // A body that is no JSON, such as a proxy's, says what went wrong as it stands.
    let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap_or_else(|_| text()) };
    Some(Answered { status, body })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

impl Answered {
    /// Whether what was asked was done.
    pub(super) const fn is_well(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// Why it was not, in one clean line.
    pub(super) fn why(&self) -> Safe {
        let told = self.body["detail"].as_str().or_else(|| self.body.as_str());
        told.map_or_else(|| Safe::line(&format!("the board answers {}", self.status)), Safe::line)
    }
}

/// A word as a part of a path.
pub(super) fn escaped(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    word.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// JSON with every text in it made safe for a terminal: it may be of anybody who answers at a URL.
pub(super) fn cleaned(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(Safe::line(text).to_string()),
        Value::Array(items) => items.iter().map(cleaned).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (Safe::line(name).to_string(), cleaned(value)));
            Value::Object(members.collect())
        }
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_however_they_are_framed() {
        for (bytes, status, body) in [
            (&b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}"[..], 200, serde_json::json!({"a": 1})),
            (b"HTTP/1.0 204 No Content\r\n\r\n", 204, Value::Null),
            (
                b"HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno \r\n2;x\r\nup\r\n0\r\n\r\n",
                502,
                "no up".into(),
            ),
        ] {
            let told = answered(bytes).unwrap();
            assert_eq!((told.status, told.body), (status, body));
        }
        for bytes in
            [&b""[..], b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"HTTP/1.1 x\r\n\r\n"]
        {
            assert!(answered(bytes).is_none(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn urls_are_read_and_bad_ones_refused() {
        for (url, told) in [
            ("http://h", "http://h:80"),
            ("http://127.0.0.1:9091/", "http://127.0.0.1:9091"),
            ("http://[::1]:9091/board/", "http://[::1]:9091/board"),
        ] {
            let place = port(url).unwrap();
            assert_eq!(Client { place, token: None }.to_string(), told);
        }
        for url in ["", "h:80", "https://h", "http://", "http://u:p@h", "http://h/a b", "http://h/?x", "http://h\r\n"] {
            assert!(port(url).is_err(), "{url}");
        }
        assert_eq!(escaped("a/b ?é.x"), "a%2Fb%20%3F%C3%A9.x");
    }
}
