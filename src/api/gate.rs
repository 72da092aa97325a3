//! What every request passes before its route runs: where it comes from, the
//! token, the rate, and its body, which is read to its end here. A route never
//! waits for its client.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Faces;
use super::bucket::Bucket;
use super::problem::Problem;
use super::server::Limits;
use super::table::{self, Route, Takes};

/// Updates a second that one server takes. A board of 10,000 items that all
/// change twice a second is fast for people and machines alike; more is a flood.
const UPDATES_PER_SECOND: u64 = 20_000;

/// Batches that are read and taken at once: with the largest body that is the
/// memory they may hold, 16 MiB.
const BATCHES: usize = 16;

/// What all requests of one server share.
#[derive(Clone)]
pub(super) struct Room {
    pub(super) faces: Faces,
    pub(super) limits: Limits,
    /// Whether writes have to show the token; on a socket of this user's own the file's mode is the guard.
    pub(super) asks_token: bool,
    pub(super) rate: Arc<Bucket>,
    pub(super) stop: CancellationToken,
    batches: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new(faces: Faces, limits: Limits, asks_token: bool, stop: CancellationToken) -> Self {
        let rate = Arc::new(Bucket::new(UPDATES_PER_SECOND, UPDATES_PER_SECOND));
        Self { faces, limits, asks_token, rate, stop, batches: Arc::new(Semaphore::new(BATCHES)) }
    }

    /// Takes so many updates from the rate.
    pub(super) fn take(&self, updates: usize) -> Result<(), Problem> {
        self.rate.take((self.faces.now)(), updates as u64).map_err(Problem::too_many)
    }
}

/// Lets a request through to its route, and says what every answer says: it is news, and of the type it claims.
pub(super) async fn gate(State(room): State<Room>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let route = path.and_then(|path| table::find(request.method(), path.as_str()));
    let mut response = match admit(&room, route, request).await {
        Ok((request, _permit)) => next.run(request).await,
        // The rest of the body is not read, so the connection can't carry another request.
        Err(problem) => ([(header::CONNECTION, HeaderValue::from_static("close"))], problem).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    (room.faces.answered)(response.status().as_u16());
    response
}

/// What is held while a request is answered.
type Permit = Option<tokio::sync::OwnedSemaphorePermit>;

async fn admit(room: &Room, route: Option<&Route>, request: Request) -> Result<(Request, Permit), Problem> {
    let takes = route.map_or(Takes::Nothing, |route| route.takes);
    if route.is_some_and(|route| route.writes) {
        // Only browsers send it, and no page that somebody happens to look at may write here.
        if request.headers().contains_key(header::ORIGIN) {
            let detail = "a web page can't write here: this request has the header `Origin`";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        let token = room.asks_token.then(|| (room.faces.token)()).flatten();
        if token.is_some_and(|token| !shows(request.headers(), token.reveal())) {
            return Err(Problem::unauthorised());
        }
    }
    if takes.updates()
        && let Some(wait) = room.rate.dry((room.faces.now)())
    {
        return Err(Problem::too_many(wait));
    }
    let mut permit = None;
    let mut bytes = room.limits.body_bytes;
    if takes.many() {
        let free = Arc::clone(&room.batches).try_acquire_owned();
        permit = Some(free.map_err(|_| Problem::busy("too many batches are under way; send this one again"))?);
        bytes = room.limits.batch_bytes;
    }
    let (parts, body) = request.into_parts();
    let body = read_whole(body, bytes, room.limits.body_time).await?;
    Ok((Request::from_parts(parts, body), permit))
}

/// Whether the request shows the token.
fn shows(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).and_then(|shown| {
        let (scheme, rest) = shown.split_at_checked(b"bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
    });
    shown.is_some_and(|shown| same(shown, token.as_bytes()))
}

/// Whether two texts are the same, in a time that tells nothing but their lengths.
fn same(one: &[u8], other: &[u8]) -> bool {
    let pairs = one.iter().zip(other);
    let differing = pairs.fold(0, |sum, (one, other)| std::hint::black_box(sum | (one ^ other)));
    one.len() == other.len() && differing == 0
}

async fn read_whole(body: Body, bytes: usize, time: Duration) -> Result<Body, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {} KiB here", bytes / 1024));
    // A body that announces its size is refused before its first byte.
    if body.size_hint().lower() > bytes as u64 {
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(Body::empty());
    }
    match tokio::time::timeout(time, Limited::new(body, bytes).collect()).await {
        Ok(Ok(whole)) => Ok(Body::from(whole.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad("the body broke off or is not framed as HTTP asks")),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", time.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_shown_or_it_is_not() {
        for (shown, fits) in [
            ("Bearer s3cret", true),
            ("bearer s3cret", true),
            ("BEARER   s3cret ", true),
            ("Bearer s3cre", false),
            ("Bearer s3crett", false),
            ("Bearer S3cret", false),
            ("Bearer ", false),
            ("Basic s3cret", false),
            ("s3cret", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(shown))]);
            assert_eq!(shows(&headers, "s3cret"), fits, "{shown:?}");
        }
        assert!(!shows(&HeaderMap::new(), ""));
    }
}
