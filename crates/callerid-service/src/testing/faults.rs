//! Faults: requests that go wrong on purpose.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use callerid_core::{ApiVersion, Moment, PhoneNumber, RestException};

use super::document::{self, invalid};
use super::request_log::LoggedRequest;
use crate::api_error::ApiError;

/// The maximum number of faults of an account.
const FAULTS_MAX: usize = 1_000;
/// How many of the last requests that nearly matched are kept for each fault.
const MISSES_KEPT: usize = 10;

/// The document of `POST faults`: requests that go wrong, and how.
///
/// ```
/// use callerid_service::testing::Fault;
///
/// let down_twice = Fault::status(503).method("POST").times(2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(default, rename = "match")]
    matcher: Matcher,
    /// How many requests go wrong; all, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    then: Outcome,
    /// How long the fault lasts, in milliseconds of the host's time.
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u32>,
}

impl Fault {
    fn new(then: Outcome) -> Self {
        Self { matcher: Matcher::default(), times: None, then, ttl_ms: None }
    }

    /// The response is an error with this status, from 400 to 599, and the work is not done.
    pub fn status(status: u16) -> Self {
        Self::new(Outcome { status: Some(status), ..Outcome::default() })
    }

    /// The response comes so much later. The work is done at once.
    pub fn delay(milliseconds: u32) -> Self {
        Self::new(Outcome { delay_ms: Some(milliseconds), ..Outcome::default() })
    }

    /// The response waits until the fault is released or removed. The work is done at once.
    pub fn hold() -> Self {
        Self::new(Outcome { hold: true, ..Outcome::default() })
    }

    /// The connection is lost.
    pub fn drop(at: Drop) -> Self {
        Self::new(Outcome { drop: Some(at), ..Outcome::default() })
    }

    /// The code of the error response.
    #[must_use]
    pub fn code(mut self, code: u32) -> Self {
        self.then.code = Some(code);
        self
    }

    /// The message of the error response.
    #[must_use]
    pub fn message(mut self, message: &str) -> Self {
        self.then.message = Some(message.to_owned());
        self
    }

    /// The `Retry-After` of the error response, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.then.retry_after = Some(seconds);
        self
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.matcher.method = Some(method.to_owned());
        self
    }

    /// Only requests for this path, in which `*` stands for any characters.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.matcher.path = Some(path.to_owned());
        self
    }

    /// Only requests with this number.
    #[must_use]
    pub fn phone_number(mut self, number: PhoneNumber) -> Self {
        self.matcher.phone_number = Some(number);
        self
    }

    /// Only requests of this version of the API.
    #[must_use]
    pub fn version(mut self, version: ApiVersion) -> Self {
        self.matcher.version = Some(version.as_str().to_owned());
        self
    }

    /// Only so many requests; otherwise all.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only for so long, in milliseconds.
    #[must_use]
    pub fn ttl(mut self, milliseconds: u32) -> Self {
        self.ttl_ms = Some(milliseconds);
        self
    }
}

/// The requests that a fault is for. What is absent matches every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Matcher {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// `*` stands for any characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    phone_number: Option<PhoneNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

fn number<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PhoneNumber>, D::Error> {
    document::number(deserializer).map(Some)
}

/// What happens to a request that matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outcome {
    /// The response has this status, and the work is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// The response comes so much later.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<Drop>,
    /// The response waits until the fault is released or removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    hold: bool,
}

/// When a connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    /// Before the work is done.
    Before,
    /// After the work is done, before the response.
    After,
    /// In the middle of the response's body.
    MidBody,
}

impl Outcome {
    fn check(&self) -> Result<(), ApiError> {
        if self.status.is_none() && self.delay_ms.is_none() && self.drop.is_none() && !self.hold {
            return Err(invalid("then: expected `status`, `delay_ms`, `drop` or `hold`"));
        }
        let has_detail =
            self.code.is_some() || self.message.is_some() || self.retry_after.is_some();
        if has_detail && self.status.is_none() {
            return Err(invalid("then: `code`, `message` and `retry_after` belong to a `status`"));
        }
        match self.status {
            Some(status) if !(400..=599).contains(&status) => {
                Err(invalid("then.status: expected 400 to 599"))
            }
            _ => Ok(()),
        }
    }

    /// The error to send instead of doing the work, if any.
    pub(crate) fn error(&self) -> Option<ApiError> {
        let message = self.message.as_deref().unwrap_or("A fault of the test");
        let mut exception = RestException::http(self.status?, message);
        exception.code = self.code.or(exception.code);
        Some(ApiError::from(exception).with_retry_after(self.retry_after))
    }
}

