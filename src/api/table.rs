//! Every route: the router and the `OpenAPI` document are both made of this table.

use axum::http::Method;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::gate::Room;
use super::{alertmanager, frames, health, items, openapi, plan, runs};

/// What a request's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None is looked at.
    Nothing,
    /// An update of one item.
    Update,
    /// Many updates.
    Batch,
    /// A change of a plan's settings.
    Settings,
    /// What Alertmanager sends.
    Alerts,
}

impl Takes {
    /// Whether it is updates, which come at a bounded rate.
    pub(super) const fn updates(self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// Whether it may be larger than a usual body.
    pub(super) const fn many(self) -> bool {
        matches!(self, Self::Batch | Self::Alerts)
    }
}

/// What an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gives {
    /// No body.
    Nothing,
    /// A line of text for people and probes.
    Text,
    /// Server-sent events.
    Events,
    /// JSON of this name among the document's schemas.
    Json(&'static str),
}

/// One route.
pub(super) struct Route {
    /// The method, in capitals.
    pub(super) method: &'static str,
    /// The path, with its parameter in braces.
    pub(super) path: &'static str,
    /// What it is for, in a line.
    pub(super) summary: &'static str,
    /// Whether it changes anything, and needs the token where one is set.
    pub(super) writes: bool,
    pub(super) takes: Takes,
    /// Each good answer: its code, what it means, what it holds.
    pub(super) answers: &'static [(u16, &'static str, Gives)],
    /// The codes of its own refusals; those of the gate come on top.
    pub(super) refusals: &'static [u16],
    handler: fn() -> MethodRouter<Room>,
}

impl Route {
    /// What answers it.
    pub(super) fn handler(&self) -> MethodRouter<Room> {
        (self.handler)()
    }

    const fn reads(
        path: &'static str,
        summary: &'static str,
        answers: &'static [(u16, &'static str, Gives)],
        refusals: &'static [u16],
        handler: fn() -> MethodRouter<Room>,
    ) -> Self {
        Self { method: "GET", path, summary, writes: false, takes: Takes::Nothing, answers, refusals, handler }
    }
}

/// The route of a request.
pub(super) fn find(method: &Method, path: &str) -> Option<&'static Route> {
    // HEAD is GET without the body.
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES.iter().find(|route| route.method == method && route.path == path)
}

use Gives::{Events, Json, Nothing, Text};

