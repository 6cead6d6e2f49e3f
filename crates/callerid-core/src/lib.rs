//! Outgoing caller IDs, as Twilio's REST API defines them: numbers, names, codes, paging and the wire, with no I/O.
//!
//! ```
//! use callerid_core::{FriendlyName, PhoneNumber};
//!
//! let number = PhoneNumber::parse("+1 (415) 867-5309")?;
//! assert_eq!(number.as_str(), "4158675309");
//! assert_eq!(FriendlyName::default_for(&number).as_str(), "(415) 867-5309");
//! # Ok::<(), callerid_core::InvalidPhoneNumber>(())
//! ```
//!
//! # The map
//!
//! | to | see |
//! |---|---|
//! | read a phone number from any readable format | [`PhoneNumber`] |
//! | name it | [`FriendlyName`] |
//! | ask for a validation, and hold its answer | [`NewCallerId`], [`ValidationRequest`], [`ValidationCode`] |
//! | hold the resource, and pages of it | [`OutgoingCallerId`], [`Page`] |
//! | say what was wrong | [`RestException`], [`ErrorCode`] |
//! | write and read the wire | [`representation`], [`form`] |
//!
//! Requests are made with `callerid-client`, and answered with `callerid-service`.
//!
//! # What holds everywhere
//!
//! - No clock and no randomness: a [`Moment`] and random bytes come in as arguments. The same inputs give the same
//!   bytes.
//! - No panic on any input: lints deny what could.
//! - A value of a domain type is valid. It is parsed once, at the edge, and never checked again.
//!
//! # Features
//!
//! - `phonenumber`, off by default: conversions from and to the `phonenumber` crate's type, and its database with them.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod api_version;
mod call_delay;
mod call_extension;
mod credentials;
mod date;
mod friendly_name;
mod new_caller_id;
mod outgoing_caller_id;
mod page;
mod rest_exception;
mod serde_text;
mod sid;
mod status_callback;
mod text_conversions;
mod validation_code;
mod validation_request;

pub mod form;
pub mod phone_number;
pub mod representation;

pub use api_version::{ApiVersion, InvalidApiVersion};
pub use call_delay::{CALL_DELAY_MAX_SECONDS, CallDelay, InvalidCallDelay};
pub use call_extension::{CALL_EXTENSION_MAX_CHARS, CallExtension, InvalidCallExtension};
pub use credentials::{AUTH_TOKEN_MAX_BYTES, AuthToken, Credentials, InvalidAuthToken};
pub use date::{Date, InvalidDate, Moment, Rfc2822};
pub use friendly_name::{FRIENDLY_NAME_MAX_CHARS, FriendlyName, InvalidFriendlyName};
pub use new_caller_id::NewCallerId;
pub use outgoing_caller_id::{Filter, ListKey, OutgoingCallerId};
pub use page::{
    Cursor, DEFAULT_PAGE_SIZE, InvalidPageSize, MAX_PAGE_NUMBER, MAX_PAGE_SIZE, Page, PageRequest,
    PageSize, decimal,
};
pub use phone_number::{Extension, InvalidPhoneNumber, PhoneNumber};
pub use rest_exception::{ErrorCode, RestException};
pub use sid::{AccountSid, CallSid, CallerIdSid, InvalidSid, RequestSid, SID_LENGTH};
pub use status_callback::{
    CallbackCredentials, CallbackDestination, CallbackMethod, InvalidCallbackMethod,
    InvalidStatusCallback, STATUS_CALLBACK_MAX_CHARS, StatusCallback,
};
pub use validation_code::{InvalidValidationCode, VALIDATION_CODE_DIGITS, ValidationCode};
pub use validation_request::ValidationRequest;

/// Its examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
