//! The client: its requests, and what their responses say.
//!
//! Nothing is kept between a request and its response, so there is nothing to free: the response is read with the same
//! connection and operation.

use std::collections::BTreeMap;

use callerid_core::client::{self, ClientError, ClientRequest};
use callerid_core::representation::ReceivedPage;
use callerid_core::{
    AccountSid, ApiVersion, AuthToken, CallDelay, CallExtension, CallbackMethod, CallerIdSid,
    Credentials, Filter, FriendlyName, NewCallerId, OutgoingCallerId, PageRequest, PageSize,
    PhoneNumber, StatusCallback, ValidationRequest,
};
use js_sys::{ErrorOptions, RangeError};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use crate::document::{self, CallerIdListView, CallerIdView, ValidationRequestView};
use crate::errors::UnexpectedResponse;
use crate::object::{self, member, nonempty, optional};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Who asks, and where. */
export interface Connection {
  accountSid: string;
  authToken: string;
  baseUrl: string;
  apiVersion?: string;
}
/** What every request of a connection has: where it goes, and the header that carries the credentials. */
export interface Authority {
  origin: string;
  authorization: string;
}
/** What to send, and where. */
export interface ClientRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string;
}
/** A page, the address of the next one, and why that is not followed, if it is not. */
export interface ReceivedPage {
  list: import("./types.js").CallerIdList;
  next: string | null;
  refusal: string | null;
}
"#;

/// Who asks, and where.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    account_sid: String,
    auth_token: String,
    base_url: String,
    api_version: Option<String>,
}

/// What is asked, every value as its text.
#[derive(Deserialize)]
#[serde(tag = "operation", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Operation {
    Create(CreateParameters),
    List {
        phone_number: Option<String>,
        friendly_name: Option<String>,
        page: Option<String>,
        page_size: Option<String>,
    },
    Next {
        phone_number: Option<String>,
        friendly_name: Option<String>,
        url: String,
    },
    Fetch {
        sid: String,
    },
    Update {
        sid: String,
        friendly_name: Option<String>,
    },
    Delete {
        sid: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateParameters {
    phone_number: String,
    friendly_name: Option<String>,
    call_delay: Option<String>,
    extension: Option<String>,
    status_callback: Option<String>,
    status_callback_method: Option<String>,
}

#[derive(Serialize)]
struct Authority<'a> {
    origin: &'a str,
    authorization: String,
}

#[derive(Serialize)]
struct RequestView<'a> {
    url: &'a str,
    method: &'a str,
    headers: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    body: &'a str,
}

#[derive(Serialize)]
struct PageView<'a> {
    list: CallerIdListView<'a>,
    next: Option<&'a str>,
    refusal: Option<String>,
}

/// What every request of a connection has.
#[wasm_bindgen(js_name = clientConnection, unchecked_return_type = "Authority")]
pub fn authority(
    #[wasm_bindgen(unchecked_param_type = "Connection")] connection: JsValue,
) -> Result<JsValue, JsValue> {
    let connection: Connection = object::read(connection)?;
    let authorization = connection.credentials()?.to_authorization();
    object::write(&Authority { origin: connection.client()?.origin(), authorization })
}

/// What to send.
#[wasm_bindgen(js_name = clientRequest, unchecked_return_type = "ClientRequest")]
pub fn request(
    #[wasm_bindgen(unchecked_param_type = "Connection")] connection: JsValue,
    operation: JsValue,
) -> Result<JsValue, JsValue> {
    match Ask::new(connection, operation)? {
        Ask::Page(_, request, _) => write_request(&request),
        Ask::CallerId(request) => write_request(&request),
        Ask::Validation(request) => write_request(&request),
        Ask::Nothing(request) => write_request(&request),
    }
}

/// Reads the response.
#[wasm_bindgen(js_name = clientAnswer)]
pub fn answer(
    #[wasm_bindgen(unchecked_param_type = "Connection")] connection: JsValue,
    operation: JsValue,
    status: u16,
    content_type: Option<String>,
    body: &[u8],
) -> Result<JsValue, JsValue> {
    let content_type = content_type.as_deref();
    let unexpected = |error| unexpected(status, &error);
    match Ask::new(connection, operation)? {
        Ask::Page(client, request, filter) => {
            let page = request.read(status, content_type, body).map_err(unexpected)?;
            let list = CallerIdListView::from(&page);
            match client.next_page(&filter, &page) {
                Ok(next) => {
                    let next = next.as_ref().map(ClientRequest::url);
                    object::write(&PageView { list, next, refusal: None })
                }
                Err(error) => {
                    let (next, refusal) = (Some(&*page.list.uris.next), Some(error.to_string()));
                    object::write(&PageView { list, next, refusal })
                }
            }
        }
        Ask::CallerId(request) => {
            let caller_id = request.read(status, content_type, body).map_err(unexpected)?;
            object::write(&CallerIdView::from(&caller_id))
        }
        Ask::Validation(request) => {
            let validation = request.read(status, content_type, body).map_err(unexpected)?;
            object::write(&ValidationRequestView::from(&validation))
        }
        Ask::Nothing(request) => {
            request.read(status, content_type, body).map_err(unexpected)?;
            Ok(JsValue::UNDEFINED)
        }
    }
}

