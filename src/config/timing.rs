//! The numbers by which consoles keep in step: a name, a unit, a reason and a source each.
//!
//! Deliberately nothing but constants, and `std` alone, so that every room may name them. Those that a
//! plant may need otherwise are the defaults of `lease:`; the rest hold everywhere, because consoles
//! that disagree on them are not in step. "Measured" is: on two cores, against etcd 3.4 and Redis 7.0.

use crate::kernel::Span;

/// The lease's life without a renewal. A stalled etcd leader alone held renewals up for 1.55 s to 2.9 s
/// (measured); a shorter lease would change the leader for that, a longer one leaves a dead leader's place empty.
pub const LEASE_TTL: Span = Span::from_secs(3);
/// So many renewals fit into a lease: one that fails leaves room for the next.
pub const RENEWALS_PER_LEASE: u64 = 4;
/// How long one try at one endpoint may take. A write that was in flight when the etcd leader died came back
/// after more than 5 s (measured): only a try that is given up leaves time to ask the next endpoint.
pub const LEASE_ATTEMPT: Span = Span::from_millis(400);
/// So many tries have to fit before the deadline. While most of seven members live, three may be down.
pub const ATTEMPTS_PER_RENEWAL: u64 = 4;
/// How long before the end of its lease a leader falls silent, to be gone when the next one speaks:
/// 2 % of the lease, a pause and a store operation are 560 ms.
pub const LEASE_MARGIN: Span = Span::from_millis(600);
/// How far two clocks run apart, in percent of the time: a hundred times what a quartz does, because a
/// virtual machine's clock may be slewed.
pub const CLOCK_RATE_PERCENT: u64 = 2;
/// How long a whole process may stand still unawares: 202 ms was the worst gap under eightfold load (measured).
pub const PAUSE: Span = Span::from_millis(200);
/// The shortest lease: etcd itself takes about a second to elect its leader.
pub const LEASE_TTL_MIN: Span = Span::from_secs(1);
/// The longest lease: a board without a leader for longer than a minute is no board.
pub const LEASE_TTL_MAX: Span = Span::from_secs(60);
/// The shortest part of a lease: below it timers and networks are noise.
pub const LEASE_PART_MIN: Span = Span::from_millis(10);

/// From one frame to the next where nothing changes: a follower knows within [`STALE_AFTER`] that none come.
pub const BEAT: Span = Span::from_millis(500);
/// How far ahead a frame says what is shown. Longer than [`FAILOVER_WORST`] with two beats, so that no
/// screen stands still meanwhile.
pub const HORIZON: Span = Span::from_secs(12);
/// The longest time without a leader: both the console's and etcd's killed at once (measured 5.2 s to 6.5 s,
/// because etcd extends leases when its leader changes).
pub const FAILOVER_WORST: Span = Span::from_millis(6_500);
/// Without a valid frame for so long a console says that its picture is stale: three beats, so that one
/// that was lost means nothing.
pub const STALE_AFTER: Span = Span::from_millis(1_500);
/// Without a valid frame for so long a console goes on alone: later than any failover, sooner than the
/// schedule's end.
pub const ALONE_AFTER: Span = Span::from_secs(8);
/// How long one operation of the store may take: a healthy server answers within 4 ms even when it writes
/// each one to its disk (measured), and the lease's margin holds this long.
pub const STORE_OPERATION: Span = Span::from_millis(300);
/// A turn that begins later than so long from now is refused, for its clock is wrong: the horizon and 5 s,
/// which no two clocks in step are apart.
pub const FAR_FUTURE: Span = Span::from_millis(HORIZON.as_millis() + 5_000);
/// So long ahead of its turn a new one is published: the slowest arrival (70 ms in the 95th percentile over
/// 50 ms +- 20 ms, measured) and one pause, and as much again of the latter.
pub const LEAD_TIME: Span = Span::from_millis(400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_hold_together() {
        assert!(HORIZON > FAILOVER_WORST + BEAT * 2, "a frame outlasts every failover");
        assert!(ALONE_AFTER > FAILOVER_WORST, "nobody goes alone during a failover");
        assert!(ALONE_AFTER < HORIZON, "nobody's schedule ends before it goes alone");
        assert!(STALE_AFTER >= BEAT * 3, "one lost beat is no stale picture");
        assert!(STALE_AFTER < ALONE_AFTER);
        assert!(FAR_FUTURE > HORIZON + LEAD_TIME, "what a leader may publish is never refused");
        assert!(LEAD_TIME >= Span::from_millis(70) + PAUSE);
        assert!(STORE_OPERATION < BEAT, "an operation ends before the next beat");
        assert!(LEASE_TTL_MIN <= LEASE_TTL && LEASE_TTL <= LEASE_TTL_MAX);
    }
}
