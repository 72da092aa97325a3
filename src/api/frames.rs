//! The frame that is shown, once or as a stream of server-sent events.
//!
//! A reader that does not keep up is cut: the app drops its sender, or the
//! connection is stuck for too long. It asks again and begins with the newest frame.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::gate::Room;
use super::problem::Problem;

/// After so long without a frame a comment says that the stream lives: proxies
/// cut what is silent for half a minute, and a reader that is gone is noticed.
const STILL_HERE: Duration = Duration::from_secs(5);

pub(super) async fn frame(State(room): State<Room>) -> Result<Json<serde_json::Value>, Problem> {
    let shown = (room.faces.frame)().map(Json);
    shown.ok_or_else(|| Problem::busy("no frame was drawn yet; ask again in a moment"))
}

pub(super) async fn frames(State(room): State<Room>) -> Result<Response, Problem> {
    let lines = room.faces.desk.frames();
    let lines = lines.ok_or_else(|| Problem::busy("too many readers follow the frames already"))?;
    let stop = Box::pin(room.stop.clone().cancelled_owned());
    let events = Events { lines, silence: Box::pin(sleep(STILL_HERE)), stop };
    let kind = HeaderValue::from_static("text/event-stream");
    Ok(([(header::CONTENT_TYPE, kind)], Body::new(events)).into_response())
}

/// The body of a stream of frames.
struct Events {
    lines: Receiver<Arc<str>>,
    silence: Pin<Box<Sleep>>,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl hyper::body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        let event = match self.lines.poll_recv(context) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(line)) => format!("event: frame\ndata: {line}\n\n"),
            Poll::Pending => {
                if self.silence.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                ": still here\n\n".to_owned()
            }
        };
        self.silence.as_mut().reset(Instant::now() + STILL_HERE);
        Poll::Ready(Some(Ok(Frame::data(event.into()))))
    }
}
