//! Outgoing caller IDs, as Twilio's REST API defines them: phone numbers, friendly names,
//! validation codes, paging and the wire formats, with no I/O.
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
//! # Overview
//!
//! | to | see |
//! |---|---|
//! | read a phone number from any readable format | [`PhoneNumber`] |
//! | name it | [`FriendlyName`] |
//! | start a validation and hold its response | [`NewCallerId`], [`ValidationRequest`], [`ValidationCode`] |
//! | hold a caller ID, or a page of them | [`OutgoingCallerId`], [`Page`] |
//! | report an error | [`RestException`], [`ErrorCode`] |
//! | encode and decode the wire formats | [`representation`], [`form`] |
//!
//! Use `callerid-client` to make requests and `callerid-service` to answer them, in a test too.
//!
//! # Guarantees
//!
//! - No clock and no randomness: the caller passes a [`Moment`] and random bytes as arguments. The
//!   same inputs give the same bytes.
//! - No panics on any input: lints deny everything that could panic.
//! - A value of a domain type is valid. It is parsed once, at the boundary, and never checked
//!   again.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `phonenumber` | disabled | conversions to and from the type of the [`phonenumber`](https://docs.rs/phonenumber) crate, whose database it brings |

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
pub use date::{Date, InvalidDate, InvalidMoment, Moment, Rfc2822};
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

/// Runs the README's examples as doctests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
