//! The HTTP face: what programs and probes ask of a running board, and tell it.
//!
//! It knows nothing of the kernel, the runs or the metrics: everything it can
//! tell comes through [`Faces`] and its [`Desk`], and the app fills those.
//! Deliberately no TLS and no HTTP/2: it listens on loopback, on a socket of
//! this user's own, or behind a proxy.
//!
//! | file | says |
//! |---|---|
//! | `server.rs` | who may connect, for how long, and how it ends |
//! | `stall.rs` | how a client that reads nothing is cut |
//! | `table.rs` | every route: its path, its method, what it takes and answers |
//! | `routes.rs` | the router made of that table |
//! | `gate.rs` | what every request passes: the token, the rate, the body |
//! | `bucket.rs` | how many updates a second are taken |
//! | `health.rs` `items.rs` `plan.rs` `runs.rs` `frames.rs` `alertmanager.rs` | what the routes do |
//! | `json.rs` `update.rs` | JSON from outside, strictly, and the update it says |
//! | `wire.rs` | JSON to the outside |
//! | `desk.rs` | what the app has to answer |
//! | `openapi.rs` | the table as OpenAPI |
//! | `problem.rs` | how a refusal looks |

mod alertmanager;
mod bucket;
mod desk;
mod frames;
mod gate;
mod health;
mod items;
mod openapi;
mod plan;
mod problem;
mod routes;
mod runs;
mod server;
mod stall;
mod table;
#[cfg(test)]
mod tests;
mod update;
mod wire;

use std::sync::Arc;

pub use desk::{Answer, Desk, Refused, Update};
pub use server::{Door, serve};
pub use wire::{Board, ConsoleWire, Consoles, HourWire, ItemWire, RunWire, ValuesWire};

use crate::config::Secret;
use crate::frame::Moment;

/// A question to the app. Asked on the runtime's threads, so it must not block.
pub type Ask<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// News for the app.
pub type Tell<T> = Arc<dyn Fn(T) + Send + Sync>;

/// Everything the HTTP face can ask and tell.
#[derive(Clone)]
pub struct Faces {
    /// Whether the board's thread still moves.
    pub alive: Ask<bool>,
    /// Whether a board is loaded and drawn; else why not, in words for an operator.
    pub ready: Ask<Result<(), String>>,
    /// The scrape, in the Prometheus text format.
    pub metrics: Ask<String>,
    /// The frame that is shown, as JSON; `None` before the first.
    pub frame: Ask<Option<serde_json::Value>>,
    /// A request was answered with this status code.
    pub answered: Tell<u16>,
    /// A connection was closed at once because too many were open.
    pub refused: Tell<()>,
    /// A text came in that had to be cleaned.
    pub filtered: Tell<()>,
    /// The moment that is now, for the rate of updates alone.
    pub now: Ask<Moment>,
    /// What every write has to show; `None`: nothing.
    pub token: Ask<Option<Secret>>,
    /// The board, its items and its runs.
    pub desk: Arc<dyn Desk>,
}