fn write_request<T>(request: &ClientRequest<T>) -> Result<JsValue, JsValue> {
    object::write(&RequestView {
        url: request.url(),
        method: request.method(),
        headers: request.headers().iter().map(|(name, value)| (*name, &**value)).collect(),
        body: request.body(),
    })
}

fn unexpected(status: u16, error: &ClientError) -> JsValue {
    let cause = match error {
        ClientError::Service(exception) => return document::exception(exception),
        ClientError::InvalidDocument(invalid) => {
            Some(ErrorOptions::new(&document::invalid(invalid)))
        }
        _ => None,
    };
    UnexpectedResponse::new(status, &error.to_string(), cause).into()
}

/// A request, by what it is answered with.
enum Ask {
    Page(client::Client, ClientRequest<ReceivedPage>, Filter),
    CallerId(ClientRequest<OutgoingCallerId>),
    Validation(ClientRequest<ValidationRequest>),
    Nothing(ClientRequest<()>),
}

impl Ask {
    fn new(connection: JsValue, operation: JsValue) -> Result<Self, RangeError> {
        let client = object::read::<Connection>(connection)?.client()?;
        let sid = |sid: String| member("sid", CallerIdSid::parse(&sid));
        Ok(match object::read(operation)? {
            Operation::Create(parameters) => Self::Validation(parameters.request(&client)?),
            Operation::List { phone_number, friendly_name, page, page_size } => {
                let filter = filter(phone_number, friendly_name)?;
                let number = optional("page", page.as_deref(), page_number)?.unwrap_or_default();
                let size = optional("pageSize", page_size.as_deref(), PageSize::parse)?;
                let size = size.unwrap_or_default();
                let request = client.list(&filter, PageRequest { number, size, after: None });
                Self::Page(client, request, filter)
            }
            Operation::Next { phone_number, friendly_name, url } => {
                let request = member("url", client.page_at(&url))?;
                Self::Page(client, request, filter(phone_number, friendly_name)?)
            }
            Operation::Fetch { sid: text } => Self::CallerId(client.fetch(&sid(text)?)),
            Operation::Update { sid: text, friendly_name } => {
                Self::CallerId(client.update(&sid(text)?, name(friendly_name)?.as_ref()))
            }
            Operation::Delete { sid: text } => Self::Nothing(client.delete(&sid(text)?)),
        })
    }
}

impl Connection {
    fn credentials(&self) -> Result<Credentials, RangeError> {
        Ok(Credentials {
            sid: member("accountSid", AccountSid::parse(&self.account_sid))?,
            auth_token: member("authToken", AuthToken::new(&self.auth_token))?,
        })
    }

    fn client(&self) -> Result<client::Client, RangeError> {
        let client = client::Client::new(self.credentials()?, &self.base_url);
        let client = member("baseUrl", client)?;
        Ok(match optional("apiVersion", self.api_version.as_deref(), version)? {
            Some(version) => client.with_version(version),
            None => client,
        })
    }
}

impl CreateParameters {
    fn request(
        self,
        client: &client::Client,
    ) -> Result<ClientRequest<ValidationRequest>, RangeError> {
        let method = self.status_callback_method.as_deref();
        let method = optional("statusCallbackMethod", method, callback_method)?.unwrap_or_default();
        let callback = |url: &str| StatusCallback::new(url, method);
        let new = NewCallerId {
            phone_number: member("phoneNumber", PhoneNumber::parse(&self.phone_number))?,
            friendly_name: name(self.friendly_name)?,
            call_delay: optional("callDelay", self.call_delay.as_deref(), CallDelay::parse)?
                .unwrap_or_default(),
            extension: nonempty("extension", self.extension.as_deref(), CallExtension::new)?,
            status_callback: nonempty("statusCallback", self.status_callback.as_deref(), callback)?,
        };
        client.create(&new).map_err(|error| RangeError::new(&error.to_string()))
    }
}

fn version(text: &str) -> Result<ApiVersion, String> {
    let [older, newer] = ApiVersion::ALL.map(ApiVersion::as_str);
    ApiVersion::from_segment(text)
        .ok_or_else(|| format!("expected {older} or {newer}, found \"{text}\""))
}

fn callback_method(name: &str) -> Result<CallbackMethod, String> {
    CallbackMethod::parse(name).ok_or_else(|| format!("expected GET or POST, found \"{name}\""))
}

fn page_number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "a page's number is a whole number from 0 on")
}

fn filter(number: Option<String>, friendly_name: Option<String>) -> Result<Filter, RangeError> {
    let phone_number = optional("phoneNumber", number.as_deref(), PhoneNumber::restore)?;
    Ok(Filter { phone_number, friendly_name: name(friendly_name)? })
}

fn name(text: Option<String>) -> Result<Option<FriendlyName>, RangeError> {
    nonempty("friendlyName", text.as_deref(), FriendlyName::new)
}
