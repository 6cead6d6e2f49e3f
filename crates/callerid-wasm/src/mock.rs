//! [`Mock`]: the service over a store in memory, for a `fetch`.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use /*HTTP callerid_core::http::Request*/;
use /*HTTP callerid_core::http::Response*/;
use callerid_service::MAX_BODY_BYTES;
use callerid_core::{AccountSid, AuthToken, CallerIdSid, Credentials, FriendlyName, Moment, OutgoingCallerId, PhoneNumber, RestException, ValidationCode};
use callerid_service::{Account, EVENTS_PATH, Entropy, EventStream, MemoryStore, Service, refusal};
use wasm_bindgen::prelude::*;

use crate::js::{Array, RangeError, Texts, Uint8Array, range_error};

/// A service, its store, and the account that may ask.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Mock {
    service: Service<MemoryStore>,
}

#[wasm_bindgen]
impl Mock {
    /// A mock with one account: `accountSid` and `authToken`, each made from the entropy, 32 bytes, where it is not given.
    #[wasm_bindgen(constructor)]
    pub fn new(account: &Texts, entropy: &[u8]) -> Result<Mock, RangeError> {
        let (for_sid, for_token) = entropy.split_at_checked(16).unwrap_or_default();
        let sid = account.read("accountSid", AccountSid::parse)?;
        let auth_token = account.read("authToken", AuthToken::new)?;
        let account = Account {
            sid: sid.unwrap_or(AccountSid::from_entropy(drawn(for_sid)?)),
            auth_token: auth_token.unwrap_or(AuthToken::from_entropy(drawn(for_token)?)),
        };
        Ok(Self { service: Service::new(MemoryStore::new([account])) })
    }

    /// The account's `[Sid, token, authorization]`, the last being the header's value that carries both.
    pub fn account(&self) -> Array {
        let Some(Account { sid, auth_token }) = self.first_account() else { return Array::empty() };
        let array = Array::of(sid.as_str()).text(auth_token.expose());
        array.text(&Credentials { sid, auth_token }.to_authorization())
    }

    /// Puts a caller ID into the store: `phoneNumber`, `friendlyName`, `sid`, which is made from the entropy, 16 bytes,
    /// where it is not given. Dates are milliseconds since 1970.
    pub fn seed(
        &self,
        row: &Texts,
        entropy: &[u8],
        created: f64,
        updated: f64,
    ) -> Result<(), RangeError> {
        let phone_number = row.required("phoneNumber", PhoneNumber::parse)?;
        let name = row.given("friendlyName", FriendlyName::new)?;
        let sid = row.read("sid", CallerIdSid::parse)?;
        let date = |millis| moment(millis).to_date();
        let account = self.first_account().ok_or_else(|| range_error("there is no account"))?;
        self.service.store().seed(OutgoingCallerId {
            sid: sid.unwrap_or(CallerIdSid::from_entropy(drawn(entropy)?)),
            account_sid: account.sid,
            friendly_name: name.unwrap_or_else(|| FriendlyName::default_for(&phone_number)),
            phone_number,
            date_created: date(created),
            date_updated: date(updated),
        });
        Ok(())
    }

    /// Answers a request, `method`, `path`, `query`, `authorization`, `contentType` and `lastEventId`, and its body:
    /// `[status, body, name, value, …]`, the headers last. The body is bytes, or the [`Events`] that follow.
    ///
    /// `now` is milliseconds since 1970, `entropy` 80 random bytes, `validationCode` the code that a create draws in
    /// their place.
    pub fn respond(
        &self,
        request: &Texts,
        body: &[u8],
        now: f64,
        entropy: &[u8],
    ) -> Result<Array, RangeError> {
        let text = |name| request.get(name).unwrap_or_default();
        let (method, path, query) = (text("method"), text("path"), text("query"));
        let authorization = request.get("authorization");
        let content_type = request.get("contentType");
        let mut entropy = Entropy::new(*drawn(entropy)?);
        if path == EVENTS_PATH && method == "GET" {
            let last = request.get("lastEventId");
            return Ok(self.events(authorization.as_deref(), last.as_deref(), &entropy));
        }
        if body.len() > MAX_BODY_BYTES {
            let exception = RestException::body_too_long();
            return Ok(response(&refusal(&path, &exception, entropy.request_sid())));
        }
        if let Some(code) = request.read("validationCode", ValidationCode::parse)? {
            entropy = entropy.with_code(&code);
        }
        let request = Request {
            method: &method,
            path: &path,
            query: &query,
            authorization: authorization.as_deref(),
            content_type: content_type.as_deref(),
            body,
        };
        let reply = ready(self.service.respond(&request, moment(now), &entropy));
        Ok(response(&reply.response))
    }

    /// Does what is due, and returns when something is next, in milliseconds since 1970.
    pub fn tick(&self, now: f64) -> Option<f64> {
        // A store in memory does not fail.
        let tick = ready(self.service.tick(moment(now))).ok()?;
        tick.wake_at.map(|moment| moment.unix_millis() as f64)
    }

    /// The events of the account from now on.
    pub fn watch(&self) -> Option<Events> {
        let opened = ready(EventStream::open(self.service.store(), self.first_account()?, None));
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
        restored.map_err(|error| range_error(&error.to_string()))
    }

    fn first_account(&self) -> Option<Account> {
        self.service.store().accounts().into_iter().next()
    }

    fn events(
        &self,
        authorization: Option<&str>,
        last_event_id: Option<&str>,
        entropy: &Entropy,
    ) -> Array {
        match ready(self.service.follow(authorization, last_event_id, entropy.request_sid())) {
            Ok((stream, head)) => to_array(&head, Events(stream).into()),
            Err(reply) => response(&reply.response),
        }
    }
}

fn response(response: &Response) -> Array {
    to_array(response, Uint8Array::new(&response.body).into())
}

fn to_array(response: &Response, body: JsValue) -> Array {
    let array = Array::empty().number(response.status.into()).value(body);
    let headers = response.headers.iter();
    headers.fold(array, |array, (name, value)| array.text(name).text(value))
}

/// So many random bytes, if so many were drawn.
fn drawn<const BYTES: usize>(entropy: &[u8]) -> Result<&[u8; BYTES], RangeError> {
    entropy.try_into().map_err(|_| range_error("another number of random bytes is needed"))
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
