//! Real etcd clusters on free ports of this machine, gone with the test that started them.
//!
//! The library's own tests share this file, so it knows nothing of the program.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A cluster.
pub(crate) struct Etcd {
    members: Vec<Member>,
    folder: TempDir,
}

struct Member {
    child: Option<Child>,
    port: u16,
    arguments: Vec<String>,
}

impl Etcd {
    /// Starts `count` members and waits until they have a leader; `{port}` in an argument stands
    /// for a member's port. `None` where etcd is not installed, after saying so.
    pub(crate) fn start(count: usize, more: &[&str]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let ports = free_ports(2 * count);
        let url = |port: &u16| format!("http://127.0.0.1:{port}");
        let (clients, peers) = ports.split_at(count);
        let cluster: Vec<_> = peers.iter().enumerate().map(|(place, port)| format!("m{place}={}", url(port))).collect();
        let cluster = cluster.join(",");
        let member = |(place, (client, peer)): (usize, (&u16, &u16))| {
            let (name, data) = (format!("m{place}"), folder.path().join(place.to_string()).display().to_string());
            let (client_url, peer_url) = (url(client), url(peer));
            let own = [
                ("--name", &name),
                ("--data-dir", &data),
                ("--listen-client-urls", &client_url),
                ("--advertise-client-urls", &client_url),
                ("--listen-peer-urls", &peer_url),
                ("--initial-advertise-peer-urls", &peer_url),
                ("--initial-cluster", &cluster),
            ];
            let own = own.iter().flat_map(|(name, value)| [(*name).to_owned(), (*value).clone()]);
            let pace = ["--heartbeat-interval", "50", "--election-timeout", "500", "--logger", "zap"];
            let more = pace.iter().chain(more).map(|argument| argument.replace("{port}", &client.to_string()));
            Member { child: None, port: *client, arguments: own.chain(more).collect() }
        };
        let members = clients.iter().zip(peers).enumerate().map(member).collect();
        let mut etcd = Self { members, folder };
        for place in 0..count {
            if !etcd.spawn(place) {
                return None;
            }
        }
        (0..count).for_each(|place| etcd.wait(place));
        Some(etcd)
    }

    /// The folder of the members' data, for a test's own files too.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port of a member.
    pub(crate) fn port(&self, place: usize) -> u16 {
        self.members[place].port
    }

    /// Hosts and ports of all members.
    pub(crate) fn endpoints(&self) -> Vec<(String, u16)> {
        self.members.iter().map(|member| ("127.0.0.1".to_owned(), member.port)).collect()
    }

    /// The process of a member.
    pub(crate) fn pid(&self, place: usize) -> u32 {
        self.members[place].child.as_ref().map_or(0, Child::id)
    }

    /// Sends a member a signal.
    pub(crate) fn signal(&self, place: usize, signal: Signal) {
        if let Some(child) = &self.members[place].child {
            kill_process(Pid::from_child(child), signal).unwrap();
        }
    }

    /// Kills a member at once.
    pub(crate) fn kill(&mut self, place: usize) {
        if let Some(mut child) = self.members[place].child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts a killed member again, on its old data, and waits until it serves.
    pub(crate) fn restart(&mut self, place: usize) {
        assert!(self.spawn(place));
        self.wait(place);
    }

    /// Forgets everything that a killed member has kept.
    pub(crate) fn erase(&self, place: usize) {
        std::fs::remove_dir_all(self.folder.path().join(place.to_string())).unwrap();
    }

    /// Which member leads the cluster.
    pub(crate) fn leader(&self) -> usize {
        let field = |text: &str, name: &str| {
            let (_, rest) = text.split_once(&format!("\"{name}\":\""))?;
            rest.split_once('"').map(|(value, _)| value.to_owned())
        };
        let leads = |place: &usize| {
            let status = self.ask(*place, "/v3/maintenance/status", "{}").unwrap_or_default();
            let leader = field(&status, "leader");
            leader.is_some() && leader == field(&status, "member_id")
        };
        eventually(|| (0..self.members.len()).find(leads))
    }

    /// What a member answers to a question in JSON, head and all; `None` where it does not answer.
    pub(crate) fn ask(&self, place: usize, path: &str, body: &str) -> Option<String> {
        let port = self.members[place].port;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: etcd\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(body.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    fn spawn(&mut self, place: usize) -> bool {
        let member = &mut self.members[place];
        let mut command = Command::new("etcd");
        command.args(&member.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(child) => member.child = Some(child),
            Err(error) => {
                let line = format!("SKIPPED: etcd can't be started: {error}\n");
                let _ = std::io::stderr().write_all(line.as_bytes());
            }
        }
        self.members[place].child.is_some()
    }

    fn wait(&self, place: usize) {
        // Only a member of a cluster with a leader answers a linearizable read, or says who may ask.
        let served = |answer: &String| answer.starts_with("HTTP/1.1 200") || answer.contains("user name is empty");
        eventually(|| self.ask(place, "/v3/kv/range", "{\"key\":\"AA==\"}").filter(served));
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|place| self.kill(place));
    }
}

/// Ports that nobody listens on, all different.
fn free_ports(count: usize) -> Vec<u16> {
    let held: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    held.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

/// Looks again and again, for 30 s at most, which only a failure takes.
pub(crate) fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("waited in vain");
}
