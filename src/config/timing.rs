//! The numbers of the election: stand-in until the config's own.
use crate::kernel::Span;
/// The numbers of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseConfig {
    /// How long it lives.
    pub ttl: Span,
    /// From one renewal to the next.
    pub renew: Span,
    /// One attempt.
    pub attempt: Span,
    /// How long before its end its holder stops acting.
    pub margin: Span,
}
/// From one beat to the next.
pub const BEAT: Span = Span::from_millis(500);
/// How far a beat tells the turns ahead.
pub const HORIZON: Span = Span::from_secs(12);
/// Silence after which a console says that it is not in step.
pub const STALE_AFTER: Span = Span::from_millis(1_500);
/// Silence after which a console goes on alone.
pub const ALONE_AFTER: Span = Span::from_secs(8);
/// Turns further ahead are not believed.
pub const FAR_FUTURE: Span = Span::from_secs(17);
/// How long ahead turns are decided.
pub const LEAD: Span = Span::from_millis(400);
