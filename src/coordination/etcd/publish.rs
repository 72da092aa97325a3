//! The beat's second way: the frame and the board as keys that only the leader may change.
//!
//! A put that a frozen server carries out late could undo a later one of the
//! same leader. So each says, besides whose token it is, that nobody has changed
//! the key since the newest revision that is known here.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::calls::odd;
use super::transport::Call;
use super::wire::{self, Target, base64, compare, put, read};
use super::{BOARD_BYTES_MAX, Client, FRAME_BYTES_MAX, Failure, text};

const TXN: &str = "/v3/kv/txn";
const RANGE: &str = "/v3/kv/range";
const PUT_FRAME: Call = Call { path: TXN, doing: "put the frame into", again: true };
const PUT_BOARD: Call = Call { path: TXN, doing: "put the board into", again: true };
const FRAME: Call = Call { path: RANGE, doing: "read the frame from", again: true };
const BOARD: Call = Call { path: RANGE, doing: "read the board from", again: true };

/// How often a put is tried whose key was changed by a try of which we had not heard.
const PUTS_MAX: usize = 3;

impl Client {
    /// Puts a frame in the name of the leadership `rev`; false: that one is over.
    ///
    /// # Errors
    /// Why that is not known, or refused.
    pub async fn put_frame(&self, rev: u64, frame: &str) -> Result<bool, Failure> {
        self.put(PUT_FRAME, &self.shared.keys.frame, rev, frame, FRAME_BYTES_MAX).await
    }

    /// Puts the board in the name of the leadership `rev`; false: that one is over.
    ///
    /// # Errors
    /// Why that is not known, or refused.
    pub async fn put_board(&self, rev: u64, board: &str) -> Result<bool, Failure> {
        self.put(PUT_BOARD, &self.shared.keys.board, rev, board, BOARD_BYTES_MAX).await
    }

    /// The newest frame.
    ///
    /// # Errors
    /// Why it is not known; what can't be a frame is refused.
    pub async fn frame(&self) -> Result<Option<String>, Failure> {
        self.get(FRAME, &self.shared.keys.frame, FRAME_BYTES_MAX).await
    }

    /// The newest board.
    ///
    /// # Errors
    /// Why it is not known; what can't be a board is refused.
    pub async fn board(&self) -> Result<Option<String>, Failure> {
        self.get(BOARD, &self.shared.keys.board, BOARD_BYTES_MAX).await
    }

    async fn put(&self, call: Call, key: &str, rev: u64, value: &str, bytes_max: usize) -> Result<bool, Failure> {
        if value.len() > bytes_max {
            let words =
                format!("can't {} etcd: it has {} bytes, at most {bytes_max} are read", call.doing, value.len());
            return Err(Failure::Refused(words));
        }
        let leader = &self.shared.keys.leader;
        for _ in 0..PUTS_MAX {
            let known = self.shared.revision.load(Ordering::Relaxed);
            let ours = compare(leader, Target::Created, "EQUAL", rev);
            let unchanged = compare(key, Target::Changed, "LESS", known + 1);
            let mut answer = self.transact(call, &[ours, unchanged], &[put(key, value, 0)], &[read(leader)]).await?;
            if answer.succeeded {
                return Ok(true);
            }
            if answer.found(0).is_none_or(|pair| pair.create_revision != rev) {
                return Ok(false);
            }
        }
        Err(odd(call))
    }

    async fn get(&self, call: Call, key: &str, bytes_max: usize) -> Result<Option<String>, Failure> {
        let mut found: wire::Range = self.ask(call, json!({"key": base64(key.as_bytes())})).await?;
        self.shared.note(&found.header);
        let Some(pair) = found.kvs.pop() else { return Ok(None) };
        text(key, pair.value, bytes_max).map(Some).map_err(Failure::Refused)
    }
}
