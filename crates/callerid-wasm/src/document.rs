//! Documents, as flat arrays that begin with what they are.

use callerid_core::representation::json::push_string;
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
    let number = |value: u64| JsValue::from(value as f64);
    Array::of(&[
        "caller-ids".into(),
        number(page.number),
        page.size.into(),
        is_counted.then(|| number(page.pages())).into(),
        is_counted.then(|| number(page.total)).into(),
        number(page.start()),
        number(page.end()),
        rows(&page.items).into(),
    ])
}

pub(crate) fn caller_id(caller_id: &OutgoingCallerId) -> Array {
    Array::of(&["caller-id".into(), rows(std::slice::from_ref(caller_id)).into()])
}

pub(crate) fn validation_request(request: &ValidationRequest) -> Array {
    Array::of(&[
        "validation-request".into(),
        request.account_sid.as_str().into(),
        request.phone_number.as_str().into(),
        request.friendly_name.as_ref().map(|name| name.as_str()).into(),
        request.validation_code.expose().into(),
        request.call_sid.as_ref().map(|sid| sid.as_str()).into(),
    ])
}

pub(crate) fn exception(exception: &RestException) -> Array {
    Array::of(&[
        "exception".into(),
        exception.status.into(),
        exception.message.as_str().into(),
        exception.code.into(),
        exception.more_info.as_deref().into(),
    ])
}

pub(crate) fn invalid(error: &InvalidDocument) -> Array {
    Array::of(&["invalid".into(), error.to_string().into(), (error.at() as u32).into()])
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
            push_string(&mut out, text);
            out.push(',');
        }
        out.push_str(&(caller_id.date_created.unix_seconds() * 1000).to_string());
        out.push(',');
        out.push_str(&(caller_id.date_updated.unix_seconds() * 1000).to_string());
    }
    out.push(']');
    out
}
