//! The control surface, under `/_callerid/`: everything for which the specification has no wire
//! format.
//!
//! | request | does |
//! |---|---|
//! | `GET health` | reports that the service works, its version, and the name of its phone line |
//! | `GET calls` | lists the account's calls, newest first |
//! | `GET calls/{CallSid}` | shows one |
//! | `GET callbacks` | lists the account's status callbacks: pending, delivered, failed |
//! | `POST calls/{CallSid}/answer`, `/digits`, `/hangup`, `/busy`, `/no-answer` | simulates the phone |
//!
//! Lists are split into pages of `num` rows, 50 by default. `next_page_uri` is the address of the
//! next page.
//!
//! All responses are JSON, and all requests carry the API's credentials. [`Service::follow`]
//! answers `GET events`, a stream.
//!
//! Tests have more requests; see [`testing`].
//!
//! In the response to `GET health`, the line is `virtual` if the control surface is the only phone,
//! so clients may offer to answer it. Any other line has the name that its host gives it, and the
//! requests that simulate the phone get a 409.

mod filter;
mod paging;
#[cfg(feature = "testing")]
mod testing;

use serde::Serialize;

use callerid_core::representation::{Representation, json};
use callerid_core::{AccountSid, ApiVersion, CallSid, ErrorCode, Moment, RestException};

use crate::api_error::{ApiError, ServiceError};
use crate::call::{Call, PhoneEvent};
use crate::callback::Callback;
use crate::keypad::Keys;
use crate::random_bytes::RandomBytes;
use crate::request::Request;
use crate::response::Response;
use crate::service::{PhoneEventError, Reply, Service};
use crate::store::Store;
use crate::versions;
use crate::versions::{form, malformed};
use crate::view::{CallView, CallbackView};
use filter::{Asked, Filter};

/// The prefix of the control surface. No path of Twilio's API starts with it.
pub(crate) const PREFIX: &str = "/_callerid/";

/// Answers a request. `path` is its path without [`PREFIX`].
pub(crate) async fn respond<S: Store>(
    service: &Service<S>,
    path: &str,
    request: &Request<'_>,
    now: Moment,
    random_bytes: &RandomBytes,
    reply: &mut Reply,
) {
    reply.response = match answer(service, path, request, now, random_bytes, reply).await {
        Ok(body) => Response::new(200, Representation::Json.content_type(), body.into_bytes()),
        Err(ServiceError::Api(refused)) => {
            let mut response = error_response(&refused);
            if response.status == ErrorCode::MethodNotAllowed.status() {
                let allow = Resource::decode(path).map_or("GET", |resource| resource.allow());
                response.headers.push(("allow", allow.into()));
            }
            response
        }
        Err(ServiceError::Store(error)) => {
            let response = error_response(&error.to_exception());
            reply.failure = Some(error);
            response
        }
    };
}

