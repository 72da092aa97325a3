//! The store as a way between consoles: who writes there, who listens, and who asks it for the time.
//!
//! Three tasks, because a server that hangs must hold up nothing else. Of beats only the newest waits:
//! after a stall nobody hears what was said minutes ago.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::happened::Happened;
use super::part::Spoken;
use crate::app::clock::Clock;
use crate::coordination::Token;
use crate::coordination::election::{Answer, Ask};
use crate::coordination::link::redis::{Claimed, Heard, Published, RedisLink, Said, Trouble};
use crate::kernel::Moment;
use crate::kernel::beat::Sample;
use crate::metrics::Meters;

/// News that wait behind a slow server; what is lost comes with the whole board.
const NEWS_WAITING: usize = 16;

/// How soon a server that does not tell the time is asked again.
const TIME_AGAIN: Duration = Duration::from_millis(500);

/// What the writer is asked beside what it writes.
enum Order {
    /// Raise the fence; true: and tell what stood there.
    Claim(Token, Moment, bool),
    Epoch(Moment),
    Board,
}

/// What waits to be written.
#[derive(Default)]
struct Outbox {
    beat: Option<Spoken>,
    news: VecDeque<(Token, String)>,
    board: Option<(Token, String)>,
    written: Option<oneshot::Sender<()>>,
}

/// The way over a Redis server.
pub(super) struct StoreWay {
    outbox: Arc<Mutex<Outbox>>,
    bell: Arc<Notify>,
    orders: mpsc::UnboundedSender<Order>,
}

/// Where the tasks live.
pub(super) struct Tasks<'a> {
    pub(super) runtime: &'a Handle,
    pub(super) tracker: &'a TaskTracker,
    pub(super) stop: &'a CancellationToken,
    pub(super) tell: &'a mpsc::Sender<Happened>,
    pub(super) clock: Clock,
    pub(super) meters: Arc<Meters>,
}

impl StoreWay {
    /// Starts the tasks.
    ///
    /// # Errors
    /// Where the URL names no server.
    pub(super) fn start(url: &str, board: &str, tasks: &Tasks<'_>) -> Result<Self, String> {
        let link = RedisLink::new(url, board, None)?;
        let (outbox, bell) = (Arc::<Mutex<Outbox>>::default(), Arc::new(Notify::new()));
        let (orders, ordered) = mpsc::unbounded_channel();
        let spawn = |task| {
            let stop = tasks.stop.clone();
            tasks.tracker.spawn_on(async move { _ = stop.run_until_cancelled_owned(task).await }, tasks.runtime);
        };
        let writer = Writer {
            link: link.another(),
            outbox: Arc::clone(&outbox),
            bell: Arc::clone(&bell),
            ordered,
            found: 0,
            unread: None,
            tell: tasks.tell.clone(),
            meters: Arc::clone(&tasks.meters),
        };
        spawn(Box::pin(writer.run()) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>);
        spawn(Box::pin(listen(link.another(), tasks.tell.clone())));
        spawn(Box::pin(tell_time(link, tasks.clock, tasks.tell.clone())));
        Ok(Self { outbox, bell, orders })
    }

    /// Writes and publishes, in place of what waits still.
    pub(super) fn say(&self, spoken: Spoken) {
        let mut outbox = self.outbox();
        if let Some(news) = &spoken.news {
            if outbox.news.len() >= NEWS_WAITING {
                outbox.news.pop_front();
            }
            outbox.news.push_back((spoken.token, news.clone()));
        }
        if let Some(board) = &spoken.board {
            outbox.board = Some((spoken.token, board.clone()));
        }
        outbox.beat = Some(spoken);
        drop(outbox);
        self.bell.notify_one();
    }

