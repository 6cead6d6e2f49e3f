//! [`Mock`]: the service with an in-memory store, used as a `fetch` function.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use callerid_core::{AccountSid, AuthToken, Credentials, Moment, ValidationCode};
use callerid_service::{
    Account, Attempt, CALLBACK_CONTENT_TYPE, Callback, CallbackSlots, Delivery, Drop, EVENTS_PATH,
    EventStream, FollowUp, Limits, MemoryStore, RandomBytes, Reply, Request, Response, Seed,
    Service, Store as _, asks_for_credentials, body_too_long, error_response,
};
use js_sys::{Object, RangeError, Uint8Array};
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::prelude::*;

use crate::object::{self, optional};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export type Account = { accountSid: string; authToken: string; authorization: string };
type Response = { status: number; headers: [string, string][]; body: Uint8Array<ArrayBuffer> | Events; delivery: Delivery | null; followUp: FollowUp | null };
export type Delivery = { account: string | null; delayMs: number; heldBy: number | null; drop: "before" | "after" | "mid_body" | null };
export type CallbackRequest = { method: "GET" | "POST"; url: string; headers: Record<string, string>; body: string | null };
export type FollowUp = { account: string; waitSeconds: number | null; advanceTo: number | null };
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
#[serde(rename_all = "camelCase")]
struct ResponseView<'a> {
    status: u16,
    headers: Vec<(&'a str, &'a str)>,
    #[serde(with = "preserve")]
    body: JsValue,
    delivery: Option<DeliveryView>,
    follow_up: Option<FollowUpView>,
}

/// A [`Delivery`] that is not at once and whole.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryView {
    /// Whose fault holds the response.
    account: Option<AccountSid>,
    delay_ms: u32,
    held_by: Option<u64>,
    drop: Option<Drop>,
}

/// A [`FollowUp`]: it has one of the two.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FollowUpView {
    account: AccountSid,
    wait_seconds: Option<u32>,
    advance_to: Option<f64>,
}

#[derive(Serialize)]
struct CallbackRequestView {
    method: &'static str,
    url: String,
    headers: BTreeMap<&'static str, String>,
    body: Option<Box<str>>,
}

#[wasm_bindgen]
impl Mock {
    /// Creates a mock with one account, which begins with a seed in JSON. `accountSid` and
    /// `authToken` are generated from the random bytes (112 of them) if absent.
    ///
    /// `now` is milliseconds since 1970.
    #[wasm_bindgen(constructor)]
    pub fn new(
        account: &Object,
        seed: &str,
        now: f64,
        random_bytes: &[u8],
    ) -> Result<Mock, RangeError> {
        let seed = Seed::parse(seed.as_bytes()).map_err(|error| RangeError::new(&error.message))?;
        let (for_account, for_seed) = random_bytes.split_at_checked(32).unwrap_or_default();
        let (for_sid, for_token) = for_account.split_at_checked(16).unwrap_or_default();
        let sid = optional(account, "accountSid", AccountSid::parse)?;
        let auth_token = optional(account, "authToken", AuthToken::new)?;
        let account = Account {
            sid: sid.unwrap_or(AccountSid::from_random_bytes(drawn(for_sid)?)),
            auth_token: auth_token.unwrap_or(AuthToken::from_random_bytes(drawn(for_token)?)),
        };
        // Tests can call the same number any number of times.
        let limits = Limits { rings_per_number: u32::MAX, ..Limits::DEFAULT };
        let account_sid = account.sid;
        let service = Service::new(MemoryStore::new([account]));
        let service = service.with_limits(limits).with_testing(seed);
        let random_bytes = RandomBytes::new(*drawn(for_seed)?);
        ready(service.add_seed(&account_sid, moment(now), &random_bytes)).map_err(failed)?;
        Ok(Self { service })
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

    /// Processes a request: its `method`, `path`, `query`, `authorization`, `contentType`,
    /// `contentEncoding` and `lastEventId`, and its body. The response's body is bytes or a stream
    /// of [`Events`]. A `followUp` must be done before it is sent, as its `delivery` says.
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
        let account = credentials.as_ref().map(|it| it.sid);
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
        write_reply(&reply, account, is_head)
    }

