//! A refusal, as a JSON problem (RFC 9457).
//!
//! The type is always `about:blank`, so that the title is the status code's own
//! phrase; what is wrong and who has to mend it is in the detail.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::desk::Refused;
use crate::frame::Span;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A refusal with this code; `detail` is a sentence for whoever sent the request.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), header: None }
    }

    /// What came can't be taken as it is.
    pub(super) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Nothing is there under that name.
    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// The token is missing or wrong.
    pub(super) fn unauthorised() -> Self {
        let detail = "this needs the header `Authorization: Bearer TOKEN` with the board's token";
        let challenge = HeaderValue::from_static("Bearer realm=\"marquee\"");
        Self { header: Some((header::WWW_AUTHENTICATE, challenge)), ..Self::new(StatusCode::UNAUTHORIZED, detail) }
    }

    /// It was too much; after so long there is room again.
    pub(super) fn too_many(wait: Span) -> Self {
        // Whole seconds, the header's unit, and never too early.
        let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
        let detail = "more updates came than are taken in a second; nothing of this request was taken";
        let header = Some((header::RETRY_AFTER, HeaderValue::from(seconds)));
        Self { header, ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// It can't be done now; a second later it may be.
    pub(super) fn busy(detail: impl Into<String>) -> Self {
        let header = Some((header::RETRY_AFTER, HeaderValue::from_static("1")));
        Self { header, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Missing(detail) => Self::missing(detail),
            Refused::Conflict(detail) => Self::new(StatusCode::CONFLICT, detail),
            Refused::Busy(detail) => Self::busy(detail),
            Refused::Flooded(detail) => Self { detail, ..Self::too_many(Span::ZERO) },
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        }));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.header);
        response
    }
}
