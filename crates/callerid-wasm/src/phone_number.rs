//! Phone numbers: one at a time, as texts, and many, as bytes.

use callerid_core::PhoneNumber;
use callerid_core::phone_number::METADATA_RELEASE;
use wasm_bindgen::prelude::*;

use crate::errors::InvalidPhoneNumber;

/// The ten digits of a number.
#[wasm_bindgen(js_name = parsePhoneNumber)]
pub fn parse(text: &str) -> Result<String, JsValue> {
    let number = PhoneNumber::parse(text).map_err(|error| invalid(text, error))?;
    Ok(number.as_str().to_owned())
}

/// The ten digits of a number that was read before.
#[wasm_bindgen(js_name = parsePossiblePhoneNumber)]
pub fn parse_possible(text: &str) -> Result<String, JsValue> {
    Ok(possible(text)?.as_str().to_owned())
}

/// The ten digits of a number, and its extension if it has one.
#[wasm_bindgen(js_name = parsePhoneNumberWithExtension)]
pub fn parse_with_extension(text: &str) -> Result<Vec<String>, JsValue> {
    let read = PhoneNumber::parse_with_extension(text);
    let (number, extension) = read.map_err(|error| invalid(text, error))?;
    let extension = extension.map(|extension| extension.as_str().to_owned());
    Ok([number.as_str().to_owned()].into_iter().chain(extension).collect())
}

/// Reads lines that end in `\n` or `\r\n`: as many lines are the answer, the ten digits each, or nothing where it is no
/// number.
#[wasm_bindgen(js_name = normalizeLines)]
pub fn normalize_lines(mut lines: &[u8]) -> Vec<u8> {
    // A line's answer is no longer than the line, but for an end that the last one may lack.
    let mut normalized = Vec::with_capacity(lines.len() + 1);
    while !lines.is_empty() {
        let (number, rest) = PhoneNumber::parse_line(lines);
        if let Some(number) = number {
            normalized.extend_from_slice(number.as_bytes());
        }
        normalized.push(b'\n');
        lines = rest;
    }
    normalized
}

/// What a number is for.
#[wasm_bindgen(js_name = phoneNumberKind, unchecked_return_type = "PhoneNumberKind")]
pub fn kind(digits: &str) -> Result<String, JsValue> {
    Ok(possible(digits)?.kind().as_str().to_owned())
}

/// How a number is written at home.
#[wasm_bindgen(js_name = nationalPhoneNumber)]
pub fn national(digits: &str) -> Result<String, JsValue> {
    Ok(possible(digits)?.national().as_str().to_owned())
}

/// How a number is written everywhere.
#[wasm_bindgen(js_name = e164PhoneNumber)]
pub fn e164(digits: &str) -> Result<String, JsValue> {
    Ok(possible(digits)?.e164().as_str().to_owned())
}

/// The release of libphonenumber whose metadata says which numbers are valid.
#[wasm_bindgen(js_name = metadataRelease)]
pub fn metadata_release() -> String {
    METADATA_RELEASE.to_owned()
}

fn possible(text: &str) -> Result<PhoneNumber, JsValue> {
    PhoneNumber::parse_possible(text).map_err(|error| invalid(text, error))
}

fn invalid(text: &str, error: callerid_core::InvalidPhoneNumber) -> JsValue {
    let error = error.with_offset(crate::utf16_index(text, error.at()));
    InvalidPhoneNumber::new(error.reason().as_str(), &error.to_string(), error.at()).into()
}
