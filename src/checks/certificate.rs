//! The end of a certificate's life, read from its DER.
//!
//! Deliberately no verification: the TLS library has done that before the
//! certificate comes here. All that is read is the place of one date, so a
//! walk of five steps takes the place of a parser for all of X.509 (RFC 5280,
//! section 4.1).

const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const SECONDS_A_DAY: i64 = 86_400;

/// Whole days from `now`, in seconds since the Unix epoch, to the end of the
/// certificate; negative once it has ended. `None`: this is no certificate.
pub(super) fn days_left(der: &[u8], now: i64) -> Option<i64> {
    Some((not_after(der)? - now).div_euclid(SECONDS_A_DAY))
}

/// The last second of a certificate, since the Unix epoch.
fn not_after(der: &[u8]) -> Option<i64> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, after)) = element(rest, VERSION) {
        rest = after;
    }
    // Serial number, signature algorithm and issuer stand before the validity.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (_, rest) = time(validity)?;
    time(rest).map(|(end, _)| end)
}

/// The content of the first element where it has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..=0x7f => (usize::from(short), rest),
        // Certificates are shorter than 16 MiB, so three bytes of length are enough.
        long @ 0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    (*first == tag).then_some((content, rest))
}

/// The first time in seconds since the Unix epoch, and what follows it.
fn time(bytes: &[u8]) -> Option<(i64, &[u8])> {
    if let Some((utc, rest)) = element(bytes, UTC_TIME) {
        let year = number(utc.get(..2)?)?;
        // RFC 5280, section 4.1.2.5.1: two digits mean 1950 to 2049.
        let year = if year < 50 { 2000 + year } else { 1900 + year };
        return Some((seconds(year, utc.get(2..)?)?, rest));
    }
    let (general, rest) = element(bytes, GENERALIZED_TIME)?;
    Some((seconds(number(general.get(..4)?)?, general.get(4..)?)?, rest))
}

/// Seconds since the Unix epoch of a year and `MMDDHHMMSSZ`.
fn seconds(year: i64, rest: &[u8]) -> Option<i64> {
    let (digits, zone) = rest.split_at_checked(10)?;
    if zone != b"Z" {
        return None;
    }
    let part = |at: usize| number(&digits[at..at + 2]);
    let (month, day) = (part(0)?, part(2)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since the epoch, counted in years that begin in March, so that the
    // leap day is the last of its year; 719,468 days lie between 0000-03-01 and 1970-01-01.
    let year = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468;
    Some(days * SECONDS_A_DAY + part(4)? * 3_600 + part(6)? * 60 + part(8)?)
}

fn number(digits: &[u8]) -> Option<i64> {
    let digit = |sum: i64, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'));
    digits.iter().try_fold(0, digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn certificate(year: i32, month: u8, day: u8) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(year, month, day);
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_forms_of_time() {
        for (year, month, day, expected) in [
            (2021, 1, 1, 1_609_459_200),
            (2024, 2, 29, 1_709_164_800),
            (2049, 12, 31, 2_524_521_600),
            (2050, 1, 1, 2_524_608_000),
            (2100, 3, 1, 4_107_542_400),
        ] {
            assert_eq!(not_after(&certificate(year, month, day)), Some(expected), "{year}-{month}-{day}");
        }
    }

    #[test]
    fn days_are_whole_and_go_below_zero() {
        let der = certificate(2024, 2, 29);
        let end = 1_709_164_800;
        for (now, days) in [(end - 14 * 86_400, 14), (end - 86_399, 0), (end, 0), (end + 1, -1)] {
            assert_eq!(days_left(&der, now), Some(days));
        }
    }

    #[test]
    fn a_torn_certificate_is_none_and_never_a_panic() {
        let der = certificate(2030, 1, 1);
        for length in 0..der.len() {
            assert_eq!(days_left(&der[..length], 0), None);
        }
        for at in 0..der.len() {
            let mut bent = der.clone();
            bent[at] ^= 0xff;
            let _told = days_left(&bent, 0);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _told = days_left(&bytes, 0);
        }
    }
}
