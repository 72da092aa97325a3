//! Runs: read one, cancel one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::gate::Room;
use super::problem::Problem;
use super::routes::Name;
use super::wire::RunWire;

pub(super) async fn run(State(room): State<Room>, name: Name) -> Result<Json<RunWire>, Problem> {
    Ok(Json(room.faces.desk.find_run(&name.0)?))
}

pub(super) async fn cancel(State(room): State<Room>, name: Name) -> Result<(StatusCode, Json<RunWire>), Problem> {
    let ended = room.faces.desk.cancel(name.0).await?;
    Ok((StatusCode::ACCEPTED, Json(ended)))
}
