//! The turn that is on, where another writer than the store keeps it: a leader's beat, or the claim before the first one.
//!
//! A beat is a text of its own format, which this store does not read. The
//! fields beside it say the same in the open, so the board goes on from there
//! when its consoles are coordinated in another way or not at all.

use redis::RedisError;
use redis::aio::MultiplexedConnection;

use crate::coordination::link::redis::BEAT_HEAD;
use crate::kernel::board::ItemId;
use crate::kernel::{Current, Moment, Span};

/// Whether this frame is a leader's beat.
pub(super) fn is_beat(frame: &[u8]) -> bool {
    frame.starts_with(BEAT_HEAD.as_bytes())
}

/// The turn by the fields of `state`; inside: why it can't be used.
pub(super) async fn by_fields(
    connection: &mut MultiplexedConnection,
    state: &str,
) -> Result<Result<Current, String>, RedisError> {
    let names = ["rev", "seq", "item", "show_at", "dwell"];
    let [rev, seq, item, show_at, dwell]: [Option<Vec<u8>>; 5] =
        redis::cmd("HMGET").arg(state).arg(&names).query_async(connection).await?;
    let numbers = (number(rev), number(seq), number(show_at), number(dwell));
    let (Some(fence), Some(seq), Some(show_at), Some(dwell)) = numbers else {
        return Ok(Err("its fields are no turn of marquee".into()));
    };
    let item = match item.as_deref() {
        None | Some([]) => None,
        Some(id) => match std::str::from_utf8(id).ok().and_then(|id| ItemId::new(id).ok()) {
            None => return Ok(Err("its field `item` is no id".into())),
            item => item,
        },
    };
    Ok(Ok(Current { seq, item, show_at: Moment::from_unix_millis(show_at), dwell: Span::from_millis(dwell), fence }))
}

fn number(field: Option<Vec<u8>>) -> Option<u64> {
    String::from_utf8(field?).ok()?.parse().ok()
}
