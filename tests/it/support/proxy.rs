//! A TCP proxy that spoils a way between two programs: late, silent, one-way, reset or refused, changed live.
//!
//! Bytes are held back, never lost or mixed up: it spoils what a network can spoil. What a real network
//! does beyond that (packets that vanish before a connection stands) is the business of `tests/faults`.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::clock::{now, pass};

/// A direction of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// How the way is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weather {
    /// How late bytes come upwards.
    pub(crate) up: Duration,
    /// How late they come downwards.
    pub(crate) down: Duration,
    /// By how much more or less than that.
    pub(crate) jitter: Duration,
    /// The share of pieces that are late by a stall of 200 ms on top.
    pub(crate) stalls: f64,
}

/// What a stall costs.
const STALL: Duration = Duration::from_millis(200);

#[derive(Default)]
struct State {
    weather: Weather,
    /// Upwards and downwards: nothing comes through.
    held: [bool; 2],
    refuses: bool,
    over: bool,
    /// Connections of an earlier era were reset.
    era: u64,
    streams: Vec<Arc<TcpStream>>,
}

struct Shared {
    to: u16,
    state: Mutex<State>,
    changed: Condvar,
    /// Bytes that were read, both ways.
    bytes: AtomicU64,
}

/// The proxy; its connections end with it.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// A way to a port of this machine, in good weather.
    pub(crate) fn to(port: u16) -> Self {
        Self::from("127.0.0.1", port)
    }

    /// The same for clients that come to another address of this machine.
    pub(crate) fn from(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { to: port, state: Mutex::default(), changed: Condvar::new(), bytes: AtomicU64::new(0) });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || accept(listener, address, &theirs));
        Self { address, shared }
    }

    /// Where clients come in.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bytes came, both ways.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// Changes the weather for what is read from now on.
    pub(crate) fn weather(&self, weather: Weather) {
        self.shared.change(|state| state.weather = weather);
    }

    /// Lets nothing through any more: connections are accepted, and nobody answers.
    pub(crate) fn blackhole(&self) {
        self.shared.change(|state| state.held = [true; 2]);
    }

    /// Lets nothing through in one direction.
    pub(crate) fn half(&self, way: Way) {
        self.shared.change(|state| state.held[usize::from(way == Way::Down)] = true);
    }

    /// Resets all connections; new ones are welcome.
    pub(crate) fn reset(&self) {
        self.shared.change(State::reset);
    }

    /// Resets all connections and refuses new ones.
    pub(crate) fn refuse(&self) {
        self.shared.change(|state| {
            state.reset();
            state.refuses = true;
        });
        // The listener notices when somebody comes.
        let _ = TcpStream::connect(self.address);
    }

    /// Ends all faults; what was held back comes through now.
    pub(crate) fn heal(&self) {
        self.shared.change(|state| {
            (state.held, state.refuses, state.weather) = ([false; 2], false, Weather::default());
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.reset();
            state.over = true;
        });
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn reset(&mut self) {
        self.era += 1;
        for stream in self.streams.drain(..) {
            let _ = rustix::net::sockopt::set_socket_linger(&*stream, Some(Duration::ZERO));
            // Wakes its readers without a word to the other end; the last of them closes it with a reset.
            let _ = stream.shutdown(Shutdown::Read);
        }
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: TcpListener, address: SocketAddr, shared: &Arc<Shared>) {
    let mut listener = Some(listener);
    loop {
        let accepted = listener.as_ref().and_then(|listener| listener.accept().ok());
        let mut state = shared.state();
        if state.over {
            return;
        }
        if state.refuses {
            listener = None;
            while state.refuses && !state.over {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(accepted);
            listener = listener.or_else(|| TcpListener::bind(address).ok());
            continue;
        }
        drop(state);
        if let Some((client, _)) = accepted {
            let shared = Arc::clone(shared);
            thread::spawn(move || join(client, &shared));
        }
    }
}

/// Carries both directions of one connection.
fn join(client: TcpStream, shared: &Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", shared.to)) else {
        let _ = rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO));
        return;
    };
    let (client, server) = (Arc::new(client), Arc::new(server));
    let era = {
        let mut state = shared.state();
        state.streams.retain(|stream| Arc::strong_count(stream) > 1);
        state.streams.extend([Arc::clone(&client), Arc::clone(&server)]);
        state.era
    };
    for (way, from, to) in [(Way::Up, &client, &server), (Way::Down, &server, &client)] {
        let _ = from.set_nodelay(true);
        let (piece, pieces) = channel();
        let (from, to, theirs) = (Arc::clone(from), Arc::clone(to), Arc::clone(shared));
        thread::spawn(move || write(&to, way, era, &pieces, &theirs));
        let theirs = Arc::clone(shared);
        thread::spawn(move || read(&from, way, &piece, &theirs));
    }
}

