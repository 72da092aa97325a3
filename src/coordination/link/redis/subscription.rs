//! What is published for a board, heard over a connection of its own that comes back by itself.
//!
//! A server that is frozen, or a way that was cut, says nothing at all: so when
//! nothing was heard for a while the connection is asked for a sign of life. One
//! that was replaced may live on and say nothing of it: a lookout tells when to leave it.
//! Deliberately no memory of what was said while nobody listened: after each
//! `Subscribed` the caller reads the state.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use redis::{Msg, RedisError, Value};
use tokio::time::{Sleep, sleep, timeout};

use super::super::way::{BEAT_HEAD, FRAME_BYTES_MAX, Heard, NEWS_BYTES_MAX};
use crate::coordination::redis::lookout::Lookout;
use crate::coordination::redis::server::{Server, is_broken};
use crate::coordination::redis::words;

/// How long silence is taken for peace: a little more than a beat, so that while somebody leads nobody has to ask.
const QUIET_FOR: Duration = Duration::from_millis(600);

/// How long a sign of life may take. With twice the above, a frozen server is noticed within 2 s.
const SIGN_WITHIN: Duration = Duration::from_millis(800);

/// The least pause before a new connection.
const PAUSE: Duration = Duration::from_millis(50);

/// How much longer a pause may be: many consoles lose their server in the same moment, and must not come back in
/// the same moment.
const PAUSE_SPREAD: Duration = Duration::from_millis(450);

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What one console hears of a board. Futures of [`next`](Self::next) may be dropped at any time: nothing is lost.
pub struct Subscription {
    server: Server,
    channel: String,
    stage: Stage,
    /// The reason that was told last, while the connection is lost.
    told: Option<String>,
}

enum Stage {
    Opening(Later<Result<(PubSub, Lookout), String>>),
    Listening(Listening),
}

struct Listening {
    sink: PubSubSink,
    stream: PubSubStream,
    watch: Watch,
    /// Why the server has to be left, as soon as it has.
    left: Later<String>,
    /// Whether something was heard since the watch began.
    heard: bool,
}

/// Whether the server lives: waiting for it to be silent long enough, or for a sign that was asked for.
enum Watch {
    Quiet(Pin<Box<Sleep>>),
    Sign(Later<Result<(), Option<RedisError>>>),
}

/// What happened on an open connection.
enum Event {
    Message(Option<Msg>),
    Quiet,
    Sign(Result<(), Option<RedisError>>),
    Left(String),
}

impl Subscription {
    pub(super) fn new(server: Server, channel: String) -> Self {
        let stage = opening(&server, &channel, Duration::ZERO);
        Self { server, channel, stage, told: None }
    }

    /// What comes next; waits as long as nothing does. Has to be asked again soon after each answer, because
    /// what arrives meanwhile is held in memory.
    pub async fn next(&mut self) -> Heard {
        loop {
            let why = match &mut self.stage {
                Stage::Opening(opened) => match opened.await {
                    Ok((listener, lookout)) => {
                        self.stage = listening(listener, lookout);
                        self.told = None;
                        return Heard::Subscribed;
                    }
                    Err(why) => why,
                },
                Stage::Listening(listening) => match listening.event().await {
                    Event::Message(Some(message)) => {
                        listening.heard = true;
                        return heard(&message);
                    }
                    Event::Message(None) => words::CLOSED.to_owned(),
                    Event::Sign(Err(None)) => words::NO_ANSWER.to_owned(),
                    Event::Sign(Err(Some(error))) => self.server.told(&error),
                    Event::Left(why) => {
                        self.server.leave();
                        why
                    }
                    event @ (Event::Quiet | Event::Sign(Ok(()))) => {
                        listening.go_on(&event);
                        continue;
                    }
                },
            };
            self.stage = opening(&self.server, &self.channel, pause());
            let why = format!("can't hear the other consoles over Redis ({}): {why}", self.server.address());
            if self.told.as_ref() != Some(&why) {
                self.told = Some(why.clone());
                return Heard::Lost(why);
            }
        }
    }
}

impl Listening {
    async fn event(&mut self) -> Event {
        let watch = async {
            match &mut self.watch {
                Watch::Quiet(silence) => {
                    silence.await;
                    Event::Quiet
                }
                Watch::Sign(sign) => Event::Sign(sign.await),
            }
        };
        tokio::select! {
            biased;
            message = self.stream.next() => Event::Message(message),
            why = &mut self.left => Event::Left(why),
            event = watch => event,
        }
    }

    fn go_on(&mut self, event: &Event) {
        let silent = matches!(event, Event::Quiet) && !self.heard;
        self.heard = false;
        self.watch = if silent { Watch::Sign(sign(self.sink.clone())) } else { quiet() };
    }
}

fn listening(listener: PubSub, lookout: Lookout) -> Stage {
    let (sink, stream) = listener.split();
    Stage::Listening(Listening { sink, stream, watch: quiet(), left: Box::pin(lookout.until_left()), heard: false })
}

fn opening(server: &Server, channel: &str, after: Duration) -> Stage {
    let (server, channel) = (server.clone(), channel.to_owned());
    Stage::Opening(Box::pin(async move {
        sleep(after).await;
        server.listen(&channel).await
    }))
}

fn quiet() -> Watch {
    Watch::Quiet(Box::pin(sleep(QUIET_FOR)))
}

/// `Err(None)`: no answer in time. A server that refuses to answer, as one with a full disk does, lives.
fn sign(mut sink: PubSubSink) -> Later<Result<(), Option<RedisError>>> {
    Box::pin(async move {
        match timeout(SIGN_WITHIN, sink.ping::<Value>()).await {
            Err(_) => Err(None),
            Ok(Err(error)) if is_broken(&error) => Err(Some(error)),
            Ok(_) => Ok(()),
        }
    })
}

/// Another one each time, evenly over its spread.
fn pause() -> Duration {
    let thousandths = RandomState::new().hash_one(0_u8) % 1_000;
    PAUSE + PAUSE_SPREAD * u32::try_from(thousandths).unwrap_or_default() / 1_000
}

fn heard(message: &Msg) -> Heard {
    let bytes = message.get_payload_bytes();
    let most = if bytes.starts_with(BEAT_HEAD.as_bytes()) { FRAME_BYTES_MAX } else { NEWS_BYTES_MAX };
    if bytes.len() > most {
        return Heard::TooLarge(bytes.len());
    }
    // What is no text is none of ours either way; the protocol refuses it like any other foreign text.
    Heard::Text(String::from_utf8_lossy(bytes).into_owned())
}
