//! A short digest of bytes that is fixed for all time: a store may hold one for years.
//!
//! It tells contents apart that differ by accident. It is no protection against forgery.

/// Where every digest begins: FNV-1a over 64 bits, with the constants of its authors (Fowler, Noll and Vo).
const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const PRIME: u64 = 0x0100_0000_01B3;

/// The digest of `bytes`.
#[must_use]
pub fn digest(bytes: impl IntoIterator<Item = u8>) -> u64 {
    digest_on(OFFSET, bytes)
}

/// The digest of what gave `before`, and `bytes` behind it.
#[must_use]
pub fn digest_on(before: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(before, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values_hold_in_one_piece_and_in_two() {
        for (text, expected) in [("", OFFSET), ("a", 0xAF63_DC4C_8601_EC8C), ("foobar", 0x8594_4171_F739_67E8)] {
            assert_eq!(digest(text.bytes()), expected, "{text}");
        }
        assert_eq!(digest_on(digest("foo".bytes()), "bar".bytes()), digest("foobar".bytes()));
    }
}
