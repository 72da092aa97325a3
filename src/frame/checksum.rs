//! CRC-32 of a frame: a renderer or follower that finds it wrong drops the frame.
//!
//! It guards against mistakes and damage, not against forgery.

use crate::kernel::board::{ItemId, Level};

/// CRC-32 as zlib, PNG and Ethernet have it (polynomial 0xEDB88320, reflected).
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { (rest >> 1) ^ 0xEDB8_8320 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

/// The CRC-32 of the parts, one after the other.
#[must_use]
pub fn crc32<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u32 {
    let mut rest = u32::MAX;
    for byte in parts.into_iter().flatten() {
        rest = (rest >> 8) ^ TABLE[((rest ^ u32::from(*byte)) & 0xFF) as usize];
    }
    !rest
}

/// The checksum of a frame: over the sequence number in decimal, the item's id
/// (empty where there is none), the level's word and the text, each ended by a
/// line feed but the last.
#[must_use]
pub fn frame_checksum(seq: u64, item: Option<&ItemId>, level: Level, text: &str) -> u32 {
    let seq = seq.to_string();
    let item = item.map_or("", ItemId::as_str);
    crc32([seq.as_bytes(), b"\n", item.as_bytes(), b"\n", level.word().as_bytes(), b"\n", text.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_check_value_holds() {
        assert_eq!(crc32([b"12345".as_slice(), b"6789"]), 0xCBF4_3926);
    }

    #[test]
    fn every_part_of_a_frame_counts() {
        let id = ItemId::new("db").ok();
        let base = frame_checksum(1, id.as_ref(), Level::Healthy, "ok");
        assert_ne!(base, frame_checksum(2, id.as_ref(), Level::Healthy, "ok"));
        assert_ne!(base, frame_checksum(1, None, Level::Healthy, "ok"));
        assert_ne!(base, frame_checksum(1, id.as_ref(), Level::Critical, "ok"));
        assert_ne!(base, frame_checksum(1, id.as_ref(), Level::Healthy, "OK"));
    }
}
