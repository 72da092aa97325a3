//! What the kernel's outputs do in this program: runs start, frames go on stage, news is kept and counted.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::cluster::{Company, Roster};
use super::driver::Effects;
use super::feed::Feed;
use super::keep::Shelf;
use super::runs::Runs;
use super::stage::Stage;
use super::threads::Alive;
use crate::frame::Frame;
use crate::kernel::{Concern, Kernel, Moment, Output, Span};
use crate::metrics::Meters;

/// The board is given to the keeper at most this often; it writes more seldom still.
const KEEP_EVERY: Span = Span::from_secs(1);

/// What is told until those who know more have woken.
const LEAD_RAN_OUT: &str = "not in sync: the lead of this console has run out";

/// The hands of the board thread.
pub(super) struct Hands {
    pub(super) runs: Arc<Runs>,
    pub(super) stage: Arc<Stage>,
    pub(super) feed: Arc<Feed>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) roster: Arc<Roster>,
    /// Wakes whoever tells the other consoles of the board.
    pub(super) changes: Arc<Notify>,
    pub(super) meters: Arc<Meters>,
    pub(super) kept: Option<(u64, Moment)>,
    /// The board thread is the program's heart: when it ends, for whatever reason, so does the program.
    pub(super) over: CancellationToken,
    pub(super) _alive: Alive,
}

impl Effects for Hands {
    fn carry_out(&mut self, output: Output, _kernel: &Kernel) {
        match output {
            Output::Start(start) => self.runs.start(start),
            Output::Cancel(run) => self.runs.cancel(run),
            Output::Turned { item, level } => self.meters.turned(item.as_ref(), level),
            Output::Cycled(took) => self.meters.cycled(took),
            // Kept is the board when the thread rests; the others hear of it at once, for a turn may be decided by it.
            Output::Board => self.changes.notify_one(),
            // Frames come by `show`.
            Output::Frame => {}
        }
    }

    fn show(&mut self, frame: Frame, kernel: &Kernel) {
        if self.stage.newest().as_ref().as_ref().is_none_or(|last| last.seq != frame.seq) {
            // The others know of each turn beforehand; only what changes the board is news to them.
            if kernel.role().keeps() {
                self.shelf.keep_current(kernel.current());
            }
        }
        self.meters.turn_shown(frame.at.since(frame.turn.began.max(frame.at - Span::from_millis(500))));
        self.meters.board(frame.board, frame.counts);
        self.meters.stats(&kernel.stats());
        for concern in [Concern::Config, Concern::Sync, Concern::Store, Concern::Other] {
            self.meters.notice(concern, kernel.notices().any(|(unwell, _)| unwell == concern));
        }
        self.stage.show(frame.clone());
        self.feed.publish(&frame);
    }

    fn lead_ran_out(&self, now: Moment) -> Option<&'static str> {
        (!self.roster.deadline.holds(now)).then_some(LEAD_RAN_OUT)
    }

    fn accompany(&self, frame: &mut Frame) {
        let Company { consoles, leader, bound, apart, peers } = self.roster.company();
        (frame.consoles, frame.leader, frame.clock_error) = (consoles, leader, bound);
        (frame.apart, frame.peers) = (apart, peers);
    }

    fn company(&self) -> u64 {
        self.roster.changes()
    }

    fn rest(&mut self, kernel: &Kernel, now: Moment, ends: bool) {
        if !kernel.role().keeps() || !self.shelf.is_used() {
            return;
        }
        let version = kernel.board().version();
        let due = self.kept.is_none_or(|(kept, at)| kept != version && now.since(at) >= KEEP_EVERY);
        if kernel.has_board() && (due || ends) {
            self.kept = Some((version, now));
            self.shelf.keep_board(kernel.board().snapshot());
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.over.cancel();
    }
}
