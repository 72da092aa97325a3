//! A plant of one door: an HTTP server that says OK and counts who knocked, by the path that was asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::clock::now;

type Asked = Arc<Mutex<Vec<(Instant, String)>>>;

/// The server.
pub(crate) struct Target {
    address: SocketAddr,
    asked: Asked,
    over: Arc<AtomicBool>,
}

impl Target {
    pub(crate) fn start(host: &str) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, over) = (Asked::default(), Arc::<AtomicBool>::default());
        let (theirs, ends) = (Arc::clone(&asked), Arc::clone(&over));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                let theirs = Arc::clone(&theirs);
                thread::spawn(move || serve(&stream, &theirs));
            }
        });
        Self { address, asked, over }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often a path was asked since then.
    pub(crate) fn asked(&self, path: &str, since: Instant) -> usize {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().filter(|(at, which)| *at >= since && which == path).count()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: &TcpStream, asked: &Asked) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut path) = (String::new(), None);
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        if path.is_none() {
            path = line.split(' ').nth(1).map(|path| path.trim_start_matches('/').to_owned());
        } else if line.trim_end().is_empty() {
            let asked_for = path.take().unwrap_or_default();
            asked.lock().unwrap_or_else(PoisonError::into_inner).push((now(), asked_for));
            if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK").is_err() {
                return;
            }
        }
        line.clear();
    }
}
