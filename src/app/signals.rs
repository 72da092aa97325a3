//! Signals: what ends the program, and what a terminal tells of its size.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::place::terminal_size;
use super::stage::Stage;
use crate::kernel::Span;
use crate::renderers::Event;

/// How often the small chores are done: seldom enough to cost nothing, often enough that what
/// waits for them stays small.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The signals that this program hears. From its making on, none of them kills it.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    resized: Signal,
}

impl Signals {
    /// Hears from now on. To be called within a runtime.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub(super) fn hear() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("can't hear SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("can't hear SIGTERM")?,
            hang_up: signal(SignalKind::hangup()).context("can't hear SIGHUP")?,
            resized: signal(SignalKind::window_change()).context("can't hear SIGWINCH")?,
        })
    }

    /// Waits until something ends the program: a signal, `over`, or the time it was given.
    pub(super) async fn wait(
        mut self,
        over: &CancellationToken,
        run_for: Option<Span>,
        stage: &Arc<Stage>,
        events: &mpsc::Sender<Event>,
        upkeep: impl Fn(),
    ) {
        let end = async {
            match run_for {
                Some(span) => tokio::time::sleep(span.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(end);
        let mut chores = tokio::time::interval(UPKEEP_EVERY);
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => return,
                () = over.cancelled() => return,
                () = &mut end => return,
                _ = chores.tick() => upkeep(),
                _ = self.resized.recv() => if let Some(size) = terminal_size() {
                    // A stage that has ended has no use for it.
                    let _ = events.send(Event::Resized(size));
                    stage.wake();
                },
            }
        }
    }
}
