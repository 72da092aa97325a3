//! This console's part among the consoles: mirroring a leader, taking over from one, going on alone.
//!
//! Who follows shows the leader's board and keeps to its turns; its own config is
//! kept aside until it is needed. Whoever takes over goes on with the very turn and
//! the very schedule that was followed, on its own config and with the news it has.

use super::beat::{Beat, Fence, Mirror, Mirrored, Role};
use super::board::{CUT_OFF_AFTER, Change};
use super::marquee::Rules;
use super::{BoardSpec, Kernel, Span};

/// What a console keeps for the times before and after it follows.
#[derive(Debug, Default)]
pub(super) struct Sync {
    /// What this console's own config says, as of the last reload.
    own: Option<BoardSpec>,
    /// The leader whose board this is; `None`: it is this console's own.
    board_of: Option<Fence>,
    /// What the leader said last.
    heard: Option<Beat>,
    /// It was not taken up yet.
    unheard: bool,
    /// This console was in step with others before, so what it shows is somebody's beat.
    stood: bool,
    /// How long before it begins a leader decides a turn.
    lead: Span,
}

impl Kernel {
    pub(super) fn lead(&mut self, lead: Span) {
        self.sync.lead = lead;
        self.keep_lead();
        self.advance();
    }

    /// A turn is decided ahead of its beginning for the sake of followers; who has none shows news at once.
    const fn keep_lead(&mut self) {
        self.marquee.lead(if matches!(self.role, Role::Leader(_)) { self.sync.lead } else { Span::ZERO });
    }

    pub(super) fn act_as(&mut self, role: Role) {
        let was = std::mem::replace(&mut self.role, role);
        if was == role {
            return;
        }
        if role.follows() && !was.follows() && self.sync.stood {
            self.marquee.rejoin();
        }
        self.keep_lead();
        // What is to be decided by now is decided on the board that was mirrored.
        self.advance();
        if let Role::Leader(fence) = role {
            self.sync.stood = true;
            self.board.count_as_leader(fence.0);
        }
        if was.follows() && !role.follows() {
            self.take_over();
        }
        match (matches!(was, Role::Local(_)), matches!(role, Role::Local(_))) {
            (false, true) => self.board.cut_off(self.now, Some(self.now + CUT_OFF_AFTER)),
            (true, false) => {
                self.board.cut_off(self.now, None);
                self.note(Change { said: true, turns: true });
            }
            _ => {}
        }
        if let Some(slowness) = role.pace() {
            self.board.pace(slowness);
        }
        self.outputs.extend(self.schedule.pace(self.now, &self.board, role.pace()));
    }

    /// The board becomes this console's own again; the turns go on as they were told.
    fn take_over(&mut self) {
        self.sync.heard = None;
        if matches!(self.role, Role::Leader(_)) {
            let passed = self.marquee.catch_up(self.now);
            self.tell_passed(passed);
        }
        self.marquee.unfollow(self.now + self.sync.lead);
        if self.sync.board_of.take().is_none() {
            return;
        }
        let own = self.sync.own.clone();
        self.board.own(own.is_some());
        if let Some(own) = own {
            self.replace(own);
        } else {
            let places = self.places();
            self.reschedule(&places);
        }
    }

    /// A new own config: the board, unless that is a leader's.
    pub(super) fn load(&mut self, spec: BoardSpec) {
        self.sync.own = Some(spec.clone());
        if self.sync.board_of.is_none() {
            self.replace(spec);
        }
    }

    pub(super) const fn is_mirroring(&self) -> bool {
        self.sync.board_of.is_some()
    }

    pub(super) fn take_mirror(&mut self, mirror: Mirror) {
        let Role::Follower(fence) = self.role else { return };
        let rules = Rules {
            interval: mirror.interval,
            scroll: mirror.scroll,
            interrupt: mirror.interrupt,
            summarise_after: mirror.summarise_after,
        };
        let same_head = (&self.title, &self.fallback, self.rules) == (&mirror.title, &mirror.fallback, rules);
        (self.title, self.fallback, self.rules) = (mirror.title, mirror.fallback, rules);
        let places = self.places();
        let same_leader = self.sync.board_of.replace(fence) == Some(fence);
        let own = self.sync.own.iter().flat_map(|own| &own.items).map(|spec| (&spec.id, spec)).collect();
        let changed = self.board.mirror(self.now, mirror.items, &own, same_leader);
        self.has_board = true;
        // What the store held is older than what the leader says.
        if let Some(snapshot) = self.resume.take() {
            self.seq = self.seq.max(snapshot.current.seq);
        }
        if changed {
            self.reschedule(&places);
        } else if !same_head {
            self.board.touch_head();
            self.note(Change { said: true, turns: true });
        }
    }

    pub(super) fn take_news(&mut self, news: Vec<Mirrored>) {
        if !self.role.follows() || !self.is_mirroring() {
            return;
        }
        let respecified = news.iter().any(|news| self.board.is_respecified(news));
        let own = self.sync.own.iter().filter(|_| respecified).flat_map(|own| &own.items);
        let own = own.map(|spec| (&spec.id, spec)).collect();
        let mut change = Change::default();
        for news in news {
            let one = self.board.hear(self.now, news, &own);
            change = Change { said: change.said | one.said, turns: change.turns | one.turns };
        }
        self.note(change);
    }

    pub(super) fn take_beat(&mut self, beat: Beat) {
        if !self.role.follows() {
            return;
        }
        self.seq = self.seq.max(beat.seq);
        self.sync.stood = true;
        if self.sync.heard.as_ref().is_none_or(|heard| heard.turns != beat.turns) {
            self.sync.heard = Some(beat);
            self.sync.unheard = true;
        }
    }

    /// Keeps to what the leader said last, on the board as it is now.
    pub(super) fn keep_step(&mut self, board_changed: bool) {
        let news = std::mem::take(&mut self.sync.unheard);
        let Some(heard) = self.sync.heard.as_ref().filter(|_| news || board_changed) else { return };
        let passed = self.marquee.follow(self.now, &heard.turns, &self.board, news);
        self.tell_passed(passed);
    }
}