    /// The same; tells when it has been written, or has failed.
    pub(super) fn say_last(&self, spoken: Spoken) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.outbox().written = Some(tell);
        self.say(spoken);
        told
    }

    pub(super) fn claim(&self, token: Token, sent: Moment, resumes: bool) {
        // The writer lives as long as this.
        let _ = self.orders.send(Order::Claim(token, sent, resumes));
    }

    pub(super) fn ask_epoch(&self, sent: Moment) {
        let _ = self.orders.send(Order::Epoch(sent));
    }

    pub(super) fn ask_board(&self) {
        let _ = self.orders.send(Order::Board);
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Writer {
    link: RedisLink,
    outbox: Arc<Mutex<Outbox>>,
    bell: Arc<Notify>,
    ordered: mpsc::UnboundedReceiver<Order>,
    tell: mpsc::Sender<Happened>,
    /// The number of the turn that was found there: one that counts lower would be refused as heard before.
    found: u64,
    /// Who leads has not seen what is kept there: nothing is written over before it has.
    unread: Option<Token>,
    meters: Arc<Meters>,
}

impl Writer {
    async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                Some(order) = self.ordered.recv() => self.carry_out(order).await,
                () = self.bell.notified() => self.write().await,
            }
        }
    }

    async fn carry_out(&mut self, order: Order) {
        match order {
            Order::Claim(token, sent, resumes) => {
                let claimed = self.link.claim(token).await;
                self.unread = None;
                let (answer, frame) = match claimed {
                    Ok(Claimed::Ok { seq, frame }) => {
                        self.found = seq;
                        (Answer::Claimed, frame)
                    }
                    Ok(Claimed::Stale(later)) => (Answer::Fenced(later), None),
                    // Then the first write that succeeds is the claim.
                    Err(why) => {
                        self.unread = resumes.then_some(token);
                        self.say(Happened::Store(Some(why.to_string()))).await;
                        (Answer::Claimed, None)
                    }
                };
                if resumes && answer == Answer::Claimed && self.unread.is_none() {
                    let board = self.link.board().await.ok().flatten();
                    self.say(Happened::Held { beat: frame, board }).await;
                }
                self.say(Happened::Answered { ask: Ask::Claim(token), sent, answer: Ok(answer) }).await;
            }
            Order::Epoch(sent) => {
                let epoch = self.link.state().await.ok().flatten().map_or(0, |state| state.token.epoch);
                let answer = Ok(Answer::Stored(epoch));
                self.say(Happened::Answered { ask: Ask::StoredEpoch, sent, answer }).await;
            }
            Order::Board => {
                if let Ok(Some(board)) = self.link.board().await {
                    self.say(Happened::Text(board, true)).await;
                }
            }
        }
    }

    /// Claims what could not be claimed before, and tells what is kept there; whether nothing is to be written yet.
    async fn reads_first(&mut self) -> bool {
        let Some(token) = self.unread else { return false };
        let claimed = match self.link.claim(token).await {
            Ok(Claimed::Ok { seq, .. }) => self.link.board().await.map(|board| (seq, board)),
            Ok(Claimed::Stale(later)) => {
                self.unread = None;
                self.say(Happened::Outranked(later)).await;
                return true;
            }
            Err(why) => Err(why),
        };
        match claimed {
            Ok((seq, board)) => {
                (self.found, self.unread) = (seq, None);
                self.say(Happened::Found { seq, board }).await;
            }
            Err(why) => self.say(Happened::Store(Some(why.to_string()))).await,
        }
        true
    }

    async fn write(&mut self) {
        // What waits is written by the next beat, or is replaced by it.
        if self.reads_first().await {
            return;
        }
        let (beat, news, board, written) = {
            let mut outbox = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
            let outbox = &mut *outbox;
            (outbox.beat.take(), std::mem::take(&mut outbox.news), outbox.board.take(), outbox.written.take())
        };
        let mut outcome = Ok(None);
        // The board first: whoever finds by the beat that it lacks it must find it there.
        if let Some((token, board)) = board {
            outcome = refusal(self.link.keep_board(token, &board).await);
            self.count(&outcome);
        }
        for (token, news) in news {
            if outcome == Ok(None) {
                outcome = refusal(self.link.publish_news(token, &news).await);
            }
        }
        if let Some(spoken) = beat {
            let current = &spoken.current;
            let said = Said {
                seq: current.seq.max(self.found),
                beat: spoken.number,
                item: current.item.as_ref().map(ToString::to_string),
                show_at_ms: current.show_at.unix_millis(),
                dwell_ms: current.dwell.as_millis(),
            };
            if !matches!(outcome, Ok(Some(_))) {
                outcome = refusal(self.link.publish(spoken.token, &said, &spoken.beat).await);
                self.count(&outcome);
            }
            let happened = match outcome {
                Ok(Some(later)) => Happened::Outranked(later),
                Ok(None) => Happened::Store(None),
                Err(why) => Happened::Store(Some(why)),
            };
            self.say(happened).await;
        }
        if let Some(written) = written {
            // Whoever waited may have gone.
            let _ = written.send(());
        }
    }

    /// Counts a write of the state: the turn that is on, or the board. News are said and not kept.
    fn count(&self, outcome: &Result<Option<Token>, String>) {
        self.meters.store_written(*outcome == Ok(None));
    }

    async fn say(&self, happened: Happened) {
        // Nobody is told any more once the program ends.
        let _ = self.tell.send(happened).await;
    }
}

/// The higher token that stands against a write, or why it failed.
fn refusal(published: Result<Published, Trouble>) -> Result<Option<Token>, String> {
    match published {
        Ok(Published::Stale(later)) => Ok(Some(later)),
        Ok(Published::Ok | Published::Dup) => Ok(None),
        Err(why) => Err(why.to_string()),
    }
}

/// Hears what is published, and reads what is kept whenever it may have missed something.
async fn listen(mut link: RedisLink, tell: mpsc::Sender<Happened>) {
    let mut subscription = link.subscription();
    loop {
        let happened = match subscription.next().await {
            Heard::Text(text) => Happened::Text(text, false),
            Heard::Subscribed => {
                let _ = tell.send(Happened::Hearing(None)).await;
                match link.state().await {
                    Ok(Some(state)) if state.frame.is_some() => Happened::Text(state.frame.unwrap_or_default(), true),
                    _ => continue,
                }
            }
            Heard::TooLarge(bytes) => Happened::Odd(format!(
                "somebody publishes {bytes} bytes at once on this board's channel, more than any console says"
            )),
            Heard::Lost(why) => Happened::Hearing(Some(why)),
        };
        if tell.send(happened).await.is_err() {
            return;
        }
    }
}

/// Samples the server's clock at the servo's own pace.
async fn tell_time(mut link: RedisLink, clock: Clock, tell: mpsc::Sender<Happened>) {
    let mut server: Option<String> = None;
    loop {
        let sent = clock.now();
        let asked = link.time().await;
        let received = clock.now();
        let told = match asked {
            // The question may have made a new connection, and that may lead to another server.
            Ok(reference) => link.identity().await.map(|identity| (reference, identity)),
            Err(why) => Err(why),
        };
        let Ok((reference, identity)) = told else {
            server = None;
            sleep(TIME_AGAIN).await;
            continue;
        };
        if server.as_ref() != Some(&identity) {
            // What took a connection as well says little of the clock.
            server = Some(identity);
            continue;
        }
        let sample = Sample { sent, reference, received };
        let (answer, next) = oneshot::channel();
        if tell.send(Happened::Sampled(identity, sample, answer)).await.is_err() {
            return;
        }
        // Whoever disciplines the clock knows how soon it wants the next.
        let Ok(next) = next.await else { return };
        sleep(clock.until(next)).await;
    }
}
