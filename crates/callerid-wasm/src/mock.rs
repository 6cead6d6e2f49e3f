//! [`Mock`]: the service with an in-memory store, used as a `fetch` function.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use callerid_core::{
    AccountSid, AuthToken, CallerIdSid, Credentials, FriendlyName, Moment, OutgoingCallerId,
    PhoneNumber, ValidationCode,
};
use callerid_service::{
    Account, EVENTS_PATH, EventStream, Limits, MemoryStore, RandomBytes, Request, Response,
    Service, body_too_long, error_response,
};
use js_sys::{Object, RangeError, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

use crate::object::{self, nonempty, optional, required};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export type Account = { accountSid: string; authToken: string; authorization: string };
type Response = { status: number; headers: [string, string][]; body: Uint8Array<ArrayBuffer> | Events };
"#;

/// A service, its store, and the account that can use it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Mock {
    service: Service<MemoryStore>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountView<'a> {
    account_sid: &'a str,
    auth_token: &'a str,
    authorization: String,
}

#[derive(Serialize)]
struct ResponseView<'a> {
    status: u16,
    headers: Vec<(&'a str, &'a str)>,
    #[serde(with = "preserve")]
    body: JsValue,
}

#[wasm_bindgen]
impl Mock {
    /// Creates a mock with one account. `accountSid` and `authToken` are generated from the random
    /// bytes (32 of them) if absent.
    #[wasm_bindgen(constructor)]
    pub fn new(account: &Object, random_bytes: &[u8]) -> Result<Mock, RangeError> {
        let (for_sid, for_token) = random_bytes.split_at_checked(16).unwrap_or_default();
        let sid = optional(account, "accountSid", AccountSid::parse)?;
        let auth_token = optional(account, "authToken", AuthToken::new)?;
        let account = Account {
            sid: sid.unwrap_or(AccountSid::from_random_bytes(drawn(for_sid)?)),
            auth_token: auth_token.unwrap_or(AuthToken::from_random_bytes(drawn(for_token)?)),
        };
        // Tests can call the same number any number of times.
        let limits = Limits { rings_per_number: u32::MAX, ..Limits::DEFAULT };
        Ok(Self { service: Service::new(MemoryStore::new([account])).with_limits(limits) })
    }

    /// The account.
    #[wasm_bindgen(unchecked_return_type = "Account")]
    pub fn account(&self) -> Result<JsValue, JsValue> {
        let Account { sid, auth_token } = self.first_account()?;
        let credentials = Credentials { sid, auth_token: auth_token.clone() };
        object::write(&AccountView {
            account_sid: sid.as_str(),
            auth_token: auth_token.expose(),
            authorization: credentials.to_authorization(),
        })
    }

    /// Adds a caller ID: `phoneNumber`, `friendlyName` and `sid`, which is generated from the
    /// random bytes (16 of them) if absent. The dates are milliseconds since 1970.
    pub fn seed(
        &self,
        caller_id: &Object,
        random_bytes: &[u8],
        created: f64,
        updated: f64,
    ) -> Result<(), RangeError> {
        let phone_number = required(caller_id, "phoneNumber", PhoneNumber::parse)?;
        let name = nonempty(caller_id, "friendlyName", FriendlyName::new)?;
        let sid = optional(caller_id, "sid", CallerIdSid::parse)?;
        self.service.store().seed(OutgoingCallerId {
            sid: sid.unwrap_or(CallerIdSid::from_random_bytes(drawn(random_bytes)?)),
            account_sid: self.first_account()?.sid,
            friendly_name: name.unwrap_or_else(|| FriendlyName::default_for(&phone_number)),
            phone_number,
            date_created: moment(created).to_date(),
            date_updated: moment(updated).to_date(),
        });
        Ok(())
    }

