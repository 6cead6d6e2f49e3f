//! The rules for friendly names and call delays.

use callerid_core::{CALL_DELAY_MAX_SECONDS, FRIENDLY_NAME_MAX_CHARS, FriendlyName, PhoneNumber};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::object;

/// The maximum length of a friendly name, in Unicode scalar values.
#[wasm_bindgen(js_name = friendlyNameLimit)]
pub fn limit() -> usize {
    FRIENDLY_NAME_MAX_CHARS
}

#[derive(Serialize)]
#[serde(untagged)]
enum Check {
    Valid { ok: bool, length: usize },
    Invalid { ok: bool, length: usize, reason: &'static str, message: String, at: usize },
}

/// Checks a friendly name.
#[wasm_bindgen(js_name = checkFriendlyName, unchecked_return_type = "FriendlyNameCheck")]
pub fn check(text: &str) -> Result<JsValue, JsValue> {
    let length = FriendlyName::count(text);
    object::write(&match FriendlyName::new(text) {
        Ok(_) => Check::Valid { ok: true, length },
        Err(error) => {
            let (reason, at) = (error.reason(), crate::utf16_index(text, error.at()));
            Check::Invalid { ok: false, length, reason, message: error.user_message(), at }
        }
    })
}

/// The default name of a caller ID. Returns an empty string if the number is invalid.
#[wasm_bindgen(js_name = defaultFriendlyName)]
pub fn default_for(number: &str) -> String {
    let number = PhoneNumber::from_digits(number);
    number.map(|number| FriendlyName::default_for(&number).as_str().to_owned()).unwrap_or_default()
}

/// The maximum delay before a call, in seconds.
#[wasm_bindgen(js_name = callDelayLimit)]
pub fn call_delay_limit() -> u32 {
    CALL_DELAY_MAX_SECONDS.into()
}
