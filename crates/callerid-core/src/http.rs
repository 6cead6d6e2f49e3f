//! Requests and responses as the service sees them: borrowed bytes in, owned bytes out, no sockets.

use std::borrow::Cow;

use crate::text::{split_at, split_once};

/// What the service reads of an HTTP request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The method, as it was sent: `GET`.
    pub method: &'a str,
    /// The path, still percent-encoded: `/2008-08-01/Accounts/…`.
    pub path: &'a str,
    /// What follows the path's `?`, still percent-encoded; empty where nothing does.
    pub query: &'a str,
    /// The value of the `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The value of the `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The body; the host bounds it by [`MAX_BODY_BYTES`].
    pub body: &'a [u8],
}

/// The longest body that is read, in bytes. A longer one is answered with 413.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The type in a `Content-Type` header's value, without its parameters.
pub(crate) fn essence(content_type: &str) -> &str {
    split_at(content_type, b";").0.trim_ascii()
}

/// The scheme of a URL, and what follows its `://`.
pub(crate) fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_once(url, b':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// An HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case. `Content-Length` and `Date` are the host's.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without a body.
    pub(crate) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }
}
