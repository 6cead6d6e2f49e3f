//! Outgoing caller IDs: the domain and the protocol, with no I/O.
pub mod phone_number;
pub use phone_number::{Extension, InvalidPhoneNumber, PhoneNumber};
