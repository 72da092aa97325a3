//! The questions of the election: leases, the leader's key, the epoch, the consoles' names.
//!
//! Each is one transaction that can be asked twice without harm, because what
//! the first may have done is recognised by the lease. The one exception, the
//! epoch, is asked once.

use std::time::Duration;

use serde_json::{Value, json};

use super::transport::Call;
use super::wire::{self, Pair, Target, Transacted, base64, compare, put, read};
use super::words::LEASE_GONE;
use super::{Announced, Campaigned, Client, Failure, Granted, Holder, MemberStatus, Seen, value};

const TXN: &str = "/v3/kv/txn";
const GRANT: Call = Call { path: "/v3/lease/grant", doing: "take a lease from", again: true };
const KEEP_ALIVE: Call = Call { path: "/v3/lease/keepalive", doing: "renew the lease of", again: true };
const REVOKE: Call = Call { path: "/v3/lease/revoke", doing: "give the lease back to", again: true };
const CAMPAIGN: Call = Call { path: TXN, doing: "campaign in", again: true };
const LEADER: Call = Call { path: TXN, doing: "read the leader from", again: true };
const EPOCH: Call = Call { path: TXN, doing: "raise the epoch in", again: false };
const ANNOUNCE: Call = Call { path: TXN, doing: "announce this console in", again: true };
const RING: Call = Call { path: "/v3/kv/put", doing: "ask to be told over", again: true };
const MEMBERS: Call = Call { path: "/v3/kv/range", doing: "list the consoles of", again: true };

/// As many consoles as are listed: twenty times what one board is planned for.
const MEMBERS_MAX: usize = 1000;

