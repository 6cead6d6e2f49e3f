//! The [`MockApi`]: the whole API for a test, with a phone that the test answers.

use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use callerid_core::{AccountSid, AuthToken, Credentials, Moment, PhoneNumber, ValidationCode};

use crate::account::Account;
use crate::call::{Call, CallStatus, PhoneEvent};
use crate::keypad::Keys;
use crate::limits::Limits;
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::response::Response;
use crate::service::{PhoneEventError, Service};
use crate::store::{MemoryStore, Newest, Store as _};

/// The whole API for a test: a [`Service`] over a [`MemoryStore`], with one account, a clock that
/// the test advances, and phones that it answers. It needs no executor.
///
/// Every mock starts at the same time and generates the same Sids and codes, so a test has the same
/// result every time.
///
/// The crate's documentation begins with an example.
#[derive(Debug)]
pub struct MockApi {
    service: Service<MemoryStore>,
    account: Account,
    validation_code: Option<ValidationCode>,
    clock: Mutex<Clock>,
}

/// What changes from one request to the next.
#[derive(Debug)]
struct Clock {
    now: Moment,
    requests: u128,
}

/// The time of the specification's examples: 2008-04-01, 11:26:32 -0700.
const START: Moment = Moment::from_unix_millis(1_207_074_392_000);

impl Default for MockApi {
    fn default() -> Self {
        let bytes = [1; 16];
        let auth_token = AuthToken::from_random_bytes(&bytes);
        Self::with_account(Account { sid: AccountSid::from_random_bytes(&bytes), auth_token })
    }
}

impl MockApi {
    /// Creates a mock with an account of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a mock with this account.
    pub fn with_account(account: Account) -> Self {
        // Tests can call the same number any number of times.
        let limits = Limits { rings_per_number: u32::MAX, ..Limits::DEFAULT };
        Self {
            service: Service::new(MemoryStore::new([account.clone()])).with_limits(limits),
            account,
            validation_code: None,
            clock: Mutex::new(Clock { now: START, requests: 0 }),
        }
    }

    /// The same mock, except that every validation has this code.
    #[must_use]
    pub fn with_code(self, validation_code: ValidationCode) -> Self {
        Self { validation_code: Some(validation_code), ..self }
    }

    /// The credentials of the account.
    pub fn credentials(&self) -> Credentials {
        Credentials { sid: self.account.sid, auth_token: self.account.auth_token.clone() }
    }

    /// The store, to add caller IDs with [`MemoryStore::seed`] and to keep and restore its state.
    pub fn store(&self) -> &MemoryStore {
        self.service.store()
    }

    /// The time of the mock's clock.
    pub fn now(&self) -> Moment {
        self.clock().now
    }

    /// Advances the clock. Everything that becomes due has happened when this returns, each at its
    /// own time.
    pub fn advance(&self, seconds: u32) {
        let until = self.now().plus_seconds(seconds);
        while let Some(next) = self.settle().filter(|next| *next <= until) {
            let mut clock = self.clock();
            clock.now = clock.now.max(next);
        }
        self.clock().now = until;
    }

    /// Answers a request: of the `http` crate, or a [`Request`].
    pub fn respond<'a>(&self, request: impl Into<Request<'a>>) -> Response {
        self.settle();
        let (now, random_bytes) = (self.now(), self.random_bytes());
        let reply = ready(self.service.respond(request, now, &random_bytes));
        self.settle();
        reply.response
    }

    /// The phone with this number.
    pub fn phone(&self, number: PhoneNumber) -> MockPhone<'_> {
        MockPhone { mock: self, number }
    }

    /// Does what is due, and returns when something is next.
    fn settle(&self) -> Option<Moment> {
        // A store in memory does not fail.
        ready(self.service.tick(self.now())).ok()?.wake_at
    }

    /// Different bytes for each request, and the same ones in every mock.
    fn random_bytes(&self) -> RandomBytes {
        let mut clock = self.clock();
        clock.requests = clock.requests.saturating_add(1);
        let mut bytes = [0; RandomBytes::BYTES];
        for chunk in bytes.as_chunks_mut::<16>().0 {
            *chunk = clock.requests.to_le_bytes();
        }
        let random_bytes = RandomBytes::new(bytes);
        match &self.validation_code {
            Some(code) => random_bytes.with_code(code),
            None => random_bytes,
        }
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The phone of a [`MockApi`] with one number.
#[derive(Clone, Copy, Debug)]
pub struct MockPhone<'a> {
    mock: &'a MockApi,
    number: PhoneNumber,
}