/// How a response is sent, if not at once and whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Milliseconds to wait before it is sent.
    pub delay_ms: u32,
    /// It is sent once this fault of the account is released or gone; see
    /// [`Service::is_held`](crate::Service::is_held).
    pub held_by: Option<u64>,
    /// The connection is lost at this point.
    pub drop: Option<Drop>,
}

/// A fault that was added, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddedFault {
    /// Identifies it among the account's faults.
    pub id: u64,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many requests went wrong.
    pub hits: u32,
    /// How many more will; `None`: all that match.
    pub times_left: Option<u32>,
    #[serde(skip)]
    ends_at: Option<Moment>,
    /// Requests that nearly matched: all but one condition did.
    pub nearly_matched: VecDeque<NearMatch>,
}

/// A request that nearly matched a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMatch {
    /// The request; see [`LoggedRequest::id`].
    pub request_id: u64,
    /// Why it did not match.
    pub because: String,
}

/// An account's faults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Oldest first.
    faults: Vec<AddedFault>,
    last_id: u64,
}

impl Faults {
    /// Adds a fault.
    pub(crate) fn add(&mut self, body: &[u8], host_now: Moment) -> Result<AddedFault, ApiError> {
        let fault: Fault = document::decode(body)?;
        fault.then.check()?;
        if fault.times == Some(0) {
            return Err(invalid("times: expected 1 or more"));
        }
        if self.faults.len() >= FAULTS_MAX {
            return Err(ApiError::http(409, "There are 1000 faults: delete some first"));
        }
        self.last_id = self.last_id.saturating_add(1);
        let fault = AddedFault {
            id: self.last_id,
            hits: 0,
            times_left: fault.times,
            ends_at: fault.ttl_ms.map(|millis| {
                let end = host_now.unix_millis().saturating_add(millis.into());
                Moment::from_unix_millis(end)
            }),
            nearly_matched: VecDeque::new(),
            fault,
        };
        self.faults.push(fault.clone());
        Ok(fault)
    }

    /// The faults, oldest first.
    pub(crate) fn list(&mut self, host_now: Moment) -> Vec<AddedFault> {
        self.drop_ended(host_now);
        self.faults.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// Removes a fault; `false` if it does not exist.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.faults.len();
        self.faults.retain(|fault| fault.id != id);
        self.faults.len() < before
    }

    /// Lets the responses go that a fault holds, and removes it; `false` if it holds none.
    pub(crate) fn release(&mut self, id: u64) -> bool {
        let is_holding = self.faults.iter().any(|it| it.id == id && it.fault.then.hold);
        is_holding && self.remove(id)
    }

    pub(crate) fn is_held(&self, id: u64, host_now: Moment) -> bool {
        let is_over = |fault: &AddedFault| fault.ends_at.is_some_and(|end| end <= host_now);
        self.faults.iter().any(|fault| fault.id == id && !is_over(fault))
    }

    /// What happens to a request: the outcome of the first fault that matches it, and how to send
    /// the response.
    pub(crate) fn meet(
        &mut self,
        request: &LoggedRequest,
        phone_number: Option<&PhoneNumber>,
        host_now: Moment,
    ) -> Option<(Outcome, Delivery)> {
        self.drop_ended(host_now);
        for fault in &mut self.faults {
            if fault.times_left == Some(0) {
                continue;
            }
            let mut reasons = fault.fault.matcher.mismatches(request, phone_number);
            let Some(because) = reasons.pop() else {
                fault.hits = fault.hits.saturating_add(1);
                fault.times_left = fault.times_left.map(|left| left.saturating_sub(1));
                let then = fault.fault.then.clone();
                let delivery = Delivery {
                    delay_ms: then.delay_ms.unwrap_or_default(),
                    held_by: then.hold.then_some(fault.id),
                    drop: then.drop,
                };
                return Some((then, delivery));
            };
            if reasons.is_empty() {
                fault.nearly_matched.push_back(NearMatch { request_id: request.id, because });
                if fault.nearly_matched.len() > MISSES_KEPT {
                    fault.nearly_matched.pop_front();
                }
            }
        }
        None
    }

    fn drop_ended(&mut self, host_now: Moment) {
        self.faults.retain(|fault| fault.ends_at.is_none_or(|end| end > host_now));
    }
}

