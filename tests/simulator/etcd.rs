//! An etcd of one mind: revisions, leases, the guarded writes of the protocol, and its ways to fail.

use std::collections::BTreeMap;

use marquee::coordination::Token;
use marquee::coordination::election::{Answer, Ask, Holder};
use marquee::coordination::member::{Reply, Request};
use marquee::kernel::Span;

use crate::clock::SECOND;

/// What is asked of it.
#[derive(Clone, Debug)]
pub(crate) enum EtcdOp {
    /// A question of the election, with what a candidate says of itself.
    Ask(Ask, String),
    /// A question of membership, with the console's name and its record.
    Member(Request, String, String),
    /// All records.
    Members,
    /// The backup channel, guarded by the leader's revision.
    Frame(Token, String),
    /// The whole board, with the same guard.
    Board(Token, String),
    GetBoard,
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum EtcdReply {
    Answer(Answer),
    Member(Reply),
    Members(Vec<String>),
    /// What was put is there, unless its guard forbade it.
    Put,
    Text(Option<String>),
}

/// An answer that is no success.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Refusal {
    /// In etcd's own words.
    fn of(status: u16, words: &str) -> Self {
        Self { status, body: format!("{{\"error\":\"etcdserver: {words}\",\"message\":\"etcdserver: {words}\"}}") }
    }

    fn no_lease() -> Self {
        Self::of(404, "requested lease not found")
    }
}

/// What its watch tells.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Leader(Option<Holder>),
    Frame(String),
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    ttl: u64,
    ends: u64,
    /// Whose it is: the console and which of its processes.
    owner: (usize, u64),
}

/// The whole cluster.
#[derive(Debug)]
pub(crate) struct Etcd {
    /// Whether it has a quorum.
    pub(crate) serves: bool,
    /// So much longer than was asked it grants leases.
    pub(crate) extra: u64,
    /// Its space is used up.
    pub(crate) full: bool,
    rev: u64,
    leader: Option<Holder>,
    pub(crate) epoch: Option<u64>,
    leases: BTreeMap<i64, Lease>,
    granted: i64,
    /// The consoles' records by their names, with the lease that each hangs on.
    members: BTreeMap<String, (i64, String)>,
    board: Option<String>,
    pub(crate) told: Vec<Told>,
}

impl Etcd {
    pub(crate) fn new() -> Self {
        Self {
            serves: true,
            extra: 0,
            full: false,
            rev: 1,
            leader: None,
            epoch: None,
            leases: BTreeMap::new(),
            granted: 0,
            members: BTreeMap::new(),
            board: None,
            told: Vec::new(),
        }
    }

    pub(crate) const fn leader(&self) -> Option<&Holder> {
        self.leader.as_ref()
    }

    fn set_leader(&mut self, leader: Option<Holder>) {
        self.leader.clone_from(&leader);
        self.told.push(Told::Leader(leader));
    }

    /// Ends what has run out. Without a quorum nothing does.
    pub(crate) fn expire(&mut self, t: u64) {
        if self.serves {
            let over: Vec<i64> = self.leases.iter().filter(|(_, lease)| lease.ends <= t).map(|(id, _)| *id).collect();
            for id in over {
                self.end(id);
            }
        }
    }

    /// Ends a lease, whatever it had left.
    fn end(&mut self, id: i64) {
        self.leases.remove(&id);
        self.members.retain(|_, (lease, _)| *lease != id);
        if self.leader.as_ref().is_some_and(|leader| leader.lease == id) {
            self.rev += 1;
            self.set_leader(None);
        }
    }

    /// Issue 15247: the leader's lease is revoked before its time.
    pub(crate) fn revoke_early(&mut self) {
        if let Some(lease) = self.leader.as_ref().map(|leader| leader.lease) {
            self.end(lease);
        }
    }

    /// An operator deletes the key and leaves the lease alone.
    pub(crate) fn delete_key(&mut self) {
        if self.leader.is_some() {
            self.rev += 1;
            self.set_leader(None);
        }
    }

    /// Its own leader has changed: all leases begin anew.
    pub(crate) fn extend(&mut self, t: u64) {
        for lease in self.leases.values_mut() {
            lease.ends = t + lease.ttl;
        }
    }

    /// Set up anew and empty, with revisions from 1.
    pub(crate) fn rebuild(&mut self) {
        let granted = self.granted;
        *self = Self { granted, extra: self.extra, told: std::mem::take(&mut self.told), ..Self::new() };
        self.told.push(Told::Leader(None));
    }

    /// Set up from a backup: an earlier revision of the same epoch.
    pub(crate) fn restore(&mut self) {
        let (epoch, rev) = (self.epoch, self.rev.saturating_sub(10).max(1));
        self.rebuild();
        (self.epoch, self.rev) = (epoch, rev);
    }

    /// Whose lease this is; `None`: it is gone.
    pub(crate) fn owner(&self, lease: i64) -> Option<(usize, u64)> {
        self.leases.get(&lease).map(|lease| lease.owner)
    }

    /// The leases that hold a key, of the leader and of the records.
    pub(crate) fn holding(&self) -> impl Iterator<Item = i64> {
        let lead = self.leader.as_ref().map(|leader| leader.lease);
        lead.into_iter().chain(self.members.values().map(|(lease, _)| *lease))
    }

    /// The lease of the record of this name.
    pub(crate) fn named(&self, name: &str) -> Option<i64> {
        self.members.get(name).map(|(lease, _)| *lease)
    }

