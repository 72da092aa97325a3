//! An etcd of one mind: revisions, leases, the guarded writes of the protocol, and its ways to fail.

use std::collections::BTreeMap;

use marquee::coordination::Token;
use marquee::coordination::election::{Answer, Ask, Holder, Missed};
use marquee::kernel::Span;

use crate::clock::SECOND;

/// What is asked of it.
#[derive(Clone, Debug)]
pub(crate) enum EtcdOp {
    /// A question of the election.
    Ask(Ask),
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
    /// What was put is there, unless its guard forbade it.
    Put,
    Text(Option<String>),
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
}

/// The whole cluster.
#[derive(Debug)]
pub(crate) struct Etcd {
    /// Whether it has a quorum.
    pub(crate) serves: bool,
    /// So much longer than was asked it grants leases.
    pub(crate) extra: u64,
    rev: u64,
    leader: Option<Holder>,
    pub(crate) epoch: Option<u64>,
    leases: BTreeMap<i64, Lease>,
    granted: i64,
    board: Option<String>,
    pub(crate) told: Vec<Told>,
}

impl Etcd {
    pub(crate) fn new() -> Self {
        Self {
            serves: true,
            extra: 0,
            rev: 1,
            leader: None,
            epoch: None,
            leases: BTreeMap::new(),
            granted: 0,
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

    /// Does what is asked; `None`: it has no quorum, and nobody answers.
    pub(crate) fn handle(&mut self, t: u64, op: EtcdOp) -> Option<Result<EtcdReply, Missed>> {
        if !self.serves {
            return None;
        }
        self.expire(t);
        Some(match op {
            EtcdOp::Ask(ask) => self.answer(t, ask).map(EtcdReply::Answer),
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

    fn answer(&mut self, t: u64, ask: Ask) -> Result<Answer, Missed> {
        Ok(match ask {
            Ask::Grant => {
                self.granted += 1;
                let ttl = 3 * SECOND + self.extra;
                self.leases.insert(self.granted, Lease { ttl, ends: t + ttl });
                Answer::Granted { lease: self.granted, ttl: Span::from_nanos(ttl) }
            }
            Ask::KeepAlive(id) => match self.leases.get_mut(&id) {
                Some(lease) => {
                    lease.ends = t + lease.ttl;
                    Answer::Alive(Span::from_nanos(lease.ttl))
                }
                None => Answer::Alive(Span::ZERO),
            },
            Ask::Campaign(lease) => {
                if !self.leases.contains_key(&lease) {
                    return Err(Missed::Failed);
                }
                if self.leader.is_some() {
                    Answer::Seen { holder: self.leader.clone(), epoch: self.epoch }
                } else {
                    self.rev += 1;
                    let rev = self.rev;
                    self.set_leader(Some(Holder { rev, lease, value: String::new() }));
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
            Ask::StoredEpoch | Ask::Claim(_) => return Err(Missed::Failed),
        })
    }
}
