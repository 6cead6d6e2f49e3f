//! The core for JavaScript: bindings that only convert values.
//!
//! The exports accept and return plain values and objects, converted by serde-wasm-bindgen. They
//! throw JavaScript's own `RangeError` or one of the package's error classes. The modules in
//! `pkg/src` build their classes on these exports.

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod document;
#[cfg(feature = "client")]
mod errors;
#[cfg(feature = "client")]
pub mod friendly_name;
#[cfg(feature = "mock")]
pub mod mock;
#[cfg(feature = "client")]
mod object;
#[cfg(feature = "phone")]
pub mod phone_number;

use wasm_bindgen::prelude::*;

/// The package's types that the exports refer to, as imported by `glue.d.ts` in `pkg/dist`.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
import type { ApiDocument, CallerIdList, FriendlyNameCheck } from "../src/client-types.js";
import type { PhoneNumberKind } from "../src/phone-types.js";
"#;

/// Converts a byte offset in a text to an index in the same JavaScript string (UTF-16).
fn utf16_index(text: &str, at: usize) -> usize {
    let before = text.char_indices().take_while(|(offset, _)| *offset < at);
    before.map(|(_, char)| char.len_utf16()).sum()
}

/// Converts an index in a JavaScript string to the byte offset in the same text.
#[cfg(feature = "phone")]
fn byte_offset(text: &str, index: usize) -> usize {
    let mut units: usize = 0;
    let mut chars = text.char_indices();
    let after = chars.find(|(_, char)| {
        let is_there = units >= index;
        units = units.saturating_add(char.len_utf16());
        is_there
    });
    after.map_or(text.len(), |(at, _)| at)
}
