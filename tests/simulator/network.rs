//! The network: each console's own way to etcd and to Redis, either direction of which can be cut or slow.

use crate::chance::Chance;
use crate::clock::MS;

/// A connection without acknowledgements is given up after so long (reliability 2.2: measured 1.03 s).
const GIVEN_UP: u64 = 1_030 * MS;

/// What a console talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Server {
    Etcd,
    Redis,
}

impl Server {
    pub(crate) const ALL: [Self; 2] = [Self::Etcd, Self::Redis];
}

/// One direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    There,
    Back,
}

#[derive(Clone, Copy, Debug, Default)]
struct Path {
    cut: Option<u64>,
    delay: u64,
    jitter: u64,
    slow: u64,
    /// When the last message of a stream arrived: a stream keeps its order.
    last: u64,
}

/// All ways.
#[derive(Debug)]
pub(crate) struct Network {
    paths: Vec<[[Path; 2]; 2]>,
}

impl Network {
    /// Ways for so many consoles: of one LAN, or of sites that are tens of milliseconds apart.
    pub(crate) fn new(consoles: usize, far: bool, chance: &mut Chance) -> Self {
        let paths = (0..consoles).map(|_| {
            let (delay, jitter) = if far {
                (chance.within(5, 50) * MS, chance.within(1, 20) * MS)
            } else {
                (chance.within(50, 500) * 1_000, chance.within(10, 300) * 1_000)
            };
            [[Path { delay, jitter, ..Path::default() }; 2]; 2]
        });
        Self { paths: paths.collect() }
    }

    fn path(&mut self, console: usize, server: Server, way: Way) -> &mut Path {
        &mut self.paths[console][usize::from(server == Server::Redis)][usize::from(way == Way::Back)]
    }

    pub(crate) fn cut(&mut self, t: u64, console: usize, server: Server, way: Way) {
        self.path(console, server, way).cut.get_or_insert(t);
    }

    pub(crate) fn heal(&mut self, console: usize, server: Server, way: Way) {
        self.path(console, server, way).cut = None;
    }

    /// Makes a way slower by `slow` nanoseconds.
    pub(crate) fn slow(&mut self, console: usize, server: Server, way: Way, slow: u64) {
        self.path(console, server, way).slow = slow;
    }

    pub(crate) fn is_cut(&self, console: usize, server: Server) -> bool {
        self.paths[console][usize::from(server == Server::Redis)].iter().any(|path| path.cut.is_some())
    }

    /// Whether anything is wrong with the ways between these two.
    pub(crate) fn is_bad(&self, console: usize, server: Server) -> bool {
        let ways = &self.paths[console][usize::from(server == Server::Redis)];
        ways.iter().any(|path| path.cut.is_some() || path.slow > 0)
    }

    /// When a packet that leaves at `t` arrives; `None`: it is lost. Where nothing comes back, the
    /// connection is given up, and no other comes about.
    pub(crate) fn arrives(&mut self, t: u64, at: (usize, Server, Way), chance: &mut Chance) -> Option<u64> {
        let deaf = self.path(at.0, at.1, Way::Back).cut.is_some_and(|since| t > since + GIVEN_UP);
        let path = self.path(at.0, at.1, at.2);
        (path.cut.is_none() && !deaf).then(|| t + path.delay + path.slow + chance.below(path.jitter + 1))
    }

    /// The same for a piece of a stream from `server`, which never overtakes the one before.
    pub(crate) fn streams(&mut self, t: u64, console: usize, server: Server, chance: &mut Chance) -> Option<u64> {
        let arrival = self.arrives(t, (console, server, Way::Back), chance)?;
        let path = self.path(console, server, Way::Back);
        path.last = arrival.max(path.last + 1);
        Some(path.last)
    }
}
