//! The second way round: a console that does not hear its leader over the store asks to be told over etcd too.
//!
//! Both ends of it, each a pure state machine: [`Detour`] decides when a follower needs it, [`Favour`]
//! how long a leader does it. Both are slow to stop, so that a way which comes and goes changes nothing:
//! while the leader speaks over both, whatever arrives first counts, and the other is heard twice.
//! Deliberately no way and no clock; the caller says what came by which one, and when.

use crate::config::timing::{BEAT, STALE_AFTER};
use crate::kernel::{Moment, Span};

/// A store that can be heard, and yet brings no word from anybody for so long while somebody leads, is not the one
/// the leader writes to. Longer than a failover, in which nobody has anything to say; half of the time after
/// which this console would go on alone.
const IN_VAIN: Span = Span::from_secs(4);

/// Beats for so long without a silence over the store, and the other way is needed no more: three at rest, as many
/// as bring a console back that had gone on alone.
const BACK_AFTER: Span = Span::from_millis(BEAT.as_millis() * 2);

/// A leader goes on for so long after it was asked last. It asks who is there every 2 s: one answer that is lost,
/// or a record that ends and comes again, leaves nobody without a word.
const FAVOUR_FOR: Span = Span::from_secs(5);

/// Whether a follower needs to be told over etcd.
#[derive(Debug, Default)]
pub struct Detour {
    /// The store can't be listened to.
    lost: bool,
    needed: bool,
    /// The leader was heard that way since it is needed.
    taken: bool,
    /// Since when the leader is heard over the store without a silence, and when it was heard there last.
    heard: Option<(Moment, Moment)>,
}

impl Detour {
    /// Takes whether the store can be listened to.
    pub const fn listens(&mut self, listens: bool) {
        self.lost = !listens;
        if self.lost {
            (self.needed, self.heard) = (true, None);
        }
    }

    /// Takes that a beat of the leader came over the store, be it for the first time or again.
    pub fn heard(&mut self, now: Moment) {
        if self.lost {
            return;
        }
        let began = self.heard.filter(|(_, last)| now.since(*last) < STALE_AFTER).map_or(now, |(began, _)| began);
        self.heard = Some((began, now));
        if now.since(began) >= BACK_AFTER {
            (self.needed, self.taken) = (false, false);
        }
    }

    /// Takes that the leader was heard over etcd.
    pub const fn heard_there(&mut self) {
        self.taken = self.needed;
    }

    /// Takes that somebody leads, and has not been heard by any way for so long.
    pub fn misses(&mut self, silence: Span) {
        if silence >= IN_VAIN {
            (self.needed, self.heard) = (true, None);
        }
    }

    /// Whether it is the way by which this console is in step; the other may be heard again already.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        self.taken
    }

    /// Whether the leader is to speak over etcd too.
    #[must_use]
    pub const fn is_needed(&self) -> bool {
        self.needed
    }
}

/// Whether a leader speaks over etcd too, because somebody needs it.
#[derive(Debug, Default)]
pub struct Favour {
    until: Option<Moment>,
}

impl Favour {
    /// Takes that somebody needs it.
    pub fn asked(&mut self, now: Moment) {
        self.until = Some(now + FAVOUR_FOR);
    }

    /// Whether it is done.
    #[must_use]
    pub fn is_done(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::timing::{ALONE_AFTER, BEAT};

    const NOW: Moment = Moment::from_unix_millis(1_000_000);

    /// Beats over the store, one after the other from `from` on, each so long after the last.
    fn beats(detour: &mut Detour, from: Moment, every: Span, count: u64) {
        (0..count).for_each(|beat| detour.heard(from + every * beat));
    }

    #[test]
    fn who_can_t_listen_needs_it_until_beats_come_again() {
        let mut detour = Detour::default();
        assert!(!detour.is_needed());
        detour.heard_there();
        assert!(!detour.is_taken(), "it is needed by somebody else");
        detour.listens(false);
        assert!(detour.is_needed() && !detour.is_taken());
        detour.heard_there();
        assert!(detour.is_taken());
        beats(&mut detour, NOW, BEAT, 9);
        assert!(detour.is_needed(), "what it still hears is the end of what it had");
        detour.listens(true);
        assert!(detour.is_needed(), "a connection is no beat yet");
        let back = NOW + Span::from_secs(60);
        beats(&mut detour, back, BEAT, 2);
        assert!(detour.is_needed());
        beats(&mut detour, back + BEAT, Span::from_millis(50), 9);
        assert!(detour.is_needed() && detour.is_taken(), "many at once are no longer");
        detour.heard(back + BEAT * 2);
        assert!(!detour.is_needed() && !detour.is_taken());
    }

    #[test]
    fn a_store_that_comes_and_goes_brings_nobody_back() {
        let mut detour = Detour::default();
        detour.listens(false);
        for round in 0..20 {
            let at = NOW + Span::from_secs(10) * round;
            detour.listens(true);
            beats(&mut detour, at, BEAT, 2);
            assert!(detour.is_needed(), "{round}");
            detour.listens(false);
        }
        detour.listens(true);
        beats(&mut detour, NOW + Span::from_secs(900), STALE_AFTER, 20);
        assert!(detour.is_needed(), "beats with silences between them are none for long");
    }

    #[test]
    fn a_store_that_brings_nothing_is_the_wrong_one_well_before_a_console_goes_on_alone() {
        let mut detour = Detour::default();
        beats(&mut detour, NOW, BEAT, 3);
        detour.misses(Span::from_millis(3_900));
        assert!(!detour.is_needed(), "a failover is no reason");
        detour.misses(Span::from_secs(4));
        assert!(detour.is_needed());
        assert!(IN_VAIN + BEAT * 4 < ALONE_AFTER);
        beats(&mut detour, NOW + Span::from_secs(30), BEAT, 3);
        assert!(!detour.is_needed());
    }

    #[test]
    fn a_leader_goes_on_over_both_for_a_while() {
        let mut favour = Favour::default();
        assert!(!favour.is_done(NOW));
        favour.asked(NOW);
        favour.asked(NOW + Span::from_secs(2));
        assert!(favour.is_done(NOW + Span::from_millis(6_999)));
        assert!(!favour.is_done(NOW + Span::from_secs(7)));
    }
}
