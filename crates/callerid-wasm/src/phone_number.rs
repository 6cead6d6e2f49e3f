//! [`PhoneNumber`]: one at a time, and many.
//!
//! Texts and answers go through one buffer, whose place both sides know: a function takes how many bytes of it are given,
//! in UTF-8, and returns how many it has written there. Nothing is allocated, and nothing but numbers crosses.

use std::cell::RefCell;

use callerid_core::{InvalidPhoneNumber, PhoneNumber, phone_number};
use wasm_bindgen::prelude::*;

/// Far more than a number may have, so that what is left out of a longer text changes nothing of the answer.
const BUFFER_BYTES: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<[u8; BUFFER_BYTES]> = const { RefCell::new([0; BUFFER_BYTES]) };
}

/// Where in memory the buffer is.
#[wasm_bindgen(js_name = bufferAddress)]
pub fn buffer_address() -> *mut u8 {
    BUFFER.with_borrow_mut(|buffer| buffer.as_mut_ptr())
}

/// How many bytes it has.
#[wasm_bindgen(js_name = bufferLength)]
pub fn buffer_length() -> usize {
    BUFFER_BYTES
}

/// Reads a number: its ten digits in packed BCD, or NaN where it is none.
#[wasm_bindgen(js_name = parsePhoneNumber)]
pub fn parse(length: usize) -> f64 {
    BUFFER.with_borrow(|buffer| match PhoneNumber::parse(text(buffer, length)) {
        Ok(number) => number.to_bcd() as f64,
        Err(_) => f64::NAN,
    })
}

/// How [`check`] reads a text.
#[wasm_bindgen]
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// As a number.
    Number,
    /// As a number that may have an extension.
    WithExtension,
    /// As a number that was read before.
    Restored,
}

/// Reads a number: the answer is its digits and, on a second line, its extension if it has one; or four lines, of which
/// the first is empty and the others are the reason why it is none, the message, and where in the text.
#[wasm_bindgen(js_name = checkPhoneNumber)]
pub fn check(length: usize, reading: Reading) -> usize {
    BUFFER.with_borrow_mut(|buffer| {
        let text = text(buffer, length);
        let read = match reading {
            Reading::Number => PhoneNumber::parse(text).map(|number| (number, None)),
            Reading::WithExtension => PhoneNumber::parse_with_extension(text),
            Reading::Restored => PhoneNumber::restore(text).map(|number| (number, None)),
        };
        let read = read.map_err(|error| error.with_offset(crate::utf16_index(text, error.at())));
        let mut answer = Answer { buffer, length: 0 };
        match read {
            Ok((number, extension)) => {
                answer.line(number.as_str());
                if let Some(extension) = extension {
                    answer.line(extension.as_str());
                }
            }
            Err(error) => answer.error(&error),
        }
        answer.length
    })
}

/// Reads lines that end in `\n` or `\r\n`: as many lines are the answer, the ten digits each, or nothing where it is no
/// number. They leave a byte of the buffer free.
#[wasm_bindgen(js_name = normalizeLines)]
pub fn normalize_lines(length: usize) -> usize {
    BUFFER.with_borrow_mut(|buffer| {
        let mut at = 0;
        // Never past what is yet to be read: a number takes ten bytes at least, and only the last line may lack its end.
        let mut written = 0;
        while let Some(lines @ [_, ..]) = buffer.get(at..length) {
            let (number, rest) = PhoneNumber::parse_line(lines);
            at = length - rest.len();
            // Of a size that is known, so that it is no call of the engine's, which costs more than the number.
            let place = buffer.get_mut(written..).and_then(<[u8]>::first_chunk_mut);
            if let (Some(number), Some(place)) = (number, place) {
                *place = *number.as_bytes();
                written += place.len();
            }
            if let Some(place) = buffer.get_mut(written) {
                *place = b'\n';
                written += 1;
            }
        }
        written
    })
}

/// What the rules say of a number that was read, a line each: the release of libphonenumber whose metadata they go by, the
/// number's kind, and how it is written at home and everywhere. The first alone where it is none.
#[wasm_bindgen(js_name = describePhoneNumber)]
pub fn describe(length: usize) -> usize {
    BUFFER.with_borrow_mut(|buffer| {
        let number = PhoneNumber::restore(text(buffer, length));
        let mut answer = Answer { buffer, length: 0 };
        answer.line(phone_number::METADATA_RELEASE);
        if let Ok(number) = number {
            answer.line(number.kind().as_str());
            answer.line(number.national().as_str());
            answer.line(number.e164().as_str());
        }
        answer.length
    })
}

/// So many bytes of the buffer, which the other side has encoded.
fn text(buffer: &[u8], length: usize) -> &str {
    buffer.get(..length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// Lines that are written over what was read.
struct Answer<'a> {
    buffer: &'a mut [u8; BUFFER_BYTES],
    length: usize,
}

impl Answer<'_> {
    fn line(&mut self, line: &str) {
        self.bytes(line.as_bytes());
        self.bytes(b"\n");
    }

    fn error(&mut self, error: &InvalidPhoneNumber) {
        self.line("");
        self.line(error.reason().as_str());
        // Nothing fails that is written to bytes.
        let _ = error.write_message(&mut |piece| {
            self.bytes(piece.as_bytes());
            Ok(())
        });
        self.line("");
        self.number(error.at());
        self.line("");
    }

    fn number(&mut self, number: usize) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.bytes(&[b'0' + (number % 10) as u8]);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(place) = self.buffer.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
            self.length = end;
        }
    }
}
