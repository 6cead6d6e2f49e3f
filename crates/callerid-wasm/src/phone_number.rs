//! Phone numbers: single numbers as strings, and many numbers as bytes.

use callerid_core::PhoneNumber;
use callerid_core::phone_number::METADATA_RELEASE;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "./errors.js")]
extern "C" {
    /// Creates an `InvalidPhoneNumber`.
    #[wasm_bindgen(js_name = invalidPhoneNumber)]
    #[expect(clippy::too_many_arguments, reason = "values cross as they are, without serde")]
    fn invalid_phone_number(
        reason: &str,
        message: &str,
        at: usize,
        digits: Option<u8>,
        expected: Option<u8>,
        country: Option<u16>,
        area_code: Option<u16>,
        exchange: Option<u16>,
        stray: Option<char>,
    ) -> JsValue;
}

/// Parses a number. Returns its ten digits.
#[wasm_bindgen(js_name = parsePhoneNumber)]
pub fn parse(text: &str) -> Result<String, JsValue> {
    let number = PhoneNumber::parse(text).map_err(|error| invalid(text, error))?;
    Ok(number.as_str().to_owned())
}

/// Parses a possible number, which need not be assigned. Returns its ten digits.
#[wasm_bindgen(js_name = parsePossiblePhoneNumber)]
pub fn parse_possible(text: &str) -> Result<String, JsValue> {
    Ok(possible(text)?.as_str().to_owned())
}

/// Parses a number with an optional extension. Returns the ten digits, and the extension if
/// present.
#[wasm_bindgen(js_name = parsePhoneNumberWithExtension)]
pub fn parse_with_extension(text: &str) -> Result<Vec<String>, JsValue> {
    let read = PhoneNumber::parse_with_extension(text);
    let (number, extension) = read.map_err(|error| invalid(text, error))?;
    let extension = extension.map(|extension| extension.as_str().to_owned());
    Ok([number.as_str().to_owned()].into_iter().chain(extension).collect())
}

/// Whether a text becomes a valid number if the right digits are typed after it.
#[wasm_bindgen(js_name = isIncompletePhoneNumber)]
pub fn is_incomplete(text: &str) -> bool {
    PhoneNumber::is_incomplete(text)
}

/// Formats what has been typed of a number. `caret` is an index in the string. Returns the formatted
/// text, and the index of the caret in it.
#[wasm_bindgen(js_name = formatPhoneNumber, unchecked_return_type = "[string, number]")]
pub fn format(text: &str, caret: usize) -> Vec<JsValue> {
    let (formatted, at) = PhoneNumber::format_as_you_type(text, crate::byte_offset(text, caret));
    let caret = crate::utf16_index(&formatted, at) as u32;
    vec![formatted.into(), caret.into()]
}

/// Parses lines that end in `\n` or `\r\n`. Returns as many lines, each with the ten digits, or
/// empty if the number is invalid.
#[wasm_bindgen(js_name = normalizeLines)]
pub fn normalize_lines(mut lines: &[u8]) -> Vec<u8> {
    // An output line is never longer than its input line, except for a missing line end after the
    // last one.
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

/// The kind of a number.
#[wasm_bindgen(js_name = phoneNumberKind, unchecked_return_type = "PhoneNumberKind")]
pub fn kind(digits: &str) -> Result<String, JsValue> {
    Ok(possible(digits)?.kind().as_str().to_owned())
}

/// A number in national format.
#[wasm_bindgen(js_name = nationalPhoneNumber)]
pub fn national(digits: &str) -> Result<String, JsValue> {
    Ok(possible(digits)?.national().as_str().to_owned())
}

/// A number in E.164 format.
#[wasm_bindgen(js_name = e164PhoneNumber)]
pub fn e164(digits: &str) -> Result<String, JsValue> {
    Ok(possible(digits)?.e164().as_str().to_owned())
}

/// The release of libphonenumber whose metadata determines which numbers are valid.
#[wasm_bindgen(js_name = metadataRelease)]
pub fn metadata_release() -> String {
    METADATA_RELEASE.to_owned()
}

fn possible(text: &str) -> Result<PhoneNumber, JsValue> {
    PhoneNumber::parse_possible(text).map_err(|error| invalid(text, error))
}

fn invalid(text: &str, error: callerid_core::InvalidPhoneNumber) -> JsValue {
    let (digits, expected) = error.digits().unzip();
    invalid_phone_number(
        error.reason().as_str(),
        &error.user_message(),
        crate::utf16_index(text, error.at()),
        digits,
        expected,
        error.country_code(),
        error.area_code(),
        error.exchange(),
        error.stray(),
    )
}
