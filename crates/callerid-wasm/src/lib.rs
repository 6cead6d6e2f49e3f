//! The core for JavaScript: bindings that translate and decide nothing.
//!
//! Plain values come in and plain objects go out, by serde-wasm-bindgen; what is wrong is thrown as JavaScript's own
//! `RangeError` or as one of the package's classes. The modules in `pkg/src` build their classes on what is exported here.

mod errors;
pub mod phone_number;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "client")]
pub mod document;
#[cfg(feature = "client")]
pub mod friendly_name;
#[cfg(feature = "mock")]
pub mod mock;
#[cfg(feature = "client")]
mod object;

use wasm_bindgen::prelude::*;

/// The types of the package that the exports name, as `glue.d.ts` in `pkg/dist` sees them.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
import type { ApiDocument, CallerIdList, FriendlyNameCheck } from "../src/client-types.js";
import type { PhoneNumberKind } from "../src/phone-types.js";
"#;

/// The index into a JavaScript string (UTF-16) of a byte offset into the same text.
fn utf16_index(text: &str, at: usize) -> usize {
    let before = text.char_indices().take_while(|(offset, _)| *offset < at);
    before.map(|(_, char)| char.len_utf16()).sum()
}
