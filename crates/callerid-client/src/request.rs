//! Requests, and how to read their responses.

use std::fmt;

use callerid_core::representation::{Decoded, InvalidDocument, ReceivedPage, xml};
use callerid_core::{OutgoingCallerId, ValidationRequest, form};

use crate::error::{ClientError, EXCERPT_CHARS, excerpt};
use callerid_core::Credentials;

const ACCEPT: &str = "application/xml";
const NO_CONTENT: u16 = 204;

/// A request whose response is a `T`.
pub struct ClientRequest<T> {
    method: &'static str,
    url: String,
    origin_length: usize,
    headers: Vec<(&'static str, String)>,
    body: String,
    answer: ReadAnswer<T>,
}

impl<T> ClientRequest<T> {
    pub(crate) fn new(
        method: &'static str,
        (origin, target): (&str, &str),
        credentials: Option<&Credentials>,
        answer: ReadAnswer<T>,
    ) -> Self {
        let authorization = credentials.map(|it| ("authorization", it.to_authorization()));
        let accept = ("accept", ACCEPT.to_owned());
        Self {
            method,
            url: format!("{origin}{target}"),
            origin_length: origin.len(),
            headers: authorization.into_iter().chain([accept]).collect(),
            body: String::new(),
            answer,
        }
    }

    pub(crate) fn with_form(mut self, fields: &[(&str, &str)]) -> Self {
        self.headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        self.body = form::encode(fields.iter().copied());
        self
    }

    /// The method: `GET`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The full address: `http://127.0.0.1:8008/2008-08-01/…`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address without scheme, host and port: `/2008-08-01/…`.
    pub fn target(&self) -> &str {
        self.url.get(self.origin_length..).unwrap_or_default()
    }

    /// The headers, with names in lower case. One of them carries the credentials, if any. The HTTP client
    /// adds `Host` and `Content-Length`.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The body; empty if the request has none.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Converts the request for reqwest, ureq, hyper and tower.
    ///
    /// # Errors
    /// Never for a request of a [`Client`](crate::Client), unless the service returned an address
    /// that is not a URI.
    #[cfg(feature = "http")]
    pub fn to_http(&self) -> Result<http::Request<String>, http::Error> {
        let mut request = http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            let mut value = http::HeaderValue::from_str(value)?;
            value.set_sensitive(*name == "authorization");
            request = request.header(*name, value);
        }
        request.body(self.body.clone())
    }

    /// Reads a response of the `http` crate; see [`read`](Self::read).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[cfg(feature = "http")]
    pub fn read_http(&self, response: &http::Response<impl AsRef<[u8]>>) -> Result<T, ClientError> {
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok());
        self.read(response.status().as_u16(), content_type, response.body().as_ref())
    }

    /// Reads the response, given its status, the value of its `Content-Type` header, and its body.
    ///
    /// # Errors
    /// [`ClientError`]: the service's error, or a response that does not come from this API.
    pub fn read(
        &self,
        status: u16,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<T, ClientError> {
        let response = Response { status, content_type, body };
        if response.is_success() { (self.answer)(&response) } else { Err(response.error()) }
    }
}

/// Shows no credentials: nor the body, which has those of a status callback.
impl<T> fmt::Debug for ClientRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Reads the response of a successful request.
pub(crate) type ReadAnswer<T> = fn(&Response<'_>) -> Result<T, ClientError>;

pub(crate) fn page(response: &Response<'_>) -> Result<ReceivedPage, ClientError> {
    match response.document()? {
        Decoded::CallerIds(page) => Ok(page),
        _ => Err(response.unexpected()),
    }
}

pub(crate) fn caller_id(response: &Response<'_>) -> Result<OutgoingCallerId, ClientError> {
    match response.document()? {
        Decoded::CallerId(caller_id) => Ok(caller_id),
        _ => Err(response.unexpected()),
    }
}

pub(crate) fn validation_request(
    response: &Response<'_>,
) -> Result<ValidationRequest, ClientError> {
    match response.document()? {
        Decoded::ValidationRequest(request) => Ok(request),
        _ => Err(response.unexpected()),
    }
}

pub(crate) fn nothing(response: &Response<'_>) -> Result<(), ClientError> {
    if response.status == NO_CONTENT { Ok(()) } else { Err(response.unexpected()) }
}

/// A response that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Response<'a> {
    status: u16,
    content_type: Option<&'a str>,
    body: &'a [u8],
}

impl Response<'_> {
    fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// The document of a success.
    fn document(&self) -> Result<Decoded, ClientError> {
        match self.decode() {
            Some(Ok(Decoded::Exception(exception))) => Err(ClientError::Service(exception)),
            Some(decoded) => decoded.map_err(ClientError::InvalidDocument),
            None => Err(self.unexpected()),
        }
    }

    /// The error in an unsuccessful response.
    fn error(&self) -> ClientError {
        match self.decode() {
            Some(Ok(Decoded::Exception(exception))) => ClientError::Service(exception),
            _ => self.unexpected(),
        }
    }

    /// The document in the body; `None` if its content type is another format.
    fn decode(&self) -> Option<Result<Decoded, InvalidDocument>> {
        let is_xml = self.content_type.is_none_or(xml::is_content_type);
        is_xml.then(|| xml::decode(self.body))
    }

    fn unexpected(&self) -> ClientError {
        // The body of a success may contain a validation code, which must not end up in a log
        // through an error.
        let shown = if self.is_success() { &[] } else { self.body };
        let beginning = shown.get(..EXCERPT_CHARS.saturating_mul(4)).unwrap_or(shown);
        ClientError::Unexpected {
            status: self.status,
            content_type: self.content_type.map(excerpt),
            text: excerpt(&String::from_utf8_lossy(beginning)),
        }
    }
}
