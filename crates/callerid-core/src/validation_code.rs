//! Validation codes: six digits that prove who owns a number.

use std::fmt;

use subtle::ConstantTimeEq as _;

use crate::serde_text::serde_text;
use crate::text_conversions::from_text;

/// The number of digits in a validation code. The specification says "The 6 digit validation code".
pub const VALIDATION_CODE_DIGITS: usize = 6;

const CODES: u64 = 1_000_000;

/// Six digits that the API shows to the client, and that whoever answers the phone must enter.
///
/// Codes are compared in constant time. Only [`expose`](Self::expose) shows them; `Debug` does not.
#[derive(Clone, Copy)]
pub struct ValidationCode([u8; VALIDATION_CODE_DIGITS]);

impl ValidationCode {
    /// Generates a code from 32 random bytes. All of the million codes are equally likely.
    ///
    /// The bytes are four attempts. An attempt outside the largest multiple of a million is
    /// skipped, because it would favour some codes. Returns `None` if all four are skipped, which
    /// happens once in 10^53 calls with uniformly random bytes.
    pub fn from_random_bytes(random_bytes: &[u8; 32]) -> Option<Self> {
        const EVEN: u64 = u64::MAX - u64::MAX % CODES;
        let (tries, _) = random_bytes.as_chunks::<8>();
        let drawn =
            tries.iter().map(|bytes| u64::from_le_bytes(*bytes)).find(|word| *word < EVEN)?;
        let mut rest = drawn % CODES;
        let mut digits = [b'0'; VALIDATION_CODE_DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
        }
        Some(Self(digits))
    }

    /// Random bytes that generate this code.
    pub fn to_random_bytes(self) -> [u8; 32] {
        let number = self.expose().parse::<u64>().unwrap_or_default();
        let mut random_bytes = [0; 32];
        random_bytes.iter_mut().zip(number.to_le_bytes()).for_each(|(place, byte)| *place = byte);
        random_bytes
    }

    /// Parses a code: six ASCII digits.
    ///
    /// # Errors
    /// [`InvalidValidationCode`], which does not contain the text.
    pub fn parse(text: &str) -> Result<Self, InvalidValidationCode> {
        let digits: [u8; VALIDATION_CODE_DIGITS] =
            text.as_bytes().try_into().map_err(|_| InvalidValidationCode)?;
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(digits))
        } else {
            Err(InvalidValidationCode)
        }
    }

    /// The six digits. Use them only in the response that shows them and in the store.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

serde_text!(ValidationCode, expose, parse);
from_text!(ValidationCode, parse, InvalidValidationCode);

impl PartialEq for ValidationCode {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for ValidationCode {}

impl fmt::Debug for ValidationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ValidationCode(…)")
    }
}

/// A text that is not six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidValidationCode;

impl fmt::Display for InvalidValidationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a validation code is {VALIDATION_CODE_DIGITS} digits")
    }
}

impl std::error::Error for InvalidValidationCode {}

#[cfg(test)]
mod tests {
    use super::*;

    fn tries(words: [u64; 4]) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, word) in bytes.chunks_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn leading_zeros_are_kept() {
        let code = ValidationCode::from_random_bytes(&tries([42, 0, 0, 0])).unwrap();
        assert_eq!(code.expose(), "000042");
    }

    #[test]
    fn a_code_is_drawn_from_its_own_entropy() {
        for text in ["000000", "000042", "999999"] {
            let code = ValidationCode::parse(text).unwrap();
            assert_eq!(ValidationCode::from_random_bytes(&code.to_random_bytes()), Some(code));
        }
    }

    #[test]
    fn a_word_that_would_favour_some_codes_is_passed_over() {
        let last_even = u64::MAX - u64::MAX % 1_000_000 - 1;
        let code = |words| ValidationCode::from_random_bytes(&tries(words));
        assert_eq!(code([last_even, 7, 7, 7]).unwrap().expose(), "999999");
        assert_eq!(code([last_even + 1, u64::MAX, 7, 8]).unwrap().expose(), "000007");
        assert!(code([u64::MAX; 4]).is_none());
    }

    #[test]
    fn codes_are_spread_evenly() {
        // A million codes from a full-period generator in ten bins: chi-squared with 9 degrees of
        // freedom stays under 33.7 with probability 0.9999.
        let mut bins = [0_i64; 10];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..1_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let word = state ^ (state >> 29);
            let code = ValidationCode::from_random_bytes(&tries([word, 0, 0, 0])).unwrap();
            bins[usize::from(code.0[0] - b'0')] += 1;
        }
        let squares: i64 = bins.iter().map(|seen| (seen - 100_000) * (seen - 100_000)).sum();
        assert!(squares as f64 / 100_000.0 < 33.7, "{bins:?}");
    }

    #[test]
    fn a_code_stays_out_of_debug_output() {
        let code = ValidationCode::parse("123456").unwrap();
        assert_eq!(format!("{code:?}"), "ValidationCode(…)");
        for text in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert_eq!(ValidationCode::parse(text), Err(InvalidValidationCode));
        }
    }
}
