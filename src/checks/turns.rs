//! Several peers that can all answer one question: asked in their order, until one does.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

use super::Fault;

/// How long a peer has before the next one is asked. An answer over a plant's
/// network takes milliseconds, and a check's usual timeout of two seconds leaves
/// room for one that is silent. The last one has no end but the caller's.
const TURN: Duration = Duration::from_secs(1);

/// The first answer, or the last fault.
///
/// # Errors
/// Where none answered: what was wrong with the last.
pub(super) async fn first<P, T, F>(peers: &[P], ask: impl Fn(&P) -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    first_within(TURN, peers, ask).await
}

async fn first_within<P, T, F>(turn: Duration, peers: &[P], ask: impl Fn(&P) -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let Some((last, others)) = peers.split_last() else { return Err(Fault("there is nobody to ask".into())) };
    for peer in others {
        if let Ok(Ok(answer)) = timeout(turn, ask(peer)).await {
            return Ok(answer);
        }
    }
    ask(last).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_that_answers_is_heard() {
        let turn = Duration::from_millis(1);
        let ask = |peer: &&'static str| {
            let peer = *peer;
            async move {
                match peer {
                    "silent" => std::future::pending().await,
                    "broken" => Err(Fault("broken".into())),
                    well => Ok(well),
                }
            }
        };
        assert_eq!(first(&["a", "b"], ask).await, Ok("a"));
        assert_eq!(first_within(turn, &["silent", "broken", "b"], ask).await, Ok("b"));
        assert_eq!(first_within(turn, &["silent", "broken"], ask).await, Err(Fault("broken".into())));
        assert!(first::<&str, &str, _>(&[], ask).await.is_err());
        let never = timeout(turn * 20, first_within(turn, &["broken", "silent"], ask)).await;
        assert!(never.is_err(), "the last one has no end of its own");
    }
}
