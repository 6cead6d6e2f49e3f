//! The rules of outgoing caller IDs, shared by every host: operations on a [`Store`], the API's
//! versions, validation calls, status callbacks, events, and the control surface. It does no I/O.
//!
//! A test uses [`MockApi`], the whole API in its own process:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "http")] {
//! use callerid_core::{PhoneNumber, ValidationCode};
//! use callerid_service::MockApi;
//!
//! let code = ValidationCode::parse("123456")?;
//! let api = MockApi::new().with_code(code);
//! let path = format!("/2008-08-01/Accounts/{}/OutgoingCallerIds", api.credentials().sid);
//! let request = http::Request::post(path)
//!     .header("authorization", api.credentials().to_authorization())
//!     .header("content-type", "application/x-www-form-urlencoded")
//!     .body("PhoneNumber=415-867-5309")?;
//! assert_eq!(api.respond(&request).status, 200);
//!
//! let call = api.phone(PhoneNumber::parse("415-867-5309")?).ringing()?;
//! assert!(call.answer()?.press(code)?.is_verified());
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! A host passes requests, phone events and the time to a [`Service`]. The return values say what
//! the host must do next. The README has an example.
//!
//! # Overview
//!
//! | to | see |
//! |---|---|
//! | test a client | [`MockApi`] |
//! | answer requests | [`Service`] over a [`Store`], such as [`MemoryStore`] |
//! | follow a validation | [`Call`], [`Transition`] |
//! | send status callbacks | [`Callback`] |
//! | stream changes | [`EventStream`] |
//! | control a service from tests | [`testing`] |
//!
//! # Guarantees
//!
//! - No clock and no randomness: the caller passes a [`Moment`](callerid_core::Moment) and
//!   [`RandomBytes`] as arguments. The same inputs give the same bytes.
//! - No panics on any input: lints deny everything that could panic.
//! - The [`Store`] holds everything that must survive a crash; what the host must do next is
//!   derived from it.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `http` | enabled | conversions from and to the [`http`](https://docs.rs/http) crate's types |
//! | `real-line` | | the rules of time zones, and with them the limits of a line that calls real phones: see [`LineLimits`] |
//! | `testing` | | the requests of the control surface with which tests control a service: see [`Service::with_testing`] |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod api_error;
mod audit;
mod call;
mod callback;
mod control;
mod eligibility;
mod event;
mod event_stream;
mod keypad;
mod limits;
mod line;
mod line_limits;
mod line_rules;
mod line_usage;
mod mock_api;
mod number_usage;
mod operation;
mod random_bytes;
mod request;
mod response;
mod rfc3339;
mod router;
mod service;
mod store;
mod test_control;
#[cfg_attr(
    not(feature = "testing"),
    expect(dead_code, reason = "only the requests of tests change its state")
)]
pub mod testing;
mod transition;
mod versions;
mod view;
mod waiting;

pub use account::{Account, Unauthenticated};
pub use api_error::{ApiError, ServiceError};
pub use audit::AuditEntry;
pub use call::{
    CLOCK_TOLERANCE_SECONDS, CODE_LIFETIME_SECONDS, Call, CallStatus, ENTRIES_PER_CALL,
    FailureCause, InvalidCallStatus, PhoneEvent,
};
pub use callback::{
    Attempt, CALLBACK_CONTENT_TYPE, CALLBACK_LONGEST_WAIT_SECONDS, CALLBACK_RETRY_SECONDS,
    Callback, CallbackRequest, VALIDATION_CALLER, asks_for_credentials,
};
pub use eligibility::{Admitted, Eligibility, Ineligible};
pub use event::{Change, Event};
pub use event_stream::{EVENTS_PATH, EventStream};
pub use keypad::{DigitBuffer, InvalidKeys, Key, Keys};
pub use limits::{CallbackSlots, Limits, RINGS_PERIOD_SECONDS, WRONG_CODES_MAX};
pub use line::Line;
pub use line_limits::{DAY_SECONDS, InvalidRateLimit, LineLimits, RateLimit};
pub use line_rules::{Forbidden, InvalidRegion, LineRules, OutOfHours, Region, Regions};
pub use line_usage::{CallsOf, LineLimit, LineUsage, OptOut};
pub use mock_api::{MockApi, MockCall, MockPhone, NotRinging};
pub use number_usage::{FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, NumberUsage};
pub use random_bytes::RandomBytes;
pub use request::{MAX_BODY_BYTES, Request, body_too_long};
pub use response::Response;
pub use router::{error_response, json_response};
pub use service::{
    AskedFor, FollowUp, LineCommand, PhoneEventError, PhoneReply, Reply, Service, Tick,
};
pub use store::{
    AccountContents, Accounts, CALLBACKS_KEPT, ENDED_CALLS_KEPT, EVENTS_KEPT, Events,
    InvalidSnapshot, MemoryStore, Newest, Store, StoreError,
};
pub use test_control::Advanced;
pub use testing::{Delivery, Drop, Seed};
pub use transition::{Instruction, Prompt, Transition, UnexpectedEvent};
pub use view::{CallView, CallbackView};

/// Runs the README's examples as doctests.
#[cfg(all(doctest, feature = "http"))]
#[doc = include_str!("../README.md")]
struct Readme;
