//! What goes wrong between here and etcd, in an operator's words, and what it means for the question.
//!
//! What counts for a caller is whether the question may have been carried out
//! all the same, and whether another endpoint could answer it. Deliberately no
//! numbers of gRPC: etcd's own words are the same in all its versions.

use std::error::Error;
use std::io;

use rustls::{CertificateError, Error as TlsError};
use serde_json::Value;

use super::Failure;

/// What a failed try means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It may have happened.
    Unknown,
    /// It did not happen, and no other endpoint would say otherwise.
    Refused,
    /// It did not happen there; another endpoint may do it.
    Elsewhere,
    /// Nobody was reached.
    Unreachable,
    /// It did not happen, because the login has to be done anew.
    Login,
}

/// Why one try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) meaning: Meaning,
    pub(super) words: String,
}

impl Trouble {
    pub(super) fn new(meaning: Meaning, words: impl Into<String>) -> Self {
        Self { meaning, words: words.into() }
    }

    /// The server is silent: it is frozen, or something on the way swallows what is sent.
    pub(super) fn silent() -> Self {
        Self::new(Meaning::Unknown, "no answer in time")
    }

    /// What answers is something else.
    pub(super) fn no_etcd() -> Self {
        Self::new(Meaning::Elsewhere, NO_ETCD)
    }

    /// The same without these words, and only then cut short: of one that a cut goes through, a piece would be left.
    pub(super) fn without(mut self, mut secrets: Vec<String>) -> Self {
        // One may be a piece of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            self.words = self.words.replace(&secret, "***");
        }
        self.words.truncate(self.words.floor_char_boundary(WORDS_MAX));
        self
    }

    /// More came than anything of ours can be.
    pub(super) fn too_large() -> Self {
        Self::new(Meaning::Refused, "it holds far too much under this board's keys, which is not of marquee")
    }
}

const NO_ETCD: &str = "what answers there is no etcd, or its JSON gateway is off (it needs version 3.4 or newer and --enable-grpc-gateway)";

const CLOSED: &str = "it closed the connection";

/// As much of what nobody knows as is told; our own words are shorter.
const WORDS_MAX: usize = 220;

/// As much as is looked at of an answer that is no JSON.
const GLANCE_BYTES: usize = 200;

/// Pieces of etcd's words in lower case; the first that is found counts.
const KNOWN: &[(&str, Meaning, &str)] = &[
    (
        "database space exceeded",
        Meaning::Refused,
        "its space is used up (NOSPACE); compact and defragment it, or raise --quota-backend-bytes, and disarm the alarm",
    ),
    ("requested lease not found", Meaning::Refused, LEASE_GONE),
    (
        "permission denied",
        Meaning::Refused,
        "this user may not do that; its role needs to read and write the keys under /marquee/v1/",
    ),
    ("authentication failed", Meaning::Refused, "user or password refused"),
    ("user name is empty", Meaning::Login, "it asks for a user and a password"),
    ("invalid auth token", Meaning::Login, "it does not accept its own login any more"),
    ("revision of auth store is old", Meaning::Login, "its users have changed meanwhile"),
    ("authentication is not enabled", Meaning::Refused, NO_LOGIN),
    ("no leader", Meaning::Elsewhere, "it has no leader, because too few of its members are up"),
    ("not leader", Meaning::Elsewhere, "its members are choosing a leader"),
    ("unhealthy cluster", Meaning::Elsewhere, "too few of its members are up"),
    ("learner", Meaning::Elsewhere, "it is a learner, which serves nobody yet"),
    ("too many requests", Meaning::Elsewhere, "it is overloaded"),
    ("request timed out", Meaning::Unknown, "its members did not agree in time"),
    ("leader changed", Meaning::Unknown, "its leader changed meanwhile"),
    ("server stopped", Meaning::Unknown, "it is stopping"),
    ("deadline exceeded", Meaning::Unknown, "its members did not agree in time"),
    ("context canceled", Meaning::Unknown, "it gave the question up"),
    ("transport is closing", Meaning::Unknown, "it is stopping"),
    ("connection refused", Meaning::Unknown, "it is starting or stopping"),
    ("connection error", Meaning::Unknown, "it is starting or stopping"),
    ("request is too large", Meaning::Refused, "it takes no value that large; raise its --max-request-bytes"),
    ("larger than max", Meaning::Refused, "it takes no value that large; raise its --max-request-bytes"),
    ("corrupt", Meaning::Refused, "it found its own data damaged (CORRUPT); restore the member"),
    ("not capable", Meaning::Refused, "it is too old for that; it needs version 3.4 or newer"),
    ("unknown service", Meaning::Refused, "it is too old for that; it needs version 3.4 or newer"),
    ("http request to an https server", Meaning::Elsewhere, "it speaks TLS alone; write `etcds://`"),
];

