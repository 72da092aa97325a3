//! What a leader says, and over which ways: the store, or etcd, or both while somebody does not hear the store.

use tokio::time::timeout;
use tracing::info;

use super::{FAREWELL, Lease, OverEtcd};
use crate::app::cluster::part::{Spoken, Whole};
use crate::coordination::Token;
use crate::coordination::election::Candidate;
use crate::coordination::etcd;
use crate::coordination::link::BOARD_BYTES_MAX;
use crate::kernel::{Moment, Span};

/// The whole board is kept for newcomers at most this often.
const BOARD_EVERY: Span = Span::from_secs(1);

impl Lease {
    /// Whether to speak over etcd; whoever begins to listen there needs a beat and the whole board at once.
    pub(super) fn open_detour(&mut self, now: Moment) {
        let favour = self.favour.is_done(now);
        let over_etcd = self.ways.store.is_none() || self.trouble.writing.is_some() || favour;
        let did = self.over_etcd != OverEtcd::Nothing;
        if over_etcd == did {
            return;
        }
        if over_etcd {
            self.next_beat = now;
        }
        if self.trouble.writing.is_none() && self.ways.store.is_some() {
            let words = if favour { "begins, for a console that does not hear the store" } else { "ends" };
            info!("speaking over etcd too {words}");
        }
        self.over_etcd = if over_etcd { OverEtcd::Begins } else { OverEtcd::Nothing };
    }

    /// Says it over the store; where that is none, down or not heard by everybody, over etcd.
    pub(super) fn say(&mut self, token: Token, mut spoken: Spoken) {
        let now = self.part.now();
        // The board may have thought for long: whoever may not speak any more says nothing.
        if self.part.console.may_speak(now) != Some(token) {
            return;
        }
        let over_etcd = self.over_etcd != OverEtcd::Nothing;
        let mut for_etcd = None;
        if let Some(board) = &spoken.board {
            self.next_board = now + BOARD_EVERY;
            let most = if over_etcd { etcd::BOARD_BYTES_MAX } else { BOARD_BYTES_MAX };
            let fits = self.part.whole_board.fits(token, board.len(), most);
            for_etcd = Some(board.clone()).filter(|_| over_etcd && fits);
        }
        // Redis takes more than etcd.
        spoken.board = spoken.board.filter(|board| board.len() <= BOARD_BYTES_MAX);
        if over_etcd {
            let (etcd, beat, board) = (self.ways.etcd.clone(), spoken.beat.clone(), for_etcd);
            self.spawn(async move {
                if let Some(board) = board {
                    let _ = etcd.put_board(token.rev, &board).await;
                }
                // What is lost is said again with the next beat; who leads no more hears it from the watch.
                let _ = etcd.put_frame(token.rev, &beat).await;
            });
        }
        if let Some(store) = &self.ways.store {
            store.say(spoken);
        }
    }

    /// The last words, and the lease back, so that the next one need not wait for it; whether it is back.
    pub(super) async fn close(&mut self) -> bool {
        let lease = self.part.console.candidate().and_then(Candidate::lease);
        let now = self.part.now();
        let farewell = async {
            if let Some(token) = self.part.console.may_speak(now)
                && let Some(spoken) = self.part.speak(token, Whole::Changed, true).await
            {
                let store = self.ways.store.as_ref().filter(|_| self.trouble.writing.is_none());
                let (etcd, beat) = (&self.ways.etcd, spoken.beat.clone());
                let over_etcd = self.over_etcd != OverEtcd::Nothing || store.is_none();
                let over_store = async {
                    if let Some(store) = store {
                        let _ = store.say_last(spoken).await;
                    }
                };
                let over_etcd = async {
                    if over_etcd {
                        let _ = etcd.put_frame(token.rev, &beat).await;
                    }
                };
                tokio::join!(over_store, over_etcd);
            }
            match lease {
                Some(lease) => self.ways.etcd.revoke(lease).await.is_ok(),
                None => true,
            }
        };
        let resigned = timeout(FAREWELL, farewell).await.unwrap_or_default();
        if !resigned {
            info!("the others take over when the lease has run out");
        }
        resigned
    }
}
