//! `state:`: where the current item and the board outlive the process.

use super::check::{Flaw, flaw};
use super::error::quote;
use super::mask::mask_url;
use super::model::{Secret, StateConfig};
use super::reader::{Reader, Said};
use super::schemes::scheme;
use super::sentinels::{ENDS, NO_DATABASE, Sentinels, database};
use super::tree::Entry;

/// How a server is written.
const FORM: &str = "write `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, or `rediss://…` for TLS";

/// How a server is written that sentinels know.
const SENTINEL_FORM: &str =
    "write `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…/NAME[/DB]`, or `rediss+sentinel://…` for TLS";

impl Reader<'_> {
    /// Where the state is kept.
    pub(super) fn state(&mut self, entry: &Entry) -> Option<StateConfig> {
        let said = self.text(entry)?;
        match said.words.full.as_str() {
            "file" => Some(StateConfig::File),
            "memory" => Some(StateConfig::Memory),
            url if url.starts_with("redis:") || url.starts_with("rediss:") => self.redis(&said),
            url => match Sentinels::read(url) {
                Some(Ok(_)) => Some(redis(&said)),
                Some(Err((range, flaw))) => {
                    self.fail(&said.point(range), flaw, SENTINEL_FORM);
                    None
                }
                None => {
                    let message = format!("{} is no value for `state`", quote(&mask_url(&said.words.shown)));
                    self.fail(said.place(), message, "write `file`, `memory` or `redis://HOST[:PORT][/DB]`");
                    None
                }
            },
        }
    }

    fn redis(&mut self, said: &Said<'_>) -> Option<StateConfig> {
        let url = said.words.full.as_str();
        let (name, rest) = url.split_once(':')?;
        let found = flaw(scheme(name)?, rest, name.len() + 1).or_else(|| behind_the_host(url));
        if let Some((range, flaw)) = found {
            self.fail(&said.point(range), flaw, FORM);
            return None;
        }
        if (self.options.check_target)(url).is_err() {
            // The library's own words may speak of a check's options, which a store has not.
            self.fail(said.place(), "a URL that names no Redis server, or a sign in it is not escaped", FORM);
            return None;
        }
        Some(redis(said))
    }
}

fn redis(said: &Said<'_>) -> StateConfig {
    StateConfig::Redis { url: Secret::new(said.words.full.clone()), label: mask_url(&said.words.shown) }
}

/// What is wrong behind the host: there stands the number of a database, or nothing.
fn behind_the_host(url: &str) -> Option<Flaw> {
    let start = url.find("://")? + 3;
    let behind = start + url[start..].find(['/', '?', '#'])?;
    let tail = &url[behind..];
    if let Some(sign) = tail.find(['?', '#']) {
        return Some((behind + sign..url.len(), ENDS));
    }
    database(&tail[1..]).is_none().then_some((behind + 1..url.len(), NO_DATABASE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_all_that_stands_behind_the_host() {
        for (url, flawed) in [
            ("redis://h", None),
            ("redis://h:6379/", None),
            ("rediss://u:p@[::1]:1/15", None),
            ("redis://h/x", Some("x")),
            ("redis://h/-1", Some("-1")),
            ("redis://h/99999999999", Some("99999999999")),
            ("redis://h/0?ttl=x", Some("?ttl=x")),
            ("redis://h#insecure", Some("#insecure")),
        ] {
            assert_eq!(behind_the_host(url).map(|(range, _)| &url[range]), flawed, "{url}");
        }
    }
}
