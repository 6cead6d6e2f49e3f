//! Documents, as flat arrays that begin with what they are.

use callerid_core::representation::json;
use callerid_core::representation::{Decoded, InvalidDocument, ReceivedPage, xml};
use callerid_core::{OutgoingCallerId, RestException, ValidationRequest};
use wasm_bindgen::prelude::*;

use crate::js::Array;

/// Reads a document in XML:
///
/// | it is | what comes back |
/// |---|---|
/// | a page | `"caller-ids"`, page, page size, pages?, total?, start, end, rows |
/// | a caller ID | `"caller-id"`, rows |
/// | a validation request | `"validation-request"`, account Sid, number, name?, code, call Sid? |
/// | an error | `"exception"`, status, message, code?, more info? |
/// | none of them | `"invalid"`, message, byte offset |
///
/// Rows are a JSON array: six values each, in the order of the specification, dates in milliseconds since 1970.
#[wasm_bindgen(js_name = decodeDocument)]
pub fn decode(body: &[u8]) -> Array {
    match xml::decode(body) {
        Ok(Decoded::CallerIds(page)) => caller_ids(&page),
        Ok(Decoded::CallerId(row)) => caller_id(&row),
        Ok(Decoded::ValidationRequest(request)) => validation_request(&request),
        Ok(Decoded::Exception(error)) => exception(&error),
        Err(error) => invalid(&error),
    }
}

pub(crate) fn caller_ids(page: &ReceivedPage) -> Array {
    let is_counted = page.stated_total.is_some();
    let page = &page.list.page;
    let counted = |figure: u64| is_counted.then_some(figure as f64);
    Array::of("caller-ids")
        .number(page.number as f64)
        .number(page.size.into())
        .optional_number(counted(page.pages()))
        .optional_number(counted(page.total))
        .number(page.start() as f64)
        .number(page.end() as f64)
        .text(&rows(&page.items))
}

pub(crate) fn caller_id(caller_id: &OutgoingCallerId) -> Array {
    Array::of("caller-id").text(&rows(std::slice::from_ref(caller_id)))
}

pub(crate) fn validation_request(request: &ValidationRequest) -> Array {
    Array::of("validation-request")
        .text(request.account_sid.as_str())
        .text(request.phone_number.as_str())
        .optional_text(request.friendly_name.as_ref().map(|name| name.as_str()))
        .text(request.validation_code.expose())
        .optional_text(request.call_sid.as_ref().map(|sid| sid.as_str()))
}

pub(crate) fn exception(exception: &RestException) -> Array {
    Array::of("exception")
        .number(exception.status.into())
        .text(&exception.message)
        .optional_number(exception.code.map(f64::from))
        .optional_text(exception.more_info.as_deref())
}

pub(crate) fn invalid(error: &InvalidDocument) -> Array {
    Array::of("invalid").text(&error.to_string()).number(error.at() as f64)
}

/// Room for a row without a long name: it is four texts of fixed length and two numbers.
const ROW_BYTES: usize = 192;

fn rows(caller_ids: &[OutgoingCallerId]) -> String {
    let mut out = String::with_capacity(caller_ids.len() * ROW_BYTES);
    out.push('[');
    for caller_id in caller_ids {
        if out.len() > 1 {
            out.push(',');
        }
        for text in [
            caller_id.sid.as_str(),
            caller_id.account_sid.as_str(),
            caller_id.friendly_name.as_str(),
            caller_id.phone_number.as_str(),
        ] {
            out.push_str(&json::to_string(text));
            out.push(',');
        }
        out.push_str(&(caller_id.date_created.unix_seconds() * 1000).to_string());
        out.push(',');
        out.push_str(&(caller_id.date_updated.unix_seconds() * 1000).to_string());
    }
    out.push(']');
    out
}
