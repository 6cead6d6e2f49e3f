//! `2008-08-01`, the specification's version.

use callerid_core::form;
use callerid_core::representation::{Document, PageUris, Representation};
use callerid_core::{ApiVersion, ErrorCode, NewCallerId, OutgoingCallerId, Page, RestException};

use super::Answer;
use super::paging;
use super::parameters::Parameters;
use crate::api_error::ApiError;
use crate::operation::{ListRequest, Operation, Resource};
use crate::request::Request;

/// Where Twilio explained error codes in this version's time.
const MORE_INFO: &str = "http://www.twilio.com/docs/errors/";

pub(super) fn decode(resource: Resource, request: &Request<'_>) -> Result<Operation, ApiError> {
    let query = Parameters::of_query(request)?;
    // A client that cannot send PUT or DELETE sends POST with the method in this parameter.
    let method = match (request.method, query.given(&["_method"])?) {
        ("POST", Some(method)) => method,
        (method, _) => method,
    };
    match (resource, method) {
        (Resource::List, "GET") => list(&query).map(Operation::List),
        (Resource::List, "POST") => create(&Parameters::of_body(request)?).map(Operation::Create),
        (Resource::Instance(sid), "GET") => Ok(Operation::Fetch(sid)),
        (Resource::Instance(sid), "PUT" | "POST") => {
            Ok(Operation::Update(sid, Parameters::of_body(request)?.new_name()?))
        }
        (Resource::Instance(sid), "DELETE") => Ok(Operation::Delete(sid)),
        _ => Err(ApiError::new(ErrorCode::MethodNotAllowed)),
    }
}

fn list(query: &Parameters<'_>) -> Result<ListRequest, ApiError> {
    let page = query.page(&["page", "Page"], &["num", "PageSize"])?;
    let token = paging::token(query)?;
    let filters = query.filters()?;
    Ok(ListRequest {
        filter: filters.filter,
        parameters: filters.parameters,
        page,
        // A published client would page forever if a page past the end were not an error. A token
        // determines its page, regardless of the page's number.
        page_must_exist: token.is_none(),
        token,
    })
}

fn create(form: &Parameters<'_>) -> Result<NewCallerId, ApiError> {
    Ok(NewCallerId {
        friendly_name: form.friendly_name()?.flatten(),
        call_delay: form.call_delay()?,
        ..NewCallerId::new(form.phone_number()?)
    })
}

pub(super) fn encode(representation: Representation, answer: Answer, path: &str) -> Vec<u8> {
    match answer {
        Answer::Deleted => Vec::new(),
        Answer::CallerId(caller_id) => {
            representation.encode(ApiVersion::V2008, &Document::CallerId(&caller_id))
        }
        Answer::ValidationRequest(request) => {
            representation.encode(ApiVersion::V2008, &Document::ValidationRequest(&request))
        }
        Answer::CallerIds(page, request) => {
            let uris = page_uris(&page, &request, path);
            representation.encode(ApiVersion::V2008, &Document::CallerIds(&page, &uris))
        }
    }
}

/// Addresses in responses: path and query, with the filter's parameters after the page's.
fn page_uris(page: &Page<OutgoingCallerId>, request: &ListRequest, path: &str) -> PageUris {
    let uri = |number: u64, token: Option<&str>| {
        let (number, size) = (number.to_string(), page.size.to_string());
        let page = [("page", number.as_str()), ("num", size.as_str())];
        let token = token.map(|token| ("PageToken", token));
        let filters = request.parameters.iter().map(|(name, value)| (*name, value.as_str()));
        format!("{path}?{}", form::encode(page.into_iter().chain(token).chain(filters)))
    };
    paging::uris(page, uri)
}

pub(super) fn encode_exception(
    representation: Representation,
    mut exception: RestException,
) -> Vec<u8> {
    // A 404 contains only its status and message.
    if exception.status == ErrorCode::NotFound.status() {
        exception.code = None;
    }
    exception.more_info = exception.code.map(|code| format!("{MORE_INFO}{code}"));
    representation.encode(ApiVersion::V2008, &Document::Exception(&exception))
}
