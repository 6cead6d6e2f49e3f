//! Helpers for requests and responses, shared by all parts that answer HTTP.

use std::borrow::Cow;
use std::sync::{Mutex, OnceLock};

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use axum::response::Response;
use callerid_core::{ErrorCode, RestException};
use callerid_service::{RandomBytes, StoreError, error_response};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::lock::lock;
use crate::metrics::METRICS;

/// The generator of a test that wants the same bytes in every run.
static SEEDED: OnceLock<Mutex<StdRng>> = OnceLock::new();

/// From now on, [`random_bytes`] gives the same bytes in every process with this seed. Only for
/// tests.
pub(crate) fn seed_random_bytes(seed: u64) {
    SEEDED.get_or_init(|| Mutex::new(StdRng::seed_from_u64(seed)));
}

/// Generates the random bytes for one request.
pub(crate) fn random_bytes() -> RandomBytes {
    let mut bytes = [0; RandomBytes::BYTES];
    match SEEDED.get() {
        None => rand::rng().fill_bytes(&mut bytes),
        Some(seeded) => {
            lock(seeded).fill_bytes(&mut bytes);
        }
    }
    RandomBytes::new(bytes)
}

/// A header's value. Invalid UTF-8 is replaced, which makes the value malformed.
pub(crate) fn text(headers: &HeaderMap, name: HeaderName) -> Option<Cow<'_, str>> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// The response to a request for this path that the server itself rejects.
pub(crate) fn rejection(path: &str, exception: &RestException) -> Response {
    to_http(error_response(path, exception, random_bytes().request_sid()))
}

/// The response to a request that exceeds a limit of the server. Counts it under the limit's name.
pub(crate) fn too_many(
    path: &str,
    limit: &'static str,
    detail: &str,
    retry_after: u64,
) -> Response {
    METRICS.refused(limit);
    let exception = RestException::because(ErrorCode::TooManyRequests, detail);
    let mut response = error_response(path, &exception, random_bytes().request_sid());
    response.headers.push(("retry-after", retry_after.to_string().into()));
    to_http(response)
}

/// Converts the service's response to one of axum.
pub(crate) fn to_http(mut response: callerid_service::Response) -> Response {
    // A slow client may keep it in memory, and a long body can have twice the capacity that it needs.
    response.body.shrink_to_fit();
    axum::http::Response::from(response).map(Body::from)
}

pub(crate) fn log_failure(error: &StoreError) {
    tracing::error!(%error, "a request could not be answered");
}
