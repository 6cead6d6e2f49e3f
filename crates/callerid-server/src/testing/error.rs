//! Why a request of a test failed.

use std::error::Error;
use std::fmt;

use callerid_core::RestException;

/// Why a request of a test failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// The server rejected the request. Its message says what is wrong, and where.
    Rejected(RestException),
    /// Nothing matched in time.
    NothingMatched {
        /// What was asked for: `calls?status=busy&wait=10`.
        query: String,
    },
    /// There was no answer, or another one than expected.
    NoAnswer(Box<dyn Error + Send + Sync>),
}

impl ControlError {
    pub(super) fn no_answer(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::NoAnswer(source.into())
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(exception) => exception.fmt(f),
            Self::NothingMatched { query } => write!(f, "nothing matched in time: {query}"),
            Self::NoAnswer(source) => write!(f, "no answer of the server: {source}"),
        }
    }
}

impl Error for ControlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Rejected(exception) => Some(exception),
            Self::NothingMatched { .. } => None,
            Self::NoAnswer(source) => Some(source.as_ref()),
        }
    }
}
