//! `2010-04-01`, what the vendor's service answers as today.

use std::cmp::Reverse;

use callerid_core::form;
use callerid_core::representation::{CallerIdPage, Document, PageUris, Representation};
use callerid_core::{
    ApiVersion, CallExtension, CallbackMethod, CallerIdSid, ErrorCode, NewCallerId,
    OutgoingCallerId, Page, RestException, SID_LENGTH, StatusCallback,
};

use super::Answer;
use super::parameters::Parameters;
use crate::api_error::Refusal;
use crate::operation::{ListRequest, Operation, PageToken, Resource};
use crate::request::Request;

/// Where the vendor explains a code.
const MORE_INFO: &str = "https://www.twilio.com/docs/errors/";
/// What a token begins with: it goes to the page after a row.
const TOKEN_AFTER: &str = "PA";

pub(super) fn decode(resource: Resource, request: &Request<'_>) -> Result<Operation, Refusal> {
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
        _ => Err(Refusal::new(ErrorCode::MethodNotAllowed)),
    }
}

fn list(query: &Parameters<'_>) -> Result<ListRequest, Refusal> {
    let page = query.page(&["Page"], &["PageSize"])?;
    let token = query.given(&["PageToken"])?.map(decode_token).transpose()?;
    let filters = query.filters()?;
    Ok(ListRequest {
        filter: filters.filter,
        parameters: filters.parameters,
        page,
        // A published client counts pages until one is an error. A token's page is where the token says, whatever
        // its number has become.
        page_must_exist: token.is_none(),
        token,
    })
}

fn create(form: &Parameters<'_>) -> Result<NewCallerId, Refusal> {
    let method = match form.given(&["StatusCallbackMethod"])? {
        None => CallbackMethod::default(),
        Some(name) => CallbackMethod::parse(name).ok_or_else(|| {
            let detail = "a StatusCallbackMethod is GET or POST";
            Refusal::because(ErrorCode::InvalidStatusCallback, detail)
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
            .map_err(|error| Refusal::http(400, &format!("Invalid Extension: {error}")))?,
        status_callback: status_callback.map_err(|error| {
            Refusal::because(ErrorCode::InvalidStatusCallback, &error.to_string())
        })?,
        ..NewCallerId::new(form.phone_number()?)
    })
}

/// A token is `PA` and the Sid of the last row of the page before, as the vendor's are, and then the second of
/// the row's DateUpdated in hexadecimal: so the place is kept if the row is removed.
fn encode_token(last: &OutgoingCallerId) -> String {
    let (Reverse(updated), sid) = last.list_key();
    // Seconds before 1970 are written as the two's complement that they are.
    format!("{TOKEN_AFTER}{sid}{updated:x}")
}

fn decode_token(text: &str) -> Result<PageToken, Refusal> {
    let token = || {
        let (sid, updated) = text.strip_prefix(TOKEN_AFTER)?.split_at_checked(SID_LENGTH)?;
        let sid = CallerIdSid::parse(sid).ok()?;
        let updated = match updated {
            "" => None,
            // Seconds before 1970 are written as the two's complement that they are.
            digits if digits.starts_with('+') => return None,
            digits => Some(u64::from_str_radix(digits, 16).ok()?.cast_signed()),
        };
        Some(PageToken { sid, updated })
    };
    token().ok_or_else(|| {
        let detail = "pass on the next_page_uri of a page as it is";
        Refusal::because(ErrorCode::InvalidPageToken, detail)
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
            write(&Document::CallerIds(&CallerIdPage { page, uris }))
        }
    }
}

fn page_uris(page: &Page<OutgoingCallerId>, request: &ListRequest, path: &str) -> PageUris {
    let uri = |number: u64, last: Option<&OutgoingCallerId>| {
        let (number, size) = (number.to_string(), page.size.to_string());
        let parameters = request.parameters.iter().map(|(name, value)| (*name, value.as_str()));
        let page = [("PageSize", size.as_str()), ("Page", number.as_str())];
        let token = last.map(encode_token);
        let token = token.as_deref().map(|token| ("PageToken", token));
        format!("{path}?{}", form::encode(parameters.chain(page).chain(token)))
    };
    let next = page.items.last().filter(|_| page.more);
    PageUris {
        this: uri(page.number, None),
        first: uri(0, None),
        previous: page.previous().map(|number| uri(number, None)).unwrap_or_default(),
        next: next.map(|last| uri(page.number.saturating_add(1), Some(last))).unwrap_or_default(),
        last: uri(page.last(), None),
    }
}

pub(super) fn encode_exception(
    representation: Representation,
    mut exception: RestException,
) -> Vec<u8> {
    exception.more_info = exception.code.map(|code| format!("{MORE_INFO}{code}"));
    representation.encode(ApiVersion::V2010, &Document::Exception(&exception))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_keeps_its_place() {
        let sid = CallerIdSid::parse("PNe536dfda7c6DDd455fed980cb83345FF").unwrap();
        for updated in [0, 1_207_074_392, -1, i64::MAX, i64::MIN] {
            let text = format!("PA{sid}{updated:x}");
            let token = decode_token(&text).unwrap();
            assert_eq!(token, PageToken { sid, updated: Some(updated) });
        }
        assert_eq!(decode_token(&format!("PA{sid}")).unwrap().updated, None);
    }

    #[test]
    fn what_this_service_did_not_give_is_no_token() {
        let sid = "PNe536dfda7c6DDd455fed980cb83345FF";
        for text in [
            "",
            "PA",
            "PAé",
            sid,
            &format!("PB{sid}"),
            &format!("PA{sid}xyz"),
            &format!("PA{sid}11112222333344445"),
            &format!("PA{sid}+1"),
        ] {
            let error = decode_token(text).unwrap_err();
            assert_eq!(error.error_code(), Some(ErrorCode::InvalidPageToken), "{text}");
        }
    }
}
