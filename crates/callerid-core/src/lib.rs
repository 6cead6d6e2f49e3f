//! Outgoing caller IDs, as the vendor's 2008-08-01 REST API defines them: the domain and the protocol,
//! with no I/O.
//!
//! A person who wants to call out under a number proves that it is theirs: the number is posted, a six
//! digit code comes back and is shown, the phone rings, the code is keyed, and the number is listed, named,
//! found, paged through, deleted.
//!
//! # The map
//!
//! | to | see |
//! |---|---|
//! | read a phone number from any readable format | [`PhoneNumber`] |
//! | name it | [`FriendlyName`] |
//! | follow a validation | [`Call`], [`ValidationCode`], [`ValidationRequest`] |
//! | hold the resource, and pages of it | [`OutgoingCallerId`], [`Page`] |
//! | answer requests | [`Service`] over a [`Store`], such as [`MemoryStore`] |
//! | make requests | [`client`] |
//! | write and read the wire | [`representation`] |
//!
//! # What holds everywhere
//!
//! - No clock and no randomness: [`Moment`] and [`Entropy`] come in as arguments. The same inputs give the
//!   same bytes.
//! - No panic on any input: lints deny what could.
//! - A value of a domain type is valid. It is parsed once, at the edge, and never checked again.

mod account;
mod call;
mod callback;
pub mod control;
mod date;
mod dialect;
mod entropy;
mod error;
mod event;
mod event_stream;
mod form;
mod friendly_name;
mod operation;
mod outgoing_caller_id;
mod page;
mod serde_text;
mod service;
mod sid;
mod store;
mod text;
mod validation;
mod view;

pub mod client;
pub mod http;
pub mod phone_number;
pub mod representation;

pub use account::*;
pub use call::*;
pub use callback::*;
pub use date::{Date, InvalidDate, Moment, Rfc2822};
pub use dialect::ApiVersion;
pub use entropy::Entropy;
pub use error::*;
pub use event::*;
pub use event_stream::*;
pub use friendly_name::*;

pub use operation::*;
pub use outgoing_caller_id::*;
pub use page::*;
pub use phone_number::{Extension, InvalidPhoneNumber, PhoneNumber};

pub use service::*;
pub use sid::*;
pub use store::*;
pub use validation::*;
