//! The changes under a board's keys, as they happen, for as long as they are asked for.
//!
//! The consoles' own records are left out, which sort behind all other keys: fifty consoles that tell of
//! themselves would be most of what a follower hears. Of all that they tell one thing is urgent, that a console
//! does not hear the store; for that there is a key that is rung.
//!
//! A watch that breaks is begun anew at the next endpoint, from that member's
//! newest revision on, and says so: whoever listens reads everything again. So
//! no history is needed, and a compaction costs no more than a lost connection.
//! A member that is frozen or cut off from the others keeps its connections open
//! and says nothing; so one that is quiet is asked for what it should have told.
//!
//! Deliberately no task: the work goes on while somebody waits in
//! [`Watch::next`], and what is not fetched waits in the server.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Response;
use serde_json::json;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, timeout_at};

use super::transport::ANSWER_BYTES_MAX;
use super::wire::{self, Event, Streamed, Watching, base64};
use super::words::{self, Meaning, Trouble};
use super::{FRAME_BYTES_MAX, Holder, Shared, text};

/// How long a watch may be quiet until its member is asked whether there was anything to tell. With a
/// try's time, and once more where it fell behind, this bounds how long a frozen server goes unnoticed.
/// It may take longer than a failover: whoever hears no leader asks for itself.
pub(super) const QUIET: Duration = Duration::from_secs(30);

/// The least pause before a watch is begun anew; up to twice as long, so that not all consoles come at once.
const PAUSE: Duration = Duration::from_millis(50);

/// Changes that wait here; the others wait in the server.
const WAITING: usize = 16;

/// A change under a board's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The leader's key was put or deleted, at this revision of the cluster. What is older than
    /// what was read by a question is no news: a member may tell late.
    Leader(Option<Holder>, u64),
    /// A frame was put.
    Frame(String),
    /// The board was put.
    Board,
    /// A console has just said in its record that it does not hear the store.
    Deaf,
    /// Something was put that can't be one of ours, in words that name the key.
    Foreign(String),
    /// The watch has begun, for the first time or anew; changes before may be missing. Read everything.
    Restarted,
}

/// The changes under a board's keys.
pub struct Watch {
    work: Pin<Box<dyn Future<Output = Infallible> + Send>>,
    news: Receiver<Watched>,
}

impl Watch {
    /// One that asks its member after so long a silence.
    pub(super) fn new(shared: Arc<Shared>, quiet: Duration) -> Self {
        let (tell, news) = channel(WAITING);
        Self { work: Box::pin(work(shared, quiet, tell)), news }
    }

