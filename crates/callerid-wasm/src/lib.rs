//! The core for JavaScript: bindings that translate and decide nothing.
//!
//! What is exported here is what the façade in `pkg/src` builds its classes on, and no more: texts, numbers and flat
//! arrays cross, objects are made on the other side. The façade's `.d.ts` says what users see.
//!
//! A crossing costs far more than most of what the core does behind it. So numbers go through a buffer that both sides
//! know ([`phone_number`]), and a list comes as one text of JSON.

pub mod phone_number;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod document;
#[cfg(feature = "client")]
pub mod friendly_name;
#[cfg(feature = "client")]
pub mod js;
#[cfg(feature = "mock")]
pub mod mock;

/// The index into a JavaScript string (UTF-16) of a byte offset into the same text.
pub(crate) fn utf16_index(text: &str, at: usize) -> usize {
    let before = text.char_indices().take_while(|(offset, _)| *offset < at);
    before.map(|(_, char)| char.len_utf16()).sum()
}
