//! An ICMP echo: its request, and how its answer is known among others.
//!
//! Pure: bytes in, bytes out.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU16, Ordering};

/// The length of a request, as the `ping` of old sends it: 8 bytes of header and 56 of payload.
const REQUEST_BYTES: usize = 64;

/// How many bytes the header of ICMP has.
const HEADER_BYTES: usize = 8;

/// The version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// IPv4 and ICMP.
    V4,
    /// IPv6 and ICMPv6.
    V6,
}

/// One echo, told from all others by a number that nobody can guess.
pub(super) struct Echo {
    family: Family,
    sequence: u16,
    token: u64,
}

impl Echo {
    pub(super) fn new(family: Family) -> Self {
        static SEQUENCE: AtomicU16 = AtomicU16::new(1);
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
        // The keys of a new hasher are random, which is all that is needed of it.
        let token = RandomState::new().hash_one(sequence);
        Self { family, sequence, token }
    }

    /// The request's bytes. The system fills in the identifier of an unprivileged
    /// socket, and the checksum of ICMPv6.
    pub(super) fn request(&self) -> [u8; REQUEST_BYTES] {
        let mut bytes = [0; REQUEST_BYTES];
        bytes[0] = match self.family {
            Family::V4 => 8,
            Family::V6 => 128,
        };
        let identifier = self.token.to_be_bytes();
        bytes[4..6].copy_from_slice(&identifier[..2]);
        bytes[6..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.token.to_be_bytes());
        let sum = checksum(&bytes);
        bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    /// Whether `answer` is the answer to this echo. A raw socket of IPv4 hears every ICMP
    /// message of this machine, each behind its IP header.
    pub(super) fn is_answered_by(&self, answer: &[u8], raw: bool) -> bool {
        let header = match answer.first() {
            Some(first) if raw && self.family == Family::V4 => usize::from(first & 0x0f) * 4,
            _ => 0,
        };
        let Some(message) = answer.get(header..).filter(|message| message.len() >= HEADER_BYTES + 8) else {
            return false;
        };
        let reply = match self.family {
            Family::V4 => 0,
            Family::V6 => 129,
        };
        message[0] == reply
            && message[1] == 0
            && message[6..8] == self.sequence.to_be_bytes()
            && message[8..16] == self.token.to_be_bytes()
    }
}

/// The Internet's checksum: the complement of the sum of 16-bit words.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(echo: &Echo, change: impl FnOnce(&mut [u8; REQUEST_BYTES])) -> bool {
        let mut answer = echo.request();
        answer[0] = 0;
        change(&mut answer);
        let in_ip: Vec<u8> = [&[0x45; 20][..], &answer].concat();
        assert_eq!(echo.is_answered_by(&answer, false), echo.is_answered_by(&in_ip, true));
        echo.is_answered_by(&answer, false)
    }

    #[test]
    fn an_answer_is_known_among_others() {
        let echo = Echo::new(Family::V4);
        assert!(answered(&echo, |_| {}));
        // The system may have changed the identifier and with it the checksum.
        assert!(answered(&echo, |answer| answer[2..6].fill(7)));
        for (place, what) in [(0, "a request"), (1, "a code"), (7, "another sequence"), (8, "another token")] {
            assert!(!answered(&echo, |answer| answer[place] ^= 8), "{what}");
        }
        assert!(!echo.is_answered_by(&Echo::new(Family::V4).request(), false));
    }

    #[test]
    fn fragments_are_no_answers() {
        let echo = Echo::new(Family::V4);
        let mut answer = echo.request();
        answer[0] = 0;
        for length in 0..16 {
            assert!(!echo.is_answered_by(&answer[..length], false));
            assert!(!echo.is_answered_by(&answer[..length], true));
        }
        assert!(!echo.is_answered_by(&[0xff; 64], true));
    }

    #[test]
    fn checksums_are_those_of_the_internet() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[]), 0xffff);
        let request = Echo::new(Family::V4).request();
        assert_eq!(checksum(&request), 0, "a message with its checksum sums up to nothing");
        let six = Echo::new(Family::V6);
        assert_eq!(six.request()[0], 128);
    }
}
