//! The URL of a peer taken apart: who logs in, where, and what is asked.
//!
//! `scheme://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?NAME=VALUE&…]`, with `%20`
//! and its like decoded. Deliberately no general URL parser: none of these
//! schemes is known to one, and its words could repeat a secret.

use super::net::Address;
use super::{BadTarget, CheckTarget};
use crate::config::percent_decoded;

/// A peer's URL. Its parts are decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PeerUrl {
    /// Who logs in.
    pub(super) user: Option<String>,
    /// With what.
    pub(super) password: Option<String>,
    /// Where: what stands between the login and the path, as it is written.
    pub(super) authority: String,
    /// What stands behind the first `/`, without it, as it is written; split it first, then [`decode`] it.
    pub(super) path: String,
    options: Vec<(String, String)>,
}

impl PeerUrl {
    /// Takes `target` apart. `known` are the names that options may have.
    pub(super) fn parse(target: &CheckTarget<'_>, known: &[&str]) -> Result<Self, BadTarget> {
        let rest = target.rest();
        if rest.contains('#') {
            return Err(bad("a `#` begins nothing here; it is written %23"));
        }
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let (login, authority) = authority.rsplit_once('@').map_or((None, authority), |(it, at)| (Some(it), at));
        if authority.is_empty() {
            return Err(bad("the HOST is missing, or a sign before it is not escaped"));
        }
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            Some((user, password)) => (given(user)?, given(password)?),
            None => (None, None),
        };
        let options = options(query, known)?;
        Ok(Self { user, password, authority: authority.into(), path: path.into(), options })
    }

    /// The same, where the protocol has no login, so that nobody believes in one.
    #[cfg(any(feature = "dns", feature = "http", feature = "modbus", feature = "ping"))]
    pub(super) fn without_login(self) -> Result<Self, BadTarget> {
        if self.user.is_some() || self.password.is_some() {
            return Err(bad("this check knows no user and no password"));
        }
        Ok(self)
    }

    /// The one address, with the scheme's usual port where none is written.
    pub(super) fn address(&self, port: u16) -> Result<Address, BadTarget> {
        address(&self.authority, port)
    }

    /// The option called `name`; an empty one counts as absent.
    #[cfg(any(feature = "dns", feature = "http", feature = "modbus", feature = "postgres", test))]
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// A target that can't be asked, and why; never with the target's own words.
pub(super) fn bad(why: impl Into<String>) -> BadTarget {
    BadTarget(why.into())
}

/// Reads `HOST[:PORT]`; an IPv6 address stands in brackets.
pub(super) fn address(text: &str, port: u16) -> Result<Address, BadTarget> {
    // The colon of a port stands behind the bracket of an IPv6 address.
    let behind = text.rsplit_once(']').map_or(text, |(_, behind)| behind);
    if behind.contains(':') { Address::parse(text) } else { Address::parse(&format!("{text}:{port}")) }
}

/// Decodes `%20` and its like.
pub(super) fn decode(text: &str) -> Result<String, BadTarget> {
    percent_decoded(text).map_err(bad)
}

fn given(text: &str) -> Result<Option<String>, BadTarget> {
    if text.is_empty() { Ok(None) } else { decode(text).map(Some) }
}

/// The options of a query. As in a form, `+` is a space, and a plus is `%2B`.
fn options(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, BadTarget> {
    let mut options: Vec<(String, String)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?;
        if !known.contains(&name.as_str()) {
            // A name that is not known may be the tail of a secret that was not escaped; a short word is none.
            let short = name.len() <= 16;
            return Err(bad(if short {
                format!("there is no option `{name}`")
            } else {
                "there is no such option".into()
            }));
        }
        if options.iter().any(|(before, _)| *before == name) {
            return Err(bad(format!("`{name}` is given twice")));
        }
        options.push((name, decode(&value.replace('+', " "))?));
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(target: &str) -> Result<PeerUrl, BadTarget> {
        let scheme = target.split(':').next().unwrap();
        PeerUrl::parse(&CheckTarget { scheme, target }, &["query", "type"])
    }

    #[test]
    fn a_url_is_taken_apart_and_decoded() {
        let url = parse("postgres://u%40x:p%2F%3a@db.plant:5433/line%203?query=SELECT+1%2B%27%26%27&type=").unwrap();
        assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("u@x"), Some("p/:")));
        assert_eq!((url.authority.as_str(), url.path.as_str()), ("db.plant:5433", "line%203"));
        assert_eq!(url.option("query"), Some("SELECT 1+'&'"));
        assert_eq!(url.option("type"), None);
        let plain = parse("mqtt://h").unwrap();
        assert_eq!((plain.user.as_ref(), plain.path.as_str(), plain.option("query")), (None, "", None));
        assert_eq!(parse("mqtt://:p@s@h/").unwrap().password.as_deref(), Some("p@s"));
    }

    #[test]
    fn the_usual_port_is_taken_where_none_is_written() {
        for (written, told) in [
            ("h", Ok("h:5432")),
            ("h:1", Ok("h:1")),
            ("[::1]", Ok("[::1]:5432")),
            ("[::1]:1", Ok("[::1]:1")),
            ("10.0.0.7", Ok("10.0.0.7:5432")),
            ("::1", Err(())),
            ("h:", Err(())),
            ("h:0", Err(())),
            ("a b", Err(())),
            ("[::1", Err(())),
            ("", Err(())),
        ] {
            assert_eq!(
                address(written, 5432).map(|it| it.to_string()).map_err(drop),
                told.map(str::to_owned),
                "{written}"
            );
        }
    }

    #[test]
    fn what_can_not_be_meant_is_refused_without_repeating_it() {
        for (target, part) in [
            ("mqtt://", "HOST"),
            ("mqtt://u:secret@", "HOST"),
            ("mqtt:///secret", "HOST"),
            ("mqtt://h#secret", "%23"),
            ("mqtt://h?qeury=secret", "`qeury`"),
            ("mqtt://h?averylongsecretpassword", "no such option"),
            ("mqtt://h?query=1&query=secret", "twice"),
            ("mqtt://u:secret%2@h", "%25"),
            ("mqtt://u:secret%+1@h", "%25"),
            ("mqtt://u:secret%ff@h", "no text"),
            ("mqtt://h?query=secret%00", "NUL"),
        ] {
            let Err(BadTarget(why)) = parse(target) else { panic!("{target} is accepted") };
            assert!(why.contains(part) && !why.contains("secret"), "{target}: {why}");
        }
    }
}
