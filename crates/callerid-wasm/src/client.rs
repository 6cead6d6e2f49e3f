//! The client: its requests, and what their responses say.

use callerid_core::client::{self, ClientError};
use callerid_core::representation::ReceivedPage;
use callerid_core::{
    AccountSid, ApiVersion, AuthToken, CallDelay, CallExtension, CallbackMethod, CallerIdSid,
    Credentials, Filter, FriendlyName, NewCallerId, OutgoingCallerId, PageRequest, PageSize,
    PhoneNumber, StatusCallback, ValidationRequest,
};
use wasm_bindgen::prelude::*;

use crate::document;
use crate::js::{Array, RangeError, range_error};

/// Makes the requests of one account to one service.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct Client(client::Client);

#[wasm_bindgen]
impl Client {
    /// A client with these credentials, of the service at that address, which speaks that version of the API, or the one
    /// that the address has by default.
    #[wasm_bindgen(constructor)]
    pub fn new(
        account_sid: &str,
        auth_token: &str,
        base_url: &str,
        api_version: Option<String>,
    ) -> Result<Self, RangeError> {
        let sid = AccountSid::parse(account_sid).map_err(range_error)?;
        let auth_token = AuthToken::new(auth_token).map_err(range_error)?;
        let client = client::Client::new(Credentials { sid, auth_token }, base_url);
        let client = client.map_err(range_error)?;
        Ok(Self(match api_version {
            Some(text) => client.with_version(version(&text)?),
            None => client,
        }))
    }

    /// Scheme, host and port of every request's address.
    #[wasm_bindgen(getter)]
    pub fn origin(&self) -> String {
        self.0.origin().to_owned()
    }

    /// Begins the validation of a number.
    pub fn create(
        &self,
        phone_number: &str,
        friendly_name: Option<String>,
        call_delay: Option<String>,
        extension: Option<String>,
        status_callback: Option<String>,
        status_callback_method: Option<String>,
    ) -> Result<Request, RangeError> {
        let call_delay = call_delay.map(|delay| CallDelay::parse(&delay));
        let extension = extension.filter(|text| !text.is_empty());
        let extension = extension.map(|text| CallExtension::new(&text));
        let method = callback_method(status_callback_method)?;
        let status_callback = status_callback.filter(|url| !url.is_empty());
        let status_callback = status_callback.map(|url| StatusCallback::new(&url, method));
        let new = NewCallerId {
            phone_number: PhoneNumber::parse(phone_number).map_err(range_error)?,
            friendly_name: name(friendly_name)?,
            call_delay: call_delay.transpose().map_err(range_error)?.unwrap_or_default(),
            extension: extension.transpose().map_err(range_error)?,
            status_callback: status_callback
                .transpose()
                .map_err(|error| range_error(format_args!("statusCallback: {error}")))?,
        };
        self.0.create(&new).map(|ask| self.request(Ask::Validation(ask))).map_err(range_error)
    }

    /// Lists the caller IDs that match, a page at a time.
    pub fn list(
        &self,
        phone_number: Option<String>,
        friendly_name: Option<String>,
        page: f64,
        page_size: Option<String>,
    ) -> Result<Request, RangeError> {
        if !(page >= 0.0 && page.fract() == 0.0) {
            return Err(range_error("a page's number is a whole number from 0 on"));
        }
        let filter = filter(phone_number, friendly_name)?;
        let size = page_size.map(|size| PageSize::parse(&size)).transpose();
        let size = size.map_err(range_error)?.unwrap_or_default();
        let request = self.0.list(&filter, PageRequest { number: page as u64, size, after: None });
        Ok(self.request(Ask::Page(request, filter)))
    }

    /// Asks for a page of them by the address that came with the one before.
    #[wasm_bindgen(js_name = pageAt)]
    pub fn page_at(
        &self,
        url: &str,
        phone_number: Option<String>,
        friendly_name: Option<String>,
    ) -> Result<Request, RangeError> {
        let filter = filter(phone_number, friendly_name)?;
        let request = self.0.page_at(url).map_err(range_error)?;
        Ok(self.request(Ask::Page(request, filter)))
    }

    /// Fetches a caller ID.
    pub fn fetch(&self, sid: &str) -> Result<Request, RangeError> {
        Ok(self.request(Ask::CallerId(self.0.fetch(&caller_id_sid(sid)?))))
    }

    /// Renames a caller ID, to its default name where the text is empty.
    pub fn update(&self, sid: &str, friendly_name: String) -> Result<Request, RangeError> {
        let name = name(Some(friendly_name))?;
        Ok(self.request(Ask::CallerId(self.0.update(&caller_id_sid(sid)?, name.as_ref()))))
    }

    /// Deletes a caller ID.
    pub fn delete(&self, sid: &str) -> Result<Request, RangeError> {
        Ok(self.request(Ask::Nothing(self.0.delete(&caller_id_sid(sid)?))))
    }

