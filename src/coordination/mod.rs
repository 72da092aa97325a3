//! Coordination: where the state outlives the process, and how consoles agree.
//!
//! It knows the kernel's snapshot, role and input, and never a frame. What it
//! promises: whatever happens to a store, the board starts and goes on; what a
//! store holds is either a state that was once kept, whole, or nothing; and
//! every trouble is told, with what is to be mended.

pub mod link;
#[cfg(feature = "redis")]
mod redis;
pub mod store;

use std::fmt;

/// Who leads, as a number: of two leaders the one with the higher token is the later one. The epoch counts how
/// often the coordinator began anew, and orders before the revision, which it gives to each leadership.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// How often the coordinator began anew.
    pub epoch: u64,
    /// The coordinator's revision at which this leadership began.
    pub rev: u64,
}

impl fmt::Display for Token {
    /// `EPOCH.REV`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.rev)
    }
}