/// All routes, in the order of the document.
pub(super) const ROUTES: &[Route] = &[
    Route::reads("/healthz", "Whether the board's thread moves", &[(200, "it does", Text)], &[503], || {
        get(health::healthz)
    }),
    Route::reads("/readyz", "Whether a board is loaded and drawing", &[(200, "it is", Text)], &[503], || {
        get(health::readyz)
    }),
    Route::reads("/metrics", "The metrics in the Prometheus text format", &[(200, "a scrape", Text)], &[], || {
        get(health::metrics)
    }),
    Route::reads("/v1/board", "All items", &[(200, "the board", Json("Board"))], &[503], || get(items::board)),
    Route::reads("/v1/items/{id}", "One item", &[(200, "the item", Json("Item"))], &[404, 503], || get(items::item)),
    Route {
        method: "PUT",
        path: "/v1/items/{id}",
        summary: "Push news of an item; one that the board does not have is added last in line",
        writes: true,
        takes: Takes::Update,
        answers: &[(200, "the item as it is now", Json("Item")), (201, "the new item", Json("Item"))],
        refusals: &[409, 503],
        handler: || put(items::put),
    },
    Route {
        method: "DELETE",
        path: "/v1/items/{id}",
        summary: "Take a pushed item from the board",
        writes: true,
        takes: Takes::Nothing,
        answers: &[(204, "it is gone", Nothing)],
        refusals: &[404, 409, 503],
        handler: || delete(items::remove),
    },
    Route {
        method: "POST",
        path: "/v1/items",
        summary: "Push news of many items: a JSON array, or one update a line; each is taken or refused by itself",
        writes: true,
        takes: Takes::Batch,
        answers: &[(200, "how many were taken, and which were not", Json("Taken"))],
        refusals: &[503],
        handler: || post(items::batch),
    },
    Route {
        method: "PUT",
        path: "/v1/items/{id}/acknowledgement",
        summary: "Acknowledge an item's alarm: it no longer calls, until it is worse or over",
        writes: true,
        takes: Takes::Nothing,
        answers: &[(200, "the item, acknowledged", Json("Item"))],
        refusals: &[404, 409, 503],
        handler: || put(items::acknowledge),
    },
    Route {
        method: "DELETE",
        path: "/v1/items/{id}/acknowledgement",
        summary: "Take an acknowledgement back",
        writes: true,
        takes: Takes::Nothing,
        answers: &[(200, "the item, not acknowledged", Json("Item"))],
        refusals: &[404, 503],
        handler: || delete(items::unacknowledge),
    },
    Route {
        method: "POST",
        path: "/v1/items/{id}/run",
        summary: "Run an item's plan now; with ?wait the answer comes with the run's end",
        writes: true,
        takes: Takes::Nothing,
        answers: &[(202, "the run that is under way", Json("Started")), (200, "the run, ended", Json("Run"))],
        refusals: &[404, 409, 503],
        handler: || post(items::run),
    },
    Route::reads(
        "/v1/items/{id}/account",
        "How an item's runs went in the last hour",
        &[(200, "the account", Json("Hour"))],
        &[404, 503],
        || get(items::account),
    ),
    Route::reads(
        "/v1/items/{id}/plan",
        "The settings of an item's plan that are in force",
        &[(200, "the settings", Json("Plan"))],
        &[404, 409, 503],
        || get(plan::plan),
    ),
    Route {
        method: "PATCH",
        path: "/v1/items/{id}/plan",
        summary: "Change settings of an item's plan while it runs, within the config's bounds; what is not named \
                  stays. It holds until a reload changes that plan's settings in the config, or the program ends",
        writes: true,
        takes: Takes::Settings,
        answers: &[(200, "the settings in force now", Json("Plan"))],
        refusals: &[404, 409, 503],
        handler: || patch(plan::tune),
    },
    Route::reads("/v1/runs/{run}", "One run", &[(200, "the run", Json("Run"))], &[404], || get(runs::run)),
    Route {
        method: "DELETE",
        path: "/v1/runs/{run}",
        summary: "Cancel a run; the answer comes once it has ended",
        writes: true,
        takes: Takes::Nothing,
        answers: &[(202, "the run, cancelled", Json("Run"))],
        refusals: &[404, 409, 503],
        handler: || delete(runs::cancel),
    },
    Route::reads("/v1/frame", "The frame that is shown", &[(200, "the frame", Json("Frame"))], &[503], || {
        get(frames::frame)
    }),
    Route::reads(
        "/v1/frames",
        "Every frame from now on as server-sent events of type `frame`",
        &[(200, "the events", Events)],
        &[503],
        || get(frames::frames),
    ),
    Route::reads(
        "/v1/consoles",
        "Who leads, who follows, and their clocks",
        &[(200, "the consoles", Json("Consoles"))],
        &[],
        || get(health::consoles),
    ),
    Route {
        method: "POST",
        path: "/v1/alertmanager",
        summary: "The webhook of the Prometheus Alertmanager: each alert is an item by its fingerprint",
        writes: true,
        takes: Takes::Alerts,
        answers: &[(200, "how many were taken, and which were not", Json("Taken"))],
        refusals: &[503],
        handler: || post(alertmanager::take),
    },
    Route::reads("/v1/openapi.json", "This description", &[(200, "OpenAPI 3.1", Json("Any"))], &[], || {
        get(openapi::answer)
    }),
];