/// Takes what comes, and says when it is due at the other end.
fn read(from: &TcpStream, way: Way, piece: &Sender<(Instant, Vec<u8>)>, shared: &Shared) {
    let mut from = from;
    let mut bytes = [0; 16 * 1024];
    let mut due = now();
    let mut seed = u64::from(from.peer_addr().map_or(1, |address| address.port())) * 2 + 1;
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        shared.bytes.fetch_add(count as u64, Ordering::Relaxed);
        let weather = shared.state().weather;
        let delay = if way == Way::Up { weather.up } else { weather.down };
        let late = (delay + weather.jitter.mul_f64(2.0 * chance(&mut seed))).saturating_sub(weather.jitter);
        let stall = if chance(&mut seed) < weather.stalls { STALL } else { Duration::ZERO };
        // A stream keeps its order, whatever the weather.
        due = due.max(now() + late + stall);
        if piece.send((due, bytes[..count].to_vec())).is_err() {
            return;
        }
    }
}

/// A number from 0 to 1, the same ones for the same seed.
fn chance(seed: &mut u64) -> f64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    f64::from(u32::try_from(*seed >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

/// Brings each piece when it is due, and not while the way is held.
fn write(to: &TcpStream, way: Way, era: u64, pieces: &Receiver<(Instant, Vec<u8>)>, shared: &Shared) {
    let mut to = to;
    let may_go = || {
        let mut state = shared.state();
        while state.held[usize::from(way == Way::Down)] && state.era == era {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.era == era
    };
    for (due, bytes) in pieces {
        pass(due.saturating_duration_since(now()));
        if !may_go() || to.write_all(&bytes).is_err() {
            return;
        }
    }
    if may_go() {
        let _ = to.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// A server that says everything back.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                thread::spawn(move || {
                    let mut bytes = [0; 64];
                    while let Ok(count @ 1..) = stream.read(&mut bytes) {
                        let _ = stream.write_all(&bytes[..count]);
                    }
                });
            }
        });
        port
    }

    fn client(proxy: &Proxy) -> TcpStream {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream
    }

    fn said_back(stream: &mut TcpStream) -> Result<u8, ErrorKind> {
        let mut byte = [0];
        stream.read_exact(&mut byte).map_err(|error| error.kind())?;
        Ok(byte[0])
    }

    #[test]
    fn every_fault_does_what_its_name_says_and_heals() {
        let proxy = Proxy::to(echo());
        let mut stream = client(&proxy);
        stream.write_all(b"a").unwrap();
        assert_eq!(said_back(&mut stream), Ok(b'a'));
        assert_eq!(proxy.bytes(), 2, "there and back");
        for hold in [Proxy::blackhole as fn(&Proxy), |proxy| proxy.half(Way::Down), |proxy| proxy.half(Way::Up)] {
            hold(&proxy);
            stream.write_all(b"b").unwrap();
            assert_eq!(said_back(&mut stream), Err(ErrorKind::WouldBlock));
            proxy.heal();
            assert_eq!(said_back(&mut stream), Ok(b'b'));
        }
        let late = Weather { up: Duration::from_millis(40), down: Duration::from_millis(40), ..Weather::default() };
        proxy.weather(late);
        let began = now();
        stream.write_all(b"c").unwrap();
        assert_eq!(said_back(&mut stream), Ok(b'c'));
        assert!(now() - began >= Duration::from_millis(80));
        proxy.reset();
        assert_eq!(said_back(&mut stream), Err(ErrorKind::ConnectionReset));
        proxy.refuse();
        crate::support::clock::eventually("the port to close", || {
            TcpStream::connect(proxy.address()).is_err().then_some(())
        });
        proxy.heal();
        let mut again =
            crate::support::clock::eventually("the port to open", || TcpStream::connect(proxy.address()).ok());
        again.write_all(b"d").unwrap();
        assert_eq!(said_back(&mut again), Ok(b'd'));
    }
}
