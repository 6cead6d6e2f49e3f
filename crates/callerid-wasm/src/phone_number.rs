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
#[wasm_bindgen(js_name = restorePhoneNumber)]
pub fn restore(text: &str) -> Result<String, JsValue> {
    let number = PhoneNumber::restore(text).map_err(|error| invalid(text, error))?;
    Ok(number.as_str().to_owned())
}

/// The ten digits of a number, and its extension if it has one.
#[wasm_bindgen(js_name = parsePhoneNumberWithExtension)]
pub fn parse_with_extension(text: &str) -> Result<Vec<String>, JsValue> {
    let (number, extension) =
        PhoneNumber::parse_with_extension(text).map_err(|error| invalid(text, error))?;
    let digits = number.as_str().to_owned();
    Ok([digits].into_iter().chain(extension.map(|it| it.as_str().to_owned())).collect())
}

fn invalid(text: &str, error: callerid_core::InvalidPhoneNumber) -> JsValue {
    let error = error.with_offset(crate::utf16_index(text, error.at()));
    InvalidPhoneNumber::new(error.reason().as_str(), &error.to_string(), error.at()).into()
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

/// What a number, ten digits, is for.
#[wasm_bindgen(js_name = phoneNumberKind)]
pub fn kind(digits: &str) -> Result<String, JsValue> {
    let number = PhoneNumber::restore(digits).map_err(|error| invalid(digits, error))?;
    Ok(number.kind().as_str().to_owned())
}

/// How a number, ten digits, is written at home.
#[wasm_bindgen(js_name = nationalPhoneNumber)]
pub fn national(digits: &str) -> Result<String, JsValue> {
    let number = PhoneNumber::restore(digits).map_err(|error| invalid(digits, error))?;
    Ok(number.national().as_str().to_owned())
}

/// How a number, ten digits, is written everywhere.
#[wasm_bindgen(js_name = e164PhoneNumber)]
pub fn e164(digits: &str) -> Result<String, JsValue> {
    let number = PhoneNumber::restore(digits).map_err(|error| invalid(digits, error))?;
    Ok(number.e164().as_str().to_owned())
}

/// The release of libphonenumber whose metadata says which numbers are valid.
#[wasm_bindgen(js_name = metadataRelease)]
pub fn metadata_release() -> String {
    METADATA_RELEASE.to_owned()
}
