//! API errors: why a request was rejected.

use std::ops::Deref;

use callerid_core::{ErrorCode, RestException};

use crate::account::Unauthenticated;
use crate::store::StoreError;

/// Why a request was rejected. The exception is boxed to keep a `Result` small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    exception: Box<RestException>,
    /// The value of `Retry-After`, in seconds.
    retry_after: Option<u32>,
}

impl ApiError {
    /// Same as [`RestException::new`].
    pub fn new(error: ErrorCode) -> Self {
        RestException::new(error).into()
    }

    /// Same as [`RestException::because`].
    pub fn because(error: ErrorCode, detail: &str) -> Self {
        RestException::because(error, detail).into()
    }

    /// Same as [`RestException::not_found`].
    pub fn not_found(path: &str) -> Self {
        RestException::not_found(path).into()
    }

    /// Same as [`RestException::http`].
    pub fn http(status: u16, message: &str) -> Self {
        RestException::http(status, message).into()
    }

    /// The same error, with the number of seconds after which to try again.
    #[must_use]
    pub fn with_retry_after(self, retry_after: Option<u32>) -> Self {
        Self { retry_after, ..self }
    }

    /// The number of seconds after which to try again, if known.
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The exception to send.
    pub fn into_exception(self) -> RestException {
        *self.exception
    }
}

impl From<RestException> for ApiError {
    fn from(exception: RestException) -> Self {
        Self { exception: Box::new(exception), retry_after: None }
    }
}

impl Deref for ApiError {
    type Target = RestException;

    fn deref(&self) -> &RestException {
        &self.exception
    }
}

/// Why a request failed.
#[derive(Debug)]
pub enum ServiceError {
    /// The request was rejected with this error.
    Api(ApiError),
    /// The store failed.
    Store(StoreError),
}

impl ServiceError {
    /// The exception to send, and the store's error, if any, for the host's log.
    pub fn into_exception(self) -> (RestException, Option<StoreError>) {
        match self {
            Self::Api(error) => (error.into_exception(), None),
            Self::Store(error) => (error.to_exception(), Some(error)),
        }
    }
}

impl From<ApiError> for ServiceError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<Unauthenticated> for ServiceError {
    fn from(_: Unauthenticated) -> Self {
        Self::Api(ApiError::new(ErrorCode::Authenticate))
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
