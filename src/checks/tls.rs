//! TLS, for the checks that speak it: one provider for the whole program, and plain words for its faults.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Makes ring the program's provider of cryptography. Without one the
/// libraries above panic; where the program has chosen already, that stays.
pub(super) fn install_provider() {
    // The error says only that there is one already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// An error of TLS as an operator says it.
pub(super) fn plain(error: &TlsError) -> String {
    let plain = match error {
        TlsError::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "certificate expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "certificate not valid yet",
            CertificateError::Revoked => "certificate revoked",
            CertificateError::UnknownIssuer => "certificate of an unknown issuer",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "certificate for another name"
            }
            _ => "certificate not valid",
        },
        TlsError::InvalidMessage(_) => "no TLS answer",
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => "a certificate of ours is asked for",
        TlsError::AlertReceived(_) | TlsError::PeerIncompatible(_) => "TLS refused",
        other => return format!("TLS failed: {other}"),
    };
    plain.into()
}

/// The TLS error somewhere below `error`, if that is what went wrong.
pub(super) fn cause<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e TlsError> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<TlsError>() {
            return Some(found);
        }
        // The inner error of an I/O error is not among its sources.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = inner.and_then(|inner| cause(inner)) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_below_io_errors() {
        let expired = TlsError::InvalidCertificate(CertificateError::Expired);
        let wrapped = io::Error::other(io::Error::other(expired.clone()));
        assert_eq!(cause(&wrapped), Some(&expired));
        assert_eq!(plain(&expired), "certificate expired");
        assert_eq!(cause(&io::Error::from(io::ErrorKind::ConnectionRefused)), None);
    }
}