impl Client {
    /// Takes a lease of at least `ttl`, in whole seconds.
    ///
    /// # Errors
    /// Why there is none. One that was granted without our hearing of it ends by itself.
    pub async fn grant(&self, ttl: Duration) -> Result<Granted, Failure> {
        let seconds = ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0);
        let granted: wire::Leased = self.ask(GRANT, json!({"TTL": seconds.to_string()})).await?;
        Ok(Granted { lease: granted.lease, ttl: seconds_of(granted.ttl) })
    }

    /// Renews a lease, and gives how long it lives from now on; zero: it is gone.
    ///
    /// # Errors
    /// Why it may not be renewed.
    pub async fn keep_alive(&self, lease: i64) -> Result<Duration, Failure> {
        let renewed: wire::Streamed<wire::Leased> = self.ask(KEEP_ALIVE, json!({"ID": lease.to_string()})).await?;
        match renewed.result {
            Some(renewed) if renewed.lease == lease => Ok(seconds_of(renewed.ttl)),
            _ => Err(odd(KEEP_ALIVE)),
        }
    }

    /// Ends a lease, and with it every key that is bound to it. One that is gone already is ended.
    ///
    /// # Errors
    /// Why it may still be there.
    pub async fn revoke(&self, lease: i64) -> Result<(), Failure> {
        match self.ask::<Value>(REVOKE, json!({"ID": lease.to_string()})).await {
            // Whatever came of the tries before.
            Err(Failure::Refused(why) | Failure::Unknown(why)) if why.contains(LEASE_GONE) => Ok(()),
            answered => answered.map(|_| ()),
        }
    }

    /// Takes the leader's key, bound to `lease`, unless somebody holds it.
    ///
    /// # Errors
    /// Why that is not known, or refused; a lease that is gone is among the refusals.
    pub async fn campaign(&self, lease: i64, value: &str) -> Result<Campaigned, Failure> {
        let keys = &self.shared.keys;
        let mut answer = self
            .transact(
                CAMPAIGN,
                &[compare(&keys.leader, Target::Created, "EQUAL", 0)],
                &[put(&keys.leader, value, lease), read(&keys.epoch)],
                &[read(&keys.leader), read(&keys.epoch)],
            )
            .await?;
        let epoch = answer.found(1).and_then(|pair| epoch(&pair));
        if answer.succeeded {
            return Ok(Campaigned::Won { rev: answer.header.revision, epoch });
        }
        let Some(pair) = answer.found(0) else { return Err(odd(CAMPAIGN)) };
        // A try whose answer was lost has won it.
        Ok(if pair.lease == lease {
            Campaigned::Won { rev: pair.create_revision, epoch }
        } else {
            Campaigned::Held(Holder::of(pair), epoch)
        })
    }

    /// Looks who leads, as the majority of the cluster sees it.
    ///
    /// # Errors
    /// Why that is not known.
    pub async fn leader(&self) -> Result<Seen, Failure> {
        let keys = &self.shared.keys;
        let mut answer = self.transact(LEADER, &[], &[read(&keys.leader), read(&keys.epoch)], &[]).await?;
        let epoch = answer.found(1).and_then(|pair| epoch(&pair));
        Ok(Seen { holder: answer.found(0).map(Holder::of), epoch, revision: answer.header.revision })
    }

    /// Sets the epoch to `to` if it is `expected`; `None` stands for none, or none that can be read.
    /// False: it is another one.
    ///
    /// # Errors
    /// Why that is not known, or refused.
    pub async fn raise_epoch(&self, expected: Option<u64>, to: u64) -> Result<bool, Failure> {
        let key = &self.shared.keys.epoch;
        let put = [put(key, &to.to_string(), 0)];
        if let Some(expected) = expected {
            let held = wire::holds(key, &expected.to_string());
            return Ok(self.transact(EPOCH, &[held], &put, &[]).await?.succeeded);
        }
        let absent = compare(key, Target::Created, "EQUAL", 0);
        let mut answer = self.transact(EPOCH, &[absent], &put, &[read(key)]).await?;
        if answer.succeeded {
            return Ok(true);
        }
        match answer.found(0) {
            Some(pair) if epoch(&pair).is_none() => {
                let unchanged = compare(key, Target::Changed, "EQUAL", pair.mod_revision);
                Ok(self.transact(EPOCH, &[unchanged], &put, &[]).await?.succeeded)
            }
            _ => Ok(false),
        }
    }

    /// Tells of this console under its name, bound to `lease`, unless the name is bound to another.
    ///
    /// # Errors
    /// Why that is not known, or refused; a lease that is gone is among the refusals.
    pub async fn announce(&self, lease: i64, console: &str, said: &str) -> Result<Announced, Failure> {
        let key = format!("{}{console}", self.shared.keys.members);
        let absent = compare(&key, Target::Created, "EQUAL", 0);
        let put = [put(&key, said, lease)];
        let mut answer = self.transact(ANNOUNCE, &[absent], &put, &[read(&key)]).await?;
        if answer.succeeded {
            return Ok(Announced::Done);
        }
        let Some(pair) = answer.found(0) else { return Err(odd(ANNOUNCE)) };
        if pair.lease != lease {
            return Ok(Announced::Taken(value(pair.value)));
        }
        if pair.value != said.as_bytes() {
            let ours = compare(&key, Target::Lease, "EQUAL", lease);
            let mut answer = self.transact(ANNOUNCE, &[ours], &put, &[read(&key)]).await?;
            if !answer.succeeded {
                // It ended between the two questions; nobody holds the name, or somebody who came meanwhile.
                return Ok(Announced::Taken(answer.found(0).map_or_else(String::new, |pair| value(pair.value))));
            }
        }
        Ok(Announced::Done)
    }

    /// Has the leader look at the consoles' records now, because that of `console` says that it does not hear the
    /// store. Bound to `lease`, so that nothing of it stays.
    ///
    /// # Errors
    /// Why that may not have happened; the leader looks by itself, a little later.
    pub async fn ring(&self, lease: i64, console: &str) -> Result<(), Failure> {
        let (key, value) = (base64(self.shared.keys.deaf.as_bytes()), base64(console.as_bytes()));
        let body = json!({"key": key, "value": value, "lease": lease.to_string()});
        self.ask::<Value>(RING, body).await.map(|_| ())
    }

    /// The consoles' names with what each says of itself, in the names' order. What hangs on no lease was put by
    /// no console that lives, and is left out.
    ///
    /// # Errors
    /// Why they are not known.
    pub async fn members(&self) -> Result<Vec<(String, String)>, Failure> {
        let prefix = &self.shared.keys.members;
        let (start, end) = (base64(prefix.as_bytes()), base64(wire::end_of(prefix).as_bytes()));
        let body = json!({"key": start, "range_end": end, "limit": MEMBERS_MAX.to_string()});
        let found: wire::Range = self.ask(MEMBERS, body).await?;
        self.shared.note(&found.header);
        let member = |pair: Pair| {
            let name = pair.key.get(prefix.len()..).unwrap_or_default();
            (value(name.to_vec()), value(pair.value))
        };
        Ok(found.kvs.into_iter().filter(|pair| pair.lease != 0).map(member).collect())
    }

    /// What each endpoint's member says of itself, in the order in which they were named.
    pub async fn status(&self) -> Vec<(String, Result<MemberStatus, Failure>)> {
        let transport = &self.shared.transport;
        let mut told = Vec::new();
        for place in 0..transport.endpoints() {
            let address = transport.address(place).to_owned();
            let asked = transport.ask_at(place, "/v3/maintenance/status", &json!({})).await;
            let status = asked.map(|status: wire::Status| MemberStatus {
                version: status.version,
                size: status.size,
                has_leader: status.leader != 0,
                troubles: status.errors,
            });
            let status = status.map_err(|trouble| transport.failure("ask", place, trouble));
            told.push((address, status));
        }
        told
    }

    /// Asks whichever endpoint answers.
    pub(super) async fn ask<T: serde::de::DeserializeOwned>(&self, call: Call, body: Value) -> Result<T, Failure> {
        self.shared.transport.ask(call, &body).await
    }

    /// Asks for one of two lists of operations, as all of `compare` holds or not.
    pub(super) async fn transact(
        &self,
        call: Call,
        compare: &[Value],
        success: &[Value],
        failure: &[Value],
    ) -> Result<Transacted, Failure> {
        let body = json!({"compare": compare, "success": success, "failure": failure});
        let answer: Transacted = self.ask(call, body).await?;
        self.shared.note(&answer.header);
        Ok(answer)
    }
}

fn seconds_of(ttl: i64) -> Duration {
    Duration::from_secs(ttl.try_into().unwrap_or(0))
}

fn epoch(pair: &Pair) -> Option<u64> {
    let text = std::str::from_utf8(&pair.value).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// An answer that does not fit its question.
pub(super) fn odd(call: Call) -> Failure {
    Failure::Unknown(format!("can't {} etcd: the answer does not fit the question", call.doing))
}
