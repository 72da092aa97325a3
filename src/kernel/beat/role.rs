//! This console's part among the consoles, and the fence that orders leaders.
//!
//! How a part is won is coordination's business; the kernel only acts on it.

use crate::kernel::Moment;

/// A number that grows with each new leader; a write with an older one is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// How a console is not in sync with the others, and since when on its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Apart {
    /// Nothing is heard of a leader since.
    Unheard(Moment),
    /// Nothing is heard of a leader, and the judge of who leads has not answered at all since.
    Unjudged(Moment),
    /// It led until the judge of who leads fell silent, and may not before that answers again.
    Suspended(Moment),
}

impl Apart {
    /// Since when.
    #[must_use]
    pub const fn since(self) -> Moment {
        let (Self::Unheard(since) | Self::Unjudged(since) | Self::Suspended(since)) = self;
        since
    }
}

/// A console that lost the others runs its plans at every fourth of their ticks: the leader may be alive and
/// ask as well, and so may every other console that lost it, so four of them ask a target no more than one did.
pub const LOCAL_PACE: u64 = 4;

/// This console's part among the consoles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// `cluster: none`: there are no others.
    #[default]
    Alone,
    /// It runs the plans and sets the beat.
    Leader(Fence),
    /// It mirrors a leader.
    Follower(Fence),
    /// It lost the others and goes on by itself.
    Local(Fence),
}

impl Role {
    /// The word of the frame and the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Leader(_) => "leader",
            Self::Follower(_) => "follower",
            Self::Local(_) => "local",
        }
    }

    /// The fence of the leader this console writes for or listens to; 0 when alone.
    #[must_use]
    pub const fn fence(self) -> Fence {
        match self {
            Self::Alone => Fence(0),
            Self::Leader(fence) | Self::Follower(fence) | Self::Local(fence) => fence,
        }
    }

    /// Whether what this console says is to outlive it: a follower's word is its leader's.
    #[must_use]
    pub const fn keeps(self) -> bool {
        matches!(self, Self::Alone | Self::Leader(_))
    }

    /// Whether this console runs the plans.
    #[must_use]
    pub const fn runs_plans(self) -> bool {
        self.pace().is_some()
    }

    /// At every how manieth of its ticks this console runs a plan; `None`: it runs none.
    #[must_use]
    pub const fn pace(self) -> Option<u64> {
        match self {
            Self::Alone | Self::Leader(_) => Some(1),
            Self::Local(_) => Some(LOCAL_PACE),
            Self::Follower(_) => None,
        }
    }

    /// Whether it mirrors a leader.
    #[must_use]
    pub const fn follows(self) -> bool {
        matches!(self, Self::Follower(_))
    }
}
