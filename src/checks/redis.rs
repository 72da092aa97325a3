//! `redis://` and `rediss://`: PING, INFO, and with `?ttl=KEY` a key's time to live.
//!
//! One connection is kept per check and made anew when it fails, so that a
//! restart of the server between two runs costs nothing. Nothing is ever
//! written, and no command blocks.
//!
//! `latency` is the round trip of PING. `ttl` is 0 for a key that is not there
//! and null for one that never ends: `ttl == null` or `ttl < 30s` tell them apart.

mod link;

use std::sync::{Mutex, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError};
use tokio::time::Instant;

use self::link::Link;
use super::net::Address;
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring, net, tls};
use crate::frame::{Span, Unit, Value, Values};

/// The lines of INFO that become values: theirs and ours, and whether it is a number of bytes.
const TOLD: &[(&str, &str, Kind)] = &[
    ("redis_version", "version", Kind::Text),
    ("role", "role", Kind::Text),
    ("used_memory", "used_memory", Kind::Number(Unit::Bytes)),
    ("connected_clients", "connected_clients", Kind::Number(Unit::Plain)),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number(Unit),
}

struct Redis {
    address: Address,
    encrypted: bool,
    login: RedisConnectionInfo,
    key: Option<String>,
    /// The connection between two runs. A run takes it out, so that a run that
    /// is dropped takes its connection with it.
    kept: Mutex<Option<Link>>,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    let form = |why: &str| {
        BadTarget(format!("{why}; it is written {}://[USER:PASSWORD@]HOST[:PORT][/DB][?ttl=KEY]", target.scheme))
    };
    let url = redis::parse_redis_url(target.target).filter(|url| url.scheme() == target.scheme && url.has_host());
    let url = url.ok_or_else(|| form("the HOST is missing, or a sign is not escaped"))?;
    if url.fragment().is_some() {
        return Err(form("a `#` begins nothing here; in a password it is written %23"));
    }
    let mut key = None;
    for (name, value) in url.query_pairs() {
        match &*name {
            "ttl" if !value.is_empty() => key = Some(value.into_owned()),
            "ttl" => return Err(form("`ttl` names no key")),
            "protocol" => {}
            // A name that is not known may be the tail of a secret that was not escaped; a short word is none.
            other if other.len() <= 16 => return Err(form(&format!("there is no option `{other}`"))),
            _ => return Err(form("there is no such option")),
        }
    }
    // The library's own words: they name what is wrong and never repeat it.
    let info = url.into_connection_info().map_err(|e| form(&e.to_string()))?;
    let (address, encrypted) = match info.addr().clone() {
        ConnectionAddr::Tcp(host, port) => (Address::new(host, port), false),
        ConnectionAddr::TcpTls { host, port, .. } => (Address::new(host, port), true),
        _ => return Err(form("the HOST is missing")),
    };
    // Naming ourselves costs two commands that older servers refuse.
    let login = info.redis_settings().clone().set_skip_set_lib_name();
    Ok(Box::new(Redis { address, encrypted, login, key, kept: Mutex::new(None) }))
}

impl Check for Redis {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            // A poisoned lock means that a run panicked while it swapped one word: the word is sound.
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(mut link) = kept
                && let Ok(measured) = self.ask(&mut link).await
            {
                self.keep(link);
                return Ok(measured);
            }
            let stream = self.address.connect().await?;
            let stream = link::open(stream, &self.address, self.encrypted).await?;
            let mut link = Link::log_in(stream, &self.login).await.map_err(|e| self.fault(&e))?;
            let measured = self.ask(&mut link).await.map_err(|e| self.fault(&e))?;
            self.keep(link);
            Ok(measured)
        })
    }
}

impl Redis {
    fn keep(&self, link: Link) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }

    async fn ask(&self, link: &mut Link) -> Result<Measured, RedisError> {
        let before = link.received();
        let key = self.key.as_deref();
        let values = link.converse(|connection| Box::pin(questions(connection, key))).await?;
        Ok(Measured { values, bytes: link.received() - before, ..Measured::default() })
    }

    fn fault(&self, error: &RedisError) -> Fault {
        let mut said = plain(error);
        // A server may repeat the words of a command that it did not understand.
        for secret in [self.login.password(), self.login.username()].into_iter().flatten() {
            if !secret.is_empty() {
                said = said.replace(secret, "***");
            }
        }
        Fault(format!("{said} ({})", self.address))
    }
}

