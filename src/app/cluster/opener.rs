//! Opens the store of whoever comes to lead, at once or as soon as the last leader lets go of it.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Needs;
use crate::app::keep;
use crate::config::Config;
use crate::kernel::Input;

/// A leader that ends keeps its last state first: it lets go within half a second.
const AGAIN: Duration = Duration::from_millis(50);
const TRIES: u32 = 40;

/// What opening gave.
#[derive(Default)]
pub(super) struct Opened {
    /// What the kernel has to hear.
    pub(super) inputs: Vec<Input>,
    /// The fence that was kept last; 0: none.
    pub(super) fence: u64,
}

/// Opens one store, once.
#[derive(Clone)]
pub(super) struct Opener {
    config: Config,
    needs: Needs,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Opener {
    pub(super) const fn new(config: Config, needs: Needs, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self { config, needs, tracker, stop }
    }

    /// Opens it; where it is another's, keeps in memory. Gives what the kernel has to hear.
    pub(super) fn now(&self) -> Vec<Input> {
        self.open(true).inputs
    }

    /// The same, with the fence that was kept; `resumes`: the board is to go on from what it holds.
    pub(super) fn open(&self, resumes: bool) -> Opened {
        let Needs { shelf, inbox, meters, .. } = &self.needs;
        told(
            keep::open(&self.config, shelf, inbox, meters, resumes)
                .unwrap_or_else(|keep::Taken(why)| keep::without(&why, shelf)),
        )
    }

    /// Opens it on a thread that may wait, unless that was done; `resumes`: and goes on from what it holds.
    pub(super) fn later(&self, resumes: bool) {
        if self.needs.shelf.is_used() {
            return;
        }
        let opener = self.clone();
        let task = async move {
            for _ in 0..TRIES {
                let again = opener.clone();
                let Needs { runtime, .. } = &opener.needs;
                let tried = runtime.spawn_blocking(move || {
                    let Needs { shelf, inbox, meters, .. } = &again.needs;
                    keep::open(&again.config, shelf, inbox, meters, resumes).map(told)
                });
                match tried.await {
                    Ok(Ok(found)) => return opener.tell(found, resumes),
                    Ok(Err(keep::Taken(_))) => sleep(AGAIN).await,
                    Err(_) => return,
                }
            }
            opener.tell(opener.open(resumes), resumes);
        };
        let stop = self.stop.clone();
        let task = async move { _ = stop.run_until_cancelled_owned(task).await };
        self.tracker.spawn_on(task, &self.needs.runtime);
    }

    fn tell(&self, opened: Opened, resumes: bool) {
        for input in opened.inputs {
            if resumes || !matches!(input, Input::Snapshot(_)) {
                // A flooded inbox has worse news than this.
                let _ = self.needs.inbox.send(input);
            }
        }
    }
}

fn told(opened: keep::Opened) -> Opened {
    let fence = opened.snapshot.as_ref().map_or(0, |snapshot| snapshot.current.fence);
    let mut inputs = opened.notices;
    inputs.extend(opened.snapshot.map(|snapshot| Input::Snapshot(Box::new(snapshot))));
    Opened { inputs, fence }
}
