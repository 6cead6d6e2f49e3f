//! Requests, and how their responses are read.

use std::fmt;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode, Uri};

use callerid_core::representation::{Decoded, InvalidDocument, ReceivedPage, xml};
use callerid_core::{OutgoingCallerId, ValidationRequest, form};

use crate::error::{ClientError, EXCERPT_CHARS, excerpt};
use callerid_core::Credentials;

/// A request that is answered with a `T`.
pub struct ClientRequest<T> {
    http: http::Request<String>,
    answer: ReadAnswer<T>,
}

impl<T> ClientRequest<T> {
    pub(crate) fn new(
        method: Method,
        uri: Uri,
        credentials: &Credentials,
        answer: ReadAnswer<T>,
    ) -> Self {
        let mut http = http::Request::new(String::new());
        *http.method_mut() = method;
        *http.uri_mut() = uri;
        let headers = http.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/xml"));
        if let Ok(mut authorization) = HeaderValue::from_str(&credentials.to_authorization()) {
            authorization.set_sensitive(true);
            headers.insert(AUTHORIZATION, authorization);
        }
        Self { http, answer }
    }

    pub(crate) fn with_form(mut self, fields: &[(&str, &str)]) -> Self {
        let content_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.http.headers_mut().insert(CONTENT_TYPE, content_type);
        *self.http.body_mut() = form::encode(fields.iter().copied());
        self
    }

    /// The request to send. `Host` and `Content-Length` are for whoever sends it. `Authorization` carries the
    /// credentials.
    pub fn http(&self) -> &http::Request<String> {
        &self.http
    }

    /// Reads the response.
    ///
    /// # Errors
    /// [`ClientError`]: what the service says is wrong, or that the response is not one of this API.
    pub fn read(&self, response: &http::Response<impl AsRef<[u8]>>) -> Result<T, ClientError> {
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let response =
            Response { status: response.status(), content_type, body: response.body().as_ref() };
        if response.status.is_success() { (self.answer)(&response) } else { Err(response.error()) }
    }
}

/// Shows everything but the credentials.
impl<T> fmt::Debug for ClientRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest")
            .field("method", self.http.method())
            .field("uri", self.http.uri())
            .field("body", self.http.body())
            .finish_non_exhaustive()
    }
}

/// Reads what a request is answered with where it succeeds.
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
    if response.status == StatusCode::NO_CONTENT { Ok(()) } else { Err(response.unexpected()) }
}

/// A response that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Response<'a> {
    status: StatusCode,
    content_type: Option<&'a str>,
    body: &'a [u8],
}

impl Response<'_> {
    /// The document of a success.
    fn document(&self) -> Result<Decoded, ClientError> {
        match self.decode() {
            Some(Ok(Decoded::Exception(exception))) => Err(ClientError::Service(exception)),
            Some(decoded) => decoded.map_err(ClientError::InvalidDocument),
            None => Err(self.unexpected()),
        }
    }

    /// What a response that is no success says.
    fn error(&self) -> ClientError {
        match self.decode() {
            Some(Ok(Decoded::Exception(exception))) => ClientError::Service(exception),
            _ => self.unexpected(),
        }
    }

    /// The document in the body; `None` where it claims to be in another format.
    fn decode(&self) -> Option<Result<Decoded, InvalidDocument>> {
        let is_xml = self.content_type.is_none_or(xml::is_content_type);
        is_xml.then(|| xml::decode(self.body))
    }

    fn unexpected(&self) -> ClientError {
        // The body of a success may have a validation code in it, which an error must not carry into a log.
        let shown = if self.status.is_success() { &[] } else { self.body };
        let beginning = shown.get(..EXCERPT_CHARS.saturating_mul(4)).unwrap_or(shown);
        ClientError::Unexpected {
            status: self.status.as_u16(),
            content_type: self.content_type.map(excerpt),
            text: excerpt(&String::from_utf8_lossy(beginning)),
        }
    }
}