impl Matcher {
    /// The conditions that a request does not meet, in words.
    fn mismatches(&self, request: &LoggedRequest, number: Option<&PhoneNumber>) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut expect = |name: &str, expected: &str, found: &str| {
            reasons.push(format!("its {name} is {found}, not {expected}"));
        };
        if let Some(method) = self.method.as_deref().filter(|it| *it != request.method) {
            expect("method", method, &request.method);
        }
        if let Some(path) = self.path.as_deref().filter(|it| !matches_pattern(it, &request.path)) {
            expect("path", path, &request.path);
        }
        if let Some(version) =
            self.version.as_deref().filter(|it| Some(*it) != request.version.as_deref())
        {
            expect("version", version, request.version.as_deref().unwrap_or("unknown"));
        }
        if let Some(wanted) = self.phone_number.as_ref().filter(|it| Some(*it) != number) {
            let found = number.map_or_else(|| "missing".to_owned(), PhoneNumber::to_string);
            expect("phone number", wanted.as_str(), &found);
        }
        reasons
    }
}

/// Whether a pattern, in which `*` stands for any characters, matches a whole text.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) =
        rest.rsplit_once('*').map_or((None, rest), |(middle, end)| (Some(middle), end));
    for part in middle.into_iter().flat_map(|middle| middle.split('*')) {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_unix_millis(1_207_074_392_000);

    fn request(method: &str, path: &str) -> LoggedRequest {
        LoggedRequest {
            id: 7,
            method: method.to_owned(),
            path: path.to_owned(),
            version: Some("2008-08-01".to_owned()),
            ..LoggedRequest::default()
        }
    }

    #[test]
    fn a_fault_hits_so_many_times_and_then_no_more() {
        let mut faults = Faults::default();
        let json = br#"{"match":{"method":"POST","path":"*/OutgoingCallerIds"},"times":2,"then":{"status":503,"retry_after":3}}"#;
        faults.add(json, NOW).map(drop).unwrap();
        let post = request("POST", "/2008-08-01/Accounts/AC1/OutgoingCallerIds");
        for hit in [true, true, false] {
            assert_eq!(faults.meet(&post, None, NOW).is_some(), hit);
        }
        let shown = serde_json::to_value(faults.list(NOW)).unwrap();
        assert_eq!((&shown[0]["hits"], &shown[0]["times_left"]), (&2.into(), &0.into()));
    }

    #[test]
    fn a_request_that_nearly_matches_is_kept_with_the_reason() {
        let mut faults = Faults::default();
        faults
            .add(br#"{"match":{"method":"POST","path":"/a"},"then":{"drop":"after"}}"#, NOW)
            .map(drop)
            .unwrap();
        for (method, path) in [("GET", "/a"), ("GET", "/b")] {
            assert!(faults.meet(&request(method, path), None, NOW).is_none());
        }
        let shown = serde_json::to_value(faults.list(NOW)).unwrap();
        let expected =
            serde_json::json!([{"request_id": 7, "because": "its method is GET, not POST"}]);
        assert_eq!(shown[0]["nearly_matched"], expected);
    }

    #[test]
    fn a_held_response_goes_when_it_is_released_or_the_fault_ends() {
        let mut faults = Faults::default();
        for _ in 0..2 {
            faults.add(br#"{"then":{"hold":true},"ttl_ms":50}"#, NOW).map(drop).unwrap();
        }
        let (_, delivery) = faults.meet(&request("GET", "/"), None, NOW).unwrap();
        assert_eq!(delivery.held_by, Some(1));
        let later = Moment::from_unix_millis(NOW.unix_millis() + 50);
        assert_eq!((faults.is_held(1, NOW), faults.is_held(1, later)), (true, false));
        assert!(faults.release(1) && !faults.release(1));
        assert!(!faults.is_held(1, NOW) && faults.is_held(2, NOW));
    }

    #[test]
    fn mistakes_are_named() {
        for (json, expected) in [
            ("{}", "missing field `then`"),
            (r#"{"then":{}}"#, "then: expected `status`, `delay_ms`, `drop` or `hold`"),
            (r#"{"then":{"status":200}}"#, "then.status: expected 400 to 599"),
            (r#"{"then":{"delay_ms":1,"code":2}}"#, "belong to a `status`"),
            (r#"{"then":{"drop":"later"}}"#, "then.drop: unknown variant `later`"),
            (r#"{"times":0,"then":{"hold":true}}"#, "times: expected 1 or more"),
            (r#"{"match":{"phone_number":"banana"},"then":{"hold":true}}"#, "match.phone_number: "),
        ] {
            let error = Faults::default().add(json.as_bytes(), NOW).map(drop).unwrap_err();
            assert!(error.message.contains(expected), "{json}: {}", error.message);
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, expected) in [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("*", "/a", true),
            ("/a*", "/ab", true),
            ("*/b", "/a/b", true),
            ("/a/*/c*", "/a/b/c.json", true),
            ("/a/*/c", "/a/b/d", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }
}
