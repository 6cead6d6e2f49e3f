//! Responses: how what the service answers becomes HTTP.

use callerid_core::RestException;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

/// A response of the service.
pub type Response = http::Response<Vec<u8>>;

/// A response with that body.
pub(crate) fn response(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A response without a body.
pub(crate) fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The HTTP status of an error.
pub(crate) fn status_of(exception: &RestException) -> StatusCode {
    StatusCode::from_u16(exception.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
