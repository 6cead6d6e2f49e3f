//! Responses of the service, independent of any HTTP library.

use std::borrow::Cow;

/// A response of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, with names in lower case. The host adds `Content-Length` and `Date`.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type", content_type.into())], body }
    }

    pub(crate) const fn no_content() -> Self {
        Self { status: 204, headers: Vec::new(), body: Vec::new() }
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
    }
}

#[cfg(feature = "http")]
impl From<Response> for http::Response<Vec<u8>> {
    fn from(response: Response) -> Self {
        let mut http = Self::new(response.body);
        // The service's status codes are valid, and its headers are text.
        *http.status_mut() = http::StatusCode::from_u16(response.status).unwrap_or_default();
        http.headers_mut().reserve(response.headers.len());
        for (name, value) in response.headers {
            let value = match value {
                Cow::Borrowed(value) => Ok(http::HeaderValue::from_static(value)),
                Cow::Owned(value) => http::HeaderValue::try_from(value),
            };
            if let Ok(value) = value {
                http.headers_mut().append(http::HeaderName::from_static(name), value);
            }
        }
        http
    }
}