    /// Processes a request: its `method`, `path`, `query`, `authorization`, `contentType`,
    /// `contentEncoding` and `lastEventId`, and its body. The response's body is bytes or a stream
    /// of [`Events`].
    ///
    /// `now` is milliseconds since 1970. `random_bytes` are 80 random bytes. `validationCode`
    /// replaces the random code of a create.
    #[wasm_bindgen(unchecked_return_type = "Response")]
    pub fn respond(
        &self,
        request: &Object,
        body: &[u8],
        now: f64,
        random_bytes: &[u8],
    ) -> Result<JsValue, JsValue> {
        let text = |name| object::text(request, name);
        let (method, path) = (text("method").unwrap_or_default(), text("path").unwrap_or_default());
        let credentials = text("authorization");
        let credentials = credentials.as_deref().and_then(Credentials::from_authorization);
        let (content_type, content_encoding) = (text("contentType"), text("contentEncoding"));
        let mut random_bytes = RandomBytes::new(*drawn(random_bytes)?);
        let is_head = method == "HEAD";
        if path == EVENTS_PATH && (is_head || method == "GET") {
            let last = text("lastEventId");
            let request_sid = random_bytes.request_sid();
            let followed = self.service.follow(credentials.as_ref(), last.as_deref(), request_sid);
            return match ready(followed) {
                Ok((stream, head)) => write_stream(&head, (!is_head).then_some(Events(stream))),
                Err(reply) => write_response(&reply.response, is_head),
            };
        }
        let most = self.service.max_body_bytes(&path);
        if body.len() > most {
            let exception = body_too_long(most);
            let response = error_response(&path, &exception, random_bytes.request_sid());
            return write_response(&response, is_head);
        }
        if let Some(code) = optional(request, "validationCode", ValidationCode::parse)? {
            random_bytes = random_bytes.with_code(&code);
        }
        let request = Request {
            method: &method,
            path: &path,
            query: &text("query").unwrap_or_default(),
            credentials,
            content_encoding: content_encoding.as_deref(),
            content_type: content_type.as_deref(),
            body,
        };
        let reply = ready(self.service.respond(request, moment(now), &random_bytes));
        write_response(&reply.response, is_head)
    }

    /// Performs the due tasks. Returns when the next one is due, in milliseconds since 1970.
    pub fn tick(&self, now: f64) -> Option<f64> {
        // An in-memory store does not fail.
        let tick = ready(self.service.tick(moment(now))).ok()?;
        tick.wake_at.map(|moment| moment.unix_millis() as f64)
    }

    /// Opens a stream of the account's new events.
    pub fn watch(&self) -> Result<Events, RangeError> {
        let opened = EventStream::open(self.service.store(), self.first_account()?, None);
        // An in-memory store does not fail.
        ready(opened).map(Events).map_err(|_| RangeError::new("cannot open the events"))
    }

    /// The events since the last call, in the format of the stream.
    #[wasm_bindgen(js_name = catchUp)]
    pub fn catch_up(&self, events: &mut Events) -> String {
        ready(events.0.catch_up(self.service.store(), usize::MAX)).unwrap_or_default()
    }

    /// Serializes the store's contents.
    pub fn snapshot(&self) -> Vec<u8> {
        self.service.store().snapshot()
    }

    /// Restores a snapshot.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), RangeError> {
        let restored = self.service.store().restore(snapshot);
        restored.map_err(|error| RangeError::new(&error.to_string()))
    }

    fn first_account(&self) -> Result<Account, RangeError> {
        let account = self.service.store().accounts().into_iter().next();
        account.ok_or_else(|| RangeError::new("there is no account"))
    }
}

/// Converts a response to an object. Adds the length of the body, and omits the body for `HEAD`.
fn write_response(response: &Response, is_head: bool) -> Result<JsValue, JsValue> {
    let length = response.body.len().to_string();
    let mut headers = headers(response);
    if response.status != NO_CONTENT {
        headers.push(("content-length", &length));
    }
    let body = if is_head { &[] } else { response.body.as_slice() };
    write(response.status, headers, Uint8Array::from(body).into())
}

/// Converts a response whose body is a stream of events. For `HEAD`, the body is empty.
fn write_stream(head: &Response, events: Option<Events>) -> Result<JsValue, JsValue> {
    let body = events.map_or_else(|| Uint8Array::new_with_length(0).into(), JsValue::from);
    write(head.status, headers(head), body)
}

fn headers(response: &Response) -> Vec<(&str, &str)> {
    response.headers.iter().map(|(name, value)| (*name, &**value)).collect()
}

const NO_CONTENT: u16 = 204;

fn write(status: u16, headers: Vec<(&str, &str)>, body: JsValue) -> Result<JsValue, JsValue> {
    object::write(&ResponseView { status, headers, body })
}

/// Checks the number of random bytes.
fn drawn<const BYTES: usize>(random_bytes: &[u8]) -> Result<&[u8; BYTES], RangeError> {
    random_bytes.try_into().map_err(|_| RangeError::new("another number of random bytes is needed"))
}

/// Converts the milliseconds of a `Date` to a moment.
fn moment(millis: f64) -> Moment {
    Moment::from_unix_millis(millis as i64)
}

/// A stream of events and its position.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Events(EventStream);

/// The result of a future that never waits. An in-memory store has only such futures.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => wasm_bindgen::throw_str("a store in memory does not wait"),
    }
}
