//! The board and its items: read, push, take away, run now.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::desk::Update;
use super::gate::Room;
use super::problem::Problem;
use super::routes::Name;
use super::update::{self, Checked};
use super::wire::{Board, HourWire, ItemWire};

/// What became of a batch.
#[derive(Serialize)]
pub(super) struct Taken {
    accepted: usize,
    refused: Vec<RefusedAt>,
}

#[derive(Serialize)]
struct RefusedAt {
    index: usize,
    detail: String,
}

/// A run that is under way.
#[derive(Serialize)]
struct Started {
    run: String,
}

pub(super) async fn board(State(room): State<Room>) -> Result<Json<Board>, Problem> {
    Ok(Json(room.faces.desk.board().await?))
}

pub(super) async fn item(State(room): State<Room>, name: Name) -> Result<Json<ItemWire>, Problem> {
    Ok(Json(room.faces.desk.item(name.item()?).await?))
}

pub(super) async fn account(State(room): State<Room>, name: Name) -> Result<Json<HourWire>, Problem> {
    Ok(Json(room.faces.desk.hour(name.item()?).await?))
}

pub(super) async fn put(State(room): State<Room>, name: Name, body: Bytes) -> Result<Response, Problem> {
    let id = update::item_id(&name.0).map_err(Problem::bad)?;
    let (update, tainted) = update::one(id, &body).map_err(Problem::bad)?;
    room.take(1)?;
    if tainted {
        (room.faces.filtered)(());
    }
    let (is_new, item) = room.faces.desk.put(update).await?;
    let code = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((code, Json(item)).into_response())
}

pub(super) async fn batch(State(room): State<Room>, body: Bytes) -> Result<Json<Taken>, Problem> {
    take(&room, update::batch(&body).map_err(Problem::bad)?).await
}

/// Takes those that are good; tells of each of the others by its place.
pub(super) async fn take(room: &Room, checked: Vec<Checked>) -> Result<Json<Taken>, Problem> {
    room.take(checked.len())?;
    let mut refused = Vec::new();
    let mut places = Vec::with_capacity(checked.len());
    let mut good: Vec<Update> = Vec::with_capacity(checked.len());
    for (index, update) in checked.into_iter().enumerate() {
        match update {
            Ok((update, tainted)) => {
                if tainted {
                    (room.faces.filtered)(());
                }
                places.push(index);
                good.push(update);
            }
            Err(detail) => refused.push(RefusedAt { index, detail }),
        }
    }
    let sent = good.len();
    let turned_away = room.faces.desk.push(good).await?;
    let accepted = sent - turned_away.len();
    refused.extend(turned_away.into_iter().map(|(place, detail)| RefusedAt { index: places[place], detail }));
    refused.sort_by_key(|refused| refused.index);
    Ok(Json(Taken { accepted, refused }))
}

pub(super) async fn remove(State(room): State<Room>, name: Name) -> Result<StatusCode, Problem> {
    room.faces.desk.remove(name.item()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn acknowledge(State(room): State<Room>, name: Name) -> Result<Json<ItemWire>, Problem> {
    Ok(Json(room.faces.desk.acknowledge(name.item()?, true).await?))
}

pub(super) async fn unacknowledge(State(room): State<Room>, name: Name) -> Result<Json<ItemWire>, Problem> {
    Ok(Json(room.faces.desk.acknowledge(name.item()?, false).await?))
}

pub(super) async fn run(State(room): State<Room>, name: Name, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    let waits = waits(query.as_deref().unwrap_or_default())?;
    let run = room.faces.desk.run(name.item()?).await?;
    if waits {
        let ended = room.faces.desk.end_of(run).await?;
        return Ok(Json(ended).into_response());
    }
    Ok((StatusCode::ACCEPTED, Json(Started { run })).into_response())
}

/// Whether the query asks to wait: `?wait`, `?wait=true`, `?wait=1`.
fn waits(query: &str) -> Result<bool, Problem> {
    let mut waits = false;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        waits = match part {
            "wait" | "wait=" | "wait=true" | "wait=1" => true,
            "wait=false" | "wait=0" => false,
            _ => return Err(Problem::bad("a run takes `?wait` and nothing else in its query")),
        };
    }
    Ok(waits)
}
