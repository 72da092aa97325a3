//! The token that orders leaders: who writes with a lower one is refused.

use std::fmt;

use crate::kernel::beat::Fence;

/// Which leadership a write belongs to. Later ones are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Which history of the elector: one that was rebuilt empty counts its revisions anew.
    pub epoch: u64,
    /// The revision at which the elector made this leader.
    pub rev: u64,
}

/// Bits of a fence that hold the revision: an elector that makes a thousand revisions a
/// second needs 34 years for so many.
const REV_BITS: u32 = 40;

impl Token {
    /// The last epoch that a fence can tell; a board whose etcd is rebuilt every hour gets there after 1,900 years.
    pub const EPOCH_MAX: u64 = 1 << (u64::BITS - REV_BITS);

    /// Whether an elector can have given it. A greater one is a damaged or a foreign value.
    #[must_use]
    pub const fn is_possible(self) -> bool {
        self.epoch <= Self::EPOCH_MAX && self.rev < 1 << REV_BITS
    }

    /// The same order as one number, for the frame and the metrics: in the first history it is the revision.
    #[must_use]
    pub fn fence(self) -> Fence {
        Fence((self.epoch.saturating_sub(1) << REV_BITS) | (self.rev & ((1 << REV_BITS) - 1)))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.rev)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_ordered_as_tokens_are() {
        let tokens = [(0, 0), (1, 1), (1, 7), (1, 1 << 39), (2, 1), (2, 5), (9, 0)];
        let fences = tokens.map(|(epoch, rev)| Token { epoch, rev }.fence());
        assert!(fences.is_sorted(), "{fences:?}");
        assert_eq!(Token { epoch: 1, rev: 7 }.fence(), Fence(7));
    }
}
