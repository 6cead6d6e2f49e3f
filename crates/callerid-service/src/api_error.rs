//! API errors: why a request is not done.

use std::ops::Deref;

use callerid_core::{ErrorCode, RestException};

use crate::account::Unauthenticated;
use crate::store::StoreError;

/// Why a request is refused. Its exception is apart, so that a result that is rarely a refusal stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError(Box<RestException>);

impl ApiError {
    /// As [`RestException::new`].
    pub fn new(error: ErrorCode) -> Self {
        Self(Box::new(RestException::new(error)))
    }

    /// As [`RestException::because`].
    pub fn because(error: ErrorCode, detail: &str) -> Self {
        Self(Box::new(RestException::because(error, detail)))
    }

    /// As [`RestException::not_found`].
    pub fn not_found(path: &str) -> Self {
        Self(Box::new(RestException::not_found(path)))
    }

    /// As [`RestException::http`].
    pub fn http(status: u16, message: &str) -> Self {
        Self(Box::new(RestException::http(status, message)))
    }

    /// The exception that says it.
    pub fn into_exception(self) -> RestException {
        *self.0
    }
}

impl Deref for ApiError {
    type Target = RestException;

    fn deref(&self) -> &RestException {
        &self.0
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
    fn from(refusal: ApiError) -> Self {
        Self::Api(refusal)
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
