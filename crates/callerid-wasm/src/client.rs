//! The client: its requests, and what their responses say.
//!
//! What is asked, and of whom, crosses as one object of texts:
//!
//! | member | |
//! |---|---|
//! | `accountSid`, `authToken`, `baseUrl`, `apiVersion`? | the connection |
//! | `operation` | `create`, `list`, `next`, `fetch`, `update` or `delete` |
//! | `phoneNumber`?, `friendlyName`? | what is validated, looked for, or given as a name |
//! | `callDelay`?, `extension`?, `statusCallback`?, `statusCallbackMethod`? | the rest of `create` |
//! | `page`?, `pageSize`? | the place of `list` |
//! | `url` | the page that `next` goes to |
//! | `sid` | what is fetched, updated or deleted |
//!
//! Nothing is kept between a request and its response, so there is nothing to free: the response is read with the same
//! object.

use callerid_client::{ClientError, ClientRequest};
use callerid_client as client;
use callerid_core::representation::ReceivedPage;
use callerid_core::{AccountSid, ApiVersion, AuthToken, CallDelay, CallExtension, CallbackMethod, CallerIdSid, Credentials, Filter, FriendlyName, NewCallerId, OutgoingCallerId, PageRequest, PageSize, PhoneNumber, StatusCallback, ValidationRequest};
use wasm_bindgen::prelude::*;

use crate::document;
use crate::js::{Array, RangeError, Refused, Texts, joined, range_error};

/// What to send: `[method, url, body, name, value, …]`, the headers last.
#[wasm_bindgen(js_name = clientRequest)]
pub fn request(asked: &Texts) -> Result<Array, RangeError> {
    let client = connection(asked)?;
    Ok(match ask(&client, asked)? {
        Ask::Page(request, _) => parts(&request),
        Ask::CallerId(request) => parts(&request),
        Ask::Validation(request) => parts(&request),
        Ask::Nothing(request) => parts(&request),
    })
}

/// Reads the response: a document as [`document::decode`] gives it; after a page's rows, the address of the next one, if
/// any, and why it is not followed, if it is not; `["nothing"]`; or `["unexpected", message, invalid document?]`.
#[wasm_bindgen(js_name = clientAnswer)]
pub fn answer(
    asked: &Texts,
    status: u16,
    content_type: Option<String>,
    body: &[u8],
) -> Result<Array, RangeError> {
    let client = connection(asked)?;
    let content_type = content_type.as_deref();
    let answer = match ask(&client, asked)? {
        Ask::Page(request, filter) => request.read(status, content_type, body).map(|page| {
            let answer = document::caller_ids(&page);
            match client.next_page(&filter, &page) {
                Ok(next) => answer.optional_text(next.as_ref().map(ClientRequest::url)),
                Err(error) => answer.text(&page.list.uris.next).text(&error.to_string()),
            }
        }),
        Ask::CallerId(request) => {
            request.read(status, content_type, body).map(|found| document::caller_id(&found))
        }
        Ask::Validation(request) => request
            .read(status, content_type, body)
            .map(|request| document::validation_request(&request)),
        Ask::Nothing(request) => {
            request.read(status, content_type, body).map(|()| Array::of("nothing"))
        }
    };
    Ok(answer.unwrap_or_else(|error| match &error {
        ClientError::Service(exception) => document::exception(exception),
        ClientError::InvalidDocument(invalid) => {
            Array::of("unexpected").text(&error.to_string()).value(document::invalid(invalid))
        }
        _ => Array::of("unexpected").text(&error.to_string()),
    }))
}

/// What every request of a connection has: `[origin, authorization]`, the scheme, host and port of its address, and the
/// value of the header that carries the credentials.
#[wasm_bindgen(js_name = clientConnection)]
pub fn check_connection(asked: &Texts) -> Result<Array, RangeError> {
    let authorization = credentials(asked)?.to_authorization();
    Ok(Array::of(connection(asked)?.origin()).text(&authorization))
}

