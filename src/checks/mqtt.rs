//! `mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC`: the last message on a topic.
//!
//! A message comes when it comes, so the check listens between its runs: its
//! first run subscribes, and from then on each run tells what was last heard.
//! `age` counts from the moment a message arrived here; of a message that the
//! broker had retained nobody knows more. What is said while the broker can't
//! be reached is not heard, unless it is retained: a run then is a fault.
//!
//! Deliberately no wildcards, which have no one last message, and no TLS.

mod reader;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rumqttc::MqttOptions;
use tokio::sync::watch;
use tokio::time::timeout;

use self::reader::{Heard, News, Reader, State};
use super::net::Address;
use super::peer_url::{PeerUrl, bad, decode};
use super::{BadTarget, Check, CheckTarget, Fault, Measured, Measuring};
use crate::config::json;
use crate::frame::{Value, Values};

/// The port of MQTT.
const PORT: u16 = 1883;

/// How long a run waits for a message on a topic where none was heard yet. A
/// retained one comes within milliseconds; this leaves time to a slow link, and
/// half of a check's usual timeout to the words that nothing came.
const PATIENCE: Duration = Duration::from_secs(1);

/// As much as is kept of a message that is no JSON: a screen shows far less.
const TEXT_BYTES_MAX: usize = 4 * 1024;

struct Mqtt {
    address: Address,
    options: MqttOptions,
    topic: String,
    reader: Mutex<Option<Reader>>,
}

pub(super) fn build(target: &CheckTarget<'_>) -> Result<Box<dyn Check>, BadTarget> {
    Ok(Box::new(aim(target)?))
}

fn aim(target: &CheckTarget<'_>) -> Result<Mqtt, BadTarget> {
    let url = PeerUrl::parse(target, &[])?;
    let address = url.address(PORT)?;
    let topic = decode(&url.path)?;
    if topic.is_empty() {
        return Err(bad("the TOPIC is missing"));
    }
    if topic.contains(['+', '#']) {
        return Err(bad("a topic with `+` or `#` stands for many, and has no one last message"));
    }
    if topic.len() > usize::from(u16::MAX) {
        return Err(bad("the TOPIC is longer than any can be"));
    }
    let login = url.user.map(|user| (user, url.password.unwrap_or_default()));
    let options = reader::options(&address, login);
    Ok(Mqtt { address, options, topic, reader: Mutex::new(None) })
}

impl Check for Mqtt {
    fn measure(&self) -> Measuring<'_> {
        Box::pin(async {
            let mut news = self.listen();
            let unfinished = Unfinished(Some(self));
            let state = news.wait_for(|it| !matches!(it.state, State::Connecting)).await;
            unfinished.done();
            let state = state.map(|it| it.state.clone()).map_err(|_| self.lost())?;
            if let State::Ended(why) = state {
                return Err(self.address.fault(why));
            }
            let heard = timeout(PATIENCE, news.wait_for(|it| it.heard.is_some() || it.ended().is_some())).await;
            let (heard, ended) = match heard {
                Ok(Ok(news)) => (news.heard.clone(), news.ended()),
                Ok(Err(_)) => return Err(self.lost()),
                Err(_) => return Err(self.address.fault("nothing was said on the topic yet")),
            };
            match (heard, ended) {
                (_, Some(why)) => Err(self.address.fault(why)),
                (Some(heard), None) => Ok(tell(&heard)),
                (None, None) => Err(self.lost()),
            }
        })
    }
}

impl Mqtt {
    /// What the reader tells; a new one where there is none, or the last has ended.
    fn listen(&self) -> watch::Receiver<News> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let heard = match reader.take() {
            Some(running) if running.news().borrow().ended().is_none() => {
                return reader.insert(running).news();
            }
            Some(ended) => ended.news().borrow().heard.clone(),
            None => None,
        };
        reader.insert(Reader::start(self.options.clone(), self.topic.clone(), heard)).news()
    }

    /// Ends the reader, and with it the connection.
    fn let_go(&self) {
        drop(self.reader.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The fault of a reader that ended without a word, which only a defect does.
    fn lost(&self) -> Fault {
        self.address.fault("the reader of the topic ended")
    }
}

/// A run that is cancelled while it connects takes its connection with it; one
/// that is cancelled later leaves the subscription to the runs that follow.
struct Unfinished<'a>(Option<&'a Mqtt>);

impl Unfinished<'_> {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(check) = self.0 {
            check.let_go();
        }
    }
}

fn tell(heard: &Heard) -> Measured {
    let start = &heard.payload[..heard.payload.len().min(TEXT_BYTES_MAX)];
    let text = String::from_utf8_lossy(start);
    let value = number(&text).map_or_else(|| Value::text(text.trim()), Value::plain);
    let body = json::lenient(&heard.payload).unwrap_or_else(|| Value::text(text.trim()));
    let values =
        Values::new().with("value", value).with("age", Value::span(heard.at.elapsed().into())).with("body", body);
    Measured { values, bytes: heard.payload.len() as u64, ..Measured::default() }
}

/// The number that a text says. `nan`, `inf` and their like are words here.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|number: &f64| numeric && number.is_finite())
}

#[cfg(test)]
mod tests;
