//! API errors: why a request is not done.

use std::ops::Deref;

use callerid_core::{ErrorCode, RestException};

use crate::account::Unauthenticated;
use crate::store::StoreError;

/// Why a request is refused. Its exception is apart, so that a `Result` of it stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    exception: Box<RestException>,
    /// The seconds after which to try again, for a `Retry-After`.
    retry_after: Option<u32>,
}

impl ApiError {
    /// As [`RestException::new`].
    pub fn new(error: ErrorCode) -> Self {
        RestException::new(error).into()
    }

    /// As [`RestException::because`].
    pub fn because(error: ErrorCode, detail: &str) -> Self {
        RestException::because(error, detail).into()
    }

    /// As [`RestException::not_found`].
    pub fn not_found(path: &str) -> Self {
        RestException::not_found(path).into()
    }

    /// As [`RestException::http`].
    pub fn http(status: u16, message: &str) -> Self {
        RestException::http(status, message).into()
    }

    /// The same, with the seconds after which to try again.
    #[must_use]
    pub fn with_retry_after(self, retry_after: Option<u32>) -> Self {
        Self { retry_after, ..self }
    }

    /// The seconds after which to try again, where that is known.
    pub fn retry_after(&self) -> Option<u32> {
        self.retry_after
    }

    /// The exception that says it.
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

/// Why a request is not done.
#[derive(Debug)]
pub enum ServiceError {
    /// It is refused, with this.
    Api(ApiError),
    /// The store failed.
    Store(StoreError),
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
