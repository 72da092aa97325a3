//! Whether the whole board comes from who leads to who follows, and what is told where it does not.
//!
//! News of single items need it as their ground: a follower that lacks it shows what is old, in step.

use crate::coordination::Token;
use crate::kernel::{Moment, Span};

/// A follower asks for the board every half second, and a leader keeps it once a second: one that has not come for
/// so long does not come by itself.
const BEHIND_FOR: Span = Span::from_secs(5);

/// The whole board, on its way.
#[derive(Debug, Default)]
pub(super) struct WholeBoard {
    /// How many bytes the leader's has, by whose token it is too long, and how many its ways take.
    too_long: Option<(Token, usize, usize)>,
    /// Since when this console knows that it lacks the leader's.
    behind: Option<Moment>,
}

impl WholeBoard {
    /// Takes that the board of who leads by `token` has so many bytes, of which its ways take `most`; whether they
    /// take it.
    pub(super) fn fits(&mut self, token: Token, bytes: usize, most: usize) -> bool {
        self.too_long = (bytes > most).then_some((token, bytes, most));
        self.too_long.is_none()
    }

    /// Whether the last one was too long.
    pub(super) const fn is_too_long(&self) -> bool {
        self.too_long.is_some()
    }

    /// Takes that nobody is there to be told the whole board.
    pub(super) const fn is_for_nobody(&mut self) {
        self.too_long = None;
    }

    /// Takes whether the leader's board is another one than that of this console.
    pub(super) fn lacks(&mut self, now: Moment, lacks: bool) {
        self.behind = lacks.then(|| self.behind.unwrap_or(now));
    }

    /// What is to be told, to whom leads by `token`, or to whom follows this leader.
    pub(super) fn notice(&self, now: Moment, token: Option<Token>, leader: &str) -> Option<String> {
        match (token, self.too_long, self.behind) {
            (Some(token), Some((by, bytes, most)), _) if by == token => Some(format!(
                "the board has {bytes} bytes, and the consoles that follow take {most} at most: what they show of it \
                 may be old; shorten its texts and values, or take items away"
            )),
            (None, _, Some(since)) if now.since(since) >= BEHIND_FOR => Some(format!(
                "not in sync: the whole board of {leader} does not come, so items here may be old or missing; \
                 see what {leader} tells"
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = Token { epoch: 1, rev: 7 };
    const NOW: Moment = Moment::from_unix_millis(1_000_000);

    #[test]
    fn a_board_that_is_too_long_is_told_by_whom_it_leads() {
        let mut board = WholeBoard::default();
        for (bytes, told) in [(8, false), (9, true), (10, true), (8, false)] {
            assert_eq!(board.fits(TOKEN, bytes, 8), !told, "{bytes}");
            assert_eq!(board.notice(NOW, Some(TOKEN), "").is_some(), told, "{bytes}");
        }
        assert!(!board.fits(TOKEN, 9, 8) && board.is_too_long());
        assert_eq!(board.notice(NOW, None, "hall-1"), None, "whoever follows has another one's board");
        assert_eq!(board.notice(NOW, Some(Token { epoch: 1, rev: 8 }), ""), None, "nor is it that of another lead");
        board.is_for_nobody();
        assert_eq!(board.notice(NOW, Some(TOKEN), ""), None);
    }

    #[test]
    fn a_board_that_does_not_come_is_told_after_a_while() {
        let mut board = WholeBoard::default();
        board.lacks(NOW, true);
        board.lacks(NOW + Span::from_secs(4), true);
        assert_eq!(board.notice(NOW + Span::from_millis(4_999), None, "hall-1"), None);
        let told = board.notice(NOW + BEHIND_FOR, None, "hall-1").expect("it is told");
        assert!(told.contains("hall-1"), "{told}");
        assert_eq!(board.notice(NOW + BEHIND_FOR, Some(TOKEN), ""), None, "whoever leads lacks nothing");
        board.lacks(NOW + BEHIND_FOR, false);
        board.lacks(NOW + BEHIND_FOR, true);
        assert_eq!(board.notice(NOW + BEHIND_FOR * 2 - Span::from_millis(1), None, ""), None, "it came meanwhile");
    }
}
