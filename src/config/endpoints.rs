//! `[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…`: who is asked of several that know the same, and who asks.
//!
//! What is wrong is told with its place and never with a word of the URL, for it holds a password.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::check::Flaw;
use super::defaults::{ENDPOINTS_MAX, HOST_CHARACTERS_MAX};
use super::model::{Endpoint, Secret};
use super::percent::percent_decoded;

/// Who logs in, and with what.
pub(super) type Login = (Option<String>, Option<Secret>);

/// A URL of several servers, taken apart.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    /// At least one, each once.
    pub(super) endpoints: Vec<Endpoint>,
    /// Where in the URL the addresses end.
    pub(super) end: usize,
}

/// Takes `SCHEME://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…` apart, up to what stands behind the addresses.
pub(super) fn servers(url: &str, port: u16) -> Result<Servers, Flaw> {
    let behind = url.find(':').map_or(0, |colon| colon + 1);
    if !url[behind..].starts_with("//") {
        return Err((behind..url.len(), "a URL without `//`"));
    }
    let start = behind + 2;
    let space = url[start..].char_indices().find(|(_, letter)| letter.is_whitespace() || letter.is_control());
    if let Some((at, letter)) = space {
        let place = start + at..start + at + letter.len_utf8();
        return Err((place, "a space in a URL: nothing but a comma parts the addresses"));
    }
    let end = start + url[start..].find(['/', '?', '#']).unwrap_or(url.len() - start);
    if url[end..].contains('@') {
        // The password is cut short there, and what is left of it would be taken for an address.
        return Err((end..end + 1, "a `/`, `?` or `#` in a password: write it as `%2F`, `%3F` or `%23`"));
    }
    let sign = url[start..end].rfind('@').map(|sign| start + sign);
    let (user, password) = sign.map_or(Ok((None, None)), |sign| login(&url[start..sign], start))?;
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let mut at = sign.map_or(start, |sign| sign + 1);
    if at == end {
        return Err((at..at, "a URL without a host"));
    }
    for written in url[at..end].split(',') {
        let place = at..at + written.len();
        at = place.end + 1;
        let endpoint = endpoint(written, &place, port)?;
        if endpoints.contains(&endpoint) {
            return Err((place, "the same address twice"));
        }
        if endpoints.len() == ENDPOINTS_MAX {
            return Err((place, "more than 16 addresses"));
        }
        endpoints.push(endpoint);
    }
    Ok(Servers { user, password, endpoints, end })
}

/// Reads `USER:PASSWORD`, which begins at byte `at`.
fn login(text: &str, at: usize) -> Result<Login, Flaw> {
    let place = at..at + text.len();
    if text.contains('@') {
        return Err((place, "one login stands before all addresses, and a `@` in it is written `%40`"));
    }
    let Some((user, password)) = text.split_once(':').filter(|(_, password)| !password.is_empty()) else {
        return Err((place, "a login without a password"));
    };
    let decoded = |part: &str, from: usize| percent_decoded(part).map_err(|why| (from..from + part.len(), why));
    let name = decoded(user, at)?;
    let password = decoded(password, at + user.len() + 1)?;
    Ok(((!name.is_empty()).then_some(name), Some(Secret::new(password))))
}

