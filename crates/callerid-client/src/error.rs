//! Why a request has no answer.

use callerid_core::representation::InvalidDocument;
use callerid_core::{ApiVersion, ErrorCode, RestException};
use std::fmt;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The service refused it, or failed.
    Service(RestException),
    /// The response is none of this API's: a proxy's, perhaps, or another service's.
    Unexpected {
        /// Its HTTP status.
        status: u16,
        /// Its content type, where it has one.
        content_type: Option<String>,
        /// How its body begins; empty for a success.
        text: String,
    },
    /// The response is a success, but not a document that can be read.
    InvalidDocument(InvalidDocument),
    /// The service gave an address for a page that is not followed.
    PageAddress {
        /// The address.
        uri: String,
    },
    /// The request cannot be made in the version of the API that the client speaks.
    Unsupported {
        /// The parameter that the version does not have.
        parameter: &'static str,
        /// The version.
        version: ApiVersion,
    },
}

impl ClientError {
    /// The service's code for what is wrong, where it gave one.
    pub fn code(&self) -> Option<u32> {
        self.exception()?.code
    }

    /// The error that the service's code stands for, where it gave one that is known.
    pub fn error_code(&self) -> Option<ErrorCode> {
        self.exception()?.error_code()
    }

    /// What the service says is wrong.
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

/// How much of a text that may be of any length an error repeats.
pub(crate) const EXCERPT_CHARS: usize = 200;

pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(EXCERPT_CHARS).collect()
}