    /// Waits for the next change, through every trouble. Nothing is lost where the wait is given up.
    pub async fn next(&mut self) -> Watched {
        tokio::select! {
            biased;
            Some(watched) = self.news.recv() => watched,
            never = &mut self.work => match never {},
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

async fn work(shared: Arc<Shared>, quiet: Duration, tell: Sender<Watched>) -> Infallible {
    let mut place = shared.transport.preferred();
    loop {
        let trouble = match Stream::begin(&shared, place, quiet).await {
            Ok(stream) => {
                let _ = tell.send(Watched::Restarted).await;
                stream.run(&tell).await
            }
            Err(trouble) => trouble,
        };
        if trouble.meaning == Meaning::Login {
            *shared.transport.kept() = None;
        } else {
            place = (place + 1) % shared.transport.endpoints();
        }
        sleep(pause(RandomState::new().hash_one(place))).await;
    }
}

/// Between one and two [`PAUSE`]s.
fn pause(seed: u64) -> Duration {
    PAUSE + PAUSE * u32::try_from(seed % 1024).unwrap_or(0) / 1024
}

/// One watch at one endpoint.
struct Stream<'s> {
    shared: &'s Shared,
    place: usize,
    quiet: Duration,
    lines: Lines,
    progress: Progress,
}

/// What a stream has brought so far.
#[derive(Default)]
struct Progress {
    /// Messages.
    heard: AtomicU64,
    /// The revision up to which changes were told.
    told: AtomicU64,
}

impl<'s> Stream<'s> {
    async fn begin(shared: &'s Shared, place: usize, quiet: Duration) -> Result<Self, Trouble> {
        let keys = &shared.keys;
        let body = json!({"create_request": {
            "key": base64(keys.prefix.as_bytes()), "range_end": base64(keys.members.as_bytes()), "fragment": true,
        }});
        let deadline = Instant::now() + shared.transport.attempt();
        let response = shared.transport.stream(place, "/v3/watch", &body).await?;
        let mut lines = Lines { response, buffer: Vec::new(), read: 0 };
        let created = match timeout_at(deadline, lines.next()).await {
            Ok(line) => watching(&line?)?,
            Err(_) => return Err(Trouble::silent()),
        };
        if !created.created {
            return Err(Trouble::no_etcd());
        }
        let progress = Progress { told: created.header.revision.into(), ..Progress::default() };
        let stream = Self { shared, place, quiet, lines, progress };
        // A member without a majority would take the watch and never tell anything.
        newest(shared, place).await?;
        Ok(stream)
    }

    /// Tells changes until the stream breaks.
    async fn run(self, tell: &Sender<Watched>) -> Trouble {
        let Self { shared, place, quiet, mut lines, progress } = self;
        tokio::select! {
            biased;
            trouble = forward(shared, &mut lines, &progress, tell) => trouble,
            trouble = guard(shared, place, quiet, &progress) => trouble,
        }
    }
}

async fn forward(shared: &Shared, lines: &mut Lines, progress: &Progress, tell: &Sender<Watched>) -> Trouble {
    loop {
        let message = match lines.next().await.and_then(|line| watching(&line)) {
            Ok(message) => message,
            Err(trouble) => return trouble,
        };
        progress.heard.fetch_add(1, Ordering::Relaxed);
        for event in message.events {
            progress.told.fetch_max(event.kv.mod_revision, Ordering::Relaxed);
            if let Some(watched) = watched(shared, event) {
                let _ = tell.send(watched).await;
            }
        }
    }
}

/// Ends once the member is silent, cut off, or does not tell what it should have.
async fn guard(shared: &Shared, place: usize, quiet: Duration, progress: &Progress) -> Trouble {
    let mut heard = 0;
    let mut behind = None;
    loop {
        sleep(quiet).await;
        let now = progress.heard.load(Ordering::Relaxed);
        if now != heard {
            heard = now;
            behind = None;
            continue;
        }
        let told = progress.told.load(Ordering::Relaxed);
        match newest(shared, place).await {
            Err(trouble) => return trouble,
            // The answer may have overtaken the change; twice it does not.
            Ok(newest) if newest > told && behind == Some(told) => return Trouble::silent(),
            Ok(newest) => behind = (newest > told).then_some(told),
        }
    }
}

/// The revision of the newest change that is still to be seen under the keys, as the majority knows it.
async fn newest(shared: &Shared, place: usize) -> Result<u64, Trouble> {
    let keys = &shared.keys;
    let body = json!({
        "key": base64(keys.prefix.as_bytes()), "range_end": base64(keys.members.as_bytes()),
        "limit": "1", "keys_only": true, "sort_order": "DESCEND", "sort_target": "MOD",
    });
    let found: wire::Range = shared.transport.ask_at(place, "/v3/kv/range", &body).await?;
    Ok(found.kvs.first().map_or(0, |pair| pair.mod_revision))
}

/// What a change means; `None`: nothing to anybody.
fn watched(shared: &Shared, event: Event) -> Option<Watched> {
    let keys = &shared.keys;
    let gone = event.is_deletion();
    let pair = event.kv;
    let is = |key: &str| pair.key == key.as_bytes();
    if is(&keys.leader) {
        let revision = pair.mod_revision;
        return Some(Watched::Leader((!gone).then(|| Holder::of(pair)), revision));
    }
    if gone {
        return None;
    }
    if is(&keys.frame) {
        return Some(text(&keys.frame, pair.value, FRAME_BYTES_MAX).map_or_else(Watched::Foreign, Watched::Frame));
    }
    if is(&keys.deaf) {
        return Some(Watched::Deaf);
    }
    is(&keys.board).then_some(Watched::Board)
}

/// A message of the stream; what ends it, and what is none, is a trouble.
fn watching(line: &[u8]) -> Result<Watching, Trouble> {
    let streamed: Option<Streamed<Watching>> = serde_json::from_slice(line).ok();
    // An error in a stream has no result.
    let Some(message) = streamed.and_then(|streamed| streamed.result) else { return Err(words::said(200, line)) };
    if message.canceled {
        let known = words::known(&message.cancel_reason);
        return Err(known.unwrap_or_else(|| Trouble::new(Meaning::Elsewhere, "it ended the watch")));
    }
    Ok(message)
}

/// The lines of a stream that does not end.
struct Lines {
    response: Response,
    buffer: Vec<u8>,
    /// As much of the buffer as has no line's end.
    read: usize,
}

impl Lines {
    /// Nothing is lost where the wait is given up.
    async fn next(&mut self) -> Result<Vec<u8>, Trouble> {
        loop {
            if let Some(end) = self.buffer[self.read..].iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.read + end + 1);
                self.read = 0;
                return Ok(std::mem::replace(&mut self.buffer, rest));
            }
            self.read = self.buffer.len();
            if self.read > ANSWER_BYTES_MAX {
                return Err(Trouble::too_large());
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Err(Trouble::new(Meaning::Elsewhere, "it ended the watch")),
                Err(error) => return Err(words::broken(&error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_do_not_come_back_at_once() {
        assert_eq!(pause(0), PAUSE);
        assert!((0..5000).all(|seed| pause(seed) >= PAUSE && pause(seed) < 2 * PAUSE));
    }

    #[test]
    fn what_ends_a_watch_is_told_apart() {
        let meaning = |line: &str| watching(line.as_bytes()).map_err(|trouble| trouble.meaning).map(|it| it.created);
        for (line, meant) in [
            (r#"{"result":{"header":{"revision":"4"},"created":true}}"#, Ok(true)),
            (r#"{"result":{"events":[]}}"#, Ok(false)),
            (r#"{"result":{"canceled":true,"compact_revision":"3"}}"#, Err(Meaning::Elsewhere)),
            (
                r#"{"result":{"created":true,"canceled":true,"cancel_reason":"etcdserver: invalid auth token"}}"#,
                Err(Meaning::Login),
            ),
            (r#"{"result":{"canceled":true,"cancel_reason":"etcdserver: permission denied"}}"#, Err(Meaning::Refused)),
            (r#"{"error":{"grpc_code":14,"message":"etcdserver: no leader"}}"#, Err(Meaning::Elsewhere)),
            ("<html>", Err(Meaning::Elsewhere)),
        ] {
            assert_eq!(meaning(line), meant, "{line}");
        }
    }
}
