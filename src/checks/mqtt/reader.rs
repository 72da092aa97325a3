//! The one that listens to a topic between runs: one connection from its beginning to its end.
//!
//! It tells how things stand and keeps the last message alone. When the
//! connection ends it ends too; the next run starts another, so that a broker
//! that is down is asked at the check's own pace and no faster.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::mqttbytes::Error as Broken;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish,
    QoS, StateError, SubscribeReasonCode,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::checks::net::{Address, plain_io, plain_lookup};

/// The longest message that is taken. A reading has a few bytes, a report some
/// KiB; a picture is no news for a line of text.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// What a packet has beside its message: header, and the topic at its longest.
const PACKET_BYTES_MAX: usize = MESSAGE_BYTES_MAX + u16::MAX as usize + 8;

/// How often the broker must show that it is there; one that is silent twice as long is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The longest that the broker may take to accept us, in seconds; a run's own timeout is far shorter.
const CONNECT_SECS_MAX: u64 = 60;

/// Requests of ours on their way: one subscription.
const REQUESTS_MAX: usize = 4;

/// How things stand.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// The connection.
    pub(super) state: State,
    /// The last message.
    pub(super) heard: Option<Arc<Heard>>,
}

impl News {
    /// Why the connection is no more.
    pub(super) fn ended(&self) -> Option<String> {
        match &self.state {
            State::Ended(why) => Some(why.clone()),
            _ => None,
        }
    }
}

/// A connection, from its beginning to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Not yet subscribed.
    #[default]
    Connecting,
    /// The broker has taken the subscription.
    Listening,
    /// It is over, and why.
    Ended(String),
}

/// A message.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) payload: Vec<u8>,
    pub(super) at: Instant,
}

/// The task that listens. Dropped, it closes its connection.
pub(super) struct Reader {
    news: watch::Receiver<News>,
    _task: AbortOnDropHandle<()>,
}

impl Reader {
    /// Begins to listen. `heard` is what an earlier reader heard last.
    pub(super) fn start(options: MqttOptions, topic: String, heard: Option<Arc<Heard>>) -> Self {
        let (sender, news) = watch::channel(News { state: State::Connecting, heard });
        #[expect(
            clippy::disallowed_methods,
            reason = "a message comes between runs: the check owns this task, and its drop ends it"
        )]
        let task = tokio::spawn(listen(options, topic, sender));
        Self { news, _task: AbortOnDropHandle::new(task) }
    }

    /// How things stand, now and later.
    pub(super) fn news(&self) -> watch::Receiver<News> {
        self.news.clone()
    }
}

/// How to reach the broker: under a name that no other client has, since a broker throws out the older of two.
pub(super) fn options(address: &Address, login: Option<(String, String)>) -> MqttOptions {
    let name = format!("marquee-{:012x}", RandomState::new().hash_one(0) >> 16);
    let host = if address.host().contains(':') { format!("[{}]", address.host()) } else { address.host().to_owned() };
    let mut options = MqttOptions::new(name, host, address.port());
    options.set_keep_alive(KEEP_ALIVE).set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if let Some((user, password)) = login {
        options.set_credentials(user, password);
    }
    options
}

async fn listen(options: MqttOptions, topic: String, news: watch::Sender<News>) {
    let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_SECS_MAX);
    events.set_network_options(network);
    let why = follow(&client, &mut events, &topic, &news).await;
    news.send_modify(|it| it.state = State::Ended(why));
}

/// Follows the connection to its end, and tells why it ended.
async fn follow(client: &AsyncClient, events: &mut EventLoop, topic: &str, news: &watch::Sender<News>) -> String {
    loop {
        let packet = match events.poll().await {
            Ok(Event::Incoming(packet)) => packet,
            Ok(Event::Outgoing(_)) => continue,
            Err(error) => return plain(&error),
        };
        match packet {
            // The request waits in memory; only a loop that is gone refuses it.
            Packet::ConnAck(_) => drop(client.subscribe(topic, QoS::AtMostOnce).await),
            Packet::SubAck(answer) if answer.return_codes.contains(&SubscribeReasonCode::Failure) => {
                return "the broker refuses the topic to this user".into();
            }
            Packet::SubAck(_) => news.send_modify(|it| it.state = State::Listening),
            Packet::Publish(message) if message.payload.len() > MESSAGE_BYTES_MAX => return too_long(),
            Packet::Publish(message) if message.topic == topic => news.send_modify(|it| hear(&mut it.heard, &message)),
            _ => {}
        }
    }
}

/// Keeps a message. One that was retained, and comes again after a new subscription, is no news.
fn hear(heard: &mut Option<Arc<Heard>>, message: &Publish) {
    let known = heard.as_ref().is_some_and(|it| it.payload[..] == message.payload[..]);
    if !(message.retain && known) {
        *heard = Some(Arc::new(Heard { payload: message.payload.to_vec(), at: Instant::now() }));
    }
}

fn too_long() -> String {
    format!("a message longer than {} KiB", MESSAGE_BYTES_MAX / 1024)
}

fn plain(error: &ConnectionError) -> String {
    let plain = match error {
        ConnectionError::Io(error)
        | ConnectionError::MqttState(StateError::Io(error) | StateError::Deserialization(Broken::Io(error))) => {
            return plain_network(error);
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => "closed by the broker",
        ConnectionError::MqttState(StateError::AwaitPingResp) => "the broker is silent",
        ConnectionError::MqttState(StateError::Deserialization(Broken::PayloadSizeLimitExceeded(_))) => {
            return too_long();
        }
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => "no answer from the broker",
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => "user or password refused",
        ConnectionError::ConnectionRefused(ConnectReturnCode::ServiceUnavailable) => "the broker is not available",
        ConnectionError::ConnectionRefused(_) => "the broker refuses us",
        _ => "no MQTT answer",
    };
    plain.into()
}

fn plain_network(error: &io::Error) -> String {
    let whole = error.to_string();
    if whole.contains("lookup") { plain_lookup(&whole).into() } else { plain_io(error) }
}
