//! API versions: how each version represents the same operations. All differences between versions
//! are here.
//!
//! A version determines how to read a request ([`decode`]) and how to write the answer
//! ([`encode`]). The code between the two does not know the version.

mod paging;
mod parameters;
mod v2008;
mod v2010;

use callerid_core::representation::Representation;
use callerid_core::{OutgoingCallerId, Page, RestException, ValidationRequest};

use crate::api_error::ApiError;
use crate::operation::{ListRequest, Operation, Resource};
use crate::request::Request;
use crate::response::Response;
use callerid_core::ApiVersion;

pub(crate) use parameters::{Parameters, form, malformed};

/// The service's answer, before a version writes it.
#[derive(Debug)]
pub(crate) enum Answer {
    CallerIds(Page<OutgoingCallerId>, ListRequest),
    CallerId(OutgoingCallerId),
    ValidationRequest(ValidationRequest),
    Deleted,
}

/// Determines what a request asks of the resource that its path names.
pub(crate) fn decode(
    version: ApiVersion,
    resource: Resource,
    request: &Request<'_>,
) -> Result<Operation, ApiError> {
    match version {
        ApiVersion::V2008 => v2008::decode(resource, request),
        ApiVersion::V2010 => v2010::decode(resource, request),
    }
}

/// Writes the answer to a request for this path.
pub(crate) fn encode(
    version: ApiVersion,
    representation: Representation,
    answer: Answer,
    path: &str,
) -> Response {
    let body = match (answer, version) {
        (Answer::Deleted, _) => return Response::no_content(),
        (answer, ApiVersion::V2008) => v2008::encode(representation, answer, path),
        (answer, ApiVersion::V2010) => v2010::encode(representation, answer, path),
    };
    Response::new(200, representation.content_type(), body)
}

/// Writes an error.
pub(crate) fn encode_exception(
    version: ApiVersion,
    representation: Representation,
    exception: RestException,
) -> Response {
    let status = exception.status;
    let body = match version {
        ApiVersion::V2008 => v2008::encode_exception(representation, exception),
        ApiVersion::V2010 => v2010::encode_exception(representation, exception),
    };
    Response::new(status, representation.content_type(), body)
}