    /// Performs the due tasks. Returns when the next one is due, in milliseconds since 1970. Those
    /// of status callbacks count if somebody receives them.
    pub fn tick(&self, now: f64, has_receiver: bool) -> Option<f64> {
        // An in-memory store does not fail.
        let call = ready(self.service.tick(moment(now))).ok()?.wake_at;
        let callback = ready(self.service.callbacks_wake_at()).ok()?;
        // Those that are due now are being sent.
        let callback = callback.filter(|at| has_receiver && *at > moment(now));
        let next = call.into_iter().chain(callback).min();
        next.map(|moment| moment.unix_millis() as f64)
    }

    /// The status callbacks to send now, also if they are being sent.
    #[wasm_bindgen(js_name = dueCallbacks)]
    pub fn due_callbacks(&self, now: f64) -> Vec<DueCallback> {
        let due = ready(self.service.due_callbacks(moment(now), &CallbackSlots::DEFAULT));
        // An in-memory store does not fail.
        due.unwrap_or_default().into_iter().map(DueCallback).collect()
    }

    /// The request of a status callback.
    #[wasm_bindgen(js_name = callbackRequest, unchecked_return_type = "CallbackRequest")]
    pub fn callback_request(&self, callback: &DueCallback) -> Result<JsValue, JsValue> {
        let DueCallback(callback) = callback;
        let account = self.accounts().find(|it| it.sid == callback.account_sid);
        let request = callback.to_request(&account.ok_or_else(no_account)?.auth_token);
        let request = request.map_err(failed)?;
        let mut headers = BTreeMap::from([("x-twilio-signature", request.signature)]);
        if request.body.is_some() {
            headers.insert("content-type", CALLBACK_CONTENT_TYPE.to_owned());
        }
        object::write(&CallbackRequestView {
            method: callback.to.method().as_str(),
            url: request.destination.url(),
            headers,
            body: request.body,
        })
    }

    /// Saves the outcome of an attempt to send a status callback: the response's status, or an
    /// error.
    #[wasm_bindgen(js_name = callbackSent)]
    pub fn callback_sent(
        &self,
        callback: DueCallback,
        status: Option<u16>,
        error: Option<String>,
        now: f64,
    ) {
        let DueCallback(callback) = callback;
        let attempt = match status {
            Some(status) => Attempt::Answered(status),
            None => Attempt::Failed(error.unwrap_or_default()),
        };
        let now = self.service.account_now(&callback.account_sid, moment(now));
        let saved = ready(self.service.store().save_callback(callback.after(&attempt, now)));
        // An in-memory store does not fail. The account may have been reset meanwhile.
        saved.map(drop).unwrap_or_default();
    }

    /// The account's time, in milliseconds since 1970. A test can set it apart from `now`.
    #[wasm_bindgen(js_name = accountNow)]
    pub fn account_now(&self, now: f64) -> Result<f64, RangeError> {
        let account = self.first_account()?.sid;
        Ok(self.service.account_now(&account, moment(now)).unix_millis() as f64)
    }

    /// Advances the clock of an account by one step. Returns whether it shows the time `to`.
    pub fn advance(&self, account: &str, to: f64, now: f64) -> Result<bool, RangeError> {
        let account = AccountSid::parse(account).map_err(failed)?;
        let advanced = ready(self.service.advance(&account, moment(to), moment(now)));
        advanced.map(|step| step.is_done).map_err(failed)
    }

    /// Whether a fault of an account still holds a response.
    #[wasm_bindgen(js_name = isHeld)]
    pub fn is_held(&self, account: &str, fault: f64, now: f64) -> Result<bool, RangeError> {
        let account = AccountSid::parse(account).map_err(failed)?;
        Ok(self.service.is_held(&account, fault as u64, moment(now)))
    }

    /// Opens a stream of an account's new events.
    pub fn watch(&self, account: &str) -> Result<Events, RangeError> {
        let account = self.accounts().find(|it| it.sid.as_str() == account);
        let account = account.ok_or_else(no_account)?;
        // An in-memory store does not fail.
        let opened = ready(EventStream::open(self.service.store(), account, None));
        opened.map(Events).map_err(|_| RangeError::new("cannot open the events"))
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
        self.accounts().next().ok_or_else(no_account)
    }

