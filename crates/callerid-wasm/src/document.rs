//! Documents as the package represents them.

use callerid_core::representation::{Decoded, ReceivedPage, xml};
use callerid_core::{Date, OutgoingCallerId, RestException, ValidationRequest};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

use crate::errors::{self, InvalidDocument};
use crate::object;

/// Decodes an XML document.
#[wasm_bindgen(js_name = parseResponse, unchecked_return_type = "ApiDocument")]
pub fn parse_response(body: &[u8], content_type: Option<String>) -> Result<JsValue, JsValue> {
    if let Some(other) = content_type.filter(|it| !xml::is_content_type(it)) {
        let message = format!("expected a document in XML, found {other:?}");
        return Err(InvalidDocument::new(&message, 0).into());
    }
    let decoded = xml::decode(body).map_err(|error| invalid(&error))?;
    object::write(&match &decoded {
        Decoded::CallerIds(page) => ApiDocument::CallerIds(page.into()),
        Decoded::CallerId(it) => ApiDocument::CallerId { caller_id: it.into() },
        Decoded::ValidationRequest(it) => {
            ApiDocument::ValidationRequest { validation_request: it.into() }
        }
        Decoded::Exception(it) => ApiDocument::Exception { exception: exception(it) },
    })
}

pub(crate) fn invalid(error: &callerid_core::representation::InvalidDocument) -> JsValue {
    InvalidDocument::new(&error.to_string(), error.at()).into()
}

pub(crate) fn exception(exception: &RestException) -> JsValue {
    let RestException { status, message, code, more_info, .. } = exception;
    errors::RestException::new(*status, message, code.map(Into::into), more_info.as_deref()).into()
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum ApiDocument<'a> {
    CallerIds(CallerIdListView<'a>),
    CallerId {
        caller_id: CallerIdView<'a>,
    },
    ValidationRequest {
        validation_request: ValidationRequestView<'a>,
    },
    Exception {
        #[serde(with = "preserve")]
        exception: JsValue,
    },
}

/// A page of caller IDs. Its numbers are `f64` because JavaScript has only one number type.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallerIdListView<'a> {
    items: Vec<CallerIdView<'a>>,
    page: f64,
    page_size: f64,
    pages: Option<f64>,
    total: Option<f64>,
    start: f64,
    end: f64,
}

impl<'a> From<&'a ReceivedPage> for CallerIdListView<'a> {
    fn from(ReceivedPage { page, stated_total, .. }: &'a ReceivedPage) -> Self {
        Self {
            items: page.items.iter().map(Into::into).collect(),
            page: page.number as f64,
            page_size: page.size.into(),
            pages: stated_total.map(|_| page.pages() as f64),
            total: stated_total.map(|_| page.total as f64),
            start: page.start() as f64,
            end: page.end() as f64,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallerIdView<'a> {
    sid: &'a str,
    account_sid: &'a str,
    friendly_name: &'a str,
    phone_number: &'a str,
    #[serde(with = "preserve")]
    date_created: js_sys::Date,
    #[serde(with = "preserve")]
    date_updated: js_sys::Date,
}

impl<'a> From<&'a OutgoingCallerId> for CallerIdView<'a> {
    fn from(caller_id: &'a OutgoingCallerId) -> Self {
        Self {
            sid: caller_id.sid.as_str(),
            account_sid: caller_id.account_sid.as_str(),
            friendly_name: caller_id.friendly_name.as_str(),
            phone_number: caller_id.phone_number.as_str(),
            date_created: date(&caller_id.date_created),
            date_updated: date(&caller_id.date_updated),
        }
    }
}

fn date(date: &Date) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(date.unix_seconds() as f64 * 1000.0))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValidationRequestView<'a> {
    account_sid: &'a str,
    call_sid: Option<&'a str>,
    phone_number: &'a str,
    friendly_name: Option<&'a str>,
    validation_code: &'a str,
}

impl<'a> From<&'a ValidationRequest> for ValidationRequestView<'a> {
    fn from(request: &'a ValidationRequest) -> Self {
        Self {
            account_sid: request.account_sid.as_str(),
            call_sid: request.call_sid.as_ref().map(|sid| sid.as_str()),
            phone_number: request.phone_number.as_str(),
            friendly_name: request.friendly_name.as_ref().map(|name| name.as_str()),
            validation_code: request.validation_code.expose(),
        }
    }
}
