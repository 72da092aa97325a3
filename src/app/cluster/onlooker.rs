//! The list of the consoles for a viewer: asked for again and again, but only as long as somebody looks.
//!
//! A follower at rest has next to nothing to say to anybody, and a list that nobody reads must not change that.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::roster::Roster;
use crate::coordination::Presence;
use crate::frame::{Moment, Peer, Safe, Span};

/// How often the list is asked for: consoles tell of themselves every few seconds, and are counted as often.
const EVERY: Duration = Duration::from_secs(2);

/// How long an answer is waited for; what was known before stays on the screen meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps the list as long as somebody looks at it.
pub(super) async fn look_around(roster: Arc<Roster>) {
    let mut looks = roster.looks();
    // It ends with the roster, which nobody looks at any more then.
    while looks.wait_for(|looks| *looks).await.is_ok() {
        while *looks.borrow_and_update() {
            if let Ok(everybody) = timeout(PATIENCE, roster.everybody()).await {
                roster.tell_peers(peers(&everybody));
            }
            tokio::select! {
                _ = looks.changed() => {}
                () = sleep(EVERY) => {}
            }
        }
        roster.tell_peers(Vec::new());
    }
}

/// The consoles as this one's viewer reads them, leader first; the first of `everybody` is this console itself.
///
/// Clocks of machines differ, so what a console tells by its own is moved by how far both are from the shared one.
fn peers(everybody: &[Presence]) -> Vec<Peer> {
    let own_offset = everybody.first().map_or(0, |own| own.offset_us);
    let moved = |millis: u64, offset: i64| {
        let apart = Span::from_micros(offset.abs_diff(own_offset));
        let told = Moment::from_unix_millis(millis);
        if offset < own_offset { told - apart } else { told + apart }
    };
    let peer = |(place, present): (usize, &Presence)| Peer {
        name: Safe::line(&present.console),
        role: Safe::line(&present.role),
        since: moved(present.since_ms, present.offset_us),
        version: Safe::line(&present.version),
        offset_nanos: present.offset_us.saturating_mul(1_000),
        bound: Span::from_micros(present.bound_us),
        seen: moved(present.seen_ms, present.offset_us),
        own: place == 0,
    };
    let mut peers: Vec<Peer> = everybody.iter().enumerate().map(peer).collect();
    // A leader that was killed may still be listed for a while: the newest leadership is on top.
    peers.sort_by(|one, other| {
        let follows = |peer: &Peer| !matches!(&*peer.role, "leader" | "alone");
        let rank = follows(one).cmp(&follows(other));
        let leaders = if follows(one) { std::cmp::Ordering::Equal } else { other.since.cmp(&one.since) };
        rank.then(leaders).then_with(|| one.name.cmp(&other.name))
    });
    peers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(name: &str, role: &str, seen_ms: u64, offset_us: i64) -> Presence {
        Presence {
            console: name.into(),
            role: role.into(),
            since_ms: seen_ms - 1_000,
            seen_ms,
            offset_us,
            ..Presence::default()
        }
    }

    #[test]
    fn the_living_leader_is_first_and_the_others_go_by_name() {
        let everybody = [
            present("hall-3", "follower", 90_000, 0),
            present("hall-1", "leader", 50_000, 0),
            present("hall-2", "leader", 89_000, 0),
            present("a\u{1b}[2J", "local", 80_000, 0),
        ];
        let peers = peers(&everybody);
        let names: Vec<&str> = peers.iter().map(|peer| &*peer.name).collect();
        assert_eq!(names, ["hall-2", "hall-1", "a", "hall-3"]);
        let own: Vec<&str> = peers.iter().filter(|peer| peer.own).map(|peer| &*peer.name).collect();
        assert_eq!(own, ["hall-3"]);
    }

    #[test]
    fn what_others_tell_by_clocks_of_their_own_is_told_by_this_one_s() {
        // The other's clock is two hours behind the shared one, ours is one second ahead of it.
        let two_hours = 7_200_000;
        let everybody = [
            present("own", "follower", 10_000_000, -1_000_000),
            present("other", "leader", 9_995_000 - 1_000 - two_hours, i64::try_from(two_hours).unwrap() * 1_000),
        ];
        let leader = &peers(&everybody)[0];
        assert_eq!((leader.seen.unix_millis(), leader.since.unix_millis()), (9_995_000, 9_994_000));
        assert_eq!(leader.offset_nanos, 7_200_000_000_000);
    }
}