    /// All that it keeps as text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        let leader = self.leader.as_ref().map(|leader| leader.value.as_str());
        self.board.as_deref().into_iter().chain(leader).chain(self.members.values().map(|(_, said)| said.as_str()))
    }

    /// Does what `from` asks; `None`: it has no quorum, and nobody answers.
    pub(crate) fn handle(&mut self, t: u64, from: (usize, u64), op: EtcdOp) -> Option<Result<EtcdReply, Refusal>> {
        if !self.serves {
            return None;
        }
        self.expire(t);
        Some(match op {
            _ if self.full && op.writes() => Err(Refusal::of(429, "mvcc: database space exceeded")),
            EtcdOp::Ask(ask, value) => self.answer(t, from, ask, value).map(EtcdReply::Answer),
            EtcdOp::Member(request, name, record) => {
                self.belongs(t, from, request, name, record).map(EtcdReply::Member)
            }
            EtcdOp::Members => Ok(EtcdReply::Members(self.members.values().map(|(_, said)| said.clone()).collect())),
            EtcdOp::Frame(token, line) => {
                if self.is_led_by(token) {
                    self.rev += 1;
                    self.told.push(Told::Frame(line));
                }
                Ok(EtcdReply::Put)
            }
            EtcdOp::Board(token, line) => {
                if self.is_led_by(token) {
                    self.rev += 1;
                    self.board = Some(line);
                }
                Ok(EtcdReply::Put)
            }
            EtcdOp::GetBoard => Ok(EtcdReply::Text(self.board.clone())),
        })
    }

    fn is_led_by(&self, token: Token) -> bool {
        self.leader.as_ref().is_some_and(|leader| leader.rev == token.rev) && self.epoch == Some(token.epoch)
    }

    fn grant(&mut self, t: u64, owner: (usize, u64), ttl: u64) -> (i64, Span) {
        self.granted += 1;
        let ttl = ttl + self.extra;
        self.leases.insert(self.granted, Lease { ttl, ends: t + ttl, owner });
        (self.granted, Span::from_nanos(ttl))
    }

    /// Renews; zero: it is gone.
    fn renew(&mut self, t: u64, id: i64) -> Span {
        self.leases.get_mut(&id).map_or(Span::ZERO, |lease| {
            lease.ends = t + lease.ttl;
            Span::from_nanos(lease.ttl)
        })
    }

    fn belongs(
        &mut self,
        t: u64,
        from: (usize, u64),
        request: Request,
        name: String,
        record: String,
    ) -> Result<Reply, Refusal> {
        Ok(match request {
            Request::Grant(life) => {
                let (lease, life) = self.grant(t, from, life.as_nanos());
                Reply::Granted(lease, life)
            }
            Request::KeepAlive(lease) => Reply::Alive(self.renew(t, lease)),
            Request::Announce(lease) => match self.members.get(&name) {
                Some((held, said)) if *held != lease => Reply::Taken(said.clone()),
                _ if !self.leases.contains_key(&lease) => return Err(Refusal::no_lease()),
                _ => {
                    self.rev += 1;
                    self.members.insert(name, (lease, record));
                    Reply::Announced
                }
            },
            Request::Clear(lease) => {
                self.end(lease);
                Reply::Cleared
            }
        })
    }

    fn answer(&mut self, t: u64, from: (usize, u64), ask: Ask, value: String) -> Result<Answer, Refusal> {
        Ok(match ask {
            Ask::Grant => {
                let (lease, ttl) = self.grant(t, from, 3 * SECOND);
                Answer::Granted { lease, ttl }
            }
            Ask::KeepAlive(id) => Answer::Alive(self.renew(t, id)),
            Ask::Campaign(lease) => {
                if !self.leases.contains_key(&lease) {
                    return Err(Refusal::no_lease());
                }
                if self.leader.is_some() {
                    Answer::Seen { holder: self.leader.clone(), epoch: self.epoch }
                } else {
                    self.rev += 1;
                    let rev = self.rev;
                    self.set_leader(Some(Holder { rev, lease, value }));
                    Answer::Won { rev, epoch: self.epoch }
                }
            }
            Ask::Look => Answer::Seen { holder: self.leader.clone(), epoch: self.epoch },
            Ask::Raise { from, to } => {
                let holds = self.epoch == from;
                if holds {
                    self.rev += 1;
                    self.epoch = Some(to);
                }
                Answer::Raised(holds)
            }
            Ask::Revoke(id) => {
                self.end(id);
                Answer::Revoked
            }
            // These are the store's.
            Ask::StoredEpoch | Ask::Claim(_) => return Err(Refusal::of(400, "unknown method")),
        })
    }
}

impl EtcdOp {
    /// What is put by it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Ask(_, text) | Self::Member(_, _, text) | Self::Frame(_, text) | Self::Board(_, text) => text,
            Self::Members | Self::GetBoard => "",
        }
    }

    /// Whether it needs space: without any, renewing, reading and revoking still work (reliability, fault 14).
    const fn writes(&self) -> bool {
        match self {
            Self::Ask(ask, _) => matches!(ask, Ask::Grant | Ask::Campaign(_) | Ask::Raise { .. }),
            Self::Member(request, ..) => matches!(request, Request::Grant(_) | Request::Announce(_)),
            Self::Frame(..) | Self::Board(..) => true,
            Self::Members | Self::GetBoard => false,
        }
    }
}
