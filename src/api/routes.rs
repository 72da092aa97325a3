//! Which path asks what.
//!
//! Every request passes [`whole_body`] before its route runs: a route never
//! waits for its client. Probes read plain text; programs read JSON.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;

use super::Faces;
use super::problem::Problem;
use super::server::Limits;

/// The text format of Prometheus, in its one version.
const SCRAPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All routes.
pub(super) fn router(faces: Faces, limits: Limits) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/v1/frame", get(frame))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(move |request, next| whole_body(limits, request, next)))
        .layer(middleware::from_fn_with_state(faces.clone(), finish))
        .with_state(faces)
}

async fn healthz(State(faces): State<Faces>) -> Response {
    if (faces.alive)() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the board's thread does not move\n").into_response()
    }
}

async fn readyz(State(faces): State<Faces>) -> Response {
    match (faces.ready)() {
        Ok(()) => "ok\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(faces): State<Faces>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, SCRAPE)], (faces.metrics)())
}

async fn frame(State(faces): State<Faces>) -> Result<Json<serde_json::Value>, Problem> {
    let shown = (faces.frame)().map(Json);
    shown.ok_or_else(|| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no frame was drawn yet; ask again in a moment"))
}

async fn nothing_here() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "nothing answers at this path")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method; the Allow header names those it takes",
    )
}

/// Reads the request's body to its end before the route runs, within the limits of size and time.
async fn whole_body(limits: Limits, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match read_whole(body, limits.body_bytes, limits.body_time).await {
        Ok(body) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => {
            // The rest of the body is not read, so the connection can't carry another request.
            ([(header::CONNECTION, HeaderValue::from_static("close"))], problem).into_response()
        }
    }
}

async fn read_whole(body: Body, bytes: usize, time: Duration) -> Result<Body, Problem> {
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {} KiB here", bytes / 1024));
    // A body that announces its size is refused before its first byte.
    if body.size_hint().lower() > bytes as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(time, Limited::new(body, bytes).collect()).await {
        Ok(Ok(whole)) => Ok(Body::from(whole.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, "the body broke off or is not framed as HTTP asks")),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", time.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail))
        }
    }
}

/// Counts the answer and says what every answer says: it is news, and of the type it claims.
async fn finish(State(faces): State<Faces>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    (faces.answered)(response.status().as_u16());
    response
}
