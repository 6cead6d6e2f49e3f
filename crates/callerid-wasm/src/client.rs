//! The client: creates requests and decodes responses.
//!
//! It keeps no state between a request and its response, so nothing needs to be freed. The response
//! is decoded with the same connection and operation.

use callerid_client::{Client, ClientError, ClientRequest};
use callerid_core::representation::ReceivedPage;
use callerid_core::{
    AccountSid, ApiVersion, AuthToken, CallDelay, CallExtension, CallbackMethod, CallerIdSid,
    Credentials, Filter, FriendlyName, NewCallerId, PageRequest, PageSize, PhoneNumber,
    StatusCallback, ValidationRequest,
};
use js_sys::{ErrorOptions, Object, RangeError};
use serde::{Serialize, Serializer};
use wasm_bindgen::prelude::*;

use crate::document::{self, CallerIdListView, CallerIdView, ValidationRequestView};
use crate::errors::UnexpectedResponse;
use crate::object::{self, nonempty, optional, required};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
type Authority = { baseUrl: string; authorization: string | null };
type Request = { url: string; method: string; headers: Record<string, string>; body?: string };
/** A page, the address of the next one, and why that is not followed, if it is not. */
export type Page = { list: CallerIdList; next: string | null; refusal: string | null };
"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Authority {
    base_url: String,
    authorization: Option<String>,
}

#[derive(Serialize)]
struct RequestView<'a> {
    url: &'a str,
    method: &'a str,
    #[serde(serialize_with = "as_object")]
    headers: &'a [(&'static str, String)],
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
}

fn as_object<S: Serializer>(
    headers: &&[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

#[derive(Serialize)]
struct PageView<'a> {
    list: CallerIdListView<'a>,
    next: Option<String>,
    refusal: Option<String>,
}

/// The base URL and the authorization of a connection's requests.
#[wasm_bindgen(js_name = clientConnection, unchecked_return_type = "Authority")]
pub fn authority(connection: &Object) -> Result<JsValue, JsValue> {
    let base_url = client(connection)?.base_url();
    let credentials = credentials(connection, account_sid(connection)?)?;
    object::write(&Authority {
        base_url,
        authorization: credentials.map(|credentials| credentials.to_authorization()),
    })
}

/// The request of an operation.
#[wasm_bindgen(js_name = clientRequest, unchecked_return_type = "Request")]
pub fn request(connection: &Object, operation: &Object) -> Result<JsValue, JsValue> {
    exchange(connection, operation, None)
}

/// Decodes the response to an operation.
#[wasm_bindgen(js_name = clientAnswer)]
pub fn answer(
    connection: &Object,
    operation: &Object,
    status: u16,
    content_type: Option<String>,
    body: &[u8],
) -> Result<JsValue, JsValue> {
    let content_type = content_type.as_deref();
    exchange(connection, operation, Some(Response { status, content_type, body }))
}

struct Response<'a> {
    status: u16,
    content_type: Option<&'a str>,
    body: &'a [u8],
}

/// Creates the request of an operation. Returns the request, or decodes the response if it is
/// present.
fn exchange(
    connection: &Object,
    operation: &Object,
    response: Option<Response<'_>>,
) -> Result<JsValue, JsValue> {
    let client = client(connection)?;
    let sid = || required(operation, "sid", CallerIdSid::parse);
    let page = |request, filter| {
        send_or_read(request, response.as_ref(), |page| write_page(&client, &filter, &page))
    };
    let caller_id = |request| {
        let write = |caller_id| object::write(&CallerIdView::from(&caller_id));
        send_or_read(request, response.as_ref(), write)
    };
    match object::text(operation, "operation").as_deref() {
        Some("create") => {
            let write = |request| object::write(&ValidationRequestView::from(&request));
            send_or_read(create(&client, operation)?, response.as_ref(), write)
        }
        Some("list") => {
            let number = optional(operation, "page", page_number)?.unwrap_or_default();
            let size = optional(operation, "pageSize", PageSize::parse)?.unwrap_or_default();
            let filter = filter(operation)?;
            page(client.list(&filter, PageRequest { number, size, cursor: None }), filter)
        }
        Some("next") => {
            page(required(operation, "url", |url| client.page_at(url))?, filter(operation)?)
        }
        Some("fetch") => caller_id(client.fetch(&sid()?)),
        Some("update") => caller_id(client.update(&sid()?, name(operation)?.as_ref())),
        Some("delete") => {
            send_or_read(client.delete(&sid()?), response.as_ref(), |()| Ok(JsValue::UNDEFINED))
        }
        _ => Err(RangeError::new("operation: create, list, next, fetch, update or delete").into()),
    }
}