/// Reads `HOST[:PORT]`, which stands at `place`.
fn endpoint(written: &str, place: &Range<usize>, port: u16) -> Result<Endpoint, Flaw> {
    let (host, own) = address(written, place.start)?;
    let from = place.start + usize::from(written.starts_with('['));
    let there = from..from + host.len();
    if host.len() > HOST_CHARACTERS_MAX {
        return Err((there, "a host's name is longer than 253 characters"));
    }
    if written.starts_with('[') {
        let Ok(known) = host.parse::<Ipv6Addr>() else { return Err((there, "no IPv6 address in the brackets")) };
        return Ok(Endpoint { host: known.to_string(), port: own.unwrap_or(port) });
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return Err((there, "a host's name has letters a to z, digits, `-`, `.` and `_`"));
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if host.is_empty() {
        Err((there, "a URL without a host"))
    } else {
        Ok(Endpoint { host, port: own.unwrap_or(port) })
    }
}

/// Splits `HOST[:PORT]`, which begins at byte `at`: the host without brackets, and the port where one is written.
pub(super) fn address(text: &str, at: usize) -> Result<(&str, Option<u16>), Flaw> {
    let place = at..at + text.len();
    // An IPv6 address stands in brackets, because it has colons of its own.
    let (host, port) = match text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or("?"))),
        None if text.matches(':').count() > 1 => {
            return Err((place, "an IPv6 address without brackets: write `[::1]`"));
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err((place, "a URL without a host"));
    }
    let Some(port) = port else { return Ok((host, None)) };
    let number =
        port.parse::<u16>().ok().filter(|number| *number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()));
    match number {
        Some(number) => Ok((host, Some(number))),
        None => Err((place.end - port.len()..place.end, "a port is a number from 1 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_login_are_taken_apart() {
        for (url, endpoints, login) in [
            ("etcd://a", "a:2379", None),
            ("etcd://A.plant.:1,b_2,[::1],[FE80:0::1]:65535", "a.plant:1 b_2:2379 [::1]:2379 [fe80::1]:65535", None),
            ("etcd://u%40x:p%2F%3a@10.0.0.7", "10.0.0.7:2379", Some(("u@x", "p/:"))),
            ("etcd://:p:q@a/behind", "a:2379", Some(("", "p:q"))),
        ] {
            let servers = servers(url, 2379).unwrap();
            let told: Vec<_> = servers.endpoints.iter().map(ToString::to_string).collect();
            assert_eq!(told.join(" "), endpoints);
            let user = servers.user.as_deref().unwrap_or_default();
            assert_eq!(servers.password.as_ref().map(|password| (user, password.reveal())), login);
            assert_eq!(&url[servers.end..], if url.ends_with("behind") { "/behind" } else { "" });
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let (long, many) = (
            format!("etcd://{}", "h".repeat(10_000)),
            format!("etcd://h{}", (1..17).map(|n| format!(",h{n}")).collect::<String>()),
        );
        for (url, at, told) in [
            ("etcd:/a", "/a", "a URL without `//`"),
            ("etcd:", "", "a URL without `//`"),
            ("etcd://", "", "a URL without a host"),
            ("etcd:///", "", "a URL without a host"),
            ("etcd://u:p@", "", "a URL without a host"),
            ("etcd://a,,b", "", "a URL without a host"),
            ("etcd://a,", "", "a URL without a host"),
            ("etcd://:1", ":1", "a URL without a host"),
            ("etcd://[]:1", "[]:1", "a URL without a host"),
            ("etcd://.:1", ".", "a URL without a host"),
            ("etcd://a:0", "0", "a port is a number from 1 to 65535"),
            ("etcd://a,b:70000", "70000", "a port is a number from 1 to 65535"),
            ("etcd://a:+1", "+1", "a port is a number from 1 to 65535"),
            ("etcd://a:port", "port", "a port is a number from 1 to 65535"),
            ("etcd://a:", "", "a port is a number from 1 to 65535"),
            ("etcd://::1", "::1", "an IPv6 address without brackets: write `[::1]`"),
            ("etcd://fe80::1", "fe80::1", "an IPv6 address without brackets: write `[::1]`"),
            ("etcd://[x]:1", "x", "no IPv6 address in the brackets"),
            ("etcd://[fe80::1%25eth0]", "fe80::1%25eth0", "no IPv6 address in the brackets"),
            ("etcd://a*b", "a*b", "a host's name has letters a to z, digits, `-`, `.` and `_`"),
            ("etcd://号", "号", "a host's name has letters a to z, digits, `-`, `.` and `_`"),
            ("etcd://a, b", " ", "a space in a URL: nothing but a comma parts the addresses"),
            ("etcd://a\u{3000}b", "\u{3000}", "a space in a URL: nothing but a comma parts the addresses"),
            ("etcd://a,b:1,A:2379.", "2379.", "a port is a number from 1 to 65535"),
            ("etcd://a,b:1,A.:2379", "A.:2379", "the same address twice"),
            ("etcd://u@a", "u", "a login without a password"),
            ("etcd://u:@a", "u:", "a login without a password"),
            ("etcd://@a", "", "a login without a password"),
            (
                "etcd://u:p@a,u:p@b",
                "u:p@a,u:p",
                "one login stands before all addresses, and a `@` in it is written `%40`",
            ),
            ("etcd://u:p/q@a", "/", "a `/`, `?` or `#` in a password: write it as `%2F`, `%3F` or `%23`"),
            ("etcd://u:p%@a", "p%", "a `%` is not followed by two digits of a code; itself it is %25"),
            (&long, &"h".repeat(10_000), "a host's name is longer than 253 characters"),
            (&many, "h16", "more than 16 addresses"),
        ] {
            let (range, flaw) = servers(url, 2379).unwrap_err();
            assert_eq!((url.get(range), flaw), (Some(at), told), "{url}");
        }
    }
}