async fn questions(connection: &mut MultiplexedConnection, key: Option<&str>) -> Result<Values, RedisError> {
    let asked = Instant::now();
    let _pong: redis::Value = redis::cmd("PING").query_async(connection).await?;
    let mut values = Values::new().with("latency", Value::span(Span::from(asked.elapsed())));
    match redis::cmd("INFO").query_async::<String>(connection).await {
        Ok(info) => tell(&info, &mut values),
        // A user may be allowed to PING and not to look.
        Err(e) if matches!(e.kind(), ErrorKind::Server(_) | ErrorKind::Extension) => {}
        Err(e) => return Err(e),
    }
    if let Some(key) = key {
        let left: i64 = redis::cmd("PTTL").arg(key).query_async(connection).await?;
        values.set("ttl", ttl(left));
    }
    Ok(values)
}

/// Takes from the lines of INFO what the table names.
fn tell(info: &str, values: &mut Values) {
    for (theirs, ours, kind) in TOLD {
        let line = info.lines().find_map(|line| line.strip_prefix(theirs)?.strip_prefix(':'));
        match (kind, line) {
            (Kind::Text, Some(line)) => values.set(*ours, Value::text(line.trim())),
            (Kind::Number(unit), Some(line)) => {
                if let Ok(number) = line.trim().parse() {
                    values.set(*ours, Value::Number(number, *unit));
                }
            }
            (_, None) => {}
        }
    }
}

/// The answer of PTTL: milliseconds, -1 for a key that never ends, -2 for none.
#[expect(clippy::cast_precision_loss, reason = "exact for 285 thousand years")]
fn ttl(milliseconds: i64) -> Value {
    match milliseconds {
        -1 => Value::Null,
        ..-1 => Value::Number(0.0, Unit::Seconds),
        left => Value::Number(left as f64 / 1e3, Unit::Seconds),
    }
}

fn plain(error: &RedisError) -> String {
    if let Some(error) = tls::cause(error) {
        return tls::plain(error);
    }
    if let Some(io) = std::error::Error::source(error).and_then(|it| it.downcast_ref::<std::io::Error>()) {
        return net::plain_io(io);
    }
    match error.kind() {
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => "no Redis answer".into(),
        ErrorKind::AuthenticationFailed => "user or password refused".into(),
        ErrorKind::Io => "closed without an answer".into(),
        _ => {
            let code = error.code().unwrap_or_else(|| error.category());
            format!("refused: {code} {}", error.detail().unwrap_or_default()).trim_end().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_becomes_values() {
        let info = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n# Clients\r\nconnected_clients:2\r\n\
                    # Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\n# Replication\r\nrole:master\r\n";
        let mut values = Values::new();
        tell(info, &mut values);
        let expected = Values::new()
            .with("version", Value::text("7.0.15"))
            .with("role", Value::text("master"))
            .with("used_memory", Value::bytes(1 << 20))
            .with("connected_clients", Value::plain(2.0));
        assert_eq!(values, expected);
        let mut none = Values::new();
        tell("used_memory:lots\nrole", &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn a_key_that_is_gone_has_no_time_and_one_that_stays_has_no_end() {
        assert_eq!(ttl(-2), Value::Number(0.0, Unit::Seconds));
        assert_eq!(ttl(-1), Value::Null);
        assert_eq!(ttl(1_500), Value::Number(1.5, Unit::Seconds));
    }

    #[test]
    fn a_target_is_taken_apart() {
        for (scheme, target, part) in [
            ("redis", "redis://h#insecure", "`#`"),
            ("redis", "redis://h/x", "database"),
            ("redis", "redis://h?ttl=", "names no key"),
            ("redis", "redis:h", "HOST"),
            ("rediss", "redis://h", "HOST"),
            ("redis", "redis://h?averyverylongsecretpassword", "no such option"),
        ] {
            let Err(BadTarget(why)) = build(&CheckTarget { scheme, target }) else { panic!("{target} is accepted") };
            assert!(why.contains(part), "{target}: {why}");
        }
    }
}
