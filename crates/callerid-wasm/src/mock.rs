//! [`Mock`]: the service over a store in memory, for a `fetch`.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use callerid_core::http::{MAX_BODY_BYTES, Request, Response};
use callerid_core::{
    Account, AccountSid, AuthToken, CallerIdSid, EVENTS_PATH, Entropy, EventStream, FriendlyName,
    MemoryStore, Moment, OutgoingCallerId, PhoneNumber, RestException, Service, ValidationCode,
    refusal,
};
use wasm_bindgen::prelude::*;

use crate::js::{Array, RangeError, Uint8Array, range_error};

/// A service, its store, and the account that may ask.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Mock {
    service: Service<MemoryStore>,
}

#[wasm_bindgen]
impl Mock {
    /// A mock with one account; its Sid and token are made from the entropy, 32 bytes, where they are not given.
    #[wasm_bindgen(constructor)]
    pub fn new(
        account_sid: Option<String>,
        auth_token: Option<String>,
        entropy: &[u8],
    ) -> Result<Mock, RangeError> {
        let entropy: &[u8; 32] = entropy.try_into().map_err(range_error)?;
        let [sid, token]: [[u8; 16]; 2] =
            std::array::from_fn(|half| std::array::from_fn(|at| entropy[half * 16 + at]));
        let account = Account {
            sid: match account_sid {
                Some(text) => AccountSid::parse(&text).map_err(range_error)?,
                None => AccountSid::from_entropy(&sid),
            },
            auth_token: match auth_token {
                Some(text) => AuthToken::new(&text).map_err(range_error)?,
                None => AuthToken::from_entropy(&token),
            },
        };
        Ok(Self { service: Service::new(MemoryStore::new([account])) })
    }

    /// The account's Sid.
    #[wasm_bindgen(getter, js_name = accountSid)]
    pub fn account_sid(&self) -> String {
        self.account().map(|account| account.sid.to_string()).unwrap_or_default()
    }

    /// The account's token.
    #[wasm_bindgen(getter, js_name = authToken)]
    pub fn auth_token(&self) -> String {
        let account = self.account();
        account.map(|account| account.auth_token.expose().to_owned()).unwrap_or_default()
    }

    /// Puts a caller ID into the store; its Sid is made from the entropy, 16 bytes, where it is not given. Dates are
    /// milliseconds since 1970.
    pub fn seed(
        &self,
        phone_number: &str,
        friendly_name: Option<String>,
        sid: Option<String>,
        entropy: &[u8],
        created: f64,
        updated: f64,
    ) -> Result<(), RangeError> {
        let phone_number = PhoneNumber::parse(phone_number).map_err(range_error)?;
        let name = friendly_name.filter(|name| !name.is_empty());
        let name = name.map(|name| FriendlyName::new(&name)).transpose().map_err(range_error)?;
        let sid = match sid {
            Some(text) => CallerIdSid::parse(&text).map_err(range_error)?,
            None => CallerIdSid::from_entropy(entropy.try_into().map_err(range_error)?),
        };
        let date = |millis| moment(millis).to_date();
        let account = self.account().ok_or_else(|| range_error("there is no account"))?;
        self.service.store().seed(OutgoingCallerId {
            sid,
            account_sid: account.sid,
            friendly_name: name.unwrap_or_else(|| FriendlyName::default_for(&phone_number)),
            phone_number,
            date_created: date(created),
            date_updated: date(updated),
        });
        Ok(())
    }

    /// Answers a request: `[status, [name, value, …], body]`. The body is bytes, or the [`Events`] that follow.
    ///
    /// `now` is milliseconds since 1970, `entropy` 80 random bytes, `code` the code that a create draws in their place.
    #[expect(clippy::too_many_arguments, reason = "one crossing; the façade has them by name")]
    pub fn respond(
        &self,
        method: &str,
        path: &str,
        query: &str,
        authorization: Option<String>,
        content_type: Option<String>,
        last_event_id: Option<String>,
        body: &[u8],
        now: f64,
        entropy: &[u8],
        code: Option<String>,
    ) -> Result<Array, RangeError> {
        let authorization = authorization.as_deref();
        let mut entropy = Entropy::new(entropy.try_into().map_err(range_error)?);
        if path == EVENTS_PATH && method == "GET" {
            return Ok(self.events(authorization, last_event_id.as_deref(), &entropy));
        }
        if body.len() > MAX_BODY_BYTES {
            let message = format!("Request body too long: at most {MAX_BODY_BYTES} bytes are read");
            let exception = RestException::http(413, message);
            return Ok(response(&refusal(path, &exception, entropy.request_sid())));
        }
        if let Some(code) = code {
            entropy = entropy.with_code(&ValidationCode::parse(&code).map_err(range_error)?);
        }
        let content_type = content_type.as_deref();
        let request = Request { method, path, query, authorization, content_type, body };
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
        let opened = ready(EventStream::open(self.service.store(), self.account()?, None));
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
        self.service.store().restore(snapshot).map_err(range_error)
    }

    fn account(&self) -> Option<Account> {
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
    let headers = Array::of(&[]);
    for (name, value) in &response.headers {
        headers.add(*name);
        headers.add(value.as_ref());
    }
    Array::of(&[response.status.into(), headers.into(), body])
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
