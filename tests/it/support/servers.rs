//! Tiny servers that answer as a test says, and free ports to put things on.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::clock::{PATIENCE, left, now};

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// What the scripted server answers.
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

/// An HTTP server whose answer to the n-th request (from 0) a test decides.
pub(crate) struct HttpServer {
    address: SocketAddr,
    shared: Arc<Served>,
}

#[derive(Default)]
struct Served {
    count: Mutex<usize>,
    news: Condvar,
    over: AtomicBool,
}

impl HttpServer {
    /// Starts it.
    pub(crate) fn start(answer: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Served::default());
        let theirs = Arc::clone(&shared);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if theirs.over.load(Ordering::SeqCst) {
                    break;
                }
                let (theirs, answer) = (Arc::clone(&theirs), Arc::clone(&answer));
                thread::spawn(move || serve(&stream, &theirs, answer.as_ref()));
            }
        });
        Self { address, shared }
    }

    /// `http://` and its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        *self.shared.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `count` requests have come.
    #[track_caller]
    pub(crate) fn wait_for_count(&self, count: usize) {
        let deadline = now() + PATIENCE;
        let mut seen = self.shared.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *seen < count {
            let Some(left) = left(deadline) else { panic!("only {seen} of {count} requests came") };
            seen = self.shared.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: &TcpStream, shared: &Served, answer: &dyn Fn(usize) -> Reply) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        let mut lines = 0;
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) && !line.trim_end().is_empty() {
            line.clear();
            lines += 1;
        }
        if lines == 0 {
            return;
        }
        let number = {
            let mut count = shared.count.lock().unwrap_or_else(PoisonError::into_inner);
            *count += 1;
            *count - 1
        };
        shared.news.notify_all();
        let Reply { status, body } = answer(number);
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

/// A server that accepts and never says a word.
pub(crate) struct SilentServer {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl SilentServer {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&over);
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if theirs.load(Ordering::SeqCst) {
                    break;
                }
                held.push(stream);
            }
        });
        Self { address, over }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SilentServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// The answer to a plain GET.
#[derive(Debug)]
pub(crate) struct Got {
    /// The status code.
    pub(crate) status: u16,
    /// Header names in lower case, with their values.
    pub(crate) headers: HashMap<String, String>,
    /// The body.
    pub(crate) body: String,
}

/// GETs a path from a port of this machine; `None`: nobody answers there.
pub(crate) fn get(port: u16, path: &str) -> Option<Got> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Some(Got { status, headers, body: body.to_owned() })
}
