//! A real Redis server for tests, its commands, and the certificates it shows.

pub(in crate::coordination) mod sentinels;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A server of this test's own, gone with it.
pub(in crate::coordination) struct Server {
    child: Child,
    pub(in crate::coordination) port: u16,
    pub(in crate::coordination) folder: TempDir,
    more: Vec<String>,
}

impl Server {
    /// `None` where it is not installed, after saying so.
    pub(in crate::coordination) fn start(more: &[&str]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let more: Vec<String> = more.iter().map(|&argument| argument.to_owned()).collect();
        let port = free_port();
        let child = spawn(&folder, port, &more)?;
        let server = Self { child, port, folder, more };
        server.wait();
        Some(server)
    }

    pub(in crate::coordination) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Until it takes commands, of whomever it lets in.
    fn wait(&self) {
        until(|| {
            let mut answer = [0; 5];
            TcpStream::connect(("127.0.0.1", self.port))
                .and_then(|mut stream| stream.write_all(b"PING\r\n").and_then(|()| stream.read_exact(&mut answer)))
                .is_ok_and(|()| [&b"+PONG"[..], b"-NOAU"].contains(&&answer[..]))
        });
    }

    pub(in crate::coordination) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(in crate::coordination) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(in crate::coordination) fn restart(&mut self) {
        self.stop();
        self.child = spawn(&self.folder, self.port, &self.more).unwrap();
        self.wait();
    }

    /// Says a command past the program.
    pub(in crate::coordination) fn say(&self, words: &[&str]) -> redis::Value {
        say(&self.url(), words)
    }

    /// A user who may do what the manual says and no more: where it is let in.
    pub(in crate::coordination) fn url_of_a_user(&self) -> String {
        let manual = include_str!("../../../docs/redis.md");
        let (_, listed) = manual.split_once("The user needs `").unwrap();
        let commands = listed.split_once('`').unwrap().0.to_lowercase();
        let allowed: Vec<String> = commands.split_whitespace().map(|command| format!("+{command}")).collect();
        let mut words = vec!["ACL", "SETUSER", "board", "on", ">pass", "~marquee:*", "&marquee:*"];
        words.extend(allowed.iter().map(String::as_str));
        self.say(&words);
        format!("redis://board:pass@127.0.0.1:{}", self.port)
    }

    /// Makes it refuse writes before long, as a full disk does: a snapshot that can't be written.
    pub(in crate::coordination) fn fill_disk(&self) {
        self.say(&["CONFIG", "SET", "save", "3600 1"]);
        std::fs::create_dir(self.folder.path().join("dump.rdb")).unwrap();
        self.say(&["BGSAVE"]);
    }

    /// Runs a script on it that never ends by itself; gives whether it was ended.
    pub(in crate::coordination) fn keep_busy(&self) -> JoinHandle<bool> {
        let url = self.url();
        let script = move || {
            let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
            redis::cmd("EVAL").arg("while true do end").arg(0).query::<()>(&mut connection).is_err()
        };
        std::thread::Builder::new().spawn(script).unwrap()
    }

    pub(in crate::coordination) fn field(&self, name: &str) -> String {
        redis::from_redis_value(self.say(&["HGET", "marquee:{line-3}:state", name])).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Says a command past the program, to a server or a sentinel.
fn say(url: &str, words: &[&str]) -> redis::Value {
    let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connection).unwrap()
}

fn spawn(folder: &TempDir, port: u16, more: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"]).arg(folder.path());
    command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let skip = |error: &std::io::Error| {
        let _ = std::io::stderr().write_all(format!("SKIPPED: redis-server can't be started: {error}\n").as_bytes());
    };
    command.spawn().inspect_err(skip).ok()
}

pub(in crate::coordination) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks until it is so; each question takes its time, and the harness ends a test that hangs.
pub(in crate::coordination) fn until(mut look: impl FnMut() -> bool) {
    for _ in 0..1_000_000 {
        if look() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("it never came so");
}

/// A server of this test's own that speaks TLS too.
pub(in crate::coordination) struct Encrypted {
    pub(in crate::coordination) server: Server,
    /// Where it speaks TLS.
    pub(in crate::coordination) port: u16,
    /// The certificate that has to be trusted.
    pub(in crate::coordination) trusted: Vec<u8>,
    /// The files of its certificate, its key, and whom it trusts itself.
    pub(in crate::coordination) files: [String; 3],
    _folder: TempDir,
}

impl Encrypted {
    /// One whose certificate is for `name`; `None` where it is not installed, after saying so.
    pub(in crate::coordination) fn start(name: &str, more: &[&str]) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("marquee-").tempdir().unwrap();
        let (trusted, files) = certificate(folder.path(), name);
        let (port, [cert, key, ca]) = (free_port(), &files);
        let told = port.to_string();
        let tls = ["--tls-port", &told, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", ca];
        let server = Server::start(&[&tls[..], &["--tls-auth-clients", "no"], more].concat())?;
        Some(Self { server, port, trusted, files, _folder: folder })
    }
}

/// A certificate for `name` in this folder, as one trusts it, and the files of certificate, key and issuer.
fn certificate(folder: &Path, name: &str) -> (Vec<u8>, [String; 3]) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    let [cert, private] = ["cert.pem", "key.pem"].map(|file| folder.join(file));
    let trusted = pem("CERTIFICATE", certificate.der());
    std::fs::write(&cert, &trusted).unwrap();
    std::fs::write(&private, pem("PRIVATE KEY", &key.serialize_der())).unwrap();
    let path = |path: &Path| path.display().to_string();
    (trusted.into_bytes(), [path(&cert), path(&private), path(&cert)])
}

/// The text form of a certificate or key, which is all the server reads.
fn pem(kind: &str, bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let sign = |place: usize| {
            if place > three.len() { '=' } else { char::from(SIGNS[(bits >> (18 - 6 * place) & 63) as usize]) }
        };
        [sign(0), sign(1), sign(2), sign(3)]
    };
    let line = |line: &[u8]| line.chunks(3).flat_map(four).chain(['\n']).collect::<String>();
    let lines: String = bytes.chunks(48).map(line).collect();
    format!("-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n")
}