async fn answer<S: Store>(
    service: &Service<S>,
    path: &str,
    request: &Request<'_>,
    now: Moment,
    #[cfg_attr(
        not(feature = "testing"),
        expect(unused_variables, reason = "only tests add accounts and caller IDs")
    )]
    random_bytes: &RandomBytes,
    reply: &mut Reply,
) -> Result<String, ServiceError> {
    let account = service.authenticate(request.credentials.as_ref()).await?.sid;
    let not_found = || ApiError::not_found(request.path);
    let resource = Resource::decode(path).ok_or_else(not_found)?;
    #[cfg(feature = "testing")]
    if matches!(resource, Resource::Test(_)) {
        testing::check(service, request.path)?;
    }
    if !resource.allow().split(", ").any(|method| method == request.method) {
        return Err(ApiError::new(ErrorCode::MethodNotAllowed).into());
    }
    match resource {
        #[cfg(feature = "testing")]
        Resource::Test(resource) => {
            let testing = service.testing().ok_or_else(not_found)?;
            let host_now = now;
            testing::Call { service, testing, account, request, host_now, random_bytes }
                .answer(resource, reply)
                .await
        }
        Resource::Health => Ok(json::to_string(&Health {
            status: "ok",
            line: service.line().name(),
            version: env!("CARGO_PKG_VERSION"),
            test: service.is_testing(),
        })),
        Resource::Events => Err(not_found().into()),
        Resource::Calls => {
            let asked = Asked::decode(service, request, paging::MAX_CALLS)?.of_calls()?;
            let mut calls = service.store().calls(&account, asked.newest()).await?;
            let place = |call: &Call| (call.created_at, call.sid);
            let next_page_uri = asked.next_page_uri(&mut calls, request.path, place);
            asked.filter(&mut calls, Filter::matches_call, account, reply);
            let calls = calls.iter().map(CallView::from).collect::<Vec<_>>();
            Ok(json::to_string(&Calls { calls, next_page_uri }))
        }
        Resource::Callbacks => {
            let asked = Asked::decode(service, request, paging::MAX_CALLBACKS)?;
            let mut callbacks = service.store().callbacks(&account, asked.newest()).await?;
            let place = |callback: &Callback| (callback.created_at, callback.call_sid);
            let next_page_uri = asked.next_page_uri(&mut callbacks, request.path, place);
            asked.filter(&mut callbacks, Filter::matches_callback, account, reply);
            let callbacks = callbacks.iter().map(CallbackView::from).collect::<Vec<_>>();
            Ok(json::to_string(&Callbacks { callbacks, next_page_uri }))
        }
        Resource::Call(sid) => {
            let call = service.store().call(&sid).await?;
            let call = call.filter(|call| call.account_sid == account).ok_or_else(not_found)?;
            Ok(json::to_string(&CallView::from(&call)))
        }
        Resource::Phone(sid, action) => {
            let event = action.event(request)?;
            Ok(phone(service, &account, &sid, &event, now, reply).await?.ok_or_else(not_found)?)
        }
    }
}

/// Whoever has the token knows the code, and could otherwise validate a number that is not theirs.
const ANSWERED_BY_A_PHONE: &str =
    "Calls on a real line are answered, and their codes entered, at the phone only";

async fn phone<S: Store>(
    service: &Service<S>,
    account: &AccountSid,
    sid: &CallSid,
    event: &PhoneEvent,
    now: Moment,
    reply: &mut Reply,
) -> Result<Option<String>, ServiceError> {
    let call = service.store().call(sid).await?;
    if call.is_none_or(|call| call.account_sid != *account) {
        return Ok(None);
    }
    if service.line().is_real() {
        return Err(ApiError::http(409, ANSWERED_BY_A_PHONE).into());
    }
    let after = service.phone_event(sid, event, now).await;
    reply.next = after.next;
    match after.outcome {
        Ok(call) => Ok(Some(json::to_string(&CallView::from(&call)))),
        Err(PhoneEventError::NoSuchCall) => Ok(None),
        Err(PhoneEventError::Unexpected(unexpected)) => {
            Err(ApiError::http(409, &unexpected.to_string()).into())
        }
        Err(PhoneEventError::Store(error)) => Err(error.into()),
    }
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    line: &'a str,
    version: &'static str,
    /// Whether the service is under the control of tests.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    test: bool,
}

#[derive(Serialize)]
struct Calls {
    calls: Vec<CallView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_uri: Option<String>,
}

#[derive(Serialize)]
struct Callbacks {
    callbacks: Vec<CallbackView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_uri: Option<String>,
}

enum Resource {
    Health,
    /// A stream. A host that supports it answers before it calls the service.
    Events,
    Calls,
    Callbacks,
    Call(CallSid),
    Phone(CallSid, Action),
    /// For tests only.
    #[cfg(feature = "testing")]
    Test(testing::Resource),
}

#[derive(Clone, Copy)]
enum Action {
    Answer,
    Digits,
    HangUp,
    Busy,
    NoAnswer,
}

impl Resource {
    fn decode(path: &str) -> Option<Self> {
        let resource = Self::decode_own(path);
        #[cfg(feature = "testing")]
        let resource = resource.or_else(|| testing::Resource::decode(path).map(Self::Test));
        resource
    }

    fn decode_own(path: &str) -> Option<Self> {
        let mut segments = path.split('/');
        let resource = match (segments.next()?, segments.next(), segments.next()) {
            ("health", None, None) => Self::Health,
            ("events", None, None) => Self::Events,
            ("calls", None, None) => Self::Calls,
            ("callbacks", None, None) => Self::Callbacks,
            ("calls", Some(sid), None) => Self::Call(CallSid::parse(sid).ok()?),
            ("calls", Some(sid), Some(action)) => {
                Self::Phone(CallSid::parse(sid).ok()?, Action::decode(action)?)
            }
            _ => return None,
        };
        segments.next().is_none().then_some(resource)
    }

