//! The figures of pushing: `cargo bench --bench push` prints lines `figure NAME VALUE UNIT`.
//!
//! The release binary is run as its users run it and is pushed to over its port.
//! A server takes 20,000 updates a second; what it could take is measured in
//! bursts of that many, each timed alone, with a second between them. Figures are for people who
//! compare them; no test asserts them.

#[cfg(test)]
#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use more of their tools than the figures do")]
mod support;

fn main() {
    // `cargo test --all-targets` runs this too, only to see that it starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    #[cfg(test)]
    for measure in [figures::batches, figures::singles, figures::to_the_frame] {
        measure();
    }
}

#[cfg(test)]
mod figures {
    use std::fmt::Write as _;
    use std::io::{BufRead as _, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::time::Duration;

    use crate::support::clock::{eventually, now};
    use crate::support::http::At;
    use crate::support::process::processor_time;
    use crate::support::servers::free_port;
    use crate::support::{Piped, TempHome};

    /// Updates that a server takes at once, from a full bucket.
    const BURST: usize = 20_000;

    struct Board {
        run: Piped,
        at: At,
        port: u16,
        _home: TempHome,
    }

    fn board() -> Board {
        let port = free_port();
        let rest = "items:\n  - {id: press, text: Press, ttl: 1h}\n";
        let home = TempHome::with_config(&format!(
            "title: Pushed\ninterval: 1h\ncluster: none\nstate: memory\nlisten: 127.0.0.1:{port}\n{rest}"
        ));
        let run = Piped::render(&home, "json");
        let at = At::Port(port);
        eventually("a ready board", || at.connect().filter(|_| at.ask("GET", "/readyz").status == 200));
        Board { run, at, port, _home: home }
    }

    /// One connection that is kept, as programs that push have it.
    struct Kept(BufReader<TcpStream>);

    impl Kept {
        fn open(port: u16) -> Self {
            let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_nodelay(true).unwrap();
            Self(BufReader::new(stream))
        }

        /// Sends one request and reads its answer; gives its status and body.
        fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
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

    /// Batches of 500 updates for 500 items on one connection.
    pub(crate) fn batches() {
        let board = board();
        let mut kept = Kept::open(board.port);
        let mut round = 0;
        let mut rates: Vec<f64> = Vec::new();
        let (mut used, mut updates) = (Duration::ZERO, 0_u32);
        for _ in 0..6 {
            let batches: Vec<String> = (0..BURST / 500).map(|_| batch(&mut round)).collect();
            let (began, before) = (now(), processor_time(board.run.pid()));
            for batch in &batches {
                let (status, body) = kept.send("POST", "/v1/items", batch);
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            }
            rates.push(20_000.0 / (now() - began).as_secs_f64());
            used += processor_time(board.run.pid()).saturating_sub(before);
            updates += 20_000;
            refill(&board);
        }
        figure("push_batch_per_s", median(&mut rates), "1/s");
        figure("push_batch_cpu_us", used.as_secs_f64() * 1e6 / f64::from(updates), "us");
    }

    fn batch(round: &mut usize) -> String {
        *round += 1;
        let mut text = String::new();
        for unit in 0..500 {
            let _ = writeln!(
                text,
                r#"{{"id":"unit-{unit}","level":"info","text":"Reading {round}","values":{{"t":{unit}}}}}"#
            );
        }
        text
    }

    /// One update a request, one after the other on four kept connections.
    pub(crate) fn singles() {
        let board = board();
        let mut rates: Vec<f64> = Vec::new();
        let (mut used, mut updates) = (Duration::ZERO, 0_u32);
        for _ in 0..4 {
            let (began, before) = (now(), processor_time(board.run.pid()));
            let port = board.port;
            let pushers: Vec<_> = (0..4)
                .map(|pusher| {
                    std::thread::spawn(move || {
                        let mut kept = Kept::open(port);
                        for number in 0..2_500 {
                            let body = format!(r#"{{"level":"info","text":"Reading {number}"}}"#);
                            let (status, _) = kept.send("PUT", &format!("/v1/items/unit-{pusher}"), &body);
                            assert!(matches!(status, 200 | 201), "{status}");
                        }
                    })
                })
                .collect();
            for pusher in pushers {
                pusher.join().unwrap();
            }
            rates.push(10_000.0 / (now() - began).as_secs_f64());
            used += processor_time(board.run.pid()).saturating_sub(before);
            updates += 10_000;
            refill(&board);
        }
        figure("push_single_per_s", median(&mut rates), "1/s");
        figure("push_single_cpu_us", used.as_secs_f64() * 1e6 / f64::from(updates), "us");
    }

    /// From the moment that an update is sent to its frame in the hands of a reader.
    pub(crate) fn to_the_frame() {
        let board = board();
        let mut events = board.at.frames();
        let mut kept = Kept::open(board.port);
        let mut took: Vec<f64> = (0..1_000)
            .map(|number| {
                let body = format!(r#"{{"level":"info","text":"Reading {number}."}}"#);
                let wanted = format!("Reading {number}.");
                let sent = now();
                assert_eq!(kept.send("PUT", "/v1/items/press", &body).0, 200);
                while !events.next().expect("a frame").contains(&wanted) {}
                (now() - sent).as_secs_f64() * 1e3
            })
            .collect();
        took.sort_by(f64::total_cmp);
        figure("push_to_frame_p50_ms", took[500], "ms");
        figure("push_to_frame_p99_ms", took[990], "ms");
    }

    /// Lets the server's bucket fill again: a second and a little.
    fn refill(board: &Board) {
        let began = now();
        eventually("the second to pass", || (now() - began >= Duration::from_millis(1_100)).then_some(()));
        eventually("the board", || board.at.connect());
    }

    fn median(values: &mut [f64]) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn figure(name: &str, value: f64, unit: &str) {
        println!("figure {name} {value:.3} {unit}");
    }
}
