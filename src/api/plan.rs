//! The plan of an item: its settings read, and changed while it runs.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Serialize;

use super::gate::Room;
use super::problem::Problem;
use super::routes::Name;
use crate::config::{Settings, duration_text};

/// The settings in force, in the words and the order of the config; a change is written the same way.
#[derive(Serialize)]
pub(super) struct PlanWire {
    every: String,
    /// Null: spread by the id.
    phase: Option<String>,
    timeout: String,
    retries: u32,
    priority: u8,
    late: String,
    /// Null: as often as it is due.
    limit: Option<String>,
    /// Null: there is no limit.
    burst: Option<u32>,
    confirm: ConfirmWire,
    delay: DelayWire,
    breaker: BreakerWire,
}

#[derive(Serialize)]
struct ConfirmWire {
    bad: u32,
    good: u32,
}

#[derive(Serialize)]
struct DelayWire {
    on: String,
    off: String,
}

#[derive(Serialize)]
struct BreakerWire {
    open_after: u32,
    retry_after: String,
    retry_max: String,
}

impl From<Settings> for PlanWire {
    fn from(settings: Settings) -> Self {
        let Settings { every, phase, timeout, retries, flow } = settings;
        Self {
            every: duration_text(every),
            phase: phase.map(duration_text),
            timeout: duration_text(timeout),
            retries,
            priority: flow.priority,
            late: flow.late.to_string(),
            limit: flow.limit.map(|rate| rate.to_string()),
            burst: flow.limit.map(|rate| rate.burst),
            confirm: ConfirmWire { bad: flow.confirm.bad, good: flow.confirm.good },
            delay: DelayWire { on: duration_text(flow.delay.on), off: duration_text(flow.delay.off) },
            breaker: BreakerWire {
                open_after: flow.breaker.open_after,
                retry_after: duration_text(flow.breaker.retry_after),
                retry_max: duration_text(flow.breaker.retry_max),
            },
        }
    }
}

pub(super) async fn plan(State(room): State<Room>, name: Name) -> Result<Json<PlanWire>, Problem> {
    Ok(Json(room.faces.desk.plan(name.item()?).await?.into()))
}

pub(super) async fn tune(State(room): State<Room>, name: Name, body: Bytes) -> Result<Json<PlanWire>, Problem> {
    let id = name.item()?;
    let present = room.faces.desk.plan(id.clone()).await?;
    let wanted = present.changed(&body).map_err(Problem::bad)?;
    room.take(1)?;
    Ok(Json(room.faces.desk.tune(id, present, wanted).await?.into()))
}
