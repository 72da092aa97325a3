//! A Redis server on a free port of this machine, gone with the test, and somebody who asks and listens there.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::clock::{eventually, now};
use super::servers::free_port;

/// A server.
pub(crate) struct Redis {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Nothing,
    Text(String),
    Number(i64),
    Refused(String),
    Many(Vec<Self>),
}

impl Answer {
    /// The text, where it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl Redis {
    /// Starts it with further arguments; `None` where it is not installed.
    pub(crate) fn start(more: &[&str]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let mut redis = Self {
            child: None,
            port: free_port(),
            folder,
            arguments: more.iter().map(|argument| (*argument).to_owned()).collect(),
        };
        redis.spawn().then_some(redis)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            kill_process(Pid::from_child(child), signal).unwrap();
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again on its old data.
    pub(crate) fn restart(&mut self) {
        assert!(self.spawn());
    }

    /// Asks; `None`: it does not answer.
    pub(crate) fn ask(&self, words: &[&str]) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(&request(words)).ok()?;
        answer(&mut BufReader::new(stream))
    }

    /// A field of a board's state.
    pub(crate) fn state(&self, board: &str, field: &str) -> Option<String> {
        self.ask(&["HGET", &format!("marquee:{{{board}}}:state"), field])?.text().map(str::to_owned)
    }

    fn spawn(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &self.port.to_string(), "--dir"]);
        command.arg(self.folder.path()).args(&self.arguments);
        let Ok(child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            return false;
        };
        self.child = Some(child);
        eventually("Redis to listen", || TcpStream::connect(("127.0.0.1", self.port)).ok());
        true
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn request(words: &[&str]) -> Vec<u8> {
    let spoken: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    format!("*{}\r\n{spoken}", words.len()).into_bytes()
}

fn answer(from: &mut impl std::io::BufRead) -> Option<Answer> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let (kind, rest) = line.trim_end().split_at_checked(1)?;
    Some(match kind {
        "+" => Answer::Text(rest.to_owned()),
        "-" => Answer::Refused(rest.to_owned()),
        ":" => Answer::Number(rest.parse().ok()?),
        "$" => {
            let Ok(length) = rest.parse::<usize>() else { return Some(Answer::Nothing) };
            let mut bytes = vec![0; length + 2];
            from.read_exact(&mut bytes).ok()?;
            bytes.truncate(length);
            Answer::Text(String::from_utf8_lossy(&bytes).into_owned())
        }
        "*" => {
            let Ok(count) = rest.parse::<usize>() else { return Some(Answer::Nothing) };
            Answer::Many((0..count).map(|_| answer(from)).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// What an ear has heard, and when.
type Heard = Arc<Mutex<Vec<(Instant, String)>>>;

/// Hears everything on a board's channel, also after the server was gone.
pub(crate) struct Ear {
    heard: Heard,
    over: Arc<AtomicBool>,
}

impl Ear {
    /// Begins to listen, and waits until it does.
    pub(crate) fn at(redis: &Redis, board: &str) -> Self {
        let (heard, over) = (Heard::default(), Arc::new(AtomicBool::new(false)));
        let (theirs, ends, port) = (Arc::clone(&heard), Arc::clone(&over), redis.port);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let channel = format!("marquee:{{{board}}}:frames");
        thread::spawn(move || {
            while !ends.load(Ordering::SeqCst) {
                let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
                    thread::park_timeout(Duration::from_millis(10));
                    continue;
                };
                let _ = stream.write_all(&request(&["SUBSCRIBE", &channel]));
                let mut reader = BufReader::new(stream);
                while let Some(said) = answer(&mut reader) {
                    let _ = ready.send(());
                    if let Answer::Many(words) = said
                        && let [Answer::Text(kind), _, Answer::Text(text)] = words.as_slice()
                        && kind == "message"
                    {
                        theirs.lock().unwrap_or_else(PoisonError::into_inner).push((now(), text.clone()));
                    }
                }
            }
        });
        is_ready.recv_timeout(super::clock::PATIENCE).expect("the channel can be heard");
        Self { heard, over }
    }

    /// Everything that was said so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, text)| text.clone()).collect()
    }

    /// The tokens (epoch, revision) of all beats since then, with their moments.
    pub(crate) fn beats(&self, since: Instant) -> Vec<(Instant, (u64, u64))> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let beat = |(at, text): &(Instant, String)| {
            let said: serde_json::Value = serde_json::from_str(text).ok()?;
            (said["marquee"] == "beat" && *at >= since).then_some(())?;
            Some((*at, (said["e"].as_u64()?, said["r"].as_u64()?)))
        };
        heard.iter().filter_map(beat).collect()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}
