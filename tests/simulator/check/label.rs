//! I8: what a console says of itself fits what it has heard.

use marquee::kernel::beat::Role;

use super::Watched;
use crate::clock::{MS, SECOND};

/// Whether the label of a console does not fit its cause. The bounds leave room for clocks that are 5 % off.
pub(super) fn mislabelled(watched: &Watched, t: u64) -> Option<&'static str> {
    let contact = watched.took_at.max(watched.led_at).unwrap_or(watched.booted);
    let silence = t.saturating_sub(contact);
    let awake = t.saturating_sub(watched.took_at.max(watched.led_awake).unwrap_or(watched.booted));
    match watched.role? {
        Role::Leader(_) if watched.leads.is_none() => Some("it says that it leads, and may not"),
        Role::Follower(_) if silence > 8_600 * MS => Some("it says that it follows, and has heard nothing for long"),
        Role::Follower(_) if silence > 1_700 * MS && !watched.notice => Some("it does not say that it is not in step"),
        Role::Follower(_) if awake < SECOND && watched.notice && watched.takes > 0 && t > watched.role_since + 1 => {
            Some("it says that it is not in step, and is")
        }
        Role::Local(_) if watched.takes > 4 && silence < SECOND && t > watched.role_since + 2 * SECOND => {
            Some("it says that it is alone, and hears a leader")
        }
        _ => None,
    }
}