    /// The path in [`resources`].
    const fn path(&self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Events => "events",
            Self::Calls => "calls",
            Self::Callbacks => "callbacks",
            Self::Call(_) => "calls/{CallSid}",
            Self::Phone(_, Action::Answer) => "calls/{CallSid}/answer",
            Self::Phone(_, Action::Digits) => "calls/{CallSid}/digits",
            Self::Phone(_, Action::HangUp) => "calls/{CallSid}/hangup",
            Self::Phone(_, Action::Busy) => "calls/{CallSid}/busy",
            Self::Phone(_, Action::NoAnswer) => "calls/{CallSid}/no-answer",
            #[cfg(feature = "testing")]
            Self::Test(resource) => resource.path(),
        }
    }

    /// The supported methods, as an `Allow` header lists them.
    fn allow(&self) -> &'static str {
        let path = self.path();
        resources().find(|resource| resource.0 == path).map_or("", |resource| resource.1)
    }
}

/// The paths of resources, as the description has them, and their methods, as an `Allow` header
/// lists them.
const RESOURCES: &[(&str, &str)] = &[
    ("health", "GET"),
    ("events", "GET"),
    ("calls", "GET"),
    ("callbacks", "GET"),
    ("calls/{CallSid}", "GET"),
    ("calls/{CallSid}/answer", "POST"),
    ("calls/{CallSid}/digits", "POST"),
    ("calls/{CallSid}/hangup", "POST"),
    ("calls/{CallSid}/busy", "POST"),
    ("calls/{CallSid}/no-answer", "POST"),
];

/// All resources.
fn resources() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let resources = RESOURCES.iter();
    #[cfg(feature = "testing")]
    let resources = resources.chain(testing::RESOURCES);
    resources
}

impl Action {
    fn decode(segment: &str) -> Option<Self> {
        Some(match segment {
            "answer" => Self::Answer,
            "digits" => Self::Digits,
            "hangup" => Self::HangUp,
            "busy" => Self::Busy,
            "no-answer" => Self::NoAnswer,
            _ => return None,
        })
    }

    fn event(self, request: &Request<'_>) -> Result<PhoneEvent, ApiError> {
        Ok(match self {
            Self::Answer => PhoneEvent::Answered,
            Self::HangUp => PhoneEvent::HungUp,
            Self::Busy => PhoneEvent::Busy,
            Self::NoAnswer => PhoneEvent::NoAnswer,
            Self::Digits => {
                let invalid =
                    |detail: &str| ApiError::http(400, &format!("Invalid Digits: {detail}"));
                let form = form(request)?;
                let digits = form.value(&["Digits"]).map_err(malformed)?;
                let digits = digits.ok_or_else(|| invalid("Digits is missing"))?;
                let keys = Keys::parse(digits).map_err(|error| invalid(&error.to_string()))?;
                PhoneEvent::Pressed(keys)
            }
        })
    }
}

/// The response for an error of the control surface: JSON in the newer API's format.
pub(crate) fn error_response(exception: &RestException) -> Response {
    versions::encode_exception(ApiVersion::V2010, Representation::Json, exception.clone())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_has_every_resource_with_its_methods() {
        let description: Value =
            serde_json::from_str(include_str!("control/openapi.json")).unwrap();
        let mut described = BTreeMap::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            let operations = item.as_object().unwrap().iter().filter(|it| *it.0 != "parameters");
            let is_of_host = operations.clone().all(|it| it.1["tags"][0] == "server");
            let methods: BTreeSet<_> = operations.map(|it| it.0.to_uppercase()).collect();
            let path = path.strip_prefix(PREFIX).unwrap();
            if !is_of_host || resources().any(|resource| resource.0 == path) {
                described.insert(path.to_owned(), methods);
            }
        }
        let resources = resources().map(|(path, allow)| {
            let methods = allow.split(", ").map(str::to_owned).collect::<BTreeSet<_>>();
            (path.to_string(), methods)
        });
        assert_eq!(described, resources.collect());
        assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