impl<'a> MockPhone<'a> {
    /// The call that makes the phone ring.
    ///
    /// # Errors
    /// [`NotRinging`] if there is none, which says when a call is due.
    pub fn ringing(&self) -> Result<MockCall<'a>, NotRinging> {
        let mock = self.mock;
        let calls = ready(mock.store().calls(&mock.account.sid, Newest::ALL));
        // A store in memory does not fail.
        let calls = calls.unwrap_or_default();
        let call = calls.into_iter().find(|call| call.phone_number == self.number);
        match call {
            Some(call) if call.status == CallStatus::Ringing => Ok(MockCall { mock, call }),
            call => {
                Err(NotRinging { number: self.number, newest: call.map(Box::new), now: mock.now() })
            }
        }
    }
}

/// A call at the phone of a [`MockApi`]. Each method does something at the phone and returns the
/// call after it.
#[derive(Clone, Debug)]
pub struct MockCall<'a> {
    mock: &'a MockApi,
    call: Call,
}

impl MockCall<'_> {
    /// The status.
    pub fn status(&self) -> CallStatus {
        self.call.status
    }

    /// Whether the right code was entered.
    pub fn is_verified(&self) -> bool {
        self.call.verified
    }

    /// The whole call.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Answers the phone.
    ///
    /// # Errors
    /// [`PhoneEventError`], also of the other methods, if that is impossible in the call's current
    /// state.
    pub fn answer(self) -> Result<Self, PhoneEventError> {
        self.event(PhoneEvent::Answered)
    }

    /// Presses keys: a code, or [`Keys`].
    ///
    /// # Errors
    /// As for [`answer`](Self::answer).
    pub fn press(self, keys: impl Into<Keys>) -> Result<Self, PhoneEventError> {
        self.event(PhoneEvent::Pressed(keys.into()))
    }

    /// Declines the call while it rings.
    ///
    /// # Errors
    /// As for [`answer`](Self::answer).
    pub fn decline(self) -> Result<Self, PhoneEventError> {
        self.event(PhoneEvent::Busy)
    }

    /// Hangs up.
    ///
    /// # Errors
    /// As for [`answer`](Self::answer).
    pub fn hang_up(self) -> Result<Self, PhoneEventError> {
        self.event(PhoneEvent::HungUp)
    }

    /// Lets it ring until the line gives up.
    ///
    /// # Errors
    /// As for [`answer`](Self::answer).
    pub fn no_answer(self) -> Result<Self, PhoneEventError> {
        self.event(PhoneEvent::NoAnswer)
    }

    fn event(self, event: PhoneEvent) -> Result<Self, PhoneEventError> {
        let mock = self.mock;
        let reply = ready(mock.service.phone_event(&self.call.sid, &event, mock.now()));
        Ok(Self { mock, call: reply.outcome? })
    }
}

/// The phone does not ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRinging {
    number: PhoneNumber,
    /// The newest call to the number.
    newest: Option<Box<Call>>,
    now: Moment,
}

impl fmt::Display for NotRinging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the phone {} does not ring: ", self.number)?;
        match &self.newest {
            None => f.write_str("nobody has called it"),
            Some(call) if call.status == CallStatus::Queued => {
                let millis = call.due_at.unix_millis().saturating_sub(self.now.unix_millis());
                let seconds = millis.max(0).unsigned_abs().div_ceil(1000);
                write!(f, "its call is due in {seconds} s; `advance` the mock's clock")
            }
            Some(call) => write!(f, "its call is {}", call.status),
        }
    }
}

impl Error for NotRinging {}

/// The result of a future that never waits. A store in memory has only such futures.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(outcome) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        {
            return outcome;
        }
    }
}

#[cfg(test)]
mod tests {
    use callerid_core::{CALL_DELAY_MAX_SECONDS, Page};

