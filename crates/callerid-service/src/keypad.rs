//! The keys of a telephone, and the digits entered with them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use callerid_core::{VALIDATION_CODE_DIGITS, ValidationCode};

/// A key of a telephone: a digit, `*` or `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(u8);

impl Key {
    /// The key with this label; `None` if telephones have no such key.
    pub fn new(label: char) -> Option<Self> {
        matches!(label, '0'..='9' | '*' | '#').then_some(Self(label as u8))
    }
}

/// One or more keys, in the order in which they are pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// Parses the labels of one or more keys: `123456`, `1*2#`.
    ///
    /// # Errors
    /// [`InvalidKeys`] if the text is empty or contains anything other than keys.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let is_no_key = |(_, label): &(usize, char)| Key::new(*label).is_none();
        match text.char_indices().find(is_no_key) {
            Some((at, _)) => Err(InvalidKeys { at }),
            None if text.is_empty() => Err(InvalidKeys { at: 0 }),
            None => Ok(Self(text.chars().filter_map(Key::new).collect())),
        }
    }

    /// The keys, in order.
    pub fn as_slice(&self) -> &[Key] {
        &self.0
    }
}

impl FromStr for Keys {
    type Err = InvalidKeys;

    fn from_str(text: &str) -> Result<Self, InvalidKeys> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Keys {
    type Error = InvalidKeys;

    fn try_from(text: &str) -> Result<Self, InvalidKeys> {
        Self::parse(text)
    }
}

impl From<Key> for Keys {
    fn from(key: Key) -> Self {
        Self(vec![key])
    }
}

/// The six digits of a code.
impl From<ValidationCode> for Keys {
    fn from(code: ValidationCode) -> Self {
        Self(code.expose().chars().filter_map(Key::new).collect())
    }
}

/// A text that is not a sequence of telephone keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys {
    at: usize,
}

impl fmt::Display for InvalidKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one or more of 0 to 9, * and #, from byte {} on", self.at)
    }
}

impl std::error::Error for InvalidKeys {}

/// The digits of an incomplete entry: at most five, because the sixth completes it.
///
/// `*` restarts the entry, and `#` ends it early. A `#` before any digit is ignored.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DigitBuffer {
    digits: [u8; VALIDATION_CODE_DIGITS],
    length: u8,
}

impl From<String> for DigitBuffer {
    fn from(digits: String) -> Self {
        Self::resume(&digits)
    }
}

impl From<DigitBuffer> for String {
    fn from(keyed: DigitBuffer) -> Self {
        keyed.expose().to_owned()
    }
}

#[derive(PartialEq, Eq)]
pub(crate) enum CodeEntry {
    Code(ValidationCode),
    /// [`OPT_OUT_DIGITS`], ended early.
    OptOut,
    TooShort,
}

/// The entry of somebody who wants no calls.
const OPT_OUT_DIGITS: &str = "9";

impl DigitBuffer {
    /// Restores an incomplete entry from its digits. Anything else becomes an empty entry.
    pub fn resume(digits: &str) -> Self {
        let mut keyed = Self::default();
        let fits = digits.len() < VALIDATION_CODE_DIGITS;
        if fits && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.chars().filter_map(Key::new).for_each(|key| {
                keyed.press(key);
            });
        }
        keyed
    }

    /// The digits so far. Use them only in the store.
    pub fn expose(&self) -> &str {
        let digits = self.digits.get(..self.length.into()).unwrap_or_default();
        std::str::from_utf8(digits).unwrap_or_default()
    }

    /// The number of digits so far.
    pub fn len(&self) -> u8 {
        self.length
    }

    /// Whether no digit has been entered since the last entry.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(crate) fn press(&mut self, key: Key) -> Option<CodeEntry> {
        match key.0 {
            b'*' => {
                *self = Self::default();
                None
            }
            b'#' => {
                let entered = std::mem::take(self);
                match entered.expose() {
                    "" => None,
                    OPT_OUT_DIGITS => Some(CodeEntry::OptOut),
                    _ => Some(CodeEntry::TooShort),
                }
            }
            digit => {
                *self.digits.get_mut(usize::from(self.length))? = digit;
                self.length = self.length.saturating_add(1);
                if usize::from(self.length) < VALIDATION_CODE_DIGITS {
                    return None;
                }
                let entered = std::mem::take(self);
                Some(
                    ValidationCode::parse(entered.expose())
                        .map_or(CodeEntry::TooShort, CodeEntry::Code),
                )
            }
        }
    }
}

impl fmt::Debug for DigitBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigitBuffer({} digits)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_keys_are_refused_with_their_position() {
        for (text, at) in [("", 0), ("12a", 2), ("é", 0), ("1 2", 1)] {
            assert_eq!(Keys::parse(text), Err(InvalidKeys { at }), "{text}");
        }
    }
}