enum Ask {
    Page(ClientRequest<ReceivedPage>, Filter),
    CallerId(ClientRequest<OutgoingCallerId>),
    Validation(ClientRequest<ValidationRequest>),
    Nothing(ClientRequest<()>),
}

fn connection(asked: &Texts) -> Result<client::Client, RangeError> {
    let credentials = credentials(asked)?;
    let client = asked.required("baseUrl", |url| client::Client::new(credentials, url))?;
    Ok(match asked.read("apiVersion", version)? {
        Some(version) => client.with_version(version),
        None => client,
    })
}

fn credentials(asked: &Texts) -> Result<Credentials, RangeError> {
    let sid = asked.required("accountSid", AccountSid::parse)?;
    Ok(Credentials { sid, auth_token: asked.required("authToken", AuthToken::new)? })
}

fn ask(client: &client::Client, asked: &Texts) -> Result<Ask, RangeError> {
    let sid = || asked.required("sid", CallerIdSid::parse);
    Ok(match asked.get("operation").as_deref() {
        Some("create") => Ask::Validation(create(client, asked)?),
        Some("list") => {
            let number = asked.read("page", page_number)?.unwrap_or_default();
            let size = asked.read("pageSize", PageSize::parse)?.unwrap_or_default();
            let filter = filter(asked)?;
            Ask::Page(client.list(&filter, PageRequest { number, size, after: None }), filter)
        }
        Some("next") => {
            let request = asked.required("url", |url| client.page_at(url))?;
            Ask::Page(request, filter(asked)?)
        }
        Some("fetch") => Ask::CallerId(client.fetch(&sid()?)),
        Some("update") => Ask::CallerId(client.update(&sid()?, name(asked)?.as_ref())),
        Some("delete") => Ask::Nothing(client.delete(&sid()?)),
        _ => return Err(range_error("operation: create, list, next, fetch, update or delete")),
    })
}

fn create(
    client: &client::Client,
    asked: &Texts,
) -> Result<ClientRequest<ValidationRequest>, RangeError> {
    let method = asked.read("statusCallbackMethod", callback_method)?.unwrap_or_default();
    let new = NewCallerId {
        phone_number: asked.required("phoneNumber", PhoneNumber::parse)?,
        friendly_name: name(asked)?,
        call_delay: asked.read("callDelay", CallDelay::parse)?.unwrap_or_default(),
        extension: asked.given("extension", CallExtension::new)?,
        status_callback: asked.given("statusCallback", |url| StatusCallback::new(url, method))?,
    };
    client.create(&new).map_err(|error| range_error(&error.to_string()))
}

fn version(text: &str) -> Result<ApiVersion, Refused> {
    let [older, newer] = ApiVersion::ALL.map(ApiVersion::as_str);
    ApiVersion::from_segment(text).ok_or_else(|| expected(&[older, " or ", newer], text))
}

fn callback_method(name: &str) -> Result<CallbackMethod, Refused> {
    CallbackMethod::parse(name).ok_or_else(|| expected(&["GET or POST"], name))
}

fn page_number(text: &str) -> Result<u64, Refused> {
    text.parse().map_err(|_| Refused("a page's number is a whole number from 0 on".to_owned()))
}

fn expected(expected: &[&str], found: &str) -> Refused {
    Refused(joined(&["expected ", &joined(expected), ", found \"", found, "\""]))
}

fn filter(asked: &Texts) -> Result<Filter, RangeError> {
    let phone_number = asked.read("phoneNumber", PhoneNumber::restore)?;
    Ok(Filter { phone_number, friendly_name: name(asked)? })
}

fn name(asked: &Texts) -> Result<Option<FriendlyName>, RangeError> {
    asked.given("friendlyName", FriendlyName::new)
}

fn parts<T>(request: &ClientRequest<T>) -> Array {
    let parts = Array::of(request.method()).text(request.url()).text(request.body());
    let headers = request.headers().iter();
    headers.fold(parts, |parts, (name, value)| parts.text(name).text(value))
}