/// What every question about a lease hears once it is over.
pub(super) const LEASE_GONE: &str = "the lease is gone";

/// What a login hears where none is needed.
pub(super) const NO_LOGIN: &str = "it knows no users";

/// What etcd says with a status that is no success, or with an error in the middle of a stream.
pub(super) fn said(status: u16, body: &[u8]) -> Trouble {
    let parsed: Option<Value> = serde_json::from_slice(body).ok();
    let told = parsed.as_ref().and_then(message);
    let text = told.map_or_else(|| String::from_utf8_lossy(&body[..body.len().min(GLANCE_BYTES)]), Into::into);
    if let Some(trouble) = known(&text) {
        return trouble;
    }
    match (told, status) {
        (Some(told), 500..) => Trouble::new(Meaning::Unknown, format!("it failed: {told}")),
        (Some(told), _) => Trouble::new(Meaning::Refused, format!("refused: {told}")),
        (None, 500..) => Trouble::new(Meaning::Unknown, format!("something before it answers with HTTP {status}")),
        (None, _) => Trouble::no_etcd(),
    }
}

/// What these words of etcd's mean, where they are known.
pub(super) fn known(text: &str) -> Option<Trouble> {
    let text = text.to_lowercase();
    let (_, meaning, words) = KNOWN.iter().find(|(theirs, ..)| text.contains(theirs))?;
    Some(Trouble::new(*meaning, *words))
}

/// The message of an error, in each of the shapes that the gateway's versions have.
fn message(body: &Value) -> Option<&str> {
    let inner = &body["error"];
    [&body["message"], &inner["message"], inner].into_iter().find_map(Value::as_str)
}

/// Why a request had no whole answer.
pub(super) fn broken(error: &reqwest::Error) -> Trouble {
    let meaning = if error.is_connect() { Meaning::Unreachable } else { Meaning::Unknown };
    let below = below(error);
    if let Some(error) = below.iter().find_map(|error| error.downcast_ref::<TlsError>()) {
        return Trouble::new(meaning, tls(error));
    }
    if error.is_timeout() {
        let words = if error.is_connect() { "no connection in time" } else { "no answer in time" };
        return Trouble::new(meaning, words);
    }
    if below.iter().any(|error| error.to_string() == "dns error") {
        return Trouble::new(meaning, "its name is not found");
    }
    let Some(last) = below.last() else { return Trouble::new(meaning, error.to_string()) };
    let words = match last.downcast_ref::<io::Error>() {
        Some(error) => plain_io(error),
        None => last.to_string().to_lowercase(),
    };
    let closed = words == CLOSED || ["before message", "closed", "eof"].iter().any(|cut| words.contains(cut));
    if closed && error.is_connect() {
        // A connection that is there, and is not used yet, is closed over TLS alone.
        return Trouble::new(meaning, "it closed the connection as TLS began; does it speak TLS there?");
    }
    if closed {
        return Trouble::new(meaning, CLOSED);
    }
    if ["invalid http", "header", "head is too large", "chunk", "content-length"].iter().any(|no| words.contains(no)) {
        return Trouble::new(Meaning::Elsewhere, NO_ETCD);
    }
    Trouble::new(meaning, words)
}

/// The error and all that are below it, the cause last. The inner error of an I/O error is not among its sources.
fn below<'e>(error: &'e (dyn Error + 'static)) -> Vec<&'e (dyn Error + 'static)> {
    let within = |error: &'e (dyn Error + 'static)| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.map(|inner| inner as _).or_else(|| error.source())
    };
    std::iter::successors(Some(error), |error| within(*error)).collect()
}

fn plain_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::HostUnreachable => "no route to host".into(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".into(),
        io::ErrorKind::TimedOut => "no connection in time".into(),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected
        | io::ErrorKind::UnexpectedEof => CLOSED.into(),
        _ => error.to_string(),
    }
}

