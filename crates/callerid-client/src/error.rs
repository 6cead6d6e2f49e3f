//! Client errors: why a request did not succeed.

use callerid_core::representation::InvalidDocument;
use callerid_core::{ApiVersion, ErrorCode, RestException};
use std::fmt;

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The service returned an error.
    Service(RestException),
    /// The response does not come from this API, but perhaps from a proxy or another service.
    Unexpected {
        /// Its HTTP status.
        status: u16,
        /// Its content type, if any.
        content_type: Option<String>,
        /// The start of its body; empty for a success.
        text: String,
    },
    /// The response is a success, but its document is invalid.
    InvalidDocument(InvalidDocument),
    /// The service returned an address for a page that the client does not follow.
    PageAddress {
        /// The address.
        uri: String,
    },
    /// The client's version of the API does not support the request.
    Unsupported {
        /// The unsupported parameter.
        parameter: &'static str,
        /// The version.
        version: ApiVersion,
    },
}

impl ClientError {
    /// The service's error code, if any.
    pub fn code(&self) -> Option<u32> {
        self.exception()?.code
    }

    /// The known error with the service's error code, if any.
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.exception()?.error_code()
    }

    /// The service's error, if it returned one.
    pub fn exception(&self) -> Option<&RestException> {
        match self {
            Self::Service(exception) => Some(exception),
            _ => None,
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(exception) => exception.fmt(f),
            Self::Unexpected { status, content_type, text } => {
                let content_type = content_type.as_deref().unwrap_or("nothing said");
                write!(f, "the response is not of this API: HTTP {status}, ")?;
                write!(f, "content type {content_type:?}")?;
                if text.is_empty() { Ok(()) } else { write!(f, ", begins {text:?}") }
            }
            Self::InvalidDocument(error) => write!(f, "the response cannot be read: {error}"),
            Self::PageAddress { uri } => {
                write!(f, "the address {uri:?} of a page is not another page of the same service")
            }
            Self::Unsupported { parameter, version } => {
                let newer = ApiVersion::V2010;
                write!(f, "the API's version {version} has no {parameter}; {newer} has")
            }
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Service(exception) => Some(exception),
            Self::InvalidDocument(error) => Some(error),
            _ => None,
        }
    }
}

impl From<InvalidDocument> for ClientError {
    fn from(error: InvalidDocument) -> Self {
        Self::InvalidDocument(error)
    }
}

/// How many characters of a text of unknown length an error repeats.
pub(crate) const EXCERPT_CHARS: usize = 200;

pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}
