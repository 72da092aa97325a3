//! What a Redis server answers when it can't, in an operator's words.

use std::error::Error;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};
use rustls::{CertificateError, Error as TlsError};

use crate::coordination::store::plain as plain_io;

/// The server is silent: it is frozen, or something on the way swallows what is sent.
pub(in crate::coordination) const NO_ANSWER: &str = "it did not answer in time";

/// The same where TLS was to begin: a server without it waits for the end of a line that never comes.
pub(in crate::coordination) const NO_ANSWER_OVER_TLS: &str = "it did not answer in time; does it speak TLS there?";

/// The server went away while it was asked, or speaks TLS alone.
pub(in crate::coordination) const CLOSED: &str = "it closed the connection";

/// It is a replica that does not reach its primary.
pub(in crate::coordination) const CUT_OFF: &str = "it is a replica whose primary is down (MASTERDOWN)";

/// What the server says of it within a script begins with no word of its own.
const MAY_NOT: &str = "this user may not do that there (NOPERM)";

/// The server's words for its troubles and ours; the first that is found counts.
const KNOWN: &[(&str, &str)] = &[
    ("WRONGPASS", "user or password refused"),
    ("NOAUTH", "it asks for a password"),
    ("NOPERM", MAY_NOT),
    ("MISCONF", "it takes no writes, because its own disk is full or broken (MISCONF)"),
    ("OOM", "its memory is full (OOM); make room there or raise its maxmemory"),
    ("READONLY", "it is a replica, which takes no writes (READONLY); name the primary"),
    ("LOADING", "it is still loading its data (LOADING)"),
    ("BUSY", "a script keeps it busy (BUSY)"),
    ("NOREPLICAS", "too few replicas follow it (NOREPLICAS)"),
    ("MASTERDOWN", CUT_OFF),
    ("MOVED", "it is a node of a cluster, and another node has this board (MOVED)"),
    ("CLUSTERDOWN", "its cluster is down (CLUSTERDOWN)"),
];

/// Whether the server says that a key holds another kind of value.
pub(in crate::coordination) fn is_foreign(error: &RedisError) -> bool {
    said(error).contains("WRONGTYPE")
}

/// Whether the server answers nobody who has not logged in.
pub(in crate::coordination) fn asks_for_login(error: &RedisError) -> bool {
    said(error).contains("NOAUTH")
}

/// The error in plain words. May repeat what was sent.
pub(in crate::coordination) fn plain(error: &RedisError) -> String {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "user or password refused".into();
    }
    if let Some(io) = io_below(error) {
        return match io.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => CLOSED.into(),
            _ => tls(io).unwrap_or_else(|| plain_io(io)),
        };
    }
    let said = said(error);
    let is_word = |word: &str| said.split(|letter: char| !letter.is_ascii_uppercase()).any(|found| found == word);
    if let Some((_, words)) = KNOWN.iter().find(|(word, _)| is_word(word)) {
        return (*words).into();
    }
    if said.contains("user executing the script can't run") {
        return MAY_NOT.into();
    }
    match error.kind() {
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => "what answers there is no Redis".into(),
        ErrorKind::Io => CLOSED.into(),
        ErrorKind::InvalidClientConfig => format!("no TLS on this machine: {}", said.trim()),
        _ => format!("refused: {}", said.trim()),
    }
}

/// The server's own words, without the place in the script, which is ours.
fn said(error: &RedisError) -> String {
    let detail = error.detail().unwrap_or_else(|| error.category());
    let detail = detail.split(" script: ").next().unwrap_or_default();
    format!("{} {detail}", error.code().unwrap_or_default())
}

/// The I/O error that the library wraps, where it is one.
fn io_below(error: &RedisError) -> Option<&io::Error> {
    error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?.downcast_ref()
}

/// Why there is no encrypted connection, where that is what went wrong.
fn tls(error: &io::Error) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<TlsError>()?;
    Some(match error {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is of an unknown issuer".into()
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another name".into(),
        TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate is expired".into()
        }
        TlsError::InvalidMessage(_) => "it speaks no TLS; write `redis://` for a plain connection".into(),
        other => format!("no TLS with it: {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_server_is_known_whole() {
        for (word, words) in KNOWN {
            let error = redis::make_extension_error((*word).into(), Some("some more".into()));
            assert_eq!(plain(&error), *words);
        }
        // As servers before 7 tell it.
        let wrapped = Some("Error running script (call to f_1): @user_script:1: -OOM command not allowed".to_owned());
        assert!(plain(&redis::make_extension_error("ERR".into(), wrapped)).contains("memory"));
        let unknown = redis::make_extension_error("BUSYKEY".into(), Some("taken".into()));
        assert_eq!(plain(&unknown), "refused: BUSYKEY taken");
        assert_eq!(plain(&RedisError::from(io::Error::from(io::ErrorKind::ConnectionRefused))), "connection refused");
    }
}
