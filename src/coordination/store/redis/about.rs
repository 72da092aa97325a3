//! What a server says of itself, as far as an operator has to know it before a board is kept there.
//!
//! Asked by `marquee doctor` alone: a board that runs learns of a server's troubles by its writes.

use super::{Failure, RedisStore, get_field};
use crate::kernel::Moment;

/// A server, by its own words; what it does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// Its version, such as `7.0.15`.
    pub version: Option<String>,
    /// Whether it writes each change to its disk (`appendonly`).
    pub appends: Option<bool>,
    /// What it throws away once its memory is full (`maxmemory-policy`).
    pub eviction: Option<String>,
    /// How many bytes it may use; 0: any number.
    pub memory_max: Option<u64>,
    /// Whether it follows another one, and takes no writes.
    pub is_replica: Option<bool>,
}

impl RedisStore {
    /// What the server says of itself, which proves that it answers and lets this user in.
    ///
    /// # Errors
    /// Why it does not.
    pub fn about(&mut self) -> Result<About, String> {
        let state = self.state.clone();
        let asked = self.link.ask(0, async |connection| {
            // PING would fail where a full disk stops the writes alone.
            let _: Option<String> = get_field(connection, &state, "rev").await?;
            redis::cmd("INFO").query_async::<String>(connection).await
        });
        asked.map(|info| About::of(&info)).map_err(|failure| self.why(failure))
    }

    /// The server's clock.
    ///
    /// # Errors
    /// Why it does not tell.
    pub fn time(&mut self) -> Result<Moment, String> {
        let asked = self.link.ask(0, async |connection| redis::cmd("TIME").query_async::<(u64, u64)>(connection).await);
        let (seconds, micros) = asked.map_err(|failure| self.why(failure))?;
        let nanos = seconds.checked_mul(1_000_000_000).and_then(|nanos| nanos.checked_add(micros.checked_mul(1_000)?));
        nanos.map(Moment::from_unix_nanos).ok_or_else(|| "it tells a time that is none".to_owned())
    }

    fn why(&self, failure: Failure) -> String {
        match failure {
            Failure::Foreign => format!("the key {} holds something else", self.state),
            Failure::Told(why) => why,
        }
    }
}

impl About {
    fn of(info: &str) -> Self {
        let field = |name: &str| {
            let found = info.lines().filter_map(|line| line.split_once(':')).find(|(known, _)| *known == name);
            found.map(|(_, value)| value.trim().to_owned())
        };
        Self {
            version: field("redis_version"),
            appends: field("aof_enabled").map(|enabled| enabled != "0"),
            eviction: field("maxmemory_policy"),
            memory_max: field("maxmemory").and_then(|bytes| bytes.parse().ok()),
            is_replica: field("role").map(|role| role != "master"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordination::redis::testing::Server;

    #[test]
    fn what_is_not_told_is_not_known() {
        assert_eq!(About::of(""), About::default());
        let told = About::of("# Server\r\nredis_version:6.2.1\r\naof_enabled:0\r\nrole:slave\r\nmaxmemory:lots\r\n");
        let expected =
            About { version: Some("6.2.1".into()), appends: Some(false), is_replica: Some(true), ..About::default() };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_server_tells_how_it_keeps() {
        let more = ["--appendonly", "yes", "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"];
        let Some(server) = Server::start(&more) else { return };
        let mut store = RedisStore::new(&server.url(), "line-3").unwrap();
        let told = store.about().unwrap();
        assert_eq!((told.appends, told.is_replica, told.memory_max), (Some(true), Some(false), Some(64 << 20)));
        assert_eq!(told.eviction.as_deref(), Some("allkeys-lru"));
        assert!(told.version.is_some_and(|version| version.contains('.')));
        assert!(store.time().unwrap() > Moment::from_unix_millis(1_767_225_600_000));
        server.say(&["CONFIG", "SET", "appendonly", "no"]);
        server.say(&["REPLICAOF", "127.0.0.1", "1"]);
        let told = store.about().unwrap();
        assert_eq!((told.appends, told.is_replica), (Some(false), Some(true)));
        server.say(&["REPLICAOF", "NO", "ONE"]);
        server.say(&["RPUSH", "marquee:{line-3}:state", "mine"]);
        assert!(store.about().unwrap_err().contains("holds something else"));
    }
}
