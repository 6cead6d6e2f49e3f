//! `2010-04-01`, the version of Twilio's current service.

use callerid_core::form;
use callerid_core::representation::{Document, PageUris, Representation};
use callerid_core::{
    ApiVersion, CallExtension, CallbackMethod, ErrorCode, NewCallerId, OutgoingCallerId, Page,
    RestException, StatusCallback,
};

use super::Answer;
use super::paging;
use super::parameters::Parameters;
use crate::api_error::ApiError;
use crate::operation::{ListRequest, Operation, Resource};
use crate::request::Request;

/// Where Twilio explains error codes.
const MORE_INFO: &str = "https://www.twilio.com/docs/errors/";

pub(super) fn decode(resource: Resource, request: &Request<'_>) -> Result<Operation, ApiError> {
    let body = || Parameters::of_body(request);
    match (resource, request.method) {
        (Resource::List, "GET") => list(&Parameters::of_query(request)?).map(Operation::List),
        (Resource::List, "POST") => create(&body()?).map(Operation::Create),
        (Resource::Instance(sid), "GET") => Ok(Operation::Fetch(sid)),
        // PUT is not documented, but a published client sends it.
        (Resource::Instance(sid), "POST" | "PUT") => {
            Ok(Operation::Update(sid, body()?.new_name()?))
        }
        (Resource::Instance(sid), "DELETE") => Ok(Operation::Delete(sid)),
        _ => Err(ApiError::new(ErrorCode::MethodNotAllowed)),
    }
}

fn list(query: &Parameters<'_>) -> Result<ListRequest, ApiError> {
    let page = query.page(&["Page"], &["PageSize"])?;
    let token = paging::token(query)?;
    let filters = query.filters()?;
    Ok(ListRequest {
        filter: filters.filter,
        parameters: filters.parameters,
        page,
        // A published client requests pages until one is an error. A token determines its page,
        // regardless of the page's number.
        page_must_exist: token.is_none(),
        token,
    })
}

fn create(form: &Parameters<'_>) -> Result<NewCallerId, ApiError> {
    let method = match form.given(&["StatusCallbackMethod"])? {
        None => CallbackMethod::default(),
        Some(name) => CallbackMethod::parse(name).map_err(|_| {
            let detail = "a StatusCallbackMethod is GET or POST";
            ApiError::because(ErrorCode::InvalidStatusCallback, detail)
        })?,
    };
    let url = form.given(&["StatusCallback"])?;
    let status_callback = url.map(|url| StatusCallback::new(url, method)).transpose();
    let extension = form.given(&["Extension"])?;
    let extension = extension.map(CallExtension::new).transpose();
    Ok(NewCallerId {
        friendly_name: form.friendly_name()?.flatten(),
        call_delay: form.call_delay()?,
        extension: extension
            .map_err(|error| ApiError::http(400, &format!("Invalid Extension: {error}")))?,
        status_callback: status_callback.map_err(|error| {
            ApiError::because(ErrorCode::InvalidStatusCallback, &error.to_string())
        })?,
        ..NewCallerId::new(form.phone_number()?)
    })
}

pub(super) fn encode(representation: Representation, answer: Answer, path: &str) -> Vec<u8> {
    let write = |document| representation.encode(ApiVersion::V2010, document);
    match answer {
        Answer::Deleted => Vec::new(),
        Answer::CallerId(caller_id) => write(&Document::CallerId(&caller_id)),
        Answer::ValidationRequest(request) => write(&Document::ValidationRequest(&request)),
        Answer::CallerIds(page, request) => {
            let uris = page_uris(&page, &request, path);
            write(&Document::CallerIds(&page, &uris))
        }
    }
}

fn page_uris(page: &Page<OutgoingCallerId>, request: &ListRequest, path: &str) -> PageUris {
    let uri = |number: u64, token: Option<&str>| {
        let (number, size) = (number.to_string(), page.size.to_string());
        let filters = request.parameters.iter().map(|(name, value)| (*name, value.as_str()));
        let page = [("PageSize", size.as_str()), ("Page", number.as_str())];
        let token = token.map(|token| ("PageToken", token));
        format!("{path}?{}", form::encode(filters.chain(page).chain(token)))
    };
    paging::uris(page, uri)
}

pub(super) fn encode_exception(
    representation: Representation,
    mut exception: RestException,
) -> Vec<u8> {
    exception.more_info = exception.code.map(|code| format!("{MORE_INFO}{code}"));
    representation.encode(ApiVersion::V2010, &Document::Exception(&exception))
}
