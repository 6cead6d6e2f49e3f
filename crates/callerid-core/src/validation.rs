//! Validations: the code that proves a number is somebody's, and the request that asks for one.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::serde_text::serde_text;
use crate::text::{digits, put};
use crate::{AccountSid, CallSid, FriendlyName, PhoneNumber};

/// Digits of a validation code. The specification: "The 6 digit validation code".
pub const VALIDATION_CODE_DIGITS: usize = 6;
/// The longest delay before a validation call, in seconds. The specification: "between 0 and 60".
pub const CALL_DELAY_MAX_SECONDS: u8 = 60;

const CODES: u64 = 1_000_000;

/// The six digits that are shown to whoever asked, and keyed by whoever answers the phone.
///
/// Compared in constant time; shown by [`expose`](Self::expose) alone, never by `Debug`.
#[derive(Clone, Copy)]
pub struct ValidationCode([u8; VALIDATION_CODE_DIGITS]);

impl ValidationCode {
    /// Draws a code from 32 random bytes, every one of the million as likely as the others.
    ///
    /// The bytes are four tries. A try that the million codes cannot share evenly is passed over, so that
    /// none is favoured; `None` if all four were, which happens once in 10^53 draws from sound entropy.
    pub fn from_entropy(entropy: &[u8; 32]) -> Option<Self> {
        const EVEN: u64 = u64::MAX - u64::MAX % CODES;
        let (tries, _) = entropy.as_chunks::<8>();
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

    /// Bytes that this code is drawn from.
    pub(crate) fn to_entropy(self) -> [u8; 32] {
        let number = self.expose().parse::<u64>().unwrap_or_default();
        let mut entropy = [0; 32];
        entropy.iter_mut().zip(number.to_le_bytes()).for_each(|(place, byte)| *place = byte);
        entropy
    }

    /// Reads a code: six ASCII digits.
    ///
    /// # Errors
    /// [`InvalidValidationCode`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, InvalidValidationCode> {
        let digits: [u8; VALIDATION_CODE_DIGITS] =
            text.as_bytes().try_into().map_err(|_| InvalidValidationCode)?;
        if digits.iter().all(u8::is_ascii_digit) {
            Ok(Self(digits))
        } else {
            Err(InvalidValidationCode)
        }
    }

    /// The six digits, for the answer that shows them and the store that keeps them.
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

serde_text!(ValidationCode, expose, parse);

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
        put(f, &["a validation code is ", &digits(VALIDATION_CODE_DIGITS), " digits"])
    }
}

impl std::error::Error for InvalidValidationCode {}

/// How long to wait before the phone rings: 0 to 60 whole seconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u8")]
pub struct CallDelay(u8);

impl CallDelay {
    /// A delay of that many seconds.
    ///
    /// # Errors
    /// [`InvalidCallDelay`] over 60.
    pub fn new(seconds: u8) -> Result<Self, InvalidCallDelay> {
        if seconds <= CALL_DELAY_MAX_SECONDS { Ok(Self(seconds)) } else { Err(InvalidCallDelay) }
    }

    /// Reads a delay from decimal digits.
    ///
    /// # Errors
    /// [`InvalidCallDelay`] for anything but a whole number from 0 to 60.
    pub fn parse(text: &str) -> Result<Self, InvalidCallDelay> {
        let seconds = crate::page::decimal(text).and_then(|seconds| seconds.try_into().ok());
        seconds.map_or(Err(InvalidCallDelay), Self::new)
    }

    /// The delay in seconds.
    pub fn seconds(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for CallDelay {
    type Error = InvalidCallDelay;
    fn try_from(seconds: u8) -> Result<Self, InvalidCallDelay> {
        Self::new(seconds)
    }
}

/// A delay that is no whole number of seconds from 0 to 60.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallDelay;

impl fmt::Display for InvalidCallDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = digits(CALL_DELAY_MAX_SECONDS);
        put(f, &["a delay is a whole number of seconds from 0 to ", &most])
    }
}

impl std::error::Error for InvalidCallDelay {}

/// What to dial after a call is connected: digits, and `w` for half a second's wait. At most 32 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallExtension(Box<str>);

/// The most digits and waits of a [`CallExtension`].
pub const CALL_EXTENSION_MAX_CHARS: usize = 32;

impl CallExtension {
    /// Takes a text as an extension.
    ///
    /// # Errors
    /// [`InvalidCallExtension`] for an empty text, a longer one, or any other character.
    pub fn new(text: &str) -> Result<Self, InvalidCallExtension> {
        let fits = (1..=CALL_EXTENSION_MAX_CHARS).contains(&text.len());
        let is_dialled = |byte: u8| byte.is_ascii_digit() || byte == b'w';
        if fits && text.bytes().all(is_dialled) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidCallExtension)
        }
    }

    /// The digits and waits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that cannot be dialled after a call is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCallExtension;

impl fmt::Display for InvalidCallExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = digits(CALL_EXTENSION_MAX_CHARS);
        put(f, &["an extension is 1 to ", &most, " digits, and w for half a second's wait"])
    }
}

impl std::error::Error for InvalidCallExtension {}

/// What a create answers with: the code to show, for the number that is about to ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidationRequest {
    /// The account that asked.
    pub account_sid: AccountSid,
    /// The call that asks for the code; the 2008-08-01 API does not tell.
    pub call_sid: Option<CallSid>,
    /// The number being validated.
    pub phone_number: PhoneNumber,
    /// The name that was given, if any; the default is only applied when the caller ID is added.
    pub friendly_name: Option<FriendlyName>,
    /// What must be keyed on the phone.
    pub validation_code: ValidationCode,
}

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
        let code = ValidationCode::from_entropy(&tries([42, 0, 0, 0])).unwrap();
        assert_eq!(code.expose(), "000042");
    }

    #[test]
    fn a_code_is_drawn_from_its_own_entropy() {
        for text in ["000000", "000042", "999999"] {
            let code = ValidationCode::parse(text).unwrap();
            assert_eq!(ValidationCode::from_entropy(&code.to_entropy()), Some(code));
        }
    }

    #[test]
    fn a_word_that_would_favour_some_codes_is_passed_over() {
        let last_even = u64::MAX - u64::MAX % 1_000_000 - 1;
        let code = |words| ValidationCode::from_entropy(&tries(words));
        assert_eq!(code([last_even, 7, 7, 7]).unwrap().expose(), "999999");
        assert_eq!(code([last_even + 1, u64::MAX, 7, 8]).unwrap().expose(), "000007");
        assert!(code([u64::MAX; 4]).is_none());
    }

    #[test]
    fn codes_are_spread_evenly() {
        // A million draws from a full-period generator over ten bins: chi-squared with 9 degrees of
        // freedom stays under 33.7 with probability 0.9999.
        let mut bins = [0_i64; 10];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..1_000_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let word = state ^ (state >> 29);
            let code = ValidationCode::from_entropy(&tries([word, 0, 0, 0])).unwrap();
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

    #[test]
    fn a_delay_is_a_whole_number_from_0_to_60() {
        assert_eq!(CallDelay::parse("60").unwrap().seconds(), 60);
        assert_eq!(CallDelay::parse("007").unwrap().seconds(), 7);
        for text in ["", "61", "-1", "1.5", " 1", "256", "banana", "99999999999999999999"] {
            assert_eq!(CallDelay::parse(text), Err(InvalidCallDelay), "{text}");
        }
    }
}