    fn accounts(&self) -> impl Iterator<Item = Account> {
        self.service.store().accounts().into_iter()
    }
}

fn no_account() -> RangeError {
    RangeError::new("there is no account")
}

fn failed(error: impl Display) -> RangeError {
    RangeError::new(&error.to_string())
}

/// Converts the reply to a request with the credentials of this account.
fn write_reply(
    reply: &Reply,
    account: Option<AccountSid>,
    is_head: bool,
) -> Result<JsValue, JsValue> {
    let Delivery { delay_ms, held_by, drop } = reply.delivery;
    let is_changed = reply.delivery != Delivery::default();
    let delivery = is_changed.then_some(DeliveryView { account, delay_ms, held_by, drop });
    let follow_up = reply.follow_up.map(|follow_up| match follow_up {
        FollowUp::Wait { account, seconds } => {
            FollowUpView { account, wait_seconds: Some(seconds), advance_to: None }
        }
        FollowUp::Advance { account, to } => {
            let to = to.unix_millis() as f64;
            FollowUpView { account, wait_seconds: None, advance_to: Some(to) }
        }
    });
    write(&reply.response, is_head, delivery, follow_up)
}

/// Converts a response to send at once.
fn write_response(response: &Response, is_head: bool) -> Result<JsValue, JsValue> {
    write(response, is_head, None, None)
}

/// Converts a response to an object. Adds the length of the body, and omits the body for `HEAD`.
fn write(
    response: &Response,
    is_head: bool,
    delivery: Option<DeliveryView>,
    follow_up: Option<FollowUpView>,
) -> Result<JsValue, JsValue> {
    let length = response.body.len().to_string();
    let mut headers = headers(response);
    if response.status != NO_CONTENT {
        headers.push(("content-length", &length));
    }
    let body = if is_head { &[] } else { response.body.as_slice() };
    let body = Uint8Array::from(body).into();
    object::write(&ResponseView { status: response.status, headers, body, delivery, follow_up })
}

/// Converts a response whose body is a stream of events. For `HEAD`, the body is empty.
fn write_stream(head: &Response, events: Option<Events>) -> Result<JsValue, JsValue> {
    let body = events.map_or_else(|| Uint8Array::new_with_length(0).into(), JsValue::from);
    let (status, headers) = (head.status, headers(head));
    object::write(&ResponseView { status, headers, body, delivery: None, follow_up: None })
}

fn headers(response: &Response) -> Vec<(&str, &str)> {
    response.headers.iter().map(|(name, value)| (*name, &**value)).collect()
}

const NO_CONTENT: u16 = 204;

/// Checks the number of random bytes.
fn drawn<const BYTES: usize>(random_bytes: &[u8]) -> Result<&[u8; BYTES], RangeError> {
    random_bytes.try_into().map_err(|_| RangeError::new("another number of random bytes is needed"))
}

/// Converts the milliseconds of a `Date` to a moment.
fn moment(millis: f64) -> Moment {
    Moment::from_unix_millis(millis as i64)
}

/// A status callback to send.
#[wasm_bindgen]
#[derive(Debug)]
pub struct DueCallback(Callback);

#[wasm_bindgen]
impl DueCallback {
    /// The Sid of its call: one callback of a call is sent at a time.
    #[wasm_bindgen(getter, js_name = callSid)]
    pub fn call_sid(&self) -> String {
        self.0.call_sid.to_string()
    }

    /// The `Authorization` with which to send it again, if this response asks for it: its status, and
    /// its `WWW-Authenticate`.
    #[wasm_bindgen(js_name = authorizationFor)]
    pub fn authorization_for(&self, status: u16, challenges: &str) -> Option<String> {
        let credentials = self.0.to.destination().ok()?.credentials?;
        let asks = asks_for_credentials(status, [challenges.as_bytes()]);
        asks.then(|| credentials.to_authorization())
    }
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
