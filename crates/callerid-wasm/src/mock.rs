//! [`Mock`]: the service over a store in memory, for a `fetch`.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use callerid_core::http::{MAX_BODY_BYTES, Request, Response};
use callerid_core::{
    Account, AccountSid, AuthToken, CallerIdSid, Credentials, EVENTS_PATH, Entropy, EventStream,
    FriendlyName, MemoryStore, Moment, OutgoingCallerId, PhoneNumber, RestException, Service,
    ValidationCode, refusal,
};
use js_sys::{RangeError, Uint8Array};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

use crate::object::{self, member, nonempty, optional};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** The account that may ask; `authorization` is the header that carries both. */
export interface MockAccount {
  accountSid: string;
  authToken: string;
  authorization: string;
}
/** A request. */
export interface MockRequest {
  method: string;
  path: string;
  query?: string;
  authorization?: string | null;
  contentType?: string | null;
  lastEventId?: string | null;
  /** The code that a create draws. */
  validationCode?: string;
}
/** A response, whose body is bytes or a stream of events. */
export interface MockResponse {
  status: number;
  headers: [name: string, value: string][];
  body: Uint8Array<ArrayBuffer> | Events;
}
"#;

/// A service, its store, and the account that may ask.
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seed {
    phone_number: String,
    friendly_name: Option<String>,
    sid: Option<String>,
    date_created: f64,
    date_updated: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MockRequest {
    method: String,
    path: String,
    #[serde(default)]
    query: String,
    authorization: Option<String>,
    content_type: Option<String>,
    last_event_id: Option<String>,
    validation_code: Option<String>,
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
    /// A mock with one account, whose Sid and token are each made from the entropy, 32 bytes, where they are not given.
    #[wasm_bindgen(constructor)]
    pub fn new(
        account_sid: Option<String>,
        auth_token: Option<String>,
        entropy: &[u8],
    ) -> Result<Mock, RangeError> {
        let (for_sid, for_token) = entropy.split_at_checked(16).unwrap_or_default();
        let sid = optional("accountSid", account_sid.as_deref(), AccountSid::parse)?;
        let auth_token = optional("authToken", auth_token.as_deref(), AuthToken::new)?;
        let account = Account {
            sid: sid.unwrap_or(AccountSid::from_entropy(drawn(for_sid)?)),
            auth_token: auth_token.unwrap_or(AuthToken::from_entropy(drawn(for_token)?)),
        };
        Ok(Self { service: Service::new(MemoryStore::new([account])) })
    }

    /// The account.
    #[wasm_bindgen(unchecked_return_type = "MockAccount")]
    pub fn account(&self) -> Result<JsValue, JsValue> {
        let Account { sid, auth_token } = self.first_account()?;
        let credentials = Credentials { sid, auth_token: auth_token.clone() };
        object::write(&AccountView {
            account_sid: sid.as_str(),
            auth_token: auth_token.expose(),
            authorization: credentials.to_authorization(),
        })
    }

    /// Puts a caller ID into the store: `phoneNumber`, `friendlyName`, and `sid`, which is made from the entropy, 16 bytes,
    /// where it is not given. The dates are milliseconds since 1970.
    pub fn seed(&self, caller_id: JsValue, entropy: &[u8]) -> Result<(), RangeError> {
        let seed: Seed = object::read(caller_id)?;
        let phone_number = member("phoneNumber", PhoneNumber::parse(&seed.phone_number))?;
        let name = nonempty("friendlyName", seed.friendly_name.as_deref(), FriendlyName::new)?;
        let sid = optional("sid", seed.sid.as_deref(), CallerIdSid::parse)?;
        self.service.store().seed(OutgoingCallerId {
            sid: sid.unwrap_or(CallerIdSid::from_entropy(drawn(entropy)?)),
            account_sid: self.first_account()?.sid,
            friendly_name: name.unwrap_or_else(|| FriendlyName::default_for(&phone_number)),
            phone_number,
            date_created: moment(seed.date_created).to_date(),
            date_updated: moment(seed.date_updated).to_date(),
        });
        Ok(())
    }

    /// Answers a request. `now` is milliseconds since 1970, `entropy` 80 random bytes.
    #[wasm_bindgen(unchecked_return_type = "MockResponse")]
    pub fn respond(
        &self,
        #[wasm_bindgen(unchecked_param_type = "MockRequest")] request: JsValue,
        body: &[u8],
        now: f64,
        entropy: &[u8],
    ) -> Result<JsValue, JsValue> {
        let request: MockRequest = object::read(request)?;
        let mut entropy = Entropy::new(*drawn(entropy)?);
        let authorization = request.authorization.as_deref();
        if request.path == EVENTS_PATH && request.method == "GET" {
            let last = request.last_event_id.as_deref();
            let followed = self.service.follow(authorization, last, entropy.request_sid());
            return match ready(followed) {
                Ok((stream, head)) => write_response(&head, Events(stream).into()),
                Err(reply) => write_response(&reply.response, bytes(&reply.response)),
            };
        }
        if body.len() > MAX_BODY_BYTES {
            let exception = RestException::body_too_long();
            let response = refusal(&request.path, &exception, entropy.request_sid());
            return write_response(&response, bytes(&response));
        }
        let code = request.validation_code.as_deref();
        if let Some(code) = optional("validationCode", code, ValidationCode::parse)? {
            entropy = entropy.with_code(&code);
        }
        let request = Request {
            method: &request.method,
            path: &request.path,
            query: &request.query,
            authorization,
            content_type: request.content_type.as_deref(),
            body,
        };
        let reply = ready(self.service.respond(&request, moment(now), &entropy));
        write_response(&reply.response, bytes(&reply.response))
    }

    /// Does what is due, and returns when something is next, in milliseconds since 1970.
    pub fn tick(&self, now: f64) -> Option<f64> {
        // A store in memory does not fail.
        let tick = ready(self.service.tick(moment(now))).ok()?;
        tick.wake_at.map(|moment| moment.unix_millis() as f64)
    }

    /// The events of the account from now on.
    pub fn watch(&self) -> Option<Events> {
        let opened =
            ready(EventStream::open(self.service.store(), self.first_account().ok()?, None));
        opened.ok().map(Events)
    }

    /// The events since the last time, as they are sent.
    #[wasm_bindgen(js_name = catchUp)]
    pub fn catch_up(&self, events: &mut Events) -> String {
        ready(events.0.catch_up(self.service.store(), usize::MAX)).unwrap_or_default()
    }

    /// All the store holds.
    pub fn snapshot(&self) -> Vec<u8> {
        self.service.store().snapshot()
    }

    /// Goes back to a snapshot.
    pub fn restore(&self, snapshot: &[u8]) -> Result<(), RangeError> {
        let restored = self.service.store().restore(snapshot);
        restored.map_err(|error| RangeError::new(&error.to_string()))
    }

    fn first_account(&self) -> Result<Account, RangeError> {
        let account = self.service.store().accounts().into_iter().next();
        account.ok_or_else(|| RangeError::new("there is no account"))
    }
}

fn bytes(response: &Response) -> JsValue {
    Uint8Array::from(&*response.body).into()
}

fn write_response(response: &Response, body: JsValue) -> Result<JsValue, JsValue> {
    let headers = response.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    object::write(&ResponseView { status: response.status, headers, body })
}

/// So many random bytes, if so many were drawn.
fn drawn<const BYTES: usize>(entropy: &[u8]) -> Result<&[u8; BYTES], RangeError> {
    entropy.try_into().map_err(|_| RangeError::new("another number of random bytes is needed"))
}

/// A moment from a `Date`'s milliseconds.
fn moment(millis: f64) -> Moment {
    Moment::from_unix_millis(millis as i64)
}

/// A stream of events, and its place in them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Events(EventStream);

/// The outcome of a future that never waits, as those over a store in memory.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => wasm_bindgen::throw_str("a store in memory does not wait"),
    }
}
