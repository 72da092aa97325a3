//! What reaches the servers, what they answer, and what they tell those who watch and listen.

use super::{Due, Letter, Machine, World};
use crate::app::Reply;
use crate::clock::MS;
use crate::etcd::{EtcdOp, Told};
use crate::network::Server;
use crate::redis::{RedisOp, RedisReply};
use crate::voice::{REDIS, repeated};

/// What is repeated stands after fewer bytes than this: around where the program cuts long words short.
const REPEATED_AFTER: usize = 220;

impl World {
    pub(crate) fn at_etcd(&mut self, console: usize, boot: u64, id: u64, op: EtcdOp) {
        let reply = if self.machines[console].repeats {
            let status = if self.chance.permille(500) { 400 } else { 502 };
            Some(Err(repeated(status, self.chance.index(REPEATED_AFTER))))
        } else {
            self.etcd.handle(self.t, (console, boot), op)
        };
        self.etcd_tells();
        if let Some(reply) = reply {
            self.answers(console, boot, Server::Etcd, id, Reply::Etcd(reply));
        }
    }

    /// Carries what etcd's watch tells to those who watch.
    pub(crate) fn etcd_tells(&mut self) {
        for told in std::mem::take(&mut self.etcd.told) {
            if let Told::Leader(holder) = &told {
                let held = holder.as_ref().map(|holder| (holder.rev, holder.lease));
                self.check.log(self.t, None, format!("etcd: the leader's revision and lease are {held:?}"));
            }
            for console in 0..self.machines.len() {
                let Machine { boot, watches: true, .. } = self.machines[console] else { continue };
                match self.network.streams(self.t, console, Server::Etcd, &mut self.chance) {
                    Some(t) => self.at(t, Due::To(console, boot, Letter::Watch(told.clone()))),
                    None => self.break_watch(console),
                }
            }
        }
    }

    pub(crate) fn break_watch(&mut self, console: usize) {
        if std::mem::take(&mut self.machines[console].watches) {
            let boot = self.machines[console].boot;
            self.at(self.t + 500 * MS, Due::To(console, boot, Letter::WatchLost));
        }
    }

    pub(crate) fn at_redis(&mut self, console: usize, boot: u64, id: u64, op: RedisOp) {
        let written = match &op {
            RedisOp::Publish(token, _, number, _) => Some((*token, *number)),
            RedisOp::Claim(token) => Some((*token, 0)),
            _ => None,
        };
        let reply = self.redis.handle(self.t, op);
        match (written, &reply) {
            (Some((token, number)), Some(RedisReply::Done)) => self.check.accepts(self.t, console, token, number),
            (Some((token, _)), Some(RedisReply::Claimed(..))) => self.check.claims(token),
            _ => {}
        }
        self.redis_tells();
        if let Some(reply) = reply {
            self.answers(console, boot, Server::Redis, id, Reply::Redis(reply));
        }
    }

    fn redis_tells(&mut self) {
        for line in std::mem::take(&mut self.redis.told) {
            for listener in 0..self.machines.len() {
                let Machine { boot, listens: true, .. } = self.machines[listener] else { continue };
                if self.chance.permille(self.loses) {
                    continue;
                }
                if let Some(t) = self.network.streams(self.t, listener, Server::Redis, &mut self.chance) {
                    self.at(t, Due::To(listener, boot, Letter::Line(line.clone())));
                }
            }
        }
    }

    /// Somebody else puts what is none of ours where a beat is to be, over both ways.
    pub(crate) fn says_foreign(&mut self) {
        let half = self.redis.texts().next().map(|line| line[..line.floor_char_boundary(line.len() / 2)].to_owned());
        let line = half.filter(|_| self.chance.permille(500)).unwrap_or(format!("redis://board:{REDIS}@redis.example"));
        self.redis.told.push(line.clone());
        self.etcd.told.push(Told::Frame(line));
        self.redis_tells();
        self.etcd_tells();
    }
}
