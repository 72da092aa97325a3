//! I9: what the consoles know that nobody else may, and the production code that keeps it out of their words.
//!
//! The config is read as the program reads it, and the words of servers go through the program's own clients.
//! The servers know the passwords too, and repeat them where real ones would repeat what was sent to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use marquee::config::{ClusterConfig, ItemKind, Options, StateConfig, parse};
use marquee::coordination::etcd::{Client, Failure, Spec};
use marquee::coordination::link::redis::RedisLink;
use marquee::frame::Safe;

use crate::breaks::Break;
use crate::etcd::Refusal;
use crate::plant;

/// What every secret begins with, so that the first half of one is found as well.
const CANARY: &str = "canary-";

/// The password for etcd, with signs that JSON writes otherwise.
const ETCD: &str = "canary-\"etcd\"\\4711";

/// The password for Redis.
pub(crate) const REDIS: &str = "canary-redis-4711";

const CONFIG: &str = r#"
title: Line 3
console: console
token: "${TOKEN}"
cluster: "etcd://board:${ETCD}@etcd.example:2379"
state: "redis://board:${REDIS}@redis.example:6379"
items:
  - {id: press, check: "http://board:canary-url-4711@press.example/state?key=${KEY}"}
  - {id: oven, check: "http://oven.example/${KEY}"}
  - {id: belt, check: "tcp://belt.example:80"}
  - {id: crane, check: "tcp://crane.example:80"}
"#;

/// The program's own way to speak of its servers and its items.
pub(crate) struct Voice {
    etcd: Client,
    redis: RedisLink,
    labels: BTreeMap<String, Arc<str>>,
}

impl std::fmt::Debug for Voice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Voice").finish_non_exhaustive()
    }
}

impl Voice {
    /// That of every console here.
    pub(crate) fn of(breaks: Option<Break>) -> &'static Self {
        static VOICES: OnceLock<[Voice; 3]> = OnceLock::new();
        let [kept, unveiled, bare] =
            VOICES.get_or_init(|| [Self::new(true, false), Self::new(false, false), Self::new(true, true)]);
        match breaks {
            Some(Break::RawWords) => unveiled,
            Some(Break::BareLabels) => bare,
            _ => kept,
        }
    }

    /// Reads the config; `knows`: with the passwords that the servers know, `bare`: with labels as they are written.
    fn new(knows: bool, bare: bool) -> Self {
        let env = |name: &str| {
            Some(match name {
                "ETCD" if knows => "canary-%22etcd%22%5C4711".to_owned(),
                "REDIS" if knows => REDIS.to_owned(),
                "ETCD" | "REDIS" => "another".to_owned(),
                _ => format!("{CANARY}{}-4711", name.to_lowercase()),
            })
        };
        let config = match parse(CONFIG, "simulated.yaml", Path::new("."), &Options { env: &env, ..Options::default() })
        {
            Ok(config) => config,
            Err(why) => unreachable!("the plant's config is valid: {why}"),
        };
        let (ClusterConfig::Etcd(cluster), StateConfig::Redis { url, .. }) = (&config.cluster, &config.state) else {
            unreachable!("the plant's config names etcd and Redis")
        };
        let (Ok(etcd), Ok(redis)) =
            (Client::new(&Spec::of(cluster, plant::BOARD)), RedisLink::new(url.reveal(), plant::BOARD, None))
        else {
            unreachable!("the plant's servers can be asked")
        };
        let labels = config.items.iter().filter_map(|item| {
            let ItemKind::Check(check) = &item.kind else { return None };
            let label = if bare { check.target.reveal() } else { &check.label };
            Some((item.id.to_string(), Safe::line(label).shared()))
        });
        Self { labels: labels.collect(), etcd, redis }
    }

    /// How an item's source is called.
    pub(crate) fn label(&self, item: &str) -> Arc<str> {
        self.labels.get(item).cloned().unwrap_or_else(|| "fixed".into())
    }

    /// What a refusal of etcd's means, with its words.
    pub(crate) fn etcd(&self, refusal: &Refusal) -> Failure {
        self.etcd.refused("ask", refusal.status, refusal.body.as_bytes())
    }

    /// What is told of an error of Redis's.
    pub(crate) fn redis(&self, line: &str) -> String {
        self.redis.refused("ask", line).to_string()
    }
}

/// An etcd that is none, or something before it, repeats what was sent; `before` bytes come first.
pub(crate) fn repeated(status: u16, before: usize) -> Refusal {
    let sent = serde_json::json!({"name": "board", "password": ETCD}).to_string();
    let message = format!("{} can't read {sent}", "-".repeat(before));
    Refusal { status, body: serde_json::json!({"message": message, "code": 3}).to_string() }
}

/// Whether a text holds a secret, or the beginning of one.
pub(crate) fn is_leak(text: &str) -> bool {
    text.contains(CANARY)
}
