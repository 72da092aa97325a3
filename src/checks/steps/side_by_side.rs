//! Futures of one task side by side: the first that is ready comes out.
//!
//! A plan has at most 32 steps, so each wake-up asks all that are in flight.
//! Dropping the set drops them all.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

type Flying<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The futures in flight, each with its number.
pub(super) struct SideBySide<'a, T>(Vec<(usize, Flying<'a, T>)>);

impl<'a, T> SideBySide<'a, T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, number: usize, future: impl Future<Output = T> + Send + 'a) {
        self.0.push((number, Box::pin(future)));
    }

    /// The number and the answer of the next one that ends; `None` where none is in flight.
    pub(super) async fn next(&mut self) -> Option<(usize, T)> {
        poll_fn(|context| {
            if self.0.is_empty() {
                return Poll::Ready(None);
            }
            for place in 0..self.0.len() {
                if let Poll::Ready(answer) = self.0[place].1.as_mut().poll(context) {
                    let (number, _) = self.0.remove(place);
                    return Poll::Ready(Some((number, answer)));
                }
            }
            Poll::Pending
        })
        .await
    }
}
