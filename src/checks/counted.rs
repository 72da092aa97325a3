//! A stream that counts what comes in, and refuses too much of it.
//!
//! The libraries above read a message whole, however long it says it is; here
//! a peer that talks without end is cut off before it fills the memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The words of the refusal.
pub(super) const TOO_LONG: &str = "too long an answer";

/// What came in, and what may.
#[derive(Debug, Default)]
pub(super) struct Counter {
    received: AtomicU64,
    allowed: AtomicU64,
    ended: AtomicBool,
}

impl Counter {
    /// Lets so many bytes more come in from now on.
    pub(super) fn allow(&self, bytes: u64) {
        self.allowed.store(self.received() + bytes, Ordering::Relaxed);
    }

    /// Bytes that ever came in.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether the peer has closed its side.
    #[cfg(feature = "modbus")]
    pub(super) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// A stream with its counter.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    counter: Arc<Counter>,
}

impl<S> Counted<S> {
    /// Counts `stream` by `counter`, which refuses everything until it is told to allow something.
    pub(super) const fn new(stream: S, counter: Arc<Counter>) -> Self {
        Self { stream, counter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let came = (buffer.filled().len() - before) as u64;
        if came == 0 {
            self.counter.ended.store(true, Ordering::Relaxed);
        }
        let received = self.counter.received.fetch_add(came, Ordering::Relaxed) + came;
        if received > self.counter.allowed.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::Error::other(TOO_LONG)));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn too_much_is_refused_and_each_allowance_counts_anew() {
        let counter = Arc::<Counter>::default();
        let mut stream = Counted::new(&[7_u8; 100][..], Arc::clone(&counter));
        let mut buffer = [0; 10];
        counter.allow(15);
        assert_eq!(stream.read(&mut buffer).await.unwrap(), 10);
        assert_eq!(stream.read(&mut buffer).await.unwrap_err().to_string(), TOO_LONG);
        counter.allow(80);
        let mut rest = Vec::new();
        assert_eq!(stream.read_to_end(&mut rest).await.unwrap(), 80);
        assert_eq!(counter.received(), 100);
    }
}
