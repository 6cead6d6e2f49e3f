//! What every request and its response need, whichever part answers.

use std::borrow::Cow;
use std::time::Instant;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callerid_core::Credentials;
use callerid_service::{RandomBytes, StoreError};
use rand::Rng as _;

/// The random bytes of one request.
pub(crate) fn random_bytes() -> RandomBytes {
    let mut bytes = [0; RandomBytes::BYTES];
    rand::rng().fill_bytes(&mut bytes);
    RandomBytes::new(bytes)
}

/// A header's value. What is no text cannot be what it should be, and is seen to be malformed.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<Cow<'_, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// The service's response as it is sent.
pub(crate) fn to_http(response: callerid_service::Response) -> Response {
    axum::http::Response::from(response).map(Body::from)
}

pub(crate) fn log_failure(error: &StoreError) {
    tracing::error!(%error, "a request could not be answered");
}

/// One line a request: no query, no body, no credentials but the account that they name.
pub(crate) fn log(head: &Parts, status: StatusCode, started: Instant) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    let authorization = text(&head.headers, AUTHORIZATION);
    let account = authorization.as_deref().and_then(Credentials::from_authorization);
    let account = account.map(|credentials| credentials.sid);
    tracing::debug!(
        method = %head.method,
        path = head.uri.path(),
        status = status.as_u16(),
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        account = account.as_ref().map_or("-", |sid| sid.as_str()),
        "request"
    );
}
