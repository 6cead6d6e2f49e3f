//! Requirements of HTTP/1.1 on a request's head that hyper does not check.

use axum::http::Version;
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use callerid_core::RestException;

use crate::cross_site::is_forged;

/// Checks a request's head.
///
/// # Errors
/// The exception to return.
pub(crate) fn check(head: &Parts) -> Result<(), RestException> {
    check_host(head)?;
    check_transfer_encoding(head)?;
    check_origin(head)
}

/// RFC 9112, 3.2: exactly one `Host`, which is empty or a host and an optional port.
fn check_host(head: &Parts) -> Result<(), RestException> {
    let invalid = |message| Err(RestException::http(400, message));
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => invalid("Bad Request: more than one Host header"),
        (None, None) if head.version >= Version::HTTP_11 => {
            invalid("Bad Request: the Host header is missing")
        }
        (Some(host), None) if !is_host(host.as_bytes()) => {
            invalid("Bad Request: the Host header is not a host and a port")
        }
        _ => Ok(()),
    }
}

fn is_host(value: &[u8]) -> bool {
    value.is_empty() || (Authority::try_from(value).is_ok() && !value.contains(&b'@'))
}

/// Rejects a change that a browser was tricked into requesting.
fn check_origin(head: &Parts) -> Result<(), RestException> {
    if head.method.is_safe() || !is_forged(&head.headers) {
        return Ok(());
    }
    let message = "Forbidden: a page of another origin must send credentials of its own";
    Err(RestException::http(403, message))
}

/// hyper accepts any other codings before chunked, but nothing in this server decodes them.
fn check_transfer_encoding(head: &Parts) -> Result<(), RestException> {
    let mut codings = head.headers.get_all(TRANSFER_ENCODING).iter();
    match codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        true => Ok(()),
        false => {
            let message = "Not Implemented: a body's only Transfer-Encoding is chunked";
            Err(RestException::http(501, message))
        }
    }
}
