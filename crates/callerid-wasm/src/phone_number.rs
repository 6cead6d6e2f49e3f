//! [`PhoneNumber`]: one at a time, and many.

use std::cell::RefCell;

use callerid_core::{Extension, InvalidPhoneNumber, PhoneNumber};
use wasm_bindgen::prelude::*;

use crate::js::Array;

/// How many bytes of text the buffer takes: a number's 250 characters in full.
const BUFFER_BYTES: usize = 1024;

thread_local! {
    static BUFFER: RefCell<[u8; BUFFER_BYTES]> = const { RefCell::new([0; BUFFER_BYTES]) };
}

/// Where in memory the façade writes a text for [`parse_buffered`].
#[wasm_bindgen(js_name = bufferAddress)]
pub fn buffer_address() -> *mut u8 {
    BUFFER.with_borrow_mut(|buffer| buffer.as_mut_ptr())
}

/// How many bytes it may write there.
#[wasm_bindgen(js_name = bufferLength)]
pub fn buffer_length() -> usize {
    BUFFER_BYTES
}

/// Reads a number from so many bytes of the buffer: its ten digits as one number, or NaN where it is none.
#[wasm_bindgen(js_name = parseBuffered)]
pub fn parse_buffered(length: usize) -> f64 {
    BUFFER.with_borrow(|buffer| {
        let text = buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
        match text.map(PhoneNumber::parse) {
            Some(Ok(number)) => {
                let digits = number.as_str().bytes();
                digits.fold(0, |value: u64, digit| value * 10 + u64::from(digit & 0xf)) as f64
            }
            _ => f64::NAN,
        }
    })
}

/// Reads a number, with its extension where `with_extension` is set: `[digits, extension?]`, or where it is none
/// `[undefined, reason, message, at]`.
#[wasm_bindgen(js_name = checkPhoneNumber)]
pub fn check(text: &str, with_extension: bool) -> Array {
    let read = if with_extension {
        PhoneNumber::parse_with_extension(text)
    } else {
        PhoneNumber::parse(text).map(|number| (number, None))
    };
    verdict(text, read)
}

/// Takes a number back that was read before: as [`check`], whatever the numbering plan says by now.
#[wasm_bindgen(js_name = restorePhoneNumber)]
pub fn restore(text: &str) -> Array {
    verdict(text, PhoneNumber::restore(text).map(|number| (number, None)))
}

fn verdict(
    text: &str,
    read: Result<(PhoneNumber, Option<Extension>), InvalidPhoneNumber>,
) -> Array {
    match read {
        Ok((number, extension)) => {
            let extension = extension.as_ref().map(|extension| extension.as_str());
            Array::of(number.as_str()).optional_text(extension)
        }
        Err(error) => Array::empty()
            .optional_text(None)
            .text(error.reason().as_str())
            .text(&error.to_string())
            .number(crate::utf16_index(text, error.at()).into()),
    }
}

/// Reads lines of UTF-8, ended by `\n` or `\r\n`: as many lines come back, the ten digits each, or nothing where it is no
/// number.
#[wasm_bindgen(js_name = normalizeLines)]
pub fn normalize_lines(lines: &[u8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(lines.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Ok(Ok(number)) = std::str::from_utf8(line).map(PhoneNumber::parse) {
            answer.extend_from_slice(number.as_str().as_bytes());
        }
        answer.push(b'\n');
    }
    answer
}

/// What a number is for. The empty text where it is no number.
#[wasm_bindgen(js_name = phoneNumberKind)]
pub fn kind(number: &str) -> String {
    PhoneNumber::restore(number).map(|number| number.kind().as_str().to_owned()).unwrap_or_default()
}

/// A number as it is written at home. The empty text where it is no number.
#[wasm_bindgen(js_name = phoneNumberNational)]
pub fn national(number: &str) -> String {
    PhoneNumber::restore(number)
        .map(|number| number.national().as_str().to_owned())
        .unwrap_or_default()
}

/// A number as it is written everywhere. The empty text where it is no number.
#[wasm_bindgen(js_name = phoneNumberE164)]
pub fn e164(number: &str) -> String {
    PhoneNumber::restore(number).map(|number| number.e164().as_str().to_owned()).unwrap_or_default()
}

/// The release of libphonenumber whose metadata says which numbers are valid.
#[wasm_bindgen(js_name = metadataRelease)]
pub fn metadata_release() -> String {
    callerid_core::phone_number::METADATA_RELEASE.to_owned()
}
