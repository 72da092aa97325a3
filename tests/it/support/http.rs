//! A client of the API that says exactly what a test wants said, over a port or a socket.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde_json::Value;

use super::clock::PATIENCE;

/// Where a board answers.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// A port of this machine.
    Port(u16),
    /// Its socket.
    Socket(PathBuf),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The status code; 0: the connection was closed without an answer.
    pub(crate) status: u16,
    /// Header names in lower case, with their values.
    pub(crate) headers: HashMap<String, String>,
    /// The body.
    pub(crate) body: String,
}

impl Answered {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }

    /// The detail of a JSON problem with this status.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        }
        problem["detail"].as_str().unwrap().to_owned()
    }
}

pub(crate) trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

impl At {
    /// A connection with the tests' patience; `None`: nobody listens.
    pub(crate) fn connect(&self) -> Option<Box<dyn Stream>> {
        Some(match self {
            Self::Port(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port)).ok()?;
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                Box::new(stream)
            }
            Self::Socket(path) => {
                let stream = UnixStream::connect(path).ok()?;
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                Box::new(stream)
            }
        })
    }

    /// Sends bytes as they are and reads to the end of the connection.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answered {
        let mut stream = self.connect().expect("somebody listens");
        // A server that has heard enough may close before the last byte.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Answered { status, headers, body: body.to_owned() }
    }

    /// Asks with further header lines and a body.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answered {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: board\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// Asks without a body.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Answered {
        self.send(method, path, "", b"")
    }

    /// GETs JSON.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// PUTs an update of an item.
    pub(crate) fn put(&self, id: &str, update: &Value) -> Answered {
        self.send("PUT", &format!("/v1/items/{id}"), "", update.to_string().as_bytes())
    }

    /// Follows the frames.
    #[track_caller]
    pub(crate) fn frames(&self) -> Events {
        let mut stream = self.connect().expect("somebody listens");
        stream.write_all(b"GET /v1/frames HTTP/1.1\r\nHost: board\r\n\r\n").unwrap();
        let mut events = Events(BufReader::new(stream));
        assert_eq!(events.line().as_deref(), Some("HTTP/1.1 200 OK"));
        while events.line().is_some_and(|line| !line.is_empty()) {}
        events
    }
}

/// One connection that is kept, as programs that push have it.
pub(crate) struct Kept(BufReader<Box<dyn Stream>>);

impl Kept {
    /// Connects to a board that answers.
    pub(crate) fn open(at: &At) -> Self {
        Self(BufReader::new(at.connect().expect("somebody listens")))
    }

    /// Sends one request and reads its answer; gives its status and body.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let length = body.len();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}");
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length, mut line) = (0, 0, String::new());
        while self.0.read_line(&mut line).unwrap() > 2 {
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(told) = line.strip_prefix("content-length: ") {
                length = told.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, body)
    }
}

/// A stream of server-sent events.
pub(crate) struct Events(BufReader<Box<dyn Stream>>);

impl Events {
    /// The next line; `None`: the stream has ended.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next frame's line of JSON; `None`: the stream has ended. What frames the events is checked and dropped.
    pub(crate) fn next(&mut self) -> Option<String> {
        let mut named = false;
        loop {
            let line = self.line()?;
            if let Some(data) = line.strip_prefix("data: ") {
                assert!(named, "data without `event: frame`");
                return Some(data.to_owned());
            }
            named |= line == "event: frame";
        }
    }
}
