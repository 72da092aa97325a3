//! I5: consoles that are in step show the same item at the same moment.

use marquee::coordination::Token;

/// A turn that began on a console whose clock was locked and that was in step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turned {
    pub(crate) t: u64,
    pub(crate) console: usize,
    pub(crate) place: usize,
    pub(crate) token: Token,
    pub(crate) leads: bool,
}

/// The turns of a seed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    budget: u64,
    near: u64,
    turns: Vec<Turned>,
}

impl Spread {
    /// Turns may be `budget` apart; two of one item that are further apart than `near` are not the same.
    pub(crate) const fn new(budget: u64, near: u64) -> Self {
        Self { budget, near, turns: Vec::new() }
    }

    pub(crate) fn turned(&mut self, turned: Turned) {
        self.turns.push(turned);
    }

    /// The widest spread, and the first turn that is outside of the budget.
    pub(crate) fn widest(&self) -> (u64, Option<(Turned, u64)>) {
        let mut widest = 0;
        let mut outside = None;
        for (index, turn) in self.turns.iter().enumerate().filter(|(_, turn)| !turn.leads) {
            let near = |other: &&Turned| other.t.abs_diff(turn.t) < self.near;
            let before = self.turns[..index].iter().rev().take_while(near);
            let around = before.chain(self.turns[index..].iter().take_while(near));
            let leader: Vec<&Turned> = around.filter(|other| other.leads && other.token == turn.token).collect();
            // A leader that fell silent in between may have turned with the others and not be in the list.
            let goes_on = |other: &&&Turned| other.t.abs_diff(turn.t) > self.budget;
            let before = leader.iter().filter(goes_on).any(|other| other.t < turn.t);
            let after = leader.iter().filter(goes_on).any(|other| other.t > turn.t);
            let same = leader.iter().filter(|other| other.place == turn.place);
            let Some(apart) = same.map(|other| other.t.abs_diff(turn.t)).min().filter(|_| before && after) else {
                continue;
            };
            widest = widest.max(apart);
            if apart > self.budget && outside.is_none() {
                outside = Some((*turn, apart));
            }
        }
        (widest, outside)
    }
}
