//! `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT]…/NAME[/DB]`: a Redis server that sentinels know.
//!
//! The addresses are the sentinels', the login is the server's, and NAME is what the sentinels call it.

use super::check::Flaw;
use super::endpoints::{Servers, servers};
use super::model::{Endpoint, Secret};

/// The port of a sentinel where none is written, which is its usual one.
const PORT: u16 = 26_379;

/// What comes before the colon of such a URL, and with TLS.
const SCHEMES: [&str; 2] = ["redis+sentinel", "rediss+sentinel"];

/// Who is asked for a Redis server, and how one logs in there.
#[derive(Clone, PartialEq, Eq)]
pub struct Sentinels {
    /// The sentinels, at least one, each once.
    pub endpoints: Vec<Endpoint>,
    /// What they call the server, as in `sentinel monitor NAME …`.
    pub name: String,
    /// The number of its database.
    pub database: i64,
    /// Whether sentinels and servers are asked over TLS.
    pub tls: bool,
    /// Who logs in; `None`: the default user.
    pub user: Option<String>,
    /// With what; `None`: nobody has to.
    pub password: Option<Secret>,
}

impl Sentinels {
    /// What `url` says; `None` where it is a URL of another kind.
    ///
    /// # Errors
    /// What is wrong with it, without a word of it.
    #[must_use]
    pub fn of(url: &str) -> Option<Result<Self, &'static str>> {
        Self::read(url).map(|read| read.map_err(|(_, flaw)| flaw))
    }

    /// The same, with the place of what is wrong.
    pub(super) fn read(url: &str) -> Option<Result<Self, Flaw>> {
        let scheme = url.split(':').next().filter(|scheme| url.len() > scheme.len() && SCHEMES.contains(scheme))?;
        Some(servers(url, PORT).and_then(|servers| {
            let (name, database) = behind(url, servers.end)?;
            let Servers { user, password, endpoints, .. } = servers;
            Ok(Self { endpoints, name, database, tls: scheme == SCHEMES[1], user, password })
        }))
    }
}

/// Reads `/NAME[/DB]`, which begins at byte `at`.
fn behind(url: &str, at: usize) -> Result<(String, i64), Flaw> {
    if let Some(sign) = url[at..].find(['?', '#']) {
        return Err((at + sign..url.len(), ENDS));
    }
    let path = url[at..].strip_prefix('/').unwrap_or_default();
    let (name, written) = path.split_once('/').unwrap_or((path, ""));
    let from = at + usize::from(at < url.len());
    if name.is_empty() {
        return Err((at..url.len(), "the name is missing that the sentinels know the server by"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return Err((from..from + name.len(), "sentinels know names of a to z, digits, `-`, `.` and `_`"));
    }
    match database(written) {
        Some(database) => Ok((name.to_owned(), database)),
        None => Err((from + name.len() + 1..url.len(), NO_DATABASE)),
    }
}

/// What is wrong with a query or fragment.
pub(super) const ENDS: &str = "a store's URL ends with the database";

/// What is wrong with a database that [`database`] can't read.
pub(super) const NO_DATABASE: &str = "a database of Redis is a number";

/// The number of a database; the first where nothing is written.
pub(super) fn database(written: &str) -> Option<i64> {
    if written.is_empty() {
        return Some(0);
    }
    written.bytes().all(|byte| byte.is_ascii_digit()).then(|| written.parse::<i32>().ok().map(i64::from)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_sentinels_is_taken_apart() {
        for (url, name, database, tls) in [
            ("redis+sentinel://a/board", "board", 0, false),
            ("redis+sentinel://:p@a:1,[::1]/my-board.1_x/", "my-board.1_x", 0, false),
            ("rediss+sentinel://u:p@a,b,c/m/15", "m", 15, true),
        ] {
            let read = Sentinels::of(url).unwrap().unwrap_or_else(|why| panic!("{url}: {why}"));
            assert_eq!((read.name.as_str(), read.database, read.tls), (name, database, tls), "{url}");
        }
        let read = Sentinels::of("redis+sentinel://:p@a:1,[::1]/m").unwrap().ok().unwrap();
        let told: Vec<_> = read.endpoints.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a:1", "[::1]:26379"]);
        assert_eq!((read.user, read.password.as_ref().map(Secret::reveal)), (None, Some("p")));
        for url in ["redis://a/0", "rediss:", "redis+sentinel", "etcd://a"] {
            assert!(Sentinels::of(url).is_none(), "{url}");
        }
    }

    #[test]
    fn what_stands_behind_the_addresses_is_a_name_and_a_database() {
        for (url, at, told) in [
            ("redis+sentinel://a", "", "the name is missing that the sentinels know the server by"),
            ("redis+sentinel://a/", "/", "the name is missing that the sentinels know the server by"),
            ("redis+sentinel://a//0", "//0", "the name is missing that the sentinels know the server by"),
            ("redis+sentinel://a/m x", " ", "a space in a URL: nothing but a comma parts the addresses"),
            ("redis+sentinel://a/m%20x/0", "m%20x", "sentinels know names of a to z, digits, `-`, `.` and `_`"),
            ("redis+sentinel://a/m/x", "x", NO_DATABASE),
            ("redis+sentinel://a/m/-1", "-1", NO_DATABASE),
            ("redis+sentinel://a/m/0/1", "0/1", NO_DATABASE),
            ("redis+sentinel://a/m/99999999999", "99999999999", NO_DATABASE),
            ("redis+sentinel://a/m?db=1", "?db=1", "a store's URL ends with the database"),
            ("redis+sentinel://a/m/0#insecure", "#insecure", "a store's URL ends with the database"),
        ] {
            let (range, flaw) = Sentinels::read(url).unwrap().err().unwrap();
            assert_eq!((url.get(range), flaw), (Some(at), told), "{url}");
        }
    }
}
