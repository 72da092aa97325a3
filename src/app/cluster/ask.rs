//! The protocol's questions, put to etcd.
//!
//! From the protocol's words to those of the client and back, and nothing else.

use crate::config::LeaseConfig;
use crate::coordination::election::{Answer, Ask, Missed};
use crate::coordination::etcd::{Campaigned, Client, Failure, Seen};

/// Puts a question of the protocol to etcd; gives also what an operator has to hear of a failure.
pub(super) async fn answer(
    etcd: &Client,
    ask: Ask,
    numbers: LeaseConfig,
    who: &str,
) -> (Result<Answer, Missed>, Option<String>) {
    match put(etcd, ask, numbers, who).await {
        Ok(answer) => (Ok(answer), None),
        Err(Failure::Unknown(why)) => (Err(Missed::Unknown), Some(why)),
        Err(Failure::Refused(why) | Failure::Unreachable(why)) => (Err(Missed::Failed), Some(why)),
    }
}

async fn put(etcd: &Client, ask: Ask, numbers: LeaseConfig, who: &str) -> Result<Answer, Failure> {
    match ask {
        Ask::Grant => {
            let granted = etcd.grant(numbers.ttl.into()).await?;
            Ok(Answer::Granted { lease: granted.lease, ttl: granted.ttl.into() })
        }
        Ask::KeepAlive(lease) => {
            // A leader of etcd that has lost its majority renews on its own word until it notices, and the lease may
            // then be shorter than it says: what is read beside it is the word of the majority.
            let (renewed, read) = tokio::join!(etcd.keep_alive(lease), etcd.leader());
            let left = renewed?;
            if !left.is_zero() {
                read?;
            }
            Ok(Answer::Alive(left.into()))
        }
        Ask::Campaign(lease) => Ok(match etcd.campaign(lease, who).await? {
            Campaigned::Won { rev, epoch } => Answer::Won { rev, epoch },
            Campaigned::Held(holder, epoch) => Answer::Seen { holder: Some(holder), epoch },
        }),
        Ask::Look => {
            let Seen { holder, epoch, .. } = etcd.leader().await?;
            Ok(Answer::Seen { holder, epoch })
        }
        Ask::Raise { from, to } => etcd.raise_epoch(from, to).await.map(Answer::Raised),
        Ask::Revoke(lease) => etcd.revoke(lease).await.map(|()| Answer::Revoked),
        // Without a store that all share there is no fence but etcd's own.
        Ask::StoredEpoch => Ok(Answer::Stored(0)),
        Ask::Claim(_) => Ok(Answer::Claimed),
    }
}
