//! Sentinels for tests: real ones where they decide, scripted ones where they lie, and the pair that they watch.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::{Server, free_port, say, until};

/// A sentinel of this test's own, gone with it.
pub(in crate::coordination) struct Sentinel {
    child: Child,
    pub(in crate::coordination) port: u16,
    _folder: TempDir,
}

impl Sentinel {
    /// One that knows the server at `primary` as `board`, and needs nobody's consent to replace it.
    pub(in crate::coordination) fn start(primary: u16, more: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let (port, file) = (free_port(), folder.path().join("sentinel.conf"));
        let mut lines = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor board 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds board 200\nsentinel failover-timeout board 2000\n",
            folder.path().display()
        );
        for line in more {
            lines.extend([line, "\n"]);
        }
        std::fs::write(&file, lines).unwrap();
        let mut command = Command::new("redis-server");
        command.arg(&file).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let sentinel = Self { child: command.spawn().unwrap(), port, _folder: folder };
        until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        sentinel
    }

    fn say(&self, words: &[&str]) -> redis::Value {
        say(&format!("redis://127.0.0.1:{}", self.port), words)
    }

    /// Whether it could make the server on `port` the primary.
    pub(in crate::coordination) fn has_replica(&self, port: u16) -> bool {
        let told = self.say(&["SENTINEL", "REPLICAS", "board"]);
        let replicas: Vec<HashMap<String, String>> = redis::from_redis_value(told).unwrap();
        replicas.iter().any(|replica| {
            let is = |name: &str, value: &str| replica.get(name).is_some_and(|known| known == value);
            is("port", &port.to_string()) && is("flags", "slave") && is("master-link-status", "ok")
        })
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A sentinel that says the same to everything.
pub(in crate::coordination) fn liar(answer: String) -> u16 {
    liar_of(Arc::new(Mutex::new(answer)))
}

/// A sentinel that says to everything what there is to say at the time.
pub(in crate::coordination) fn liar_of(answer: Arc<Mutex<String>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers = move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            while stream.read(&mut [0; 512]).is_ok_and(|read| read > 0) {
                let said = answer.lock().unwrap().clone();
                if stream.write_all(said.as_bytes()).is_err() {
                    break;
                }
            }
        }
    };
    // It waits for a connection that never comes when the test is over, and ends with the process.
    drop(std::thread::Builder::new().spawn(answers).unwrap());
    port
}

/// What a sentinel says when it names a server.
pub(in crate::coordination) fn names(host: &str, port: &str) -> String {
    format!("*2\r\n${}\r\n{host}\r\n${}\r\n{port}\r\n", host.len(), port.len())
}

/// What a server says of its replicas or of its primary.
fn replication(server: &Server) -> String {
    redis::from_redis_value(server.say(&["INFO", "replication"])).unwrap()
}

/// A primary, and a replica that has caught up with it; `None` where there is no such program.
pub(in crate::coordination) fn pair() -> Option<(Server, Server)> {
    let first = Server::start(&["--repl-diskless-sync-delay", "0"])?;
    let second = Server::start(&["--replicaof", "127.0.0.1", &first.port.to_string()])?;
    until(|| replication(&second).contains("master_link_status:up") && replication(&first).contains("state=online"));
    Some((first, second))
}

/// The same, and the sentinel that replaces the one by the other.
pub(in crate::coordination) fn watched_pair() -> Option<(Server, Server, Sentinel)> {
    let (first, second) = pair()?;
    let sentinel = Sentinel::start(first.port, &[]);
    until(|| sentinel.has_replica(second.port));
    Some((first, second, sentinel))
}
