//! The server that keeps the state, asked what it is.

use crate::app::Clock;
use crate::cli::doctor::{StoreAnswer, StoreFacts};
use crate::config::{Config, StateConfig};
use crate::coordination::store::{self, RedisStore};
use crate::frame::{Moment, Span};

/// What `doctor` has to know of that server; `None`: none keeps it.
pub(super) fn store(config: &Config) -> Option<StoreFacts> {
    let StateConfig::Redis { url, label } = &config.state else { return None };
    Some(match RedisStore::new(url.reveal(), &store::slug(&config.title)) {
        Ok(mut store) => StoreFacts { address: store.address().to_owned(), answer: ask(&mut store) },
        Err(why) => StoreFacts { address: label.clone(), answer: Err(why) },
    })
}

fn ask(store: &mut RedisStore) -> Result<StoreAnswer, String> {
    let about = store.about()?;
    // A clock that can't be asked is a trouble that the writes would have too.
    let clock = Clock::start();
    let sent = clock.wall();
    let apart = store.time().ok().map(|time| apart(time, sent, clock.wall()));
    Ok(StoreAnswer {
        version: about.version,
        appends: about.appends,
        eviction: about.eviction,
        is_bounded: about.memory_max.is_some_and(|bytes| bytes > 0),
        is_replica: about.is_replica == Some(true),
        apart,
    })
}

/// How far a clock is off, at least, that read `time` somewhen between `sent` and `received`.
fn apart(time: Moment, sent: Moment, received: Moment) -> Span {
    if time < sent { sent.since(time) } else { time.since(received.min(time)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_between_question_and_answer_is_not_off() {
        let at = Moment::from_unix_millis;
        for (time, millis) in [(900, 100), (1_000, 0), (1_005, 0), (1_010, 0), (1_110, 100)] {
            assert_eq!(apart(at(time), at(1_000), at(1_010)), Span::from_millis(millis), "{time}");
        }
    }
}
