//! How consoles find their leader here, tried: each endpoint of etcd, the login, a lease, the guardian.
//!
//! Nothing of it is in the way of consoles that run: the lease is given back at once, and what would
//! be written is bound to a leadership that there never is.

use std::path::Path;

use crate::app::socket_path;
use crate::cli::doctor::ClusterFacts;
use crate::config::{ClusterConfig, Config};
use crate::coordination::store;

/// What `doctor` has to know of the other consoles and of who elects their leader.
pub(super) fn cluster(config: &Config) -> ClusterFacts {
    match &config.cluster {
        ClusterConfig::None => ClusterFacts::None,
        ClusterConfig::Local => {
            let socket = socket_path(&config.title, &|name| std::env::var_os(name));
            let folder = socket.parent().unwrap_or(Path::new("/"));
            ClusterFacts::Local(folder.to_owned(), store::prepare(folder).map_err(|why| why.reason))
        }
        #[cfg(feature = "etcd")]
        ClusterConfig::Etcd(etcd) => by_etcd::cluster(config, etcd),
        #[cfg(not(feature = "etcd"))]
        ClusterConfig::Etcd(_) => ClusterFacts::Without,
    }
}

#[cfg(feature = "etcd")]
mod by_etcd {
    use tokio::runtime::Builder;

    use crate::app::Clock;
    use crate::cli::doctor::{ClusterFacts, EtcdFacts, LeaderFacts, MemberAnswer, MemberFacts, NameFacts};
    use crate::config::{Config, EtcdConfig};
    use crate::coordination::etcd::guardian::Guardian;
    use crate::coordination::etcd::{Client, Spec};
    use crate::coordination::link::machine;
    use crate::coordination::{Presence, store};
    use crate::frame::Span;

    /// The revision of a leadership that there never is: what is put in its name is looked at and left.
    const NEVER: u64 = i64::MAX.unsigned_abs();

    pub(super) fn cluster(config: &Config, etcd: &EtcdConfig) -> ClusterFacts {
        let board = store::slug(&config.title);
        let spec = Spec::of(etcd, &board);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string());
        let asked = runtime.and_then(|runtime| {
            let client = Client::new(&spec)?;
            Ok(runtime.block_on(ask(config, etcd, &spec, &client)))
        });
        ClusterFacts::Etcd(Box::new(asked.unwrap_or_else(|why| EtcdFacts {
            members: vec![MemberFacts { address: etcd.label.clone(), answer: Err(why) }],
            ..nothing(etcd, &board)
        })))
    }

    /// The facts of an etcd that nobody has asked.
    fn nothing(etcd: &EtcdConfig, board: &str) -> EtcdFacts {
        EtcdFacts {
            tls: etcd.tls,
            login: etcd.user.is_some(),
            lease: etcd.lease,
            members: Vec::new(),
            leader: Ok(None),
            granted: Ok(etcd.lease.ttl),
            may_write: Ok(()),
            consoles: Vec::new(),
            name: None,
            guardian: None,
            leader_key: format!("/marquee/v1/{board}/leader"),
        }
    }

    async fn ask(config: &Config, etcd: &EtcdConfig, spec: &Spec, client: &Client) -> EtcdFacts {
        let mut facts = nothing(etcd, &spec.board);
        for endpoint in &spec.endpoints {
            facts.members.push(member(spec, endpoint).await);
        }
        if facts.members.iter().all(|member| member.answer.is_err()) {
            return facts;
        }
        facts.leader = client.leader().await.map_err(|why| why.to_string()).map(|seen| {
            seen.holder.map(|holder| LeaderFacts { who: Presence::read(&holder.value), ends: holder.lease != 0 })
        });
        if facts.leader.is_err() {
            return facts;
        }
        let members = client.members().await.unwrap_or_default();
        let records = || members.iter().filter_map(|(name, said)| Some((name, Presence::read(said)?)));
        facts.consoles = records().map(|(_, present)| present).collect();
        facts.name = config.console.as_ref().map(|own| {
            let holder = records().find(|(name, _)| *name == own).map(|(_, present)| present);
            let here = machine::boot_id();
            let taken = holder.map_or(NameFacts::Free, |holder| {
                if here.as_ref() == Some(&holder.machine) {
                    NameFacts::Here(holder.process)
                } else {
                    NameFacts::Elsewhere
                }
            });
            (own.clone(), taken)
        });
        facts.may_write = client.put_frame(NEVER, "").await.map(drop).map_err(|why| why.to_string());
        facts.granted = match client.grant(etcd.lease.ttl.into()).await {
            Ok(granted) => {
                // One that can't be given back ends by itself in seconds, and nothing hangs on it.
                let _ = client.revoke(granted.lease).await;
                Ok(granted.ttl.into())
            }
            Err(why) => Err(why.to_string()),
        };
        facts.guardian =
            etcd.guardian.then(|| Guardian::start(spec).map(Guardian::close).map_err(|why| why.to_string()));
        facts
    }

    async fn member(spec: &Spec, endpoint: &(String, u16)) -> MemberFacts {
        let clock = Clock::start();
        let alone = Client::new(&Spec { endpoints: vec![endpoint.clone()], ..spec.clone() });
        let told = match alone {
            Ok(alone) => {
                // The first answer also took the connection and the login, which a console does once.
                let first = alone.status().await.pop();
                let began = clock.now();
                if first.as_ref().is_some_and(|(_, status)| status.is_ok()) {
                    alone.status().await.pop()
                } else {
                    first
                }
                .map(|(address, status)| (address, status.map_err(|why| why.to_string()), began))
            }
            Err(why) => Some((endpoint.0.clone(), Err(why), clock.now())),
        };
        let (address, status, began) = told.unwrap_or_else(|| (endpoint.0.clone(), Err(String::new()), clock.now()));
        let took: Span = clock.now().since(began);
        let answer = status.map(|status| MemberAnswer {
            version: status.version,
            has_leader: status.has_leader,
            troubles: status.troubles,
            took,
        });
        MemberFacts { address, answer }
    }
}
