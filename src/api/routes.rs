//! The router, made of the table.

use axum::Router;
use axum::extract::FromRequestParts;
use axum::extract::path::Path;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware;

use super::gate::{Room, gate};
use super::problem::Problem;
use super::table::ROUTES;
use crate::frame::ItemId;

/// All routes.
pub(super) fn router(room: Room) -> Router {
    let routes = ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, route.handler()));
    routes
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(room.clone(), gate))
        .with_state(room)
}

async fn nothing_here() -> Problem {
    Problem::missing("nothing answers at this path")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path does not take this method; the Allow header names those it takes",
    )
}

/// The one parameter of a path, as it came.
pub(super) struct Name(pub(super) String);

impl Name {
    /// The item that may be called so.
    ///
    /// # Errors
    /// Where no item can be called so.
    pub(super) fn item(&self) -> Result<ItemId, Problem> {
        ItemId::new(&self.0)
            .map_err(|_| Problem::missing(format!("there is no item `{}`", crate::config::shortened(&self.0))))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|Path(name)| Self(name)).map_err(|_| Problem::bad("the name in this path is not UTF-8"))
    }
}
