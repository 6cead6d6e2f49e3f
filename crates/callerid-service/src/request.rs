//! Requests as the service reads them, independent of any HTTP library. (The `http` crate's types
//! are behind a feature, because they add 18 KB to a compressed .wasm.)

use callerid_core::{Credentials, RestException};

/// The maximum length of a body, in bytes. The response to a longer one is a 413.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Replaces a header value that is not text. It is invalid in every header.
#[cfg(feature = "http")]
const UNREADABLE: &str = "\u{fffd}";

/// The 413 for a body longer than `most` bytes; see
/// [`Service::max_body_bytes`](crate::Service::max_body_bytes).
pub fn body_too_long(most: usize) -> RestException {
    let message = format!("Request body too long: at most {most} bytes are read");
    RestException::http(413, message)
}

/// The parts of an HTTP request that the service reads.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// The method, as sent: `GET`.
    pub method: &'a str,
    /// The path, still percent-encoded: `/2008-08-01/Accounts/…`.
    pub path: &'a str,
    /// The part after the path's `?`, still percent-encoded; empty if there is none.
    pub query: &'a str,
    /// The credentials in the `Authorization` header, valid or not.
    pub credentials: Option<Credentials>,
    /// The value of the `Content-Encoding` header.
    pub content_encoding: Option<&'a str>,
    /// The value of the `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

#[cfg(feature = "http")]
impl<'a, B: AsRef<[u8]>> From<&'a http::Request<B>> for Request<'a> {
    fn from(request: &'a http::Request<B>) -> Self {
        let header = |name: http::HeaderName| {
            Some(request.headers().get(name)?.to_str().unwrap_or(UNREADABLE))
        };
        Self {
            method: request.method().as_str(),
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            credentials: header(http::header::AUTHORIZATION)
                .and_then(Credentials::from_authorization),
            content_encoding: header(http::header::CONTENT_ENCODING),
            content_type: header(http::header::CONTENT_TYPE),
            body: request.body().as_ref(),
        }
    }
}
