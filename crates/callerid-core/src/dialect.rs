//! Dialects: how the same operations look in each version of the API. The one place where versions differ.
//!
//! A version says how a request is read ([`ApiVersion::decode`]) and how an answer is written
//! ([`ApiVersion::encode`]); between the two nobody knows which it was.

mod parameters;
mod v2008;
mod v2010;

use std::borrow::Cow;

use crate::http::{Request, Response};
use crate::operation::{ListRequest, Operation, Resource};
use crate::representation::Representation;
use crate::text::joined;
use crate::{
    AccountSid, OutgoingCallerId, Page, PhoneNumber, Refusal, RestException, ValidationRequest,
};

pub(crate) use parameters::{form, malformed};

/// A version of the API, as it is named in a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiVersion {
    /// `2008-08-01`: ten digit numbers, XML first, pages by number.
    #[default]
    V2008,
    /// `2010-04-01`: E.164 numbers, XML and JSON, pages by key; what today's clients speak.
    V2010,
}

/// What the service answers, before a version writes it.
#[derive(Debug)]
pub(crate) enum Answer {
    CallerIds(Page<OutgoingCallerId>, ListRequest),
    CallerId(OutgoingCallerId),
    ValidationRequest(ValidationRequest),
    Deleted,
}

impl ApiVersion {
    /// Every version.
    pub const ALL: [Self; 2] = [Self::V2008, Self::V2010];

    /// Its segment of a path: `2008-08-01`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2008 => "2008-08-01",
            Self::V2010 => "2010-04-01",
        }
    }

    /// The version that a path's first segment names.
    pub fn from_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == segment)
    }

    /// A client's names for a page's number and its size.
    pub(crate) const fn page_parameters(self) -> [&'static str; 2] {
        match self {
            Self::V2008 => ["page", "num"],
            Self::V2010 => ["Page", "PageSize"],
        }
    }

    /// Whether a create has that parameter; one that it has not, the service passes over.
    pub(crate) fn takes(self, parameter: &str) -> bool {
        match self {
            Self::V2008 => matches!(parameter, "PhoneNumber" | "FriendlyName" | "CallDelay"),
            Self::V2010 => true,
        }
    }

    /// The path of an account's caller IDs.
    pub(crate) fn list_path(self, account: &AccountSid) -> String {
        joined(&["/", self.as_str(), "/Accounts/", account.as_str(), "/OutgoingCallerIds"])
    }

    /// A number as a client sends it.
    pub(crate) fn write_number(self, number: &PhoneNumber) -> String {
        match self {
            Self::V2008 => number.as_str().to_owned(),
            Self::V2010 => number.e164().as_str().to_owned(),
        }
    }

    /// Reads what a request wants of the resource that its path names.
    pub(crate) fn decode(
        self,
        resource: Resource,
        request: &Request<'_>,
    ) -> Result<Operation, Refusal> {
        match self {
            Self::V2008 => v2008::decode(resource, request),
            Self::V2010 => v2010::decode(resource, request),
        }
    }

    /// Writes an answer to a request for that path.
    pub(crate) fn encode(
        self,
        representation: Representation,
        answer: Answer,
        path: &str,
    ) -> Response {
        let body = match (answer, self) {
            (Answer::Deleted, _) => return Response::empty(204),
            (answer, Self::V2008) => v2008::encode(representation, answer, path),
            (answer, Self::V2010) => v2010::encode(representation, answer, path),
        };
        response(200, representation, body)
    }

    /// Writes an error.
    pub(crate) fn encode_exception(
        self,
        representation: Representation,
        exception: RestException,
    ) -> Response {
        let status = exception.status;
        let body = match self {
            Self::V2008 => v2008::encode_exception(representation, exception),
            Self::V2010 => v2010::encode_exception(representation, exception),
        };
        response(status, representation, body)
    }
}

fn response(status: u16, representation: Representation, body: Vec<u8>) -> Response {
    let content_type = Cow::Borrowed(representation.content_type());
    Response { status, headers: vec![("content-type", content_type)], body }
}
