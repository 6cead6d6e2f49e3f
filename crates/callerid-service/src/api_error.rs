//! API errors: why a request is not done.

use std::ops::Deref;

use callerid_core::{ErrorCode, RestException};

use crate::account::Unauthenticated;
use crate::store::StoreError;

/// Why a request is refused. Its exception is apart, so that a result that is rarely a refusal stays small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(Box<RestException>);

impl Refusal {
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

impl Deref for Refusal {
    type Target = RestException;

    fn deref(&self) -> &RestException {
        &self.0
    }
}

/// Why a request is not done.
#[derive(Debug)]
pub enum Failure {
    /// It is refused, with this.
    Refused(Refusal),
    /// The store failed.
    Store(StoreError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Unauthenticated> for Failure {
    fn from(_: Unauthenticated) -> Self {
        Self::Refused(Refusal::new(ErrorCode::Authenticate))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
