//! The HTTP face: what programs and probes ask of a running board.
//!
//! It knows nothing of the kernel, the frame or the metrics: everything it can
//! tell comes through the closures of [`Faces`], and the app fills those.
//! Deliberately no TLS and no HTTP/2: it listens on loopback, or behind a proxy.
//!
//! | file | says |
//! |---|---|
//! | `server.rs` | who may connect, for how long, and how it ends |
//! | `routes.rs` | which path asks what |
//! | `problem.rs` | how a refusal looks |

mod problem;
mod routes;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use server::serve;

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
}