fn send_or_read<T>(
    request: ClientRequest<T>,
    response: Option<&Response<'_>>,
    write: impl FnOnce(T) -> Result<JsValue, JsValue>,
) -> Result<JsValue, JsValue> {
    match response {
        None => object::write(&RequestView {
            url: request.url(),
            method: request.method(),
            headers: request.headers(),
            body: request.body(),
        }),
        Some(Response { status, content_type, body }) => {
            write(request.read(*status, *content_type, body).map_err(|it| error(*status, &it))?)
        }
    }
}

fn write_page(client: &Client, filter: &Filter, page: &ReceivedPage) -> Result<JsValue, JsValue> {
    let (next, refusal) = match client.next_page(filter, page) {
        Ok(next) => (next.map(|request| request.url().to_owned()), None),
        Err(error) => (Some(page.uris.next.clone()), Some(error.to_string())),
    };
    object::write(&PageView { list: page.into(), next, refusal })
}

fn error(status: u16, error: &ClientError) -> JsValue {
    let cause = match error {
        ClientError::Service(exception) => return document::exception(exception),
        ClientError::InvalidDocument(invalid) => {
            Some(ErrorOptions::new(&document::invalid(invalid)))
        }
        _ => None,
    };
    UnexpectedResponse::new(status, &error.to_string(), cause).into()
}

fn account_sid(connection: &Object) -> Result<AccountSid, RangeError> {
    required(connection, "accountSid", AccountSid::parse)
}

/// The credentials, unless a proxy adds them.
fn credentials(connection: &Object, sid: AccountSid) -> Result<Option<Credentials>, RangeError> {
    let auth_token = optional(connection, "authToken", AuthToken::new)?;
    Ok(auth_token.map(|auth_token| Credentials { sid, auth_token }))
}

fn client(connection: &Object) -> Result<Client, RangeError> {
    let account_sid = account_sid(connection)?;
    let credentials = credentials(connection, account_sid)?;
    let client = required(connection, "baseUrl", |url| match credentials {
        Some(credentials) => Client::new(credentials, url),
        None => Client::without_credentials(account_sid, url),
    })?;
    Ok(match optional(connection, "apiVersion", version)? {
        Some(version) => client.with_version(version),
        None => client,
    })
}

fn create(
    client: &Client,
    operation: &Object,
) -> Result<ClientRequest<ValidationRequest>, RangeError> {
    let method = optional(operation, "statusCallbackMethod", callback_method)?.unwrap_or_default();
    let callback = |url: &str| StatusCallback::new(url, method);
    let new = NewCallerId {
        phone_number: required(operation, "phoneNumber", digits)?,
        friendly_name: name(operation)?,
        call_delay: optional(operation, "callDelay", CallDelay::parse)?.unwrap_or_default(),
        extension: nonempty(operation, "extension", CallExtension::new)?,
        status_callback: nonempty(operation, "statusCallback", callback)?,
    };
    client.create(&new).map_err(|error| RangeError::new(&error.to_string()))
}

fn version(text: &str) -> Result<ApiVersion, String> {
    let [older, newer] = ApiVersion::ALL.map(ApiVersion::as_str);
    ApiVersion::parse(text).map_err(|_| format!("expected {older} or {newer}, found \"{text}\""))
}

fn callback_method(name: &str) -> Result<CallbackMethod, String> {
    CallbackMethod::parse(name).map_err(|_| format!("expected GET or POST, found \"{name}\""))
}

fn page_number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "a page's number is a whole number from 0 on")
}

/// The package's modules have parsed the number, with the rules of another .wasm.
fn digits(text: &str) -> Result<PhoneNumber, &'static str> {
    PhoneNumber::from_digits(text).ok_or("expected ten digits")
}

fn filter(operation: &Object) -> Result<Filter, RangeError> {
    let phone_number = optional(operation, "phoneNumber", digits)?;
    Ok(Filter { phone_number, friendly_name: name(operation)? })
}

fn name(operation: &Object) -> Result<Option<FriendlyName>, RangeError> {
    nonempty(operation, "friendlyName", FriendlyName::new)
}
