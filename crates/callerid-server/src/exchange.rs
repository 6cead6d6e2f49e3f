//! What every request and its response need, whichever part answers.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use axum::response::Response;
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