    use super::*;
    use crate::call::CODE_LIFETIME_SECONDS;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    /// Requests a validation, and returns the response's body.
    fn create(mock: &MockApi, form: &str) -> String {
        let path = format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", mock.credentials().sid);
        let response = mock.respond(Request {
            method: "POST",
            path: &path,
            credentials: Some(mock.credentials()),
            content_type: Some("application/x-www-form-urlencoded"),
            body: form.as_bytes(),
            ..Request::default()
        });
        assert_eq!(response.status, 200);
        String::from_utf8(response.body).unwrap()
    }

    fn caller_ids(mock: &MockApi) -> Page<callerid_core::OutgoingCallerId> {
        let (account, filter) = (mock.credentials().sid, callerid_core::Filter::default());
        let listed = mock.store().list(&account, &filter, Default::default(), |_| Ok(()));
        ready(listed).unwrap().unwrap()
    }

    #[test]
    fn a_number_is_validated_by_its_code_after_a_wrong_one() {
        let mock = MockApi::new();
        let response = create(&mock, "PhoneNumber=4158675309");
        let (_, after) = response.split_once("<ValidationCode>").unwrap();
        let (code, _) = after.split_once('<').unwrap();
        let code = ValidationCode::parse(code).unwrap();

        let call = mock.phone(number("4158675309")).ringing().unwrap().answer().unwrap();
        let call = call.press(Keys::parse("999999").unwrap()).unwrap();
        assert_eq!((call.status(), call.call().entries_left), (CallStatus::InProgress, 2));
        let call = call.press(code).unwrap();
        assert!(call.is_verified());
        assert_eq!(caller_ids(&mock).items[0].phone_number.as_str(), "4158675309");
        assert_eq!(
            call.answer().unwrap_err().to_string(),
            "a call that is completed cannot be answered"
        );
    }

    #[test]
    fn a_phone_that_does_not_ring_says_why() {
        let mock = MockApi::new();
        let phone = mock.phone(number("4158675309"));
        let why = |phone: &MockPhone<'_>| phone.ringing().unwrap_err().to_string();
        let does_not_ring = "the phone 4158675309 does not ring: ";
        assert_eq!(why(&phone), format!("{does_not_ring}nobody has called it"));

        create(&mock, "PhoneNumber=4158675309&CallDelay=60");
        mock.advance(10);
        let due = "its call is due in 50 s; `advance` the mock's clock";
        assert_eq!(why(&phone), format!("{does_not_ring}{due}"));

        mock.advance(u32::from(CALL_DELAY_MAX_SECONDS) - 10);
        phone.ringing().unwrap().decline().unwrap();
        assert_eq!(why(&phone), format!("{does_not_ring}its call is busy"));
        assert_eq!(caller_ids(&mock).total, 0);
    }

    #[test]
    fn what_is_due_happens_at_its_own_time_when_the_clock_is_advanced() {
        let mock = MockApi::new();
        let start = mock.now();
        create(&mock, "PhoneNumber=4158675309&CallDelay=5");
        mock.advance(2 * CODE_LIFETIME_SECONDS);
        assert_eq!(mock.now(), start.plus_seconds(2 * CODE_LIFETIME_SECONDS));
        let calls = ready(mock.store().calls(&mock.credentials().sid, Newest::ALL)).unwrap();
        assert_eq!(calls[0].status, CallStatus::NoAnswer);
        assert_eq!(calls[0].ringing_at, Some(start.plus_seconds(5)));
        assert_eq!(calls[0].ended_at, Some(start.plus_seconds(CODE_LIFETIME_SECONDS)));
    }

    #[test]
    fn two_mocks_answer_the_same_and_each_request_has_a_code_of_its_own() {
        let answers = || {
            let mock = MockApi::new();
            ["4158675309", "2125550142"]
                .map(|number| create(&mock, &format!("PhoneNumber={number}")))
        };
        assert_eq!(answers(), answers());
        let code = |answer: &String| answer.split("ValidationCode").nth(1).unwrap().to_owned();
        let [first, second] = answers();
        assert_ne!(code(&first), code(&second));
    }

    #[test]
    fn a_chosen_code_is_that_of_every_validation() {
        let mock = MockApi::new().with_code(ValidationCode::parse("012345").unwrap());
        for number in ["4158675309", "2125550142"] {
            let response = create(&mock, &format!("PhoneNumber={number}"));
            assert!(response.contains("<ValidationCode>012345<"), "{response}");
        }
    }
}
