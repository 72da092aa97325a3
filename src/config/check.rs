//! `check:` as far as a config can judge it: the scheme is known and the target has its form.
//!
//! Deliberately no asking: whether the host exists is what the check finds out.

use super::endpoints;
use super::error::quote;
use super::keys::{listed, nearest};
use super::reader::{Reader, Said};
use super::schemes::{SCHEMES, Scheme, scheme};

/// A target that no check can have: where in the text, what is wrong.
pub(super) type Flaw = (std::ops::Range<usize>, &'static str);

impl Reader<'_> {
    /// The scheme of a check whose target has the scheme's form.
    pub(super) fn scheme(&mut self, said: &Said<'_>) -> Option<&'static Scheme> {
        let text = said.words.full.as_str();
        let Some((name, rest)) = text.split_once(':') else {
            let help = format!("a check begins with one of {}", listed(SCHEMES.iter().map(|scheme| scheme.name)));
            self.fail(said.place(), format!("{} is no check: it has no scheme", said.quoted()), help);
            return None;
        };
        let shown = if said.words.secret { said.words.shown.split(':').next().unwrap_or_default() } else { name };
        let Some(scheme) = scheme(name) else {
            let place = said.point(0..name.len());
            let help = match nearest(shown, SCHEMES.iter().map(|scheme| scheme.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a check is one of {}", listed(SCHEMES.iter().map(|scheme| scheme.form))),
            };
            self.fail(&place, format!("unknown check {}", quote(shown)), help);
            return None;
        };
        if let Some((range, flaw)) = flaw(scheme, rest, name.len() + 1) {
            self.fail(&said.point(range), flaw, format!("write `{}`", scheme.form));
            return None;
        }
        if let Err(why) = (self.options.check_target)(text) {
            // The check's own words may quote the target, and with it an expanded secret.
            let why = if said.words.secret { "the target is not accepted".to_owned() } else { why };
            self.fail(said.place(), why, format!("write `{}`", scheme.form));
            return None;
        }
        Some(scheme)
    }
}

/// What is wrong with `rest`, the text behind the colon, which begins at byte `at`.
pub(super) fn flaw(scheme: &Scheme, rest: &str, at: usize) -> Option<Flaw> {
    let all = at..at + rest.len();
    if scheme.form.contains("://") {
        return url_flaw(scheme, rest, at);
    }
    let takes_nothing = scheme.form.ends_with(':');
    match (takes_nothing, rest.trim().is_empty()) {
        (true, false) => Some((all, "this check takes nothing behind its colon")),
        (false, true) => Some((all, "this check lacks what it is to look at")),
        _ => None,
    }
}

fn url_flaw(scheme: &Scheme, rest: &str, at: usize) -> Option<Flaw> {
    let Some(after) = rest.strip_prefix("//") else { return Some((at..at + rest.len(), "a URL without `//`")) };
    let start = at + 2;
    if let Some(space) = after.find(|c: char| c.is_whitespace() || c.is_control()) {
        return Some((start + space..start + space + 1, "a space in a URL: write it as `%20`"));
    }
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rfind('@').map_or(0, |sign| sign + 1);
    let mut at = start + user;
    let several = scheme.form.contains(',');
    for address in authority[user..].split(|letter| several && letter == ',') {
        if let Some(flaw) = address_flaw(scheme, address, at) {
            return Some(flaw);
        }
        at += address.len() + 1;
    }
    None
}

/// What is wrong with `HOST[:PORT]`, which begins at byte `at`.
fn address_flaw(scheme: &Scheme, address: &str, at: usize) -> Option<Flaw> {
    match endpoints::address(address, at) {
        Err(flaw) => Some(flaw),
        Ok((_, None)) if scheme.form.contains("HOST:PORT") => Some((at..at + address.len(), "a port is missing")),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_form_of_their_scheme() {
        for (target, expected) in [
            ("http://a", None),
            ("http://u:p@[::1]:80/x?y=http://b:0", None),
            ("tcp://127.0.0.1:5432", None),
            ("memory:", None),
            ("exec:/bin/true -x", None),
            ("http:a", Some("a URL without `//`")),
            ("http://", Some("a URL without a host")),
            ("http://:80/", Some("a URL without a host")),
            ("http://a b/", Some("a space in a URL: write it as `%20`")),
            ("http://a:0/", Some("a port is a number from 1 to 65535")),
            ("http://a:70000/", Some("a port is a number from 1 to 65535")),
            ("http://a:/", Some("a port is a number from 1 to 65535")),
            ("http://[::1]x/", Some("a port is a number from 1 to 65535")),
            ("tcp://::1:5", Some("an IPv6 address without brackets: write `[::1]`")),
            ("tcp://fe80::1", Some("an IPv6 address without brackets: write `[::1]`")),
            ("tcp://a", Some("a port is missing")),
            ("etcd://a:2379,[::1],b", None),
            ("etcd://a:2379,b:0", Some("a port is a number from 1 to 65535")),
            ("etcd://a,,b", Some("a URL without a host")),
            ("http://a:1,b:2/", Some("an IPv6 address without brackets: write `[::1]`")),
            ("dns://_sip._tcp.plant?type=SRV", None),
            ("dns://10.0.0.1:5353/plant?type=A", None),
            ("postgres://u:p@[::1]/db?query=SELECT%201", None),
            ("memory:x", Some("this check takes nothing behind its colon")),
            ("disk: ", Some("this check lacks what it is to look at")),
        ] {
            let (name, rest) = target.split_once(':').unwrap();
            let found = flaw(scheme(name).unwrap(), rest, name.len() + 1);
            assert_eq!(found.as_ref().map(|(_, flaw)| *flaw), expected, "{target}");
            if let Some((range, _)) = found {
                assert!(target.get(range).is_some(), "{target}");
            }
        }
    }
}