fn tls(error: &TlsError) -> String {
    let words = match error {
        TlsError::InvalidCertificate(why) => match why {
            CertificateError::UnknownIssuer => "its certificate is of an unknown issuer",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another host"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate is expired",
            _ => "its certificate is not valid",
        },
        TlsError::InvalidMessage(_) => "it speaks no TLS; write `etcd://` for a plain connection",
        other => return format!("no TLS with it: {other}"),
    };
    words.into()
}

/// What all tries of one question together mean: where one of them may have happened, the whole may.
pub(super) fn failure(doing: &str, tries: &[(String, Trouble)]) -> Failure {
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for (address, trouble) in tries {
        match told.iter_mut().find(|(words, _)| *words == trouble.words) {
            Some((_, addresses)) if addresses.contains(&address.as_str()) => {}
            Some((_, addresses)) => addresses.push(address),
            None => told.push((&trouble.words, vec![address])),
        }
    }
    let told: Vec<_> = told.iter().map(|(words, of)| format!("{words} ({})", of.join(", "))).collect();
    let told = format!("can't {doing} etcd: {}", told.join("; "));
    let any = |meaning| tries.iter().any(|(_, trouble)| trouble.meaning == meaning);
    if any(Meaning::Unknown) {
        Failure::Unknown(told)
    } else if any(Meaning::Refused) || any(Meaning::Login) || any(Meaning::Elsewhere) {
        Failure::Refused(told)
    } else {
        Failure::Unreachable(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_etcd_is_known_in_every_shape() {
        for (theirs, meaning, words) in KNOWN {
            let wanted = Trouble::new(*meaning, *words);
            for body in [
                format!(r#"{{"error":"etcdserver: {theirs}","message":"etcdserver: {theirs}","code":5}}"#),
                format!(r#"{{"code":5,"message":"etcdserver: {theirs}","details":[]}}"#),
                format!(r#"{{"error":{{"grpc_code":5,"message":"etcdserver: {theirs}"}}}}"#),
            ] {
                assert_eq!(said(503, body.as_bytes()), wanted, "{body}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_told_as_it_stands() {
        for (status, body, meaning, words) in [
            (400, r#"{"message":"odd"}"#, Meaning::Refused, "refused: odd"),
            (500, r#"{"message":"odd"}"#, Meaning::Unknown, "it failed: odd"),
            (404, "Not Found", Meaning::Elsewhere, NO_ETCD),
            (502, "<html>", Meaning::Unknown, "something before it answers with HTTP 502"),
            (
                400,
                "Client sent an HTTP request to an HTTPS server.",
                Meaning::Elsewhere,
                "it speaks TLS alone; write `etcds://`",
            ),
        ] {
            assert_eq!(said(status, body.as_bytes()), Trouble::new(meaning, words));
        }
        let long = format!(r#"{{"message":"{}"}}"#, "é".repeat(WORDS_MAX));
        assert!(said(400, long.as_bytes()).without(Vec::new()).words.len() <= WORDS_MAX);
        assert!(KNOWN.iter().all(|(.., words)| words.len() <= WORDS_MAX) && NO_ETCD.len() <= WORDS_MAX);
    }

    #[test]
    fn no_piece_of_a_secret_is_left_where_long_words_are_cut() {
        for before in 0..WORDS_MAX {
            let body = format!(r#"{{"message":"{} canary-1 {}"}}"#, "x".repeat(before), "y".repeat(WORDS_MAX));
            let words = said(400, body.as_bytes()).without(vec!["canary".into(), "canary-1".into()]).words;
            assert!(!words.contains('c') && words.len() <= WORDS_MAX, "{words}");
        }
    }

    #[test]
    fn one_unknown_outcome_makes_the_whole_unknown() {
        let at = |address: &str, meaning, words: &str| (address.to_owned(), Trouble::new(meaning, words));
        let refused = at("a:1", Meaning::Unreachable, "connection refused");
        let again = at("b:2", Meaning::Unreachable, "connection refused");
        assert_eq!(
            failure("renew the lease of", &[refused.clone(), again, refused.clone()]),
            Failure::Unreachable("can't renew the lease of etcd: connection refused (a:1, b:2)".into())
        );
        let silent = ("b:2".to_owned(), Trouble::silent());
        let told = "can't read etcd: connection refused (a:1); no answer in time (b:2)";
        assert_eq!(failure("read", &[refused.clone(), silent]), Failure::Unknown(told.into()));
        let no = at("b:2", Meaning::Elsewhere, "no leader");
        assert!(matches!(failure("read", &[refused, no]), Failure::Refused(_)));
    }
}