    fn request(&self, ask: Ask) -> Request {
        Request { client: self.0.clone(), ask }
    }
}

fn version(text: &str) -> Result<ApiVersion, RangeError> {
    ApiVersion::from_segment(text).ok_or_else(|| {
        let [older, newer] = ApiVersion::ALL.map(ApiVersion::as_str);
        range_error(format_args!("apiVersion: expected {older} or {newer}, found {text:?}"))
    })
}

fn callback_method(name: Option<String>) -> Result<CallbackMethod, RangeError> {
    let Some(name) = name else { return Ok(CallbackMethod::default()) };
    CallbackMethod::parse(&name).ok_or_else(|| {
        range_error(format_args!("statusCallbackMethod: expected GET or POST, found {name:?}"))
    })
}

fn filter(
    phone_number: Option<String>,
    friendly_name: Option<String>,
) -> Result<Filter, RangeError> {
    let number = phone_number.map(|number| PhoneNumber::restore(&number)).transpose();
    Ok(Filter { phone_number: number.map_err(range_error)?, friendly_name: name(friendly_name)? })
}

/// The empty name is none: a caller ID that is given it gets its default.
fn name(text: Option<String>) -> Result<Option<FriendlyName>, RangeError> {
    let text = text.filter(|text| !text.is_empty());
    let name = text.map(|text| FriendlyName::new(&text)).transpose();
    name.map_err(|error| range_error(format_args!("friendlyName: {error}")))
}

fn caller_id_sid(text: &str) -> Result<CallerIdSid, RangeError> {
    CallerIdSid::parse(text).map_err(range_error)
}

/// A request that is to be sent; [`read`](Self::read) takes it back.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Request {
    client: client::Client,
    ask: Ask,
}

#[derive(Debug)]
enum Ask {
    Page(client::ClientRequest<ReceivedPage>, Filter),
    CallerId(client::ClientRequest<OutgoingCallerId>),
    Validation(client::ClientRequest<ValidationRequest>),
    Nothing(client::ClientRequest<()>),
}

#[wasm_bindgen]
impl Request {
    /// What to send: `[method, url, [name, value, …], body]`.
    pub fn parts(&self) -> Array {
        match &self.ask {
            Ask::Page(request, _) => parts(request),
            Ask::CallerId(request) => parts(request),
            Ask::Validation(request) => parts(request),
            Ask::Nothing(request) => parts(request),
        }
    }

    /// Reads the response: a document as [`document::decode`] gives it; after a page's rows, the address of the next
    /// one, if any, and why it is not followed, if it is not; `["nothing"]`; or `["unexpected", message, invalid document?]`.
    pub fn read(self, status: u16, content_type: Option<String>, body: &[u8]) -> Array {
        let content_type = content_type.as_deref();
        let Self { client, ask } = self;
        let answer = match ask {
            Ask::Page(request, filter) => request.read(status, content_type, body).map(|page| {
                let answer = document::caller_ids(&page);
                let (url, why_not) = match client.next_page(&filter, &page) {
                    Ok(next) => (next.map(|next| next.url().to_owned()), None),
                    Err(error) => (Some(page.list.uris.next), Some(error.to_string())),
                };
                answer.add(url);
                answer.add(why_not);
                answer
            }),
            Ask::CallerId(request) => request
                .read(status, content_type, body)
                .map(|caller_id| document::caller_id(&caller_id)),
            Ask::Validation(request) => request
                .read(status, content_type, body)
                .map(|request| document::validation_request(&request)),
            Ask::Nothing(request) => {
                request.read(status, content_type, body).map(|()| Array::of(&["nothing".into()]))
            }
        };
        answer.unwrap_or_else(|error| match &error {
            ClientError::Service(exception) => document::exception(exception),
            ClientError::InvalidDocument(invalid) => Array::of(&[
                "unexpected".into(),
                error.to_string().into(),
                document::invalid(invalid).into(),
            ]),
            _ => Array::of(&["unexpected".into(), error.to_string().into()]),
        })
    }
}

fn parts<T>(request: &client::ClientRequest<T>) -> Array {
    let headers = Array::of(&[]);
    for (name, value) in request.headers() {
        headers.add(*name);
        headers.add(value.as_str());
    }
    Array::of(&[
        request.method().into(),
        request.url().into(),
        headers.into(),
        request.body().into(),
    ])
}

/// The value of the `Authorization` header that carries these credentials.
#[wasm_bindgen]
pub fn authorization(account_sid: &str, auth_token: &str) -> Result<String, RangeError> {
    let sid = AccountSid::parse(account_sid).map_err(range_error)?;
    let auth_token = AuthToken::new(auth_token).map_err(range_error)?;
    Ok(Credentials { sid, auth_token }.to_authorization())
}
