//! What probes, scrapers and the curious ask: health, metrics, consoles.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::gate::Room;
use super::problem::Problem;
use super::wire::Consoles;

/// The text format of Prometheus, in its one version.
const SCRAPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) async fn healthz(State(room): State<Room>) -> Response {
    if (room.faces.alive)() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the board's thread does not move\n").into_response()
    }
}

pub(super) async fn readyz(State(room): State<Room>) -> Response {
    match (room.faces.ready)() {
        Ok(()) => "ok\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

pub(super) async fn metrics(State(room): State<Room>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, SCRAPE)], (room.faces.metrics)())
}

pub(super) async fn consoles(State(room): State<Room>) -> Result<Json<Consoles>, Problem> {
    Ok(Json(room.faces.desk.consoles().await?))
}
